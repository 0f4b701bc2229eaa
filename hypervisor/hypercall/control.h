/* SPDX-License-Identifier: MIT */
/* Parts of the control interfaces (domctl, sysctl, platform_op) among themselves: hc_domctl.c, hc_sysctl.c and hc_platform.c hold the tables. */
#ifndef HYPERCALL_CONTROL_H
#define HYPERCALL_CONTROL_H

#include "hypercall/dispatch.h"
#include "pv/cpuid.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

/* Bit maps of guests end where their bit count says; ours beyond it is cut, theirs beyond ours is zero. */
int control_bitmap_read(const struct xenctl_bitmap *b, void *bits, unsigned int nr) __must_check;
int control_bitmap_write(const struct xenctl_bitmap *b, const void *bits,
			 unsigned int nr) __must_check;

/* domctl_life.c: also for getdomaininfolist */
void control_domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info);

/* cpu_policy.c: a policy as an array of leaves and one of registers in guest memory; *nr is the room and then the number
 * written. No array: only how many there are. */
int cpu_policy_write(const struct pv_cpuid *p, unsigned long leaves, uint32_t *nr_leaves,
		     unsigned long msrs, uint32_t *nr_msrs);
/* The tools' policy for @d, over what it has. On failure op->err_* may tell which entry it was. */
int cpu_policy_update(struct domain *d, struct xen_domctl_cpu_policy *op);

/*
 * domctl, sysctl and platform_op: one structure for all operations of each, with the number, the version of the interface and
 * a union whose member the row's handler gets.
 */
struct control_family {
	const struct subop *ops;
	unsigned int nr_ops, size, union_off;
	uint32_t version;
	/* The domain the operation is about: hc->target referenced, or NULL where there is none yet. NULL: it is about none. */
	int (*find_target)(struct hc *hc, const struct xen_domctl *op);
	spinlock_t lock; /* one operation at a time */
};
#define CONTROL_FAMILY(rows, type, version_)                             \
	.ops = (rows), .nr_ops = ARRAY_SIZE(rows), .size = sizeof(type), \
	.union_off = offsetof(type, u), .version = (version_)
long control_call(struct control_family *f, unsigned long arg_va);

/* Handlers of the rows: the argument is the union's member that the row names. */
#define DOMCTL_HANDLER(name, argument) SUBOP_HANDLER(domctl_##name, argument)
#define SYSCTL_HANDLER(name, argument) SUBOP_HANDLER(sysctl_##name, argument)
/* domctl_life.c */
subop_fn domctl_createdomain, domctl_destroydomain, domctl_pausedomain, domctl_unpausedomain,
	domctl_resumedomain, domctl_getdomaininfo, domctl_max_vcpus, domctl_setdomainhandle,
	domctl_setdebugging, domctl_settimeoffset, domctl_set_target, domctl_set_virq_handler,
	domctl_subscribe, domctl_scheduler_op;
/* domctl_vcpu.c */
subop_fn domctl_setvcpucontext, domctl_getvcpucontext, domctl_getvcpuinfo, domctl_setvcpuaffinity,
	domctl_getvcpuaffinity, domctl_sendtrigger;
/* domctl_vcpu_ext.c */
subop_fn domctl_set_ext_vcpucontext, domctl_get_ext_vcpucontext, domctl_setvcpuextstate,
	domctl_getvcpuextstate, domctl_get_vcpu_msrs, domctl_set_vcpu_msrs;
/* domctl_memory.c */
subop_fn domctl_max_mem, domctl_getpageframeinfo3, domctl_hypercall_init, domctl_set_address_size,
	domctl_get_address_size, domctl_setnodeaffinity, domctl_getnodeaffinity;
/* domctl_machine.c */
subop_fn domctl_get_cpu_policy, domctl_set_cpu_policy, domctl_gettscinfo, domctl_settscinfo;
/* domctl_devices.c */
subop_fn domctl_ioport_permission, domctl_iomem_permission, domctl_irq_permission,
	domctl_memory_mapping;
/* sysctl_info.c */
subop_fn sysctl_physinfo, sysctl_perfc_op, sysctl_getcpuinfo, sysctl_availheap, sysctl_cputopoinfo,
	sysctl_numainfo, sysctl_pcitopoinfo, sysctl_get_cpu_levelling_caps,
	sysctl_get_cpu_featureset, sysctl_get_cpu_policy, sysctl_get_pmstat, sysctl_pm_op;
/* sysctl_control.c */
subop_fn sysctl_readconsole, sysctl_debug_keys, sysctl_getdomaininfolist, sysctl_sched_id,
	sysctl_scheduler_op, sysctl_cpupool_op;

#endif
