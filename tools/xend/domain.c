/* SPDX-License-Identifier: MIT */
/*
 * The list of domains. Invariant: in the order of domid, those that do not run behind them in the order of their names; no two of one
 * uuid, and no two that xend made of one name. Every domain that the hypervisor showed at the last refresh is in it.
 */
#include "xend/domain.h"

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/node_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- The list -------------------------------------------------------------------------------------------- */

static bool comes_before(const struct domain *a, const struct domain *b)
{
	return a->id != b->id ? a->id < b->id : strcmp(a->name, b->name) < 0;
}

static void link_in(struct node *n, struct domain *d)
{
	struct domain **at = &n->domains;

	while (*at && comes_before(*at, d))
		at = &(*at)->next;
	d->next = *at;
	*at = d;
}

static void link_out(struct node *n, struct domain *d)
{
	struct domain **at = &n->domains;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
}

struct domain *domain_add(struct node *n, const char *name, const char *uuid)
{
	struct domain *d = xcalloc(1, sizeof(*d));

	d->name = xstrdup(name);
	d->id = DOMID_INVALID;
	snprintf(d->uuid, sizeof(d->uuid), "%s", uuid);
	link_in(n, d);
	return d;
}

void domain_place(struct node *n, struct domain *d, uint32_t id)
{
	link_out(n, d);
	d->id = id;
	if (id == DOMID_INVALID)
		d->present = false;
	link_in(n, d);
}

void domain_drop(struct node *n, struct domain *d)
{
	link_out(n, d);
	if (d->config)
		config_free(d->config);
	free(d->config);
	free(d->console_tty);
	free(d->name);
	free(d);
}

void domain_announce(struct node *n, const struct domain *d, const char *what)
{
	const struct event event = {EVENT_DOMAIN, what, d, NULL};

	log_info("domain %s (%d): %s", d->name, d->id == DOMID_INVALID ? -1 : (int)d->id, what);
	node_announce(n, &event);
}

void domain_ended(struct node *n, struct domain *d)
{
	domain_announce(n, d, "destroyed");
	record_remove(d);
	if (!d->managed) {
		domain_drop(n, d);
		return;
	}
	domain_place(n, d, DOMID_INVALID);
	d->handled = d->ordered = d->from_restart = false;
	d->started_at = d->dying_since = d->looked_at = 0;
	d->lingers[0] = '\0';
	free(d->console_tty);
	d->console_tty = NULL;
}

struct domain *domain_next(struct node *n, struct domain *d)
{
	d = d ? d->next : n->domains;
	while (d && !d->present && !d->managed)
		d = d->next; /* about to be made, or just gone */
	return d;
}

/* --- Finding ------------------------------------------------------------------------------------------------ */

struct domain *domain_by_id(struct node *n, uint32_t id)
{
	struct domain *d = n->domains;

	while (d && d->id != id)
		d = d->next;
	return id == DOMID_INVALID ? NULL : d;
}

struct domain *domain_by_uuid(struct node *n, const char *uuid)
{
	struct domain *d = n->domains;

	while (d && strcasecmp(d->uuid, uuid))
		d = d->next;
	return d;
}

struct domain *domain_by_name(struct node *n, const char *name)
{
	struct domain *d = n->domains;

	while (d && strcmp(d->name, name))
		d = d->next;
	return d;
}

struct domain *domain_find(struct node *n, const char *which, struct error *e)
{
	struct domain *d = domain_by_name(n, which);
	long id;

	if (!d && str_to_long(which, 0, DOMID_FIRST_RESERVED - 1, &id))
		d = domain_by_id(n, (uint32_t)id);
	if (!d)
		d = domain_by_uuid(n, which);
	if (d)
		return d;
	error_set(e, ERROR_NOT_FOUND, "domain %s does not exist", which);
	error_hint(e, "\"xm list\" shows those that do");
	return NULL;
}

struct domain *domain_find_running(struct node *n, const char *which, struct error *e)
{
	struct domain *d = domain_find(n, which, e);

	if (!d || d->present)
		return d;
	error_set(e, ERROR_CONFLICT, "domain %s is not running", d->name);
	error_hint(e, "\"xm start %s\" starts it", d->name);
	return NULL;
}

/* --- What the hypervisor says ------------------------------------------------------------------------------ */

void uuid_print(const uint8_t b[16], char out[37])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
		if (i == 3 || i == 5 || i == 7 || i == 9)
			*out++ = '-';
	}
	*out = '\0';
}

bool uuid_parse(const char *s, uint8_t bytes[16])
{
	for (int i = 0; i < 16; i++) {
		if (!isxdigit((unsigned char)s[0]) || !isxdigit((unsigned char)s[1]) ||
		    sscanf(s, "%2hhx", &bytes[i]) != 1)
			return false;
		s += 2;
		if (*s == '-')
			s++;
	}
	return !*s;
}

char *domain_path(uint32_t domid, const char *below)
{
	return xasprintf("/local/domain/%u%s", domid, below);
}

/* Its name as xenstore has it; somebody else's tools may write it after the domain was made. */
static void learn_name(struct node *n, struct domain *d)
{
	char *path = domain_path(d->id, "/name"), *name = store_read(n->store, path, NULL);

	free(path);
	if (!name && d->id == 0)
		name = xstrdup("Domain-0");
	d->unnamed = !name;
	if (!name)
		return;
	free(d->name);
	d->name = name;
}

