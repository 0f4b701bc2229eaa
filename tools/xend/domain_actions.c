/* SPDX-License-Identifier: MIT */
/* What is done to a domain at once: a hypercall or a few nodes, checked first. Long work is in create.c, destroy.c, domain_ops.c, dump.c. */
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/node_private.h"
#include "xend/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int needs_running(const struct domain *d, struct error *e)
{
	return d->present ? 0 : error_set(e, ERROR_CONFLICT, "domain %s is not running", d->name);
}

/* --- Running and stopping ------------------------------------------------------------------------------------- */

int domain_pause(struct node *n, struct domain *d, struct error *e)
{
	if (!d->id)
		return error_set(e, ERROR_CONFLICT, "domain 0 cannot pause itself");
	if (needs_running(d, e) || domain_refresh(n, d, false, e))
		return -1;
	/* Pauses count in the hypervisor; people's do not. */
	if (!(d->info.flags & XEN_DOMINF_paused) && hyper_domain_pause(n->hyper, d->id, e))
		return -1;
	domain_refresh(n, d, false, NULL);
	domain_announce(n, d, "paused");
	return 0;
}

int domain_unpause(struct node *n, struct domain *d, struct error *e)
{
	if (needs_running(d, e) || domain_refresh(n, d, false, e))
		return -1;
	if (d->operation && !strcmp(d->operation->kind, "create"))
		return error_set(e, ERROR_CONFLICT, "domain %s is still being made", d->name);
	if ((d->info.flags & XEN_DOMINF_paused) && hyper_domain_unpause(n->hyper, d->id, e))
		return -1;
	domain_refresh(n, d, false, NULL);
	domain_announce(n, d, "unpaused");
	return 0;
}

int domain_trigger(struct node *n, struct domain *d, const char *trigger, uint32_t vcpu,
		   struct error *e)
{
	static const struct {
		const char *name;
		unsigned int number;
	} triggers[] = {
		{"nmi", XEN_DOMCTL_SENDTRIGGER_NMI},	 {"reset", XEN_DOMCTL_SENDTRIGGER_RESET},
		{"init", XEN_DOMCTL_SENDTRIGGER_INIT},	 {"power", XEN_DOMCTL_SENDTRIGGER_POWER},
		{"sleep", XEN_DOMCTL_SENDTRIGGER_SLEEP},
	};

	if (needs_running(d, e))
		return -1;
	for (size_t i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++)
		if (!strcmp(trigger, triggers[i].name))
			return hyper_domain_trigger(n->hyper, d->id, triggers[i].number, vcpu, e);
	if (!strcmp(trigger, "s3resume"))
		return error_set(e, ERROR_UNSUPPORTED, "domain %s: only HVM guests know s3resume",
				 d->name);
	error_set(e, ERROR_USAGE, "there is no trigger %s", trigger);
	return error_hint(e, "triggers are nmi, reset, init, power, sleep");
}

int domain_sysrq(struct node *n, struct domain *d, char key, struct error *e)
{
	char *path;
	int rc;

	if (needs_running(d, e))
		return -1;
	if (!isalnum((unsigned char)key))
		return error_set(e, ERROR_USAGE, "a magic key is a letter or a digit");
	path = domain_path(d->id, "/control/sysrq");
	rc = store_write(n->store, path, e, "%c", key);
	free(path);
	return rc;
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

static int save_both(struct node *n, struct domain *d, struct error *e)
{
	if (d->managed && managed_save(n, d, e))
		return -1;
	return d->present && d->config ? record_save(n, d, e) : 0;
}

static void replace(char **text, const char *by)
{
	free(*text);
	*text = xstrdup(by);
}

int domain_rename(struct node *n, struct domain *d, const char *name, struct error *e)
{
	char *path, *vm;
	int rc = 0;

	if (!d->id)
		return error_set(e, ERROR_CONFLICT, "domain 0 keeps its name");
	if (check_name(n, name, e))
		return -1;
	if (d->present) {
		path = domain_path(d->id, "/name");
		vm = xasprintf("/vm/%s/name", d->uuid);
		store_put(n->store, path, NULL, "%s", name);
		store_put(n->store, vm, NULL, "%s", name);
		rc = store_flush(n->store, e);
		free(path);
		free(vm);
	}
	if (rc)
		return -1;
	replace(&d->name, name);
	if (d->config)
		replace(&d->config->name, name);
	domain_place(n, d, d->id); /* those that do not run are in the order of their names */
	domain_announce(n, d, "renamed");
	return save_both(n, d, e);
}

int domain_set_config(struct node *n, struct domain *d, struct domain_config *config,
		      struct error *e)
{
	struct domain_config *old = d->config;
	int rc;

	if (!old)
		return error_set(e, ERROR_CONFLICT, "domain %s was not made by xend", d->name);
	if (!config->name || strcmp(config->name, d->name))
		return error_set(e, ERROR_CONFLICT, "the configuration is domain %s's, not %s's",
				 config->name ? config->name : "(nobody)", d->name);
	if (config->uuid && strcmp(config->uuid, d->uuid))
		return error_set(e, ERROR_CONFLICT, "domain %s has the uuid %s", d->name, d->uuid);
	replace(&config->uuid, d->uuid);
	d->config = xmalloc(sizeof(*config));
	*d->config = *config;
	rc = save_both(n, d, e);
	if (rc) {
		free(d->config);
		d->config = old;
		return rc;
	}
	config_init(config, CONFIG_XM);
	config_free(old);
	free(old);
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
	managed_remove(n, d);
	d->managed = false;
	domain_ended(n, d);
	return 0;
}

/* --- Memory ------------------------------------------------------------------------------------------------------ */

static int write_memory(struct node *n, const struct domain *d, const char *name, uint64_t kb,
			struct error *e)
{
	char *path = domain_path(d->id, name);
	int rc = store_write(n->store, path, e, "%llu", (unsigned long long)kb);

	free(path);
	return rc;
}

static uint64_t static_max_kb(struct node *n, const struct domain *d)
{
	char *path = domain_path(d->id, "/memory/static-max");
	long kb = store_read_long(n->store, path, 0);

	free(path);
	return kb > 0 ? (uint64_t)kb : domain_max_memory_kb(d);
}

/* What a managed or restarted one gets next time. */
static int keep_memory(struct node *n, struct domain *d, uint64_t target_kb, uint64_t max_kb,
		       struct error *e)
{
	if (!d->config)
		return 0;
	d->config->memory_given = true;
	if (target_kb)
		d->config->memory_kb = target_kb;
	if (max_kb)
		d->config->max_memory_kb = max_kb;
	if (d->config->memory_kb > d->config->max_memory_kb)
		d->config->memory_kb = d->config->max_memory_kb;
	return save_both(n, d, e);
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
	if (d->present && write_memory(n, d, "/memory/target", target_kb, e))
		return -1;
	return keep_memory(n, d, target_kb, 0, e);
}

int domain_set_max(struct node *n, struct domain *d, uint64_t max_kb, struct error *e)
{
	if (d->present && max_kb < domain_memory_kb(d))
		return error_set(e, ERROR_CONFLICT, "domain %s has %llu KiB, more than %llu",
				 d->name, (unsigned long long)domain_memory_kb(d),
				 (unsigned long long)max_kb);
	if (d->present && (hyper_domain_set_max_memory(n->hyper, d->id, max_kb + 1024, e) ||
			   write_memory(n, d, "/memory/static-max", max_kb, e)))
		return -1;
	return keep_memory(n, d, 0, max_kb, e);
}
