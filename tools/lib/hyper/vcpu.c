/* SPDX-License-Identifier: MIT */
/* vCPUs, their affinities, and scheduling: parameters of domains, schedulers and CPU pools. */
#include "lib/hyper/call.h"

_Static_assert(sizeof(vcpu_guest_context_t) <= HYPER_DATA_BYTES, "a context fits");

int hyper_vcpu_info(struct hyper *h, uint32_t domid, unsigned int vcpu,
		    struct xen_domctl_getvcpuinfo *info, struct error *e)
{
	struct xen_domctl *op = hyper_domctl(h, XEN_DOMCTL_getvcpuinfo, domid);

	op->u.getvcpuinfo.vcpu = vcpu;
	if (hyper_domctl_call_vcpu(h, vcpu, "'s vCPUs cannot be looked up", e))
		return -1;
	*info = op->u.getvcpuinfo;
	return 0;
}

int hyper_vcpu_context(struct hyper *h, uint32_t domid, unsigned int vcpu,
		       vcpu_guest_context_t *context, bool set, struct error *e)
{
	struct xen_domctl *op =
		hyper_domctl(h, set ? XEN_DOMCTL_setvcpucontext : XEN_DOMCTL_getvcpucontext, domid);

	op->u.vcpucontext.vcpu = vcpu;
	set_xen_guest_handle(op->u.vcpucontext.ctxt, hyper_data(h));
	memcpy(hyper_data(h), context, sizeof(*context));
	if (hyper_domctl_call_vcpu(
		    h, vcpu, set ? "'s registers cannot be set" : "'s registers cannot be read", e))
		return -1;
	memcpy(context, hyper_data(h), sizeof(*context));
	return 0;
}

_Static_assert(XEN_VCPUAFFINITY_SOFT == XEN_VCPUAFFINITY_HARD << 1, "in the maps' order");

int hyper_vcpu_affinity(struct hyper *h, uint32_t domid, unsigned int vcpu, uint8_t *hard,
			uint8_t *soft, size_t bytes, enum hyper_affinity how, struct error *e)
{
	struct xen_domctl *op = hyper_domctl(
		h, how ? XEN_DOMCTL_setvcpuaffinity : XEN_DOMCTL_getvcpuaffinity, domid);
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct xenctl_bitmap *arg[] = {&a->cpumap_hard, &a->cpumap_soft};
	uint8_t *map[] = {hard, soft}, *at = hyper_data(h);

	a->vcpu = vcpu;
	a->flags = how == HYPER_AFFINITY_FORCE ? XEN_VCPUAFFINITY_FORCE : 0;
	bytes = bytes < HYPER_MAP_BYTES ? bytes : HYPER_MAP_BYTES;
	for (int i = 0; i < 2; i++) {
		arg[i]->nr_bits = (uint32_t)bytes * 8;
		set_xen_guest_handle(arg[i]->bitmap, at + i * HYPER_MAP_BYTES);
		if (map[i]) {
			memcpy(at + i * HYPER_MAP_BYTES, map[i], bytes);
			a->flags |= XEN_VCPUAFFINITY_HARD << i;
		}
	}
	if (hyper_domctl_call_vcpu(
		    h, vcpu, how ? "'s affinities cannot be set" : "'s affinities cannot be read",
		    e))
		return -1;
	for (int i = 0; i < 2; i++)
		if (map[i])
			memcpy(map[i], at + i * HYPER_MAP_BYTES, bytes);
	return 0;
}

/* --- Scheduling --- */

const char *hyper_sched_name(uint32_t sched_id)
{
	static const char *const name[] = {
		[XEN_SCHEDULER_CREDIT] = "credit",     [XEN_SCHEDULER_CREDIT2] = "credit2",
		[XEN_SCHEDULER_ARINC653] = "arinc653", [XEN_SCHEDULER_RTDS] = "rtds",
		[XEN_SCHEDULER_NULL] = "null",
	};
	bool known = sched_id < sizeof(name) / sizeof(name[0]) && name[sched_id];

	return known ? name[sched_id] : "unknown";
}

/* The parameters of credit and credit2 are alike. */
_Static_assert(sizeof(struct xen_domctl_sched_credit) == sizeof(struct xen_domctl_sched_credit2),
	       "one shape for both");

int hyper_sched(struct hyper *h, uint32_t domid, uint32_t sched_id,
		struct xen_domctl_sched_credit *params, bool set, struct error *e)
{
	struct xen_domctl_scheduler_op *op =
		&hyper_domctl(h, XEN_DOMCTL_scheduler_op, domid)->u.scheduler_op;

	op->sched_id = sched_id;
	op->cmd = set ? XEN_DOMCTL_SCHEDOP_putinfo : XEN_DOMCTL_SCHEDOP_getinfo;
	op->u.credit = *params;
	if (hyper_domctl_call(h,
			      set ? "'s scheduling parameters cannot be set"
				  : "'s scheduling parameters cannot be read",
			      e))
		return -1;
	*params = op->u.credit;
	return 0;
}

int hyper_sched_params(struct hyper *h, struct xen_sysctl_scheduler_op *op, bool set,
		       struct error *e)
{
	struct xen_sysctl *sysctl = hyper_sysctl(h, XEN_SYSCTL_scheduler_op);

	op->cmd = set ? XEN_SYSCTL_SCHEDOP_putinfo : XEN_SYSCTL_SCHEDOP_getinfo;
	sysctl->u.scheduler_op = *op;
	if (hyper_sysctl_call(h, "the scheduler refuses its parameters", e))
		return -1;
	*op = sysctl->u.scheduler_op;
	return 0;
}

/* --- CPU pools --- */

static struct xen_sysctl_cpupool_op *pool_op(struct hyper *h, uint32_t op, uint32_t pool)
{
	struct xen_sysctl *sysctl = hyper_sysctl(h, XEN_SYSCTL_cpupool_op);
	struct xen_sysctl_cpupool_op *p = &sysctl->u.cpupool_op;

	p->op = op;
	p->cpupool_id = pool;
	p->cpumap.nr_bits = HYPER_MAP_BYTES * 8;
	set_xen_guest_handle(p->cpumap.bitmap,
			     (uint8_t *)memset(hyper_data(h), 0, HYPER_MAP_BYTES));
	return p;
}

int hyper_pool_next(struct hyper *h, uint32_t first, struct hyper_pool *pool, struct error *e)
{
	const struct xen_sysctl_cpupool_op *p = pool_op(h, XEN_SYSCTL_CPUPOOL_OP_INFO, first);

	if (hyper_sysctl_call(h, "CPU pools cannot be listed", e))
		return -1;
	pool->id = p->cpupool_id;
	pool->sched_id = p->sched_id;
	pool->nr_domains = p->n_dom;
	memcpy(pool->cpus, hyper_data(h), sizeof(pool->cpus));
	return 0;
}

int hyper_pool_free_cpus(struct hyper *h, uint8_t cpus[HYPER_MAP_BYTES], struct error *e)
{
	pool_op(h, XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0);
	if (hyper_sysctl_call(h, "free CPUs cannot be listed", e))
		return -1;
	memcpy(cpus, hyper_data(h), HYPER_MAP_BYTES);
	return 0;
}
