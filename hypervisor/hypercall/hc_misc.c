/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls that a paravirtual guest has no use for, or that need what the hypervisor does not have: refused, each with the errno that
 * callers know for "not here".
 */
#include "hypercall/dispatch.h"
#include "x86/time.h"
#include <xen/arch-x86/xen-mca.h>
#include <xen/domctl.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/hypfs.h>
#include <xen/kexec.h>
#include <xen/xenoprof.h>

static SUBOP_HANDLER(hvm_get_time, struct xen_hvm_get_time *t)
{
	t->now = (uint64_t)time_now();
	return 0;
}

/* Nobody listens: tracing is off, as are requests to a monitor. */
static SUBOP_HANDLER(hvm_xentrace, const struct xen_hvm_xentrace *t)
{
	return t->extra_bytes > sizeof(t->extra) ? -EINVAL : 0;
}

static int hvm_vm_event(struct hc *hc, void *arg)
{
	return hc->arg_va ? -EINVAL : 0;
}

#define HVMOP_REFUSED(c, type, w) SUBOP_T(HVMOP_##c, type, DIR_IN, domid, w, refuse_einval)

/* Parameters, memory types, altp2m: a paravirtual domain has none of them. */
static const struct subop hvm_ops[] = {
	HVMOP_REFUSED(set_param, struct xen_hvm_param, WHO_SELF_OR_CONTROL),
	HVMOP_REFUSED(get_param, struct xen_hvm_param, WHO_SELF_OR_CONTROL),
	SUBOP_0(HVMOP_flush_tlbs, WHO_ANY, refuse_einval),
	HVMOP_REFUSED(pagetable_dying, struct xen_hvm_pagetable_dying, WHO_TARGET),
	SUBOP(HVMOP_get_time, struct xen_hvm_get_time, DIR_OUT, WHO_ANY, hvm_get_time),
	SUBOP(HVMOP_xentrace, struct xen_hvm_xentrace, DIR_IN, WHO_ANY, hvm_xentrace),
	HVMOP_REFUSED(get_mem_type, struct xen_hvm_get_mem_type, WHO_TARGET),
	SUBOP_0(HVMOP_set_evtchn_upcall_vector, WHO_ANY, refuse_einval),
	SUBOP_0(HVMOP_guest_request_vm_event, WHO_ANY, hvm_vm_event),
	SUBOP_0(HVMOP_altp2m, WHO_ANY, refuse_eopnotsupp),
};

HYPERCALL_FN(hvm_op)
{
	return sub_call(hvm_ops, a1, a2);
}

/* No crash kernel is ever loaded: the range for one is empty, which tells domain 0 not to try. */
static SUBOP_HANDLER(kexec_get_range, struct xen_kexec_range *r)
{
	if (r->range != KEXEC_RANGE_MA_CRASH)
		return r->range <= KEXEC_RANGE_MA_VMCOREINFO ? -EOPNOTSUPP : -EINVAL;
	r->start = r->size = 0;
	return 0;
}

#define KEXEC(c, type, d, f) SUBOP(KEXEC_CMD_##c, type, d, WHO_PRIV, f)

static const struct subop kexec_ops[] = {
	KEXEC(kexec, struct xen_kexec_exec, DIR_IN, refuse_eopnotsupp),
	KEXEC(kexec_load_v1, struct xen_kexec_load_v1, DIR_IN, refuse_eopnotsupp),
	KEXEC(kexec_unload_v1, struct xen_kexec_load_v1, DIR_IN, refuse_eopnotsupp),
	KEXEC(kexec_get_range, struct xen_kexec_range, DIR_INOUT, kexec_get_range),
	KEXEC(kexec_load, struct xen_kexec_load, DIR_IN, refuse_eopnotsupp),
	KEXEC(kexec_unload, struct xen_kexec_unload, DIR_IN, refuse_eopnotsupp),
	KEXEC(kexec_status, struct xen_kexec_status, DIR_IN, answer_zero), /* not loaded */
};

