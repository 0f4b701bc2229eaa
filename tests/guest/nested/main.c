/* SPDX-License-Identifier: MIT */
/*
 * nested_op, our own hypercall (hypervisor/outer/nested_abi.h): unknown to every domain where no Xen is below, and below one refused
 * to guests; and what domain 0 may ask of it there, with events and a grant table frame for real.
 */
#include "guest.h"
#include "../../../hypervisor/outer/nested_abi.h"
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

TEST("nested");

#define WINDOW 0xffffc00000000000ul /* where nothing is mapped */

static volatile unsigned int virqs;

static long nested(unsigned int call, unsigned int op, void *arg)
{
	return hypercall_any(__HYPERVISOR_nested_op, call, op, (unsigned long)arg, 0, 0);
}

static long outer_event(unsigned int op, void *arg)
{
	return nested(__HYPERVISOR_event_channel_op, op, arg);
}

static void on_virq(evtchn_port_t port)
{
	(void)port;
	virqs++;
}

static void *map(unsigned long mfn, unsigned int n)
{
	unsigned long va = WINDOW + n * PAGE_SIZE;

	page_map(va, pte_of(mfn, PTE_RW));
	return (void *)va;
}

/* Whatever it asks for. */
static void test_refused(long rc)
{
	static char arg[64];

	for (unsigned int call = 0; call < 64; call++)
		for (unsigned int op = 0; op < 16; op++)
			CHECK_EQ(nested(call, op, arg), rc);
	CHECK_EQ(nested(~0u, ~0u, NULL), rc);
}

static void test_refusals(void)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = HVM_PARAM_IOREQ_PFN};
	struct xen_add_to_physmap add = {.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info};

	CHECK_EQ(nested(__HYPERVISOR_hvm_op, HVMOP_set_param, &p), -XEN_EOPNOTSUPP);
	CHECK_EQ(nested(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), -XEN_EPERM);
	CHECK_EQ(nested(__HYPERVISOR_hvm_op, HVMOP_get_param, (void *)0xffff820000000000),
		 -XEN_EFAULT);
	CHECK_EQ(nested(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add), -XEN_EPERM);
	add.space = XENMAPSPACE_grant_table;
	CHECK_EQ(nested(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add), -XEN_EPERM);
	CHECK_EQ(nested(__HYPERVISOR_domctl, 1, &add), -XEN_EOPNOTSUPP);
}

/* A channel to ourselves: what is sent arrives as the virtual interrupt, and its bit is in the outer shared page. */
static void test_events(const struct nested_info *info)
{
	struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF};
	volatile shared_info_t *outer = map(info->shared_info_mfn, 0);
	struct evtchn_send send;
	struct evtchn_unmask unmask;
	uint64_t start;

	event_bind_virq(info->virq, on_virq);
	events_enable();
	CHECK_EQ(outer_event(EVTCHNOP_alloc_unbound, &alloc), 0);
	bind.remote_port = alloc.port;
	CHECK_EQ(outer_event(EVTCHNOP_bind_interdomain, &bind), 0);
	unmask.port = alloc.port;
	CHECK_EQ(outer_event(EVTCHNOP_unmask, &unmask), 0);
	virqs = 0;
	send.port = bind.local_port;
	CHECK_EQ(outer_event(EVTCHNOP_send, &send), 0);
	for (start = clock_ns(); !virqs && clock_ns() - start < 2000000000ul;)
		;
	CHECK(virqs > 0);
	CHECK(outer->evtchn_pending[alloc.port / 64] >> (alloc.port % 64) & 1);
	CHECK(outer->vcpu_info[0].evtchn_pending_sel & 1);
	CHECK_EQ(outer->vcpu_info[0].evtchn_upcall_pending, 0);
	send.port = alloc.port;
	CHECK_EQ(outer_event(EVTCHNOP_close, &send), 0);
	send.port = bind.local_port;
	CHECK_EQ(outer_event(EVTCHNOP_close, &send), 0);
}

static void test_frames(const struct nested_info *info)
{
	struct gnttab_query_size query = {.dom = DOMID_SELF};
	struct xen_add_to_physmap add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = info->grant_mfn};
	struct xen_remove_from_physmap remove = {.domid = DOMID_SELF, .gpfn = info->grant_mfn};
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = HVM_PARAM_STORE_PFN};
	volatile uint32_t *entries, *store;

	CHECK_EQ(nested(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, &query), 0);
	CHECK_EQ(query.status, 0);
	print("outer grant table: %u frames of %u\n", query.nr_frames, query.max_nr_frames);
	CHECK_EQ(nested(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add), 0);
	entries = map(info->grant_mfn, 1);
	entries[1023] = 0x5a5a;
	CHECK_EQ(entries[1023], 0x5a5a);
	entries[1023] = 0;
	CHECK_EQ(nested(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &remove), 0);
	CHECK_EQ(nested(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), 0);
	store = map(p.value, 2);
	print("outer store: frame %lx, server features %x\n", (unsigned long)p.value, store[516]);
}

void test_main(void)
{
	static struct nested_info info;
	long rc = nested(NESTED_CALL_info, 0, &info);

	if (rc == -XEN_ENOSYS || (rc == -XEN_EPERM && !is_dom0())) {
		test_refused(rc);
		return;
	}
	CHECK(is_dom0());
	CHECK_EQ(rc, 0);
	CHECK_EQ(info.abi, NESTED_ABI);
	print("outer Xen %u.%u\n", info.outer_version >> 16, info.outer_version & 0xffff);
	CHECK_EQ(nested(__HYPERVISOR_xen_version, XENVER_version, NULL), info.outer_version);
	test_refusals();
	test_events(&info);
	test_frames(&info);
}
