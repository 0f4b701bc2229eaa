/* SPDX-License-Identifier: MIT */
/*
 * What xend notices by itself: domains that came, shut down or went (xenstored says so after the hypervisor's VIRQ_DOM_EXC), dying ones
 * that linger, back ends that do not move. Between such events nothing is asked but, every few seconds, the devices of one or two
 * domains.
 */
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/device/device.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/node_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SOON_MS = 250,	     /* while something is dying or waits for an operation to end */
	ROUND_MS = 5000,     /* the slow round */
	SETTLE_SECONDS = 20, /* a domain's devices are looked at after its start */
	LOOK_SECONDS = 60,   /* and then so often */
	LOOKS_A_ROUND = 2,
	SURVEY_ROUNDS = 6, /* the hypervisor is asked although nobody said that anything changed */
};

struct watch {
	struct store_watch *introduced, *released;
	struct loop_source *soon, *round;
	unsigned int rounds;
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

/* Something of the kind is left: to be looked at again soon. */
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
	return d->operation;
}

static struct domain *next_ended(struct node *n)
{
	struct domain *d = n->domains;

	while (d && (!has_shut_down(d) || d->operation))
		d = d->next;
	return d;
}

static void examine(struct node *n)
{
	struct domain *ended;
	struct error e;
	bool soon = false;

	if (domains_refresh(n, &e)) {
		log_error("%s", e.text);
		return;
	}
	for (struct domain *d = n->domains; d; d = d->next)
		soon = examine_one(n, d) || soon;
	while ((ended = next_ended(n)))
		policy_apply(n, ended); /* marks it, and may change the list */
	loop_timer_set(n->watch->soon, soon ? SOON_MS : 0);
}

static void soon_expired(void *arg)
{
	examine(arg);
}

static void store_fired(void *arg, const char *path)
{
	examine(arg);
}

void watch_dying(struct node *n, struct domain *d)
{
	domain_refresh(n, d, false, NULL);
	tell_lingering(d);
	log_warning("domain %s: %s", d->name, d->lingers);
	if (n->watch)
		loop_timer_set(n->watch->soon, SOON_MS);
}

/* --- Back ends --------------------------------------------------------------------------------------------------- */

static void look_at_kind(struct node *n, struct domain *d, enum device_kind kind)
{
	struct device_info *list;
	size_t nr;

	if (device_list(n->store, d->id, kind, &list, &nr, NULL))
		return;
	for (size_t i = 0; i < nr && !d->lingers[0]; i++) {
		char *trouble = device_trouble(&list[i]);

		if (trouble)
			snprintf(d->lingers, sizeof(d->lingers), "%s", trouble);
		free(trouble);
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
	struct node *n = arg;

	if (++n->watch->rounds % SURVEY_ROUNDS == 0)
		examine(n);
	look_at_devices(n);
}

/* --- Life ------------------------------------------------------------------------------------------------------ */

void watch_start(struct node *n)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	n->watch = w;
	w->soon = loop_timer(n->loop, 0, false, soon_expired, n);
	w->round = loop_timer(n->loop, ROUND_MS, true, round_expired, n);
	w->introduced = store_watch(n->store, "@introduceDomain", store_fired, n);
	w->released = store_watch(n->store, "@releaseDomain", store_fired, n);
	store_flush(n->store, NULL);
}

void watch_stop(struct node *n)
{
	struct watch *w = n->watch;

	if (!w)
		return;
	store_unwatch(w->introduced);
	store_unwatch(w->released);
	loop_remove(w->soon);
	loop_remove(w->round);
	free(w);
	n->watch = NULL;
}
