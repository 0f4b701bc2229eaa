/* SPDX-License-Identifier: MIT */
/* Carries out what policy.c decides when a domain has shut down: a core first where one is wanted, then its end, its return, or neither. */
#include "xend/node_private.h"

#include <xen/sched.h>

/* Made by a restart and ended sooner, it is not restarted again. */
enum { SHORT_LIFE_SECONDS = 10 };

/* What is left of the domain gets another name and uuid, so that its successor can have them. */
static int set_aside(struct node *n, struct domain *d, struct error *e)
{
	autofree char *path = domain_path(d->id, "/vm"), *old = xasprintf("/vm/%s", d->uuid);
	struct domain_config identity = {0};
	autofree char *name = NULL, *vm = NULL;
	uint8_t handle[16];
	char stamp[32];
	time_t now = time(NULL);
	struct tm utc;

	config_make_uuid(&identity);
	if (!uuid_parse(identity.uuid, handle) ||
	    hyper_domain_set_handle(n->hyper, d->id, handle, e)) {
		free(identity.uuid);
		return -1;
	}
	memcpy(d->info.handle, handle, sizeof(handle));
	vm = xasprintf("/vm/%s", identity.uuid);
	store_put_removed(n->store, old);
	store_put(n->store, vm, "uuid", "%s", identity.uuid);
	store_put(n->store, path, NULL, "%s", vm);
	memcpy(d->uuid, identity.uuid, sizeof(d->uuid));
	d->managed = false;
	free(d->config->uuid);
	d->config->uuid = identity.uuid;
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	name = xasprintf("%s-%s", d->name, stamp);
	return domain_rename(n, d, name, e);
}

/* A domain of @d's name, uuid and configuration; @d lives on under others. */
static struct operation *replace(struct node *n, struct domain *d, struct error *e)
{
	struct operation *op = NULL;
	struct domain_config copy;
	struct domain *successor;
	bool managed = d->managed;

	config_copy(&copy, d->config);
	if (set_aside(n, d, e)) {
		config_free(&copy);
		return NULL;
	}
	successor = domain_add(n, copy.name, copy.uuid);
	successor->managed = managed;
	domain_take_config(successor, &copy);
	op = domain_make(n, "restart", successor, false, e);
	if (!op)
		domain_ended(n, successor);
	return op;
}

static void act(struct node *n, struct domain *d, enum domain_action action)
{
	struct error e = {0};
	autofree char *name = xstrdup(d->name);

	if (n->stopping && action != ACTION_PRESERVE)
		action = ACTION_DESTROY;
	if (action == ACTION_RENAME_RESTART)
		replace(n, d, &e);
	if (action == ACTION_RESTART && !domain_make(n, "restart", d, false, &e))
		domain_destroy(n, d, NULL);
	if (action == ACTION_DESTROY)
		domain_destroy(n, d, &e);
	if (e.class)
		log_error("domain %s: its end could not be dealt with: %s", name, e.text);
}

static void dumped(struct operation *op, void *arg)
{
	if (op->d && op->d->present)
		act(op->node, op->d, (enum domain_action)(intptr_t)arg);
}

void policy_apply(struct node *n, struct domain *d)
{
	const time_t lived = time(NULL) - d->started_at;
	const int reason = domain_shutdown_reason(d);
	struct policy_verdict v = policy_decide(
		d->config, reason, d->from_restart && !d->ordered && lived < SHORT_LIFE_SECONDS,
		n->settings->enable_dump);
	struct operation *op;

	d->handled = true;
	log_info("domain %s (%u) has shut down: %s", d->name, d->id, policy_reason_name(reason));
	domain_announce(n, d, reason == SHUTDOWN_crash ? "crashed" : "shutdown");
	if (v.loops)
		log_warning(
			"domain %s is not restarted: it was restarted and ended again within %d seconds",
			d->name, SHORT_LIFE_SECONDS);
	op = v.dump ? domain_dump(n, d, NULL, false, NULL) : NULL;
	if (op)
		operation_wait(op, dumped, (void *)(intptr_t)v.action);
	else
		act(n, d, v.action);
}
