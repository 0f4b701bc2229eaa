/* SPDX-License-Identifier: MIT */
/*
 * The list of domains. Invariant: in the order of domid, those that do not run behind them in the order of their names; no two of one
 * uuid, and no two that xend made of one name. Every domain that the hypervisor showed at the last refresh is in it.
 */

#include "xend/node_private.h"

#include <ctype.h>
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
	uuid_parse(uuid, d->info.handle);
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

void domain_take_config(struct domain *d, struct domain_config *c)
{
	if (d->config)
		config_free(d->config);
	else
		d->config = xmalloc(sizeof(*c));
	*d->config = *c;
	config_init(c, CONFIG_XM);
}

void domain_drop(struct node *n, struct domain *d)
{
	link_out(n, d);
	if (d->operation)
		d->operation->d = NULL;
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

	if (d->id == DOMID_INVALID)
		log_info("domain %s: %s", d->name, what);
	else
		log_info("domain %s (%u): %s", d->name, d->id, what);
	if (n->notify)
		n->notify(n->notify_arg, &event);
}

void domain_ended(struct node *n, struct domain *d)
{
	if (d->id != DOMID_INVALID)
		domain_announce(n, d, "destroyed");
	domain_place(n, d, DOMID_INVALID);
	d->handled = d->ordered = d->from_restart = false;
	d->started_at = d->dying_since = d->looked_at = 0;
	d->lingers[0] = '\0';
	record_save(d, NULL);
	if (!d->managed && !*d->doing)
		domain_drop(n, d);
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

int domain_needs_running(const struct domain *d, struct error *e)
{
	if (d->present)
		return 0;
	error_set(e, ERROR_CONFLICT, "domain %s is not running", d->name);
	return error_hint(e, "\"xm start %s\" starts it", d->name);
}

struct domain *domain_find_running(struct node *n, const char *which, struct error *e)
{
	struct domain *d = domain_find(n, which, e);

	return d && !domain_needs_running(d, e) ? d : NULL;
}

/* --- What the hypervisor says ------------------------------------------------------------------------------ */

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
	autofree char *path = domain_path(d->id, "/name");
	char *name = store_read(n->store, path, NULL);

	if (!name && d->id == 0)
		name = xstrdup("Domain-0");
	d->unnamed = !name;
	if (!name)
		return;
	free(d->name);
	d->name = name;
}

/* A domain nobody told us of: a half-made one of ours from before we were killed, or somebody else's. */
static struct domain *adopt(struct node *n, const struct xen_domctl_getdomaininfo *info)
{
	autofree char *made_up = xasprintf("domain-%u", info->domain);
	const uint8_t *b = info->handle;
	struct domain *d;
	char uuid[37];

	snprintf(uuid, sizeof(uuid),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	d = domain_by_uuid(n, uuid);
	if (!d || d->id != DOMID_INVALID)
		d = domain_add(n, made_up, uuid);
	d->unnamed = true;
	domain_place(n, d, info->domain);
	return d;
}

/* Gone without our doing; an operation that has hold of it will see for itself. @taken: another has its id now. */
static struct domain *vanished(struct node *n, struct domain *d, bool taken)
{
	struct domain *next = d->next;

	d->present = false;
	if (d->operation)
		return next;
	if (!n->ready) { /* recovery.c sees to it */
		if (taken)
			domain_place(n, d, DOMID_INVALID);
	} else if (taken || !d->config) {
		domain_ended(n, d);
	} else {
		log_info("domain %s is gone: what is left of its devices and nodes is removed",
			 d->name);
		domain_destroy(n, d, NULL);
	}
	return next;
}

/* One hypercall's worth of domains, in ascending order, into the list, which is too; returns where to go on. */
static struct domain *merge(struct node *n, struct domain *d,
			    const xen_domctl_getdomaininfo_t *info, int nr)
{
	for (; nr--; info++) {
		while (d && d->id < info->domain)
			d = vanished(n, d, false);
		if (d && d->id == info->domain &&
		    memcmp(d->info.handle, info->handle, sizeof(info->handle)))
			d = vanished(n, d, true);
		if (!d || d->id != info->domain)
			d = adopt(n, info);
		d->info = *info;
		d->present = true;
		if (d->unnamed)
			learn_name(n, d);
		d = d->next;
	}
	return d;
}

int domains_refresh(struct node *n, struct error *e)
{
	static xen_domctl_getdomaininfo_t info[HYPER_LIST];
	struct domain *d = n->domains;
	uint32_t first = 0;
	int nr;

	do {
		nr = hyper_domain_list(n->hyper, first, info, e);
		if (nr < 0)
			return -1;
		d = merge(n, d, info, nr);
		if (nr)
			first = info[nr - 1].domain + 1u;
	} while (nr == HYPER_LIST);
	while (d && d->id != DOMID_INVALID)
		d = vanished(n, d, false);
	return 0;
}

int domain_refresh(struct node *n, struct domain *d, bool tty, struct error *e)
{
	autofree char *path = domain_path(d->id, "/console/tty");

	if (tty) {
		free(d->console_tty);
		d->console_tty = d->present ? store_read(n->store, path, NULL) : NULL;
	}
	return d->present ? hyper_domain_info(n->hyper, d->id, &d->info, e) : 0;
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
	autofree char *path = domain_path(d->id, "/memory/target");
	long kb = (long)domain_memory_kb(d);

	return (uint64_t)(d->present ? store_read_long(n->store, path, kb) : kb);
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
