/* SPDX-License-Identifier: MIT */
/* Parts of the control interfaces (domctl, sysctl) among themselves: hc_domctl.c and hc_sysctl.c hold the tables. */
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

/* cpu_policy.c: a policy as an array of leaves or registers in guest memory; *nr is the room and then the number written. */
#define CPU_POLICY_MAX_LEAVES                                                          \
	(CPUID_NR_BASIC + CPUID_NR_FEAT - 1 + CPUID_NR_CACHE - 1 + CPUID_NR_TOPO - 1 + \
	 CPUID_NR_XSTATE - 1 + CPUID_NR_EXTD + 2)
#define CPU_POLICY_MAX_MSRS 2
int cpu_policy_leaves_write(const struct pv_cpuid *p, unsigned long va, uint32_t *nr);
int cpu_policy_msrs_write(const struct pv_cpuid *p, unsigned long va, uint32_t *nr);
/* The tools' policy for @d, over what it has. On failure op->err_* may tell which entry it was. */
int cpu_policy_update(struct domain *d, struct xen_domctl_cpu_policy *op);

/* Handlers of hc_domctl.c's rows: the argument is the member of struct xen_domctl that the row names. */
#define DOMCTL_HANDLER(name) int domctl_##name(struct hc *hc, void *arg)
/* domctl_life.c */
DOMCTL_HANDLER(createdomain);
DOMCTL_HANDLER(destroydomain);
DOMCTL_HANDLER(pausedomain);
DOMCTL_HANDLER(unpausedomain);
DOMCTL_HANDLER(resumedomain);
DOMCTL_HANDLER(getdomaininfo);
DOMCTL_HANDLER(max_vcpus);
DOMCTL_HANDLER(soft_reset);
DOMCTL_HANDLER(setdomainhandle);
DOMCTL_HANDLER(setdebugging);
DOMCTL_HANDLER(settimeoffset);
DOMCTL_HANDLER(set_target);
DOMCTL_HANDLER(set_virq_handler);
DOMCTL_HANDLER(subscribe);
DOMCTL_HANDLER(scheduler_op);
/* domctl_vcpu.c */
DOMCTL_HANDLER(setvcpucontext);
DOMCTL_HANDLER(getvcpucontext);
DOMCTL_HANDLER(getvcpuinfo);
DOMCTL_HANDLER(setvcpuaffinity);
DOMCTL_HANDLER(getvcpuaffinity);
DOMCTL_HANDLER(sendtrigger);
/* domctl_vcpu_ext.c */
DOMCTL_HANDLER(set_ext_vcpucontext);
DOMCTL_HANDLER(get_ext_vcpucontext);
DOMCTL_HANDLER(setvcpuextstate);
DOMCTL_HANDLER(getvcpuextstate);
DOMCTL_HANDLER(get_vcpu_msrs);
DOMCTL_HANDLER(set_vcpu_msrs);
/* domctl_memory.c */
DOMCTL_HANDLER(max_mem);
DOMCTL_HANDLER(getpageframeinfo3);
DOMCTL_HANDLER(hypercall_init);
DOMCTL_HANDLER(set_address_size);
DOMCTL_HANDLER(get_address_size);
DOMCTL_HANDLER(setnodeaffinity);
DOMCTL_HANDLER(getnodeaffinity);
/* domctl_machine.c */
DOMCTL_HANDLER(get_cpu_policy);
DOMCTL_HANDLER(set_cpu_policy);
DOMCTL_HANDLER(gettscinfo);
DOMCTL_HANDLER(settscinfo);
/* domctl_devices.c */
DOMCTL_HANDLER(ioport_permission);
DOMCTL_HANDLER(iomem_permission);
DOMCTL_HANDLER(irq_permission);
DOMCTL_HANDLER(memory_mapping);

#endif
