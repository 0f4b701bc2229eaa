/* SPDX-License-Identifier: MIT */
/*
 * domctl: how the tools make, run and take apart domains. This file is the table, and how a domain is found. The call itself and its
 * lock, one operation at a time, are control.c's.
 */
#include "hypercall/control.h"

#define DOMCTL_ROW(c, d, w, f)	  SUBOP_ROW(XEN_DOMCTL_##c, 0, d, 0, w, f)
#define DOMCTL(c, d)		  DOMCTL_ROW(c, d, WHO_PRIV, domctl_##c)
#define DOMCTL_OTHER(c, d)	  DOMCTL_ROW(c, d, WHO_OTHER, domctl_##c)
#define DOMCTL_REFUSED(c, f, why) DOMCTL_ROW(c, DIR_IN, WHO_PRIV, f)

static const struct subop domctl_ops[] = {
	DOMCTL(createdomain, DIR_INOUT),
	DOMCTL_OTHER(destroydomain, DIR_NONE),
	DOMCTL_OTHER(pausedomain, DIR_NONE),
	DOMCTL(unpausedomain, DIR_NONE),
	DOMCTL(getdomaininfo, DIR_OUT),
	DOMCTL(setvcpuaffinity, DIR_INOUT),
	DOMCTL_REFUSED(shadow_op, refuse_einval, "planned: live migration"),
	DOMCTL(max_mem, DIR_IN),
	DOMCTL_OTHER(setvcpucontext, DIR_IN),
	DOMCTL(getvcpucontext, DIR_INOUT),
	DOMCTL(getvcpuinfo, DIR_INOUT),
	DOMCTL_OTHER(max_vcpus, DIR_IN),
	DOMCTL(scheduler_op, DIR_INOUT),
	DOMCTL(setdomainhandle, DIR_IN),
	DOMCTL_OTHER(setdebugging, DIR_IN),
	DOMCTL(irq_permission, DIR_IN),
	DOMCTL(iomem_permission, DIR_IN),
	DOMCTL(ioport_permission, DIR_IN),
	DOMCTL(hypercall_init, DIR_IN),
	DOMCTL(settimeoffset, DIR_IN),
	DOMCTL(getvcpuaffinity, DIR_INOUT),
	DOMCTL_REFUSED(real_mode_area, NULL, "obsolete"),
	DOMCTL_OTHER(resumedomain, DIR_NONE),
	DOMCTL(sendtrigger, DIR_IN),
	DOMCTL(subscribe, DIR_IN),
	DOMCTL_REFUSED(gethvmcontext, refuse_einval, "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(sethvmcontext, refuse_einval, "planned: hardware-virtualized guests"),
	DOMCTL(set_address_size, DIR_IN),
	DOMCTL(get_address_size, DIR_OUT),
	DOMCTL_REFUSED(assign_device, refuse_eopnotsupp, "planned: with an IOMMU"),
	DOMCTL_ROW(bind_pt_irq, DIR_IN, WHO_CONTROL, refuse_einval),
	DOMCTL_ROW(memory_mapping, DIR_IN, WHO_CONTROL, domctl_memory_mapping),
	DOMCTL_ROW(ioport_mapping, DIR_IN, WHO_CONTROL, refuse_eopnotsupp),
	DOMCTL(set_ext_vcpucontext, DIR_IN),
	DOMCTL(get_ext_vcpucontext, DIR_INOUT),
	DOMCTL_REFUSED(set_opt_feature, NULL, "obsolete"),
	DOMCTL_REFUSED(test_assign_device, refuse_eopnotsupp, "planned: with an IOMMU"),
	DOMCTL(set_target, DIR_IN),
	DOMCTL_REFUSED(deassign_device, refuse_eopnotsupp, "planned: with an IOMMU"),
	DOMCTL_ROW(unbind_pt_irq, DIR_IN, WHO_CONTROL, refuse_einval),
	DOMCTL_REFUSED(get_device_group, refuse_eopnotsupp, "planned: with an IOMMU"),
	DOMCTL_REFUSED(debug_op, refuse_einval, "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(gethvmcontext_partial, refuse_einval,
		       "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(vm_event_op, refuse_enodev, "no memory events"),
	DOMCTL_REFUSED(mem_sharing_op, refuse_eopnotsupp, "no memory sharing"),
	DOMCTL_OTHER(gettscinfo, DIR_OUT),
	DOMCTL_OTHER(settscinfo, DIR_IN),
	DOMCTL(getpageframeinfo3, DIR_IN),
	DOMCTL(setvcpuextstate, DIR_IN),
	DOMCTL(getvcpuextstate, DIR_INOUT),
	DOMCTL_REFUSED(set_access_required, refuse_eopnotsupp, "no memory events"),
	DOMCTL_REFUSED(audit_p2m, refuse_eopnotsupp, "planned: hardware-virtualized guests"),
	DOMCTL(set_virq_handler, DIR_IN),
	DOMCTL_REFUSED(set_broken_page_p2m, refuse_einval, "planned: hardware-virtualized guests"),
	DOMCTL(setnodeaffinity, DIR_IN),
	DOMCTL(getnodeaffinity, DIR_IN),
	DOMCTL_REFUSED(cacheflush, NULL, "other architectures"),
	DOMCTL(get_vcpu_msrs, DIR_INOUT),
	DOMCTL(set_vcpu_msrs, DIR_INOUT),
	DOMCTL_REFUSED(setvnumainfo, refuse_eopnotsupp, "one node"),
	DOMCTL_REFUSED(psr_cmt_op, refuse_enodev, "no cache monitoring"),
	DOMCTL_REFUSED(monitor_op, refuse_eopnotsupp, "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(psr_alloc, refuse_eopnotsupp, "no cache allocation"),
	DOMCTL_REFUSED(soft_reset, refuse_einval,
		       "a PV guest's memory cannot be separated from its page tables"),
	DOMCTL_REFUSED(vuart_op, NULL, "other architectures"),
	DOMCTL(get_cpu_policy, DIR_INOUT),
	DOMCTL_OTHER(set_cpu_policy, DIR_INOUT),
	DOMCTL_REFUSED(vmtrace_op, refuse_einval, "no processor trace"),
	DOMCTL_REFUSED(get_paging_mempool_size, refuse_eopnotsupp,
		       "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(set_paging_mempool_size, refuse_eopnotsupp,
		       "planned: hardware-virtualized guests"),
	DOMCTL_REFUSED(gdbsx_guestmemio, NULL, "no guest debugger"),
	DOMCTL_REFUSED(gdbsx_pausevcpu, NULL, "no guest debugger"),
	DOMCTL_REFUSED(gdbsx_unpausevcpu, NULL, "no guest debugger"),
	DOMCTL_REFUSED(gdbsx_domstatus, NULL, "no guest debugger"),
};

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

static struct control_family domctl_family = {
	CONTROL_FAMILY(domctl_ops, struct xen_domctl, XEN_DOMCTL_INTERFACE_VERSION),
	.find_target = domctl_target,
};

HYPERCALL_FN(domctl)
{
	return control_call(&domctl_family, a1);
}
