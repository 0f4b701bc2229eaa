/* SPDX-License-Identifier: MIT */
/*
 * nested_op, the one hypercall of our own (outer/nested_abi.h): drivers in domain 0 reach a Xen below us through it. Each operation
 * allowed is a row; its structure is read once, checked, passed on as a copy, and copied back. Whatever would let domain 0 have
 * the outer Xen change what is ours is refused: frames other than those set aside, our own channel, anybody else's anything.
 *
 * No state, no lock: the outer Xen orders calls of several CPUs.
 */
#include "hypercall/dispatch.h"
#include "lib/log.h"
#include "lib/string.h"
#include "outer/nested_abi.h"
#include "outer/xen.h"
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/version.h>

union nested_arg {
	struct xen_feature_info features;
	struct xen_add_to_physmap add;
	struct xen_remove_from_physmap remove;
	struct xen_hvm_param param;
	struct gnttab_query_size query_size;
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_status status;
	evtchn_port_t port; /* of the operations on one port, where it comes first */
	struct sched_shutdown shutdown;
};

struct nested_row {
	uint8_t call, op, size;
	bool out;
	int (*check)(const union nested_arg *a); /* NULL: nothing to check */
};

static bool grant_frame(xen_pfn_t pfn)
{
	return pfn - XEN_GRANT_PFN < XEN_GRANT_FRAMES;
}

static int check_add(const union nested_arg *a)
{
	return a->add.domid == DOMID_SELF && a->add.space == XENMAPSPACE_grant_table &&
			       grant_frame(a->add.gpfn)
		       ? 0
		       : -EPERM;
}

static int check_remove(const union nested_arg *a)
{
	return a->remove.domid == DOMID_SELF && grant_frame(a->remove.gpfn) ? 0 : -EPERM;
}

static int check_param(const union nested_arg *a)
{
	if (a->param.domid != DOMID_SELF)
		return -EPERM;
	switch (a->param.index) {
	case HVM_PARAM_CONSOLE_PFN:
	case HVM_PARAM_CONSOLE_EVTCHN:
		return xen_outer_port ? -EBUSY : 0;
	case HVM_PARAM_STORE_PFN:
	case HVM_PARAM_STORE_EVTCHN:
		return 0;
	default:
		return -EPERM;
	}
}

static int check_query_size(const union nested_arg *a)
{
	return a->query_size.dom == DOMID_SELF ? 0 : -EPERM;
}

static int check_alloc_unbound(const union nested_arg *a)
{
	return a->alloc_unbound.dom == DOMID_SELF ? 0 : -EPERM;
}

static int check_port(const union nested_arg *a)
{
	return xen_outer_port && a->port == xen_outer_port ? -EPERM : 0;
}

static int check_status(const union nested_arg *a)
{
	return a->status.dom == DOMID_SELF ? 0 : -EPERM;
}

static int check_bind_vcpu(const union nested_arg *a)
{
	return a->bind_vcpu.vcpu ? -EPERM : check_port(a);
}

static int check_shutdown(const union nested_arg *a)
{
	switch (a->shutdown.reason) {
	case SHUTDOWN_poweroff:
	case SHUTDOWN_reboot:
	case SHUTDOWN_crash:
		printk("Domain 0 ends the machine by the outer Xen\n");
		return 0;
	default:
		return -EPERM;
	}
}

#define NESTED(hypercall, operation, type, copied_out, checker)                            \
	{                                                                                  \
		.call = __HYPERVISOR_##hypercall, .op = (operation), .size = sizeof(type), \
		.out = (copied_out), .check = (checker)                                    \
	}
#define NESTED_PORT(operation, type) \
	NESTED(event_channel_op, EVTCHNOP_##operation, type, false, check_port)

static const struct nested_row rows[] = {
	{.call = __HYPERVISOR_xen_version, .op = XENVER_version},
	NESTED(xen_version, XENVER_get_features, struct xen_feature_info, true, NULL),
	NESTED(memory_op, XENMEM_add_to_physmap, struct xen_add_to_physmap, false, check_add),
	NESTED(memory_op, XENMEM_remove_from_physmap, struct xen_remove_from_physmap, false,
	       check_remove),
	NESTED(hvm_op, HVMOP_get_param, struct xen_hvm_param, true, check_param),
	NESTED(grant_table_op, GNTTABOP_query_size, struct gnttab_query_size, true,
	       check_query_size),
	NESTED(event_channel_op, EVTCHNOP_bind_interdomain, struct evtchn_bind_interdomain, true,
	       NULL),
	NESTED_PORT(close, struct evtchn_close),
	NESTED_PORT(send, struct evtchn_send),
	NESTED(event_channel_op, EVTCHNOP_status, struct evtchn_status, true, check_status),
	NESTED(event_channel_op, EVTCHNOP_alloc_unbound, struct evtchn_alloc_unbound, true,
	       check_alloc_unbound),
	NESTED(event_channel_op, EVTCHNOP_bind_vcpu, struct evtchn_bind_vcpu, false,
	       check_bind_vcpu),
	NESTED_PORT(unmask, struct evtchn_unmask),
	NESTED(sched_op, SCHEDOP_shutdown, struct sched_shutdown, false, check_shutdown),
};

static long nested_info(unsigned long arg_va)
{
	struct nested_info info = {
		.abi = NESTED_ABI,
		.virq = NESTED_VIRQ,
		.shared_info_mfn = XEN_SHARED_INFO_PFN,
		.outer_version = xen_outer_version,
		.nr_vcpus = nr_cpus_online,
		.grant_mfn = XEN_GRANT_PFN,
		.nr_grant_mfns = XEN_GRANT_FRAMES,
	};

	return copy_to_guest_va(arg_va, &info, sizeof(info)) ? -EFAULT : 0;
}

static const struct nested_row *row_of(unsigned long call, unsigned long op)
{
	for (const struct nested_row *r = rows; r < rows + ARRAY_SIZE(rows); r++)
		if (r->call == call && r->op == op)
			return r;
	return NULL;
}

/* Grant operations take a count, which the others do not look at. */
static long nested_call(const struct nested_row *r, unsigned long arg_va)
{
	union nested_arg arg;
	long rc;

	if (!r->size)
		return xen_outer_call(r->call, r->op, 0, 0);
	memset(&arg, 0, sizeof(arg));
	if (copy_from_guest_va(&arg, arg_va, r->size))
		return -EFAULT;
	rc = r->check ? r->check(&arg) : 0;
	if (!rc)
		rc = xen_outer_call(r->call, r->op, (unsigned long)&arg, 1);
	return rc >= 0 && r->out && copy_to_guest_va(arg_va, &arg, r->size) ? -EFAULT : rc;
}

/* nested_op(call, op, arg) */
HYPERCALL_FN(nested_op)
{
	const struct nested_row *r;

	if (!xen_outer_version)
		return -ENOSYS;
	if (!current->domain->is_hardware)
		return -EPERM;
	if (!(uint32_t)a1 && !(uint32_t)a2)
		return nested_info(a3);
	r = row_of((uint32_t)a1, (uint32_t)a2);
	return r ? nested_call(r, a3) : -EOPNOTSUPP;
}
