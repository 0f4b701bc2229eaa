/* SPDX-License-Identifier: MIT */
/* vCPUs of a domain: where they run, how many are online, and what the scheduler gives them. */
#include "lib/base/text.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/node_private.h"
#include "xend/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/sysctl.h>

_Static_assert(sizeof(struct cpu_set) == HYPER_MAP_BYTES,
	       "a set is the hypervisor's bit map as it is");

/* --- What there is ------------------------------------------------------------------------------------------- */

struct host_cpus {
	unsigned int nr;
	unsigned int *node_of;
};

static int host_cpus(struct node *n, bool nodes, struct host_cpus *host, struct error *e)
{
	struct xen_sysctl_physinfo physical;
	xen_sysctl_cputopo_t *places;

	if (hyper_physinfo(n->hyper, &physical, e))
		return -1;
	host->nr = physical.max_cpu_id + 1;
	host->node_of = NULL;
	if (!nodes)
		return 0;
	places = xcalloc(host->nr, sizeof(*places));
	if (hyper_topology(n->hyper, places, host->nr, e) < 0) {
		free(places);
		return -1;
	}
	host->node_of = xcalloc(host->nr, sizeof(*host->node_of));
	for (unsigned int i = 0; i < host->nr; i++)
		host->node_of[i] = places[i].node;
	free(places);
	return 0;
}

static void cut(struct cpu_set *set, unsigned int nr)
{
	for (unsigned int cpu = nr; cpu < CPUS_MOST; cpu++)
		set->word[cpu / 64] &= ~(1ull << (cpu % 64));
}

int domain_vcpus(struct node *n, struct domain *d, struct vcpu_state **out, size_t *nr,
		 struct error *e)
{
	struct host_cpus host;
	size_t all;

	if (domain_refresh(n, d, false, e) || host_cpus(n, false, &host, e))
		return -1;
	all = domain_vcpus_max(d);
	*nr = 0;
	*out = xcalloc(all, sizeof(**out));
	for (uint32_t i = 0; d->present && i < all; i++) {
		struct vcpu_state *v = &(*out)[*nr];
		struct xen_domctl_getvcpuinfo info;

		if (hyper_vcpu_info(n->hyper, d->id, i, &info, NULL) ||
		    hyper_vcpu_get_affinity(n->hyper, d->id, i, (uint8_t *)&v->hard,
					    (uint8_t *)&v->soft, HYPER_MAP_BYTES, NULL))
			continue; /* this number was never made */
		v->vcpu = i;
		v->cpu = info.cpu;
		v->online = info.online;
		v->blocked = info.blocked;
		v->running = info.running;
		v->cpu_ns = info.cpu_time;
		cut(&v->hard, host.nr);
		cut(&v->soft, host.nr);
		++*nr;
	}
	return 0;
}

/* --- Affinity ------------------------------------------------------------------------------------------------- */

static bool is_empty(const struct cpu_set *set)
{
	static const struct cpu_set none;

	return !memcmp(set, &none, sizeof(none));
}

static int pin(struct node *n, const struct domain *d, unsigned int vcpu,
	       const struct cpu_set *hard, const struct cpu_set *soft, bool force, struct error *e)
{
	struct cpu_set h, s; /* the call writes what is in effect into them */

	if (hard)
		h = *hard;
	if (soft)
		s = *soft;
	return hyper_vcpu_set_affinity(n->hyper, d->id, vcpu, hard ? (uint8_t *)&h : NULL,
				       soft ? (uint8_t *)&s : NULL, HYPER_MAP_BYTES, force, e);
}

int domain_pin(struct node *n, struct domain *d, long vcpu, const struct cpu_set *hard,
	       const struct cpu_set *soft, bool force, struct error *e)
{
	unsigned int first = vcpu < 0 ? 0 : (unsigned int)vcpu, nr = domain_vcpus_max(d);
	unsigned int last = vcpu < 0 ? nr - 1 : first;

	if (vcpu >= (long)nr)
		return error_set(e, ERROR_NOT_FOUND, "domain %s has no vCPU %ld", d->name, vcpu);
	if ((hard && is_empty(hard)) || (soft && is_empty(soft)))
		return error_set(e, ERROR_USAGE, "domain %s: no CPU is left to run on", d->name);
	for (unsigned int i = first; i <= last; i++)
		if (pin(n, d, i, hard, soft, force, e))
			return -1;
	return 0;
}

/* cpus="..." for all, or a list with one for each. */
static int apply_cpus(struct node *n, const struct domain *d, const struct host_cpus *host,
		      bool soft, struct error *e)
{
	const struct domain_config *c = d->config;
	const struct string_list *list = soft ? &c->cpus_soft : &c->cpus;
	bool each = soft ? c->cpus_soft_each : c->cpus_each;

	for (long v = 0; v < c->max_vcpus; v++) {
		size_t item = each ? (size_t)v : 0;
		struct cpu_set set;

		if (item >= list->nr)
			return 0;
		if (cpus_parse(list->item[item], host->node_of, host->nr, &set, e))
			return error_prefix(e, "domain %s: %s", d->name,
					    soft ? "cpus_soft" : "cpus");
		if (pin(n, d, (unsigned int)v, soft ? NULL : &set, soft ? &set : NULL, false, e))
			return -1;
	}
	return 0;
}

