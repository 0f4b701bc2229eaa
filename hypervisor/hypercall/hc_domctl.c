/* SPDX-License-Identifier: MIT */
/*
 * domctl: how the tools make, run and take apart domains. This file is the table and its loop: the whole structure is copied in once, the
 * version compared, the domain found and the caller authorised; then the row's handler gets its member of the union.
 *
 * Lock: domctl_lock, one operation at a time. It is only tried: who does not get it leaves and comes again, since the holder may be
 * waiting for the other one's vCPU to stop.
 */
#include "hypercall/control.h"
#include "lib/log.h"
#include "lib/spinlock.h"

static spinlock_t domctl_lock = SPIN_LOCK_UNLOCKED;

/* Refusals, with the errno Xen gives for a paravirtual domain or a machine without the feature. */
static int refuse_einval(struct hc *hc, void *arg)
{
	return -EINVAL;
}

static int refuse_eopnotsupp(struct hc *hc, void *arg)
{
	return -EOPNOTSUPP;
}

static int refuse_enodev(struct hc *hc, void *arg)
{
	return -ENODEV;
}

#define DOMCTL_WHO(c, m, d, w, f)                                                          \
	{                                                                                  \
		.name = "XEN_DOMCTL_" #c, .nr = XEN_DOMCTL_##c,                            \
		.size = sizeof(((struct xen_domctl *)NULL)->u.m),                          \
		.target_off = offsetof(struct xen_domctl, domain), .dir = (d), .who = (w), \
		.fn = (f)                                                                  \
	}
#define DOMCTL(c, m, d) DOMCTL_WHO(c, m, d, WHO_PRIV, domctl_##c)
#define DOMCTL_0(c)	DOMCTL_WHO(c, pad, DIR_NONE, WHO_PRIV, domctl_##c)
#define DOMCTL_REFUSED(c, m, f, why)                                                               \
	{                                                                                          \
		.name = "XEN_DOMCTL_" #c, .nr = XEN_DOMCTL_##c,                                    \
		.size = sizeof(((struct xen_domctl *)NULL)->u.m),                                  \
		.target_off = offsetof(struct xen_domctl, domain), .dir = DIR_IN, .who = WHO_PRIV, \
		.fn = (f), .note = (why)                                                           \
	}