HYPERCALL_FN(kexec_op)
{
	if (!current->domain->is_privileged)
		return -EPERM;
	/* An unknown number does nothing, successfully: so it is on Xen. */
	return a1 < ARRAY_SIZE(kexec_ops) ? sub_call(kexec_ops, a1, a2) : 0;
}

/* Profiling finds no counters; everything but its start needs it to have been started. */
HYPERCALL_FN(xenoprof_op)
{
	struct xenoprof_init init;

	if ((uint32_t)a1 > XENOPROF_last_op)
		return -EINVAL;
	if ((uint32_t)a1 != XENOPROF_init)
		return -EPERM;
	return copy_from_guest_va(&init, a2, sizeof(init)) ? -EFAULT : -ENODEV;
}

HYPERCALL_FN(xenpmu_op)
{
	return -EOPNOTSUPP;
}

static int hypfs_path_read(char path[XEN_HYPFS_MAX_PATHLEN], unsigned long va, unsigned long len)
{
	if (!len || len > XEN_HYPFS_MAX_PATHLEN)
		return -EINVAL;
	if (copy_from_guest_va(path, va, len))
		return -EFAULT;
	return path[len - 1] || path[0] != '/' ? -EINVAL : 0;
}

/* The tree of settings is empty: a root without entries. */
static long hypfs_read(const char *path, unsigned long va, unsigned long len)
{
	struct xen_hypfs_direntry root = {.type = XEN_HYPFS_TYPE_DIR};

	if (path[1])
		return -ENOENT;
	if (len < sizeof(root))
		return -ENOBUFS;
	return copy_to_guest_va(va, &root, sizeof(root)) ? -EFAULT : 0;
}

HYPERCALL_FN(hypfs_op)
{
	char path[XEN_HYPFS_MAX_PATHLEN];
	int rc;

	if (!current->domain->is_privileged)
		return -EPERM;
	if ((uint32_t)a1 == XEN_HYPFS_OP_get_version)
		return a2 || a3 || a4 || a5 ? -EINVAL : XEN_HYPFS_VERSION;
	rc = hypfs_path_read(path, a2, a3);
	if (rc)
		return rc;
	switch ((uint32_t)a1) {
	case XEN_HYPFS_OP_read:
		return hypfs_read(path, a4, a5);
	case XEN_HYPFS_OP_write_contents:
		return path[1] ? -ENOENT : -EACCES;
	default:
		return -EOPNOTSUPP;
	}
}

/* Machine checks are not handed to domain 0. */
HYPERCALL_FN(mca)
{
	struct xen_mc mc;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_from_guest_va(&mc, a1, sizeof(mc)))
		return -EFAULT;
	return mc.interface_version == XEN_MCA_INTERFACE_VERSION ? -ENOSYS : -EACCES;
}

/* The continuation of shadow operations, of which there are none. */
HYPERCALL_FN(paging_domctl_cont)
{
	struct xen_domctl op;

	if (copy_from_guest_va(&op, a1, sizeof(op)))
		return -EFAULT;
	return op.interface_version == XEN_DOMCTL_INTERFACE_VERSION ? -EINVAL : -EACCES;
}

/* Device models serve hardware-virtualized domains. */
HYPERCALL_FN(dm_op)
{
	struct hc hc = {.d = current->domain, .target = current->domain};
	struct xen_dm_op_buf bufs[3];
	domid_t id = (domid_t)a1;
	int rc;

	if ((uint32_t)a2 > ARRAY_SIZE(bufs))
		return -E2BIG;
	if (copy_from_guest_va(bufs, a3, (uint32_t)a2 * sizeof(bufs[0])))
		return -EFAULT;
	if (id == DOMID_SELF)
		return -ESRCH;
	rc = hc_target(&hc, id, WHO_TARGET);
	if (rc)
		return rc;
	rc = hc.target == hc.d ? -EPERM : -EINVAL;
	if (hc.target != hc.d)
		domain_put(hc.target);
	return rc;
}
