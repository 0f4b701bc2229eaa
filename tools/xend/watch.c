/* SPDX-License-Identifier: MIT */
/*
 * What xend notices by itself: domains that came, shut down or went (xenstored says so after the hypervisor's VIRQ_DOM_EXC), dying ones
 * that linger, back ends that do not move. Between such events nothing is asked but, every few seconds, the devices of one or two
 * domains.
 */
#include "xend/node_private.h"

enum {
	SOON_MS = 250,	     /* while something is dying or waits for an operation to end */
	ROUND_MS = 5000,     /* the slow round */
	SETTLE_SECONDS = 20, /* a domain's devices are looked at after its start */
	LOOK_SECONDS = 60,   /* and then so often */
	LOOKS_A_ROUND = 2,
	SURVEY_ROUNDS = 6, /* the hypervisor is asked although nobody said that anything changed */
};

/* --- Ends ------------------------------------------------------------------------------------------------------ */

static void tell_lingering(struct domain *d)
{
	if (!d->dying_since)
		d->dying_since = time(NULL);
	snprintf(d->lingers, sizeof(d->lingers),
		 "dying since %lld s: %llu of its pages are still held by others",
		 (long long)(time(NULL) - d->dying_since),
		 (unsigned long long)(d->info.tot_pages + d->info.shr_pages));
}

static bool has_shut_down(const struct domain *d)
{
	return d->present && d->id && (d->info.flags & XEN_DOMINF_shutdown) &&
	       !(d->info.flags & XEN_DOMINF_dying) && !d->handled;
}

/* What is left of it is to be looked at again soon. */
static bool examine_one(struct node *n, struct domain *d)
{
	if (d->present && (d->info.flags & XEN_DOMINF_dying) && !d->operation) {
		tell_lingering(d);
		return true;
	}
	if (!has_shut_down(d))
		return false;
	/* A shutdown operation sees for itself that it is done; others are let finish. */
	if (d->operation && !strcmp(d->operation->kind, "shutdown"))
		operation_run(d->operation);
	if (d->operation)
		return true;
	policy_apply(n, d); /* marks it */
	return false;
}

static void examine(void *arg)
{
	struct node *n = arg;
	struct error e;
	bool soon = false;

	if (domains_refresh(n, &e)) {
		log_error("%s", e.text);
		return;
	}
	for (struct domain *d = n->domains, *next; d; d = next) {
		next = d->next; /* the policy may move @d */
		soon = examine_one(n, d) || soon;
	}
	loop_timer_set(n->soon, soon ? SOON_MS : 0);
}

static void store_fired(void *arg, const char *path)
{
	examine(arg);
}

void watch_lingering(struct node *n, struct domain *d)
{
	tell_lingering(d);
	log_warning("domain %s: %s", d->name, d->lingers);
	loop_timer_set(n->soon, SOON_MS);
}

/* --- Back ends --------------------------------------------------------------------------------------------------- */

static void look_at_kind(struct node *n, struct domain *d, enum device_kind kind)
{
	struct device_info *list;
	size_t nr;

	if (device_list(n->store, d->id, kind, &list, &nr, NULL))
		return;
	for (size_t i = 0; i < nr && !d->lingers[0]; i++) {
		autofree char *trouble = device_trouble(&list[i]);

		snprintf(d->lingers, sizeof(d->lingers), "%s", trouble ? trouble : "");
	}
	device_list_free(list, nr);
}

static bool due(const struct domain *d, time_t now)
{
	if (!d->present || !d->config || d->operation || d->dying_since ||
	    (!d->config->nr_disks && !d->config->nr_nics) ||
	    (d->info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_paused)))
		return false;
	return now - d->started_at >= SETTLE_SECONDS && now - d->looked_at >= LOOK_SECONDS;
}

static void look_at_devices(struct node *n)
{
	time_t now = time(NULL);
	int looks = 0;

	for (struct domain *d = n->domains; d && looks < LOOKS_A_ROUND; d = d->next) {
		char before[sizeof(d->lingers)];

		if (!due(d, now))
			continue;
		memcpy(before, d->lingers, sizeof(before));
		d->lingers[0] = '\0';
		look_at_kind(n, d, DEVICE_VBD);
		look_at_kind(n, d, DEVICE_VIF);
		if (d->lingers[0] && strcmp(before, d->lingers))
			log_warning("domain %s: %s", d->name, d->lingers);
		d->looked_at = now;
		looks++;
	}
}

static void round_expired(void *arg)
{
	static unsigned int rounds;
	struct node *n = arg;

	if (++rounds % SURVEY_ROUNDS == 0)
		examine(n);
	look_at_devices(n);
}

/* --- Life ------------------------------------------------------------------------------------------------------ */

void watch_start(struct node *n)
{
	n->soon = loop_timer(n->loop, 0, false, examine, n);
	n->round = loop_timer(n->loop, ROUND_MS, true, round_expired, n);
	store_watch(n->store, "@introduceDomain", store_fired, n);
	store_watch(n->store, "@releaseDomain", store_fired, n);
	store_flush(n->store, NULL);
}