/* --- Scheduling ----------------------------------------------------------------------------------------------- */

static int scheduler_of(struct node *n, const struct domain *d, uint32_t *sched_id, struct error *e)
{
	struct hyper_pool pool;

	if (hyper_pool_next(n->hyper, d->info.cpupool, &pool, e))
		return -1;
	*sched_id = pool.sched_id;
	return 0;
}

static bool has_weights(uint32_t sched_id)
{
	return sched_id == XEN_SCHEDULER_CREDIT || sched_id == XEN_SCHEDULER_CREDIT2;
}

int domain_scheduler(struct node *n, struct domain *d, struct scheduler_values *out,
		     struct error *e)
{
	struct xen_domctl_sched_credit values;
	uint32_t sched_id;

	if (!d->present)
		return error_set(e, ERROR_CONFLICT, "domain %s is not running", d->name);
	if (scheduler_of(n, d, &sched_id, e))
		return -1;
	*out = (struct scheduler_values){hyper_sched_name(sched_id), -1, -1};
	if (!has_weights(sched_id))
		return 0;
	if (hyper_sched_get(n->hyper, d->id, sched_id, &values, e))
		return -1;
	out->weight = values.weight;
	out->cap = values.cap;
	return 0;
}

int domain_set_scheduler(struct node *n, struct domain *d, long weight, long cap, struct error *e)
{
	struct xen_domctl_sched_credit values = {.weight = 0, .cap = HYPER_CAP_KEEP};
	uint32_t sched_id;

	if (!d->present)
		return error_set(e, ERROR_CONFLICT, "domain %s is not running", d->name);
	if (scheduler_of(n, d, &sched_id, e))
		return -1;
	if (!has_weights(sched_id))
		return error_set(e, ERROR_UNSUPPORTED, "scheduler %s has no weights and caps",
				 hyper_sched_name(sched_id));
	if (weight >= 0) {
		if (weight < 1 || weight > 65535)
			return error_set(e, ERROR_USAGE, "a weight is from 1 to 65535, not %ld",
					 weight);
		values.weight = (uint16_t)weight;
	}
	if (cap >= 0) {
		if (cap > 100l * domain_vcpus_max(d))
			return error_set(e, ERROR_USAGE,
					 "a cap for %u vCPUs is at most %u, not %ld",
					 domain_vcpus_max(d), 100 * domain_vcpus_max(d), cap);
		values.cap = (uint16_t)cap;
	}
	return hyper_sched_set(n->hyper, d->id, sched_id, &values, e);
}

int cpus_apply(struct node *n, const struct domain *d, struct error *e)
{
	const struct domain_config *c = d->config;
	struct xen_domctl_sched_credit values = {.weight = (uint16_t)c->cpu_weight,
						 .cap = (uint16_t)c->cpu_cap};
	struct host_cpus host = {0};
	uint32_t sched_id;
	int rc = 0;

	if (c->cpu_weight || c->cpu_cap) {
		if (scheduler_of(n, d, &sched_id, e))
			return -1;
		if (has_weights(sched_id) && hyper_sched_set(n->hyper, d->id, sched_id, &values, e))
			return -1;
	}
	if (!c->cpus.nr && !c->cpus_soft.nr)
		return 0;
	if (host_cpus(n, true, &host, e))
		return -1;
	rc = apply_cpus(n, d, &host, false, e);
	if (!rc)
		rc = apply_cpus(n, d, &host, true, e);
	free(host.node_of);
	return rc;
}

/* --- How many ------------------------------------------------------------------------------------------------- */

int domain_set_vcpus(struct node *n, struct domain *d, uint32_t online, bool ignore_host,
		     struct error *e)
{
	unsigned int most = domain_vcpus_max(d);
	struct host_cpus host;
	char *path;

	if (!d->present)
		return error_set(e, ERROR_CONFLICT, "domain %s is not running", d->name);
	if (online < 1)
		return error_set(e, ERROR_USAGE, "domain %s needs at least one vCPU", d->name);
	if (online > most)
		return error_set(e, ERROR_USAGE,
				 "domain %s was made with %u vCPUs: %u are too many", d->name, most,
				 online);
	if (host_cpus(n, false, &host, e))
		return -1;
	if (online > host.nr && !ignore_host) {
		error_set(e, ERROR_USAGE, "the host has %u CPUs, fewer than %u", host.nr, online);
		return error_hint(e, "--ignore-host allows it");
	}
	if (!d->id && n->settings->dom0_cpus && online < (uint32_t)n->settings->dom0_cpus)
		return error_set(e, ERROR_USAGE, "dom0-cpus leaves domain 0 at least %ld vCPUs",
				 n->settings->dom0_cpus);
	path = domain_path(d->id, "");
	for (uint32_t i = 0; i < most; i++) {
		char name[48];

		snprintf(name, sizeof(name), "cpu/%u/availability", i);
		store_put(n->store, path, name, i < online ? "online" : "offline");
	}
	free(path);
	return store_flush(n->store, e);
}