static const struct subop domctl_ops[] = {
	DOMCTL(createdomain, createdomain, DIR_INOUT),
	DOMCTL_0(destroydomain),
	DOMCTL_0(pausedomain),
	DOMCTL_0(unpausedomain),
	DOMCTL(getdomaininfo, getdomaininfo, DIR_OUT),
	DOMCTL(setvcpuaffinity, vcpuaffinity, DIR_INOUT),
	DOMCTL_REFUSED(shadow_op, shadow_op, refuse_einval, "planned: live migration"),
	DOMCTL(max_mem, max_mem, DIR_IN),
	DOMCTL(setvcpucontext, vcpucontext, DIR_IN),
	DOMCTL(getvcpucontext, vcpucontext, DIR_INOUT),
	DOMCTL(getvcpuinfo, getvcpuinfo, DIR_INOUT),
	DOMCTL(max_vcpus, max_vcpus, DIR_IN),
	DOMCTL(scheduler_op, scheduler_op, DIR_INOUT),
	DOMCTL(setdomainhandle, setdomainhandle, DIR_IN),
	DOMCTL(setdebugging, setdebugging, DIR_IN),
	DOMCTL(irq_permission, irq_permission, DIR_IN),
	DOMCTL(iomem_permission, iomem_permission, DIR_IN),
	DOMCTL(ioport_permission, ioport_permission, DIR_IN),
	DOMCTL(hypercall_init, hypercall_init, DIR_IN),
	DOMCTL(settimeoffset, settimeoffset, DIR_IN),
	DOMCTL(getvcpuaffinity, vcpuaffinity, DIR_INOUT),
	DOMCTL_REFUSED(real_mode_area, pad, NULL, "obsolete"),
	DOMCTL_0(resumedomain),
	DOMCTL(sendtrigger, sendtrigger, DIR_IN),
	DOMCTL(subscribe, subscribe, DIR_IN),
	DOMCTL_REFUSED(gethvmcontext, hvmcontext, refuse_einval,
		       "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(sethvmcontext, hvmcontext, refuse_einval,
		       "planned: hardware-virtualized guests"),
	DOMCTL(set_address_size, address_size, DIR_IN),
	DOMCTL(get_address_size, address_size, DIR_OUT),
	DOMCTL_REFUSED(assign_device, assign_device, refuse_eopnotsupp, "planned: with an IOMMU"),
	DOMCTL_WHO(bind_pt_irq, bind_pt_irq, DIR_IN, WHO_CONTROL, refuse_einval),
	DOMCTL_WHO(memory_mapping, memory_mapping, DIR_IN, WHO_CONTROL, domctl_memory_mapping),
	DOMCTL_WHO(ioport_mapping, ioport_mapping, DIR_IN, WHO_CONTROL, refuse_eopnotsupp),
	DOMCTL(set_ext_vcpucontext, ext_vcpucontext, DIR_IN),
	DOMCTL(get_ext_vcpucontext, ext_vcpucontext, DIR_INOUT),
	DOMCTL_REFUSED(set_opt_feature, pad, NULL, "obsolete"),
	DOMCTL_REFUSED(test_assign_device, assign_device, refuse_eopnotsupp,
		       "planned: with an IOMMU"),
	DOMCTL(set_target, set_target, DIR_IN),
	DOMCTL_REFUSED(deassign_device, assign_device, refuse_eopnotsupp, "planned: with an IOMMU"),
	DOMCTL_WHO(unbind_pt_irq, bind_pt_irq, DIR_IN, WHO_CONTROL, refuse_einval),
	DOMCTL_REFUSED(get_device_group, get_device_group, refuse_eopnotsupp,
		       "planned: with an IOMMU"),
	DOMCTL_REFUSED(debug_op, debug_op, refuse_einval, "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(gethvmcontext_partial, hvmcontext_partial, refuse_einval,
		       "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(vm_event_op, vm_event_op, refuse_enodev, "no memory events"),
	DOMCTL_REFUSED(mem_sharing_op, mem_sharing_op, refuse_eopnotsupp, "no memory sharing"),
	DOMCTL(gettscinfo, tsc_info, DIR_OUT),
	DOMCTL(settscinfo, tsc_info, DIR_IN),
	DOMCTL(getpageframeinfo3, getpageframeinfo3, DIR_IN),
	DOMCTL(setvcpuextstate, vcpuextstate, DIR_IN),
	DOMCTL(getvcpuextstate, vcpuextstate, DIR_INOUT),
	DOMCTL_REFUSED(set_access_required, access_required, refuse_eopnotsupp, "no memory events"),
	DOMCTL_REFUSED(audit_p2m, audit_p2m, refuse_eopnotsupp,
		       "planned: hardware-virtualized guests"),
	DOMCTL(set_virq_handler, set_virq_handler, DIR_IN),
	DOMCTL_REFUSED(set_broken_page_p2m, set_broken_page_p2m, refuse_einval,
		       "planned: hardware-virtualized guests"),
	DOMCTL(setnodeaffinity, nodeaffinity, DIR_IN),
	DOMCTL(getnodeaffinity, nodeaffinity, DIR_IN),
	DOMCTL_REFUSED(cacheflush, cacheflush, NULL, "other architectures"),
	DOMCTL(get_vcpu_msrs, vcpu_msrs, DIR_INOUT),
	DOMCTL(set_vcpu_msrs, vcpu_msrs, DIR_INOUT),
	DOMCTL_REFUSED(setvnumainfo, vnuma, refuse_eopnotsupp, "one node"),
	DOMCTL_REFUSED(psr_cmt_op, psr_cmt_op, refuse_enodev, "no cache monitoring"),
	DOMCTL_REFUSED(monitor_op, monitor_op, refuse_eopnotsupp,
		       "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(psr_alloc, psr_alloc, refuse_eopnotsupp, "no cache allocation"),
	DOMCTL_0(soft_reset),
	DOMCTL_REFUSED(vuart_op, vuart_op, NULL, "other architectures"),
	DOMCTL(get_cpu_policy, cpu_policy, DIR_INOUT),
	DOMCTL(set_cpu_policy, cpu_policy, DIR_INOUT),
	DOMCTL_REFUSED(vmtrace_op, vmtrace_op, refuse_einval, "no processor trace"),
	DOMCTL_REFUSED(get_paging_mempool_size, paging_mempool, refuse_eopnotsupp,
		       "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(set_paging_mempool_size, paging_mempool, refuse_eopnotsupp,
		       "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(gdbsx_guestmemio, gdbsx_guest_memio, NULL, "no guest debugger"),
	DOMCTL_REFUSED(gdbsx_pausevcpu, gdbsx_pauseunp_vcpu, NULL, "no guest debugger"),
	DOMCTL_REFUSED(gdbsx_unpausevcpu, gdbsx_pauseunp_vcpu, NULL, "no guest debugger"),
	DOMCTL_REFUSED(gdbsx_domstatus, gdbsx_domstatus, NULL, "no guest debugger"),
};

static const struct subop_family domctl_family = {"domctl", domctl_ops, ARRAY_SIZE(domctl_ops),
						  -ENOSYS};

/* The domain the operation is about: hc->target referenced, or NULL where there is none yet. */
static int domctl_target(struct hc *hc, const struct xen_domctl *op)
{
	hc->target = NULL;
	switch (op->cmd) {
	case XEN_DOMCTL_createdomain:
		return 0;
	case XEN_DOMCTL_getdomaininfo:
		/* The next domain with this number or a higher one: tools list domains so. */
		if (op->domain >= DOMID_FIRST_RESERVED)
			return -EINVAL;
		hc->target = domain_next(op->domain);
		return hc->target ? 0 : -ESRCH;
	case XEN_DOMCTL_assign_device:
	case XEN_DOMCTL_deassign_device:
		if (op->domain == DOMID_IO) /* "to nobody" */
			return 0;
		break;
	case XEN_DOMCTL_test_assign_device:
	case XEN_DOMCTL_vm_event_op:
		if (op->domain == DOMID_INVALID)
			return 0;
		break;
	}
	hc->target = domain_get(op->domain);
	return hc->target ? 0 : -ESRCH;
}

static bool domctl_allowed(const struct hc *hc, const struct subop *row)
{
	if (hc->d->is_privileged)
		return true;
	return row && row->who == WHO_CONTROL && hc->target && domain_controls(hc->d, hc->target);
}

/* Counters only, and asked for often. */
static bool needs_lock(uint32_t cmd)
{
	return cmd != XEN_DOMCTL_getdomaininfo && cmd != XEN_DOMCTL_getvcpuinfo;
}

static int domctl_run(struct hc *hc, struct xen_domctl *op)
{
	const struct subop *row = subop_lookup(&domctl_family, op->cmd);
	bool lock = needs_lock(op->cmd);
	int rc;

	if (!domctl_allowed(hc, row))
		return -EPERM;
	if (!row || !row->fn)
		return -ENOSYS;
	if (lock && !spin_trylock(&domctl_lock))
		return -ERESTART;
	rc = row->fn(hc, &op->u);
	if (lock)
		spin_unlock(&domctl_lock);
	if ((row->dir & DIR_OUT) && (rc >= 0 || hc->copy_out)) {
		if (op->cmd == XEN_DOMCTL_getdomaininfo)
			op->domain = op->u.getdomaininfo.domain;
		if (copy_to_guest_va(hc->arg_va, op, sizeof(*op)))
			rc = -EFAULT;
	}
	return rc;
}

HYPERCALL_FN(domctl)
{
	struct hc hc = {.d = current->domain, .arg_va = a1};
	struct xen_domctl op;
	int rc;

	if (copy_from_guest_va(&op, a1, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -EACCES;
	rc = domctl_target(&hc, &op);
	if (rc)
		return rc;
	rc = domctl_run(&hc, &op);
	if (hc.target)
		domain_put(hc.target);
	return rc == -ERESTART ? hypercall_restart() : rc;
}
