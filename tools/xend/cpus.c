/* SPDX-License-Identifier: MIT */
/* vCPUs of a domain: where they run, how many are online, and what the scheduler gives them. */
#include "xend/node_private.h"

#include <xen/sysctl.h>

_Static_assert(sizeof(struct cpu_set) == HYPER_MAP_BYTES,
	       "a set is the hypervisor's bit map as it is");

/* --- What there is ------------------------------------------------------------------------------------------- */

/* How many CPU numbers there are. */
static int host_cpus(struct node *n, unsigned int *nr, struct error *e)
{
	struct xen_sysctl_physinfo physical;

	if (hyper_physinfo(n->hyper, &physical, e))
		return -1;
	*nr = physical.max_cpu_id + 1;
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
	unsigned int host;
	size_t all;

	if (domain_refresh(n, d, false, e) || host_cpus(n, &host, e))
		return -1;
	all = domain_vcpus_max(d);
	*nr = 0;
	*out = xcalloc(all, sizeof(**out));
	for (uint32_t i = 0; d->present && i < all; i++) {
		struct vcpu_state *v = &(*out)[*nr];
		struct xen_domctl_getvcpuinfo info;

		if (hyper_vcpu_info(n->hyper, d->id, i, &info, NULL) ||
		    hyper_vcpu_affinity(n->hyper, d->id, i, (uint8_t *)&v->hard,
					(uint8_t *)&v->soft, HYPER_MAP_BYTES, HYPER_AFFINITY_GET,
					NULL))
			continue; /* this number was never made */
		v->vcpu = i;
		v->cpu = info.cpu;
		v->online = info.online;
		v->blocked = info.blocked;
		v->running = info.running;
		v->cpu_ns = info.cpu_time;
		cut(&v->hard, host);
		cut(&v->soft, host);
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

int domain_pin(struct node *n, struct domain *d, long vcpu, const struct cpu_set *hard,
	       const struct cpu_set *soft, bool force, struct error *e)
{
	long nr = domain_vcpus_max(d), last = vcpu < 0 ? nr - 1 : vcpu;

	if (vcpu >= nr)
		return error_set(e, ERROR_NOT_FOUND, "domain %s has no vCPU %ld", d->name, vcpu);
	for (long i = vcpu < 0 ? 0 : vcpu; i <= last; i++) {
		/* The call writes what is in effect into them. */
		struct cpu_set h = *hard, s = *soft;

		if (hyper_vcpu_affinity(n->hyper, d->id, (unsigned int)i,
					is_empty(hard) ? NULL : (uint8_t *)&h,
					is_empty(soft) ? NULL : (uint8_t *)&s, HYPER_MAP_BYTES,
					force ? HYPER_AFFINITY_FORCE : HYPER_AFFINITY_SET, e))
			return -1;
	}
	return 0;
}

/* cpus="..." for all, or a list with one for each. */
static int apply_cpus(struct node *n, struct domain *d, const unsigned int *node_of,
		      unsigned int nr, bool soft, struct error *e)
{
	const struct domain_config *c = d->config;
	const struct string_list *list = soft ? &c->cpus_soft : &c->cpus;
	bool each = soft ? c->cpus_soft_each : c->cpus_each;

	for (long v = 0; v < c->max_vcpus && (each ? v : 0) < (long)list->nr; v++) {
		struct cpu_set set[2] = {0}; /* hard, soft */

		if (cpus_parse(list->item[each ? v : 0], node_of, nr, &set[soft], e))
			return error_prefix(e, "domain %s: %s", d->name,
					    soft ? "cpus_soft" : "cpus");
		if (is_empty(&set[soft]))
			return error_set(e, ERROR_USAGE, "domain %s: no CPU is left to run on",
					 d->name);
		if (domain_pin(n, d, v, &set[0], &set[1], false, e))
			return -1;
	}
	return 0;
}

static int apply_affinity(struct node *n, struct domain *d, struct error *e)
{
	autofree xen_sysctl_cputopo_t *places = NULL;
	autofree unsigned int *node_of = NULL;
	unsigned int nr;

	/* Its vCPUs were made after it was last looked at. */
	if (domain_refresh(n, d, false, e) || host_cpus(n, &nr, e))
		return -1;
	places = xcalloc(nr, sizeof(*places));
	node_of = xcalloc(nr, sizeof(*node_of));
	if (hyper_topology(n->hyper, places, nr, e) < 0)
		return -1;
	for (unsigned int i = 0; i < nr; i++)
		node_of[i] = places[i].node;
	return apply_cpus(n, d, node_of, nr, false, e) || apply_cpus(n, d, node_of, nr, true, e)
		       ? -1
		       : 0;
}

/* --- Scheduling ----------------------------------------------------------------------------------------------- */

/* Its pool's scheduler; whether that one has weights and caps. */
static int scheduler_of(struct node *n, const struct domain *d, uint32_t *sched_id, bool *weights,
			struct error *e)
{
	struct hyper_pool pool;

	if (domain_needs_running(d, e) || hyper_pool_next(n->hyper, d->info.cpupool, &pool, e))
		return -1;
	*sched_id = pool.sched_id;
	*weights = *sched_id == XEN_SCHEDULER_CREDIT || *sched_id == XEN_SCHEDULER_CREDIT2;
	return 0;
}

int domain_scheduler(struct node *n, struct domain *d, struct scheduler_values *out,
		     struct error *e)
{
	static uint32_t likely = XEN_SCHEDULER_CREDIT;
	struct xen_domctl_sched_credit values;
	uint32_t sched_id = likely;
	bool weights = true;

	/* Mostly it is the scheduler of the domain before; any other refuses the call, and only then the pool is looked up. */
	if (hyper_sched(n->hyper, d->id, sched_id, &values, false, NULL) &&
	    (scheduler_of(n, d, &sched_id, &weights, e) ||
	     (weights && hyper_sched(n->hyper, d->id, sched_id, &values, false, e))))
		return -1;
	if (weights)
		likely = sched_id;
	out->scheduler = hyper_sched_name(sched_id);
	out->weight = weights ? values.weight : -1;
	out->cap = weights ? values.cap : -1;
	return 0;
}

int domain_set_scheduler(struct node *n, struct domain *d, long weight, long cap, struct error *e)
{
	struct xen_domctl_sched_credit values = {
		.weight = weight < 0 ? 0 : (uint16_t)weight,
		.cap = cap < 0 ? HYPER_CAP_KEEP : (uint16_t)cap,
	};
	unsigned int most = 100 * domain_vcpus_max(d);
	uint32_t sched_id;
	bool weights;

	if (scheduler_of(n, d, &sched_id, &weights, e))
		return -1;
	if (!weights)
		return error_set(e, ERROR_UNSUPPORTED, "scheduler %s has no weights and caps",
				 hyper_sched_name(sched_id));
	if (!weight || weight > 65535)
		return error_set(e, ERROR_USAGE, "a weight is from 1 to 65535, not %ld", weight);
	if (cap > (long)most)
		return error_set(e, ERROR_USAGE, "a cap for %u vCPUs is at most %u, not %ld",
				 domain_vcpus_max(d), most, cap);
	return hyper_sched(n->hyper, d->id, sched_id, &values, true, e);
}

int cpus_apply(struct node *n, struct domain *d, struct error *e)
{
	const struct domain_config *c = d->config;
	struct xen_domctl_sched_credit values = {.weight = (uint16_t)c->cpu_weight,
						 .cap = (uint16_t)c->cpu_cap};
	uint32_t sched_id;
	bool weights;

	if (c->cpu_weight || c->cpu_cap) {
		if (scheduler_of(n, d, &sched_id, &weights, e) ||
		    (weights && hyper_sched(n->hyper, d->id, sched_id, &values, true, e)))
			return -1;
	}
	return c->cpus.nr || c->cpus_soft.nr ? apply_affinity(n, d, e) : 0;
}

/* --- How many ------------------------------------------------------------------------------------------------- */

int domain_set_vcpus(struct node *n, struct domain *d, long online, bool ignore_host,
		     struct error *e)
{
	autofree char *path = domain_path(d->id, "");
	unsigned int most = domain_vcpus_max(d), host;

	if (online < 1)
		return error_set(e, ERROR_USAGE, "domain %s needs at least one vCPU", d->name);
	if (online > most)
		return error_set(e, ERROR_USAGE,
				 "domain %s was made with %u vCPUs: %ld are too many", d->name,
				 most, online);
	if (host_cpus(n, &host, e))
		return -1;
	if (online > host && !ignore_host) {
		error_set(e, ERROR_USAGE, "the host has %u CPUs, fewer than %ld", host, online);
		return error_hint(e, "--ignore-host allows it");
	}
	if (!d->id && n->settings->dom0_cpus && online < n->settings->dom0_cpus)
		return error_set(e, ERROR_USAGE, "dom0-cpus leaves domain 0 at least %ld vCPUs",
				 n->settings->dom0_cpus);
	store_put_cpus(n->store, path, (unsigned int)online, most);
	return store_flush(n->store, e);
}
