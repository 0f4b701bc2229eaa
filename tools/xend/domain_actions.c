/* SPDX-License-Identifier: MIT */
/* What is done to a domain at once: a hypercall or a few nodes, checked first. Long work is in create.c, destroy.c, domain_ops.c, dump.c. */
#include "xend/node_private.h"

#include <ctype.h>

/* --- Running and stopping ------------------------------------------------------------------------------------- */

/* Pauses count in the hypervisor; people's do not. */
static int set_paused(struct node *n, struct domain *d, bool paused, struct error *e)
{
	if (domain_needs_running(d, e) || domain_refresh(n, d, false, e))
		return -1;
	if (paused != !!(d->info.flags & XEN_DOMINF_paused) &&
	    hyper_domain_do(n->hyper, paused ? XEN_DOMCTL_pausedomain : XEN_DOMCTL_unpausedomain,
			    d->id, 0, e))
		return -1;
	domain_refresh(n, d, false, NULL);
	domain_announce(n, d, paused ? "paused" : "unpaused");
	return 0;
}

int domain_pause(struct node *n, struct domain *d, struct error *e)
{
	if (!d->id)
		return error_set(e, ERROR_CONFLICT, "domain 0 cannot pause itself");
	return set_paused(n, d, true, e);
}

int domain_unpause(struct node *n, struct domain *d, struct error *e)
{
	if (d->operation && d->operation->undo)
		return error_set(e, ERROR_CONFLICT, "domain %s is still being made", d->name);
	return set_paused(n, d, false, e);
}

int domain_trigger(struct node *n, struct domain *d, const char *trigger, uint32_t vcpu,
		   struct error *e)
{
	static const char *const triggers[] = {[XEN_DOMCTL_SENDTRIGGER_NMI] = "nmi",
					       [XEN_DOMCTL_SENDTRIGGER_RESET] = "reset",
					       [XEN_DOMCTL_SENDTRIGGER_INIT] = "init",
					       [XEN_DOMCTL_SENDTRIGGER_POWER] = "power",
					       [XEN_DOMCTL_SENDTRIGGER_SLEEP] = "sleep"};

	for (unsigned int i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++)
		if (!strcmp(trigger, triggers[i]))
			return hyper_domain_trigger(n->hyper, d->id, i, vcpu, e);
	if (!strcmp(trigger, "s3resume"))
		return error_set(e, ERROR_UNSUPPORTED, "domain %s: only HVM guests know s3resume",
				 d->name);
	error_set(e, ERROR_USAGE, "there is no trigger %s", trigger);
	return error_hint(e, "triggers are nmi, reset, init, power, sleep");
}

int domain_sysrq(struct node *n, struct domain *d, char key, struct error *e)
{
	autofree char *path = domain_path(d->id, "/control/sysrq");

	if (!isalnum((unsigned char)key))
		return error_set(e, ERROR_USAGE, "a magic key is a letter or a digit");
	return store_write(n->store, path, e, "%c", key);
}

/* --- Name and configuration ----------------------------------------------------------------------------------- */

static int check_name(struct node *n, const char *name, struct error *e)
{
	size_t len = strlen(name);

	if (!len || len > 128)
		return error_set(e, ERROR_USAGE, "a domain's name has 1 to 128 characters");
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_-.:/+", name[i]))
			return error_set(e, ERROR_USAGE, "'%c' cannot be in a domain's name",
					 name[i]);
	if (domain_by_name(n, name))
		return error_set(e, ERROR_CONFLICT, "domain %s exists already", name);
	return 0;
}

static void replace(char **text, const char *by)
{
	free(*text);
	*text = xstrdup(by);
}

int domain_rename(struct node *n, struct domain *d, const char *name, struct error *e)
{
	autofree char *path = domain_path(d->id, "/name"), *vm = xasprintf("/vm/%s/name", d->uuid);

	if (!d->id)
		return error_set(e, ERROR_CONFLICT, "domain 0 keeps its name");
	if (check_name(n, name, e))
		return -1;
	if (d->present) {
		store_put(n->store, path, NULL, "%s", name);
		store_put(n->store, vm, NULL, "%s", name);
		if (store_flush(n->store, e))
			return -1;
	}
	replace(&d->name, name);
	if (d->config)
		replace(&d->config->name, name);
	domain_place(n, d, d->id); /* those that do not run are in the order of their names */
	domain_announce(n, d, "renamed");
	return domain_save(n, d, e);
}