/* A domain nobody told us of: our own from before we were killed, a half-made one of ours, or somebody else's. */
static struct domain *adopt(struct node *n, const struct xen_domctl_getdomaininfo *info)
{
	char uuid[37], made_up[24];
	struct domain *d;

	uuid_print(info->handle, uuid);
	snprintf(made_up, sizeof(made_up), "domain-%u", info->domain);
	d = domain_by_uuid(n, uuid);
	if (!d || d->present)
		d = domain_add(n, made_up, uuid);
	domain_place(n, d, info->domain);
	learn_name(n, d);
	if (record_load(d) && d->unnamed) {
		free(d->name);
		d->name = xstrdup(d->config->name);
		d->unnamed = false;
	}
	return d;
}

/* Gone without our doing; an operation that has hold of it will see for itself. */
static struct domain *vanished(struct node *n, struct domain *d)
{
	struct domain *next = d->next;

	d->present = false;
	if (d->operation)
		return next;
	if (!d->config) {
		domain_ended(n, d);
		return next;
	}
	log_info("domain %s is gone: what is left of its devices and nodes is removed", d->name);
	domain_destroy(n, d, NULL);
	return next;
}

static void take_info(struct node *n, struct domain *d, const struct xen_domctl_getdomaininfo *info)
{
	d->info = *info;
	d->present = true;
	if (d->unnamed)
		learn_name(n, d);
}

static bool same_domain(const struct domain *d, const struct xen_domctl_getdomaininfo *info)
{
	uint8_t uuid[16];

	if (d->id != info->domain)
		return false;
	if (d->present)
		return !memcmp(d->info.handle, info->handle, sizeof(uuid));
	return uuid_parse(d->uuid, uuid) && !memcmp(uuid, info->handle, sizeof(uuid));
}

/* One hypercall's worth of domains, in ascending order, into the list, which is too; returns where to go on. */
static struct domain *merge(struct node *n, struct domain *d,
			    const xen_domctl_getdomaininfo_t *info, int nr)
{
	for (int i = 0; i < nr; i++) {
		while (d && d->id < info[i].domain)
			d = d->present ? vanished(n, d) : d->next;
		if (d && d->id == info[i].domain && !same_domain(d, &info[i]))
			d = d->present ? vanished(n, d) : d->next;
		if (!d || d->id != info[i].domain)
			d = adopt(n, &info[i]);
		take_info(n, d, &info[i]);
		d = d->next;
	}
	return d;
}

int domains_refresh(struct node *n, struct error *e)
{
	enum { AT_ONCE = 128 };
	static xen_domctl_getdomaininfo_t info[AT_ONCE];
	struct domain *d = n->domains;
	uint32_t first = 0;
	int nr;

	do {
		nr = hyper_domain_list(n->hyper, first, info, AT_ONCE, e);
		if (nr < 0)
			return -1;
		d = merge(n, d, info, nr);
		if (nr)
			first = info[nr - 1].domain + 1u;
	} while (nr == AT_ONCE);
	while (d && d->id != DOMID_INVALID)
		d = d->present ? vanished(n, d) : d->next;
	return 0;
}

int domain_refresh(struct node *n, struct domain *d, bool tty, struct error *e)
{
	char *path;

	if (!d->present)
		return 0;
	if (hyper_domain_info(n->hyper, d->id, &d->info, e))
		return -1;
	if (!tty)
		return 0;
	path = domain_path(d->id, "/console/tty");
	free(d->console_tty);
	d->console_tty = store_read(n->store, path, NULL);
	free(path);
	return 0;
}

/* --- Reading -------------------------------------------------------------------------------------------------- */

void domain_state(const struct domain *d, char out[7])
{
	if (d->present)
		hyper_state_letters(&d->info, out);
	else
		memcpy(out, "------", 7);
}

int domain_shutdown_reason(const struct domain *d)
{
	return d->present ? hyper_shutdown_reason(&d->info) : -1;
}

uint64_t domain_memory_kb(const struct domain *d)
{
	if (d->present)
		return (d->info.tot_pages + d->info.outstanding_pages) * 4;
	return d->config ? d->config->memory_kb : 0;
}

uint64_t domain_max_memory_kb(const struct domain *d)
{
	if (!d->present)
		return d->config ? d->config->max_memory_kb : 0;
	return d->info.max_pages >= UINT64_MAX / 4096 ? UINT64_MAX : d->info.max_pages * 4;
}

uint64_t domain_target_kb(struct node *n, const struct domain *d)
{
	char *path;
	long kb;

	if (!d->present)
		return domain_memory_kb(d);
	path = domain_path(d->id, "/memory/target");
	kb = store_read_long(n->store, path, (long)domain_memory_kb(d));
	free(path);
	return (uint64_t)kb;
}

unsigned int domain_vcpus_online(const struct domain *d)
{
	if (d->present)
		return d->info.nr_online_vcpus;
	return d->config ? (unsigned int)d->config->vcpus : 0;
}

unsigned int domain_vcpus_max(const struct domain *d)
{
	if (d->present)
		return d->info.max_vcpu_id + 1;
	return d->config ? (unsigned int)d->config->max_vcpus : 0;
}

const char *domain_pool(struct node *n, const struct domain *d)
{
	return node_pool_name(n, d->present ? d->info.cpupool : 0);
}
