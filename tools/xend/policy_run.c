/* SPDX-License-Identifier: MIT */
/* Carries out what policy.c decides when a domain has shut down: a core first where one is wanted, then its end, its return, or neither. */
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/node_private.h"
#include "xend/policy.h"
#include "xend/settings.h"

#include <stdlib.h>
#include <string.h>

#include <xen/sched.h>

/* What is left of the domain gets another name and uuid, so that its successor can have them. */
static int set_aside(struct node *n, struct domain *d, struct error *e)
{
	struct domain_config identity;
	char *path, *name, *vm;
	uint8_t handle[16];
	char stamp[32];
	time_t now = time(NULL);
	struct tm utc;
	int rc;

	memset(&identity, 0, sizeof(identity));
	config_make_uuid(&identity);
	if (!uuid_parse(identity.uuid, handle) ||
	    hyper_domain_set_handle(n->hyper, d->id, handle, e)) {
		free(identity.uuid);
		return -1;
	}
	memcpy(d->info.handle, handle, sizeof(handle));
	path = domain_path(d->id, "/vm");
	vm = xasprintf("/vm/%s", d->uuid);
	store_put_removed(n->store, vm);
	free(vm);
	vm = xasprintf("/vm/%s", identity.uuid);
	store_put(n->store, vm, "uuid", "%s", identity.uuid);
	store_put(n->store, path, NULL, "%s", vm);
	record_remove(d);
	memcpy(d->uuid, identity.uuid, sizeof(d->uuid));
	d->managed = false;
	free(d->config->uuid);
	d->config->uuid = identity.uuid;
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	name = xasprintf("%s-%s", d->name, stamp);
	rc = domain_rename(n, d, name, e);
	free(path);
	free(name);
	free(vm);
	return rc;
}

static void carry_out(struct node *n, struct domain *d, enum policy_next next, struct error *e)
{
	const struct create_options options = {.from_restart = true, .managed = d->managed};
	struct domain_config copy;

	if (n->stopping && (next == POLICY_RESTART || next == POLICY_RENAME_RESTART))
		next = POLICY_DESTROY;
	switch (next) {
	case POLICY_NOTHING:
	case POLICY_PRESERVE:
		return;
	case POLICY_DESTROY:
		domain_destroy(n, d, e);
		return;
	case POLICY_RESTART:
		config_copy(&copy, d->config);
		restart_begin(n, "restart", d, &copy, &options, e);
		return;
	case POLICY_RENAME_RESTART:
		config_copy(&copy, d->config);
		if (set_aside(n, d, e))
			config_free(&copy);
		else
			restart_begin(n, "restart", NULL, &copy, &options, e);
		return;
	}
}

static void act(struct node *n, struct domain *d, enum policy_next next)
{
	struct error e = {0};
	char *name = xstrdup(d->name);

	carry_out(n, d, next, &e);
	if (e.class)
		log_error("domain %s: its end could not be dealt with: %s", name, e.text);
	free(name);
}

struct pending {
	struct node *node;
	enum policy_next next;
};

static void dumped(struct operation *op, void *arg)
{
	struct pending *p = arg;
	struct domain *d = domain_by_uuid(p->node, op->uuid);

	if (d && d->present)
		act(p->node, d, p->next);
	free(p);
}

void policy_apply(struct node *n, struct domain *d)
{
	const struct policy_life life = {
		.reason = domain_shutdown_reason(d),
		.seconds = d->started_at ? (long)(time(NULL) - d->started_at) : POLICY_SHORT_LIFE,
		.ordered = d->ordered,
		.from_restart = d->from_restart,
		.enable_dump = n->settings->enable_dump,
	};
	struct policy_verdict v = policy_decide(d->config, &life);
	struct operation *op;
	struct pending *p;

	d->handled = true;
	log_info("domain %s (%u) has shut down: %s", d->name, d->id,
		 policy_reason_name(life.reason));
	domain_announce(n, d, life.reason == SHUTDOWN_crash ? "crashed" : "shutdown");
	if (v.why)
		log_warning("domain %s is not restarted: %s", d->name, v.why);
	op = v.dump ? domain_dump(n, d, NULL, false, NULL) : NULL;
	if (!op) {
		act(n, d, v.next);
		return;
	}
	p = xmalloc(sizeof(*p));
	*p = (struct pending){n, v.next};
	operation_wait(op, dumped, p);
}