int domain_set_config(struct node *n, struct domain *d, struct domain_config *config,
		      struct error *e)
{
	struct domain_config old;

	if (!d->config)
		return error_set(e, ERROR_CONFLICT, "domain %s was not made by xend", d->name);
	if (d->operation)
		return error_set(e, ERROR_CONFLICT, "domain %s is busy", d->name);
	if (!config->name || strcmp(config->name, d->name))
		return error_set(e, ERROR_CONFLICT, "the configuration is domain %s's, not %s's",
				 config->name ? config->name : "(nobody)", d->name);
	if (config->uuid && strcmp(config->uuid, d->uuid))
		return error_set(e, ERROR_CONFLICT, "domain %s has the uuid %s", d->name, d->uuid);
	replace(&config->uuid, d->uuid);
	old = *d->config;
	*d->config = *config;
	if (domain_save(n, d, e)) {
		*d->config = old;
		return -1;
	}
	*config = old; /* for the caller to free */
	domain_announce(n, d, "changed");
	return 0;
}

int domain_delete(struct node *n, struct domain *d, struct error *e)
{
	if (!d->managed)
		return error_set(e, ERROR_CONFLICT, "domain %s is not managed", d->name);
	if (d->id != DOMID_INVALID || d->operation) {
		error_set(e, ERROR_CONFLICT, "domain %s is running", d->name);
		return error_hint(e, "\"xm shutdown %s\" first", d->name);
	}
	d->managed = false;
	managed_save(n, d, NULL);
	domain_announce(n, d, "deleted");
	domain_ended(n, d);
	return 0;
}

/* --- Memory ------------------------------------------------------------------------------------------------------ */

/* Told to the guest, and what a managed or restarted one gets next time. */
static int set_memory(struct node *n, struct domain *d, bool max, uint64_t kb, struct error *e)
{
	autofree char *path = domain_path(d->id, max ? "/memory/static-max" : "/memory/target");
	struct domain_config *c = d->config;

	if (d->present && store_write(n->store, path, e, "%llu", (unsigned long long)kb))
		return -1;
	if (!c || !kb)
		return 0;
	c->memory_given = true;
	*(max ? &c->max_memory_kb : &c->memory_kb) = kb;
	if (c->memory_kb > c->max_memory_kb)
		c->memory_kb = c->max_memory_kb;
	return domain_save(n, d, e);
}

static uint64_t static_max_kb(struct node *n, const struct domain *d)
{
	autofree char *path = domain_path(d->id, "/memory/static-max");
	long kb = store_read_long(n->store, path, 0);

	return kb > 0 ? (uint64_t)kb : domain_max_memory_kb(d);
}

int domain_set_target(struct node *n, struct domain *d, uint64_t target_kb, struct error *e)
{
	uint64_t least_kb = d->id ? 1024 : (uint64_t)n->settings->dom0_min_mem_mb * 1024;
	uint64_t most_kb = d->present ? static_max_kb(n, d) : domain_max_memory_kb(d);

	if (target_kb > most_kb) {
		error_set(e, ERROR_USAGE, "domain %s may have %llu KiB at most, not %llu", d->name,
			  (unsigned long long)most_kb, (unsigned long long)target_kb);
		return error_hint(e, "\"xm mem-max\" sets the limit of one that is to be started");
	}
	if (target_kb < least_kb)
		return error_set(e, ERROR_USAGE, "domain %s needs %llu KiB at least, not %llu",
				 d->name, (unsigned long long)least_kb,
				 (unsigned long long)target_kb);
	return set_memory(n, d, false, target_kb, e);
}

int domain_set_max(struct node *n, struct domain *d, uint64_t max_kb, struct error *e)
{
	if (d->present && max_kb < domain_memory_kb(d))
		return error_set(e, ERROR_CONFLICT, "domain %s has %llu KiB, more than %llu",
				 d->name, (unsigned long long)domain_memory_kb(d),
				 (unsigned long long)max_kb);
	if (d->present && hyper_domain_do(n->hyper, XEN_DOMCTL_max_mem, d->id, max_kb + 1024, e))
		return -1;
	return set_memory(n, d, true, max_kb, e);
}
