/* SPDX-License-Identifier: MIT */
/*
 * What an unprivileged guest tries on domain 0, which exists: its event channels, grants, memory and
 * page tables, and every control operation on it.
 */
#include "refusals.h"

#define VICTIM 0

static void event_rows(void)
{
	struct evtchn_alloc_unbound a = {.dom = VICTIM, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = VICTIM};
	struct evtchn_status s = {.dom = VICTIM, .port = 1};
	struct evtchn_reset r = {.dom = VICTIM};
	long rc[8];

	answer("neighbour alloc_unbound", hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &a));
	answer("neighbour status", hypercall_event_channel_op(EVTCHNOP_status, &s));
	answer("neighbour reset", hypercall_event_channel_op(EVTCHNOP_reset, &r));
	for (unsigned int i = 0; i < 8; i++) {
		b.remote_port = i;
		rc[i] = hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &b);
	}
	answers("neighbour bind_interdomain", rc, 8);
}

static void grant_rows(void)
{
	static unsigned char page[PAGE_SIZE] PAGE_ALIGNED;
	struct gnttab_map_grant_ref m = {
		.host_addr = (unsigned long)page, .flags = GNTMAP_host_map, .dom = VICTIM};
	struct gnttab_setup_table s = {.dom = VICTIM, .nr_frames = 1};
	struct gnttab_query_size q = {.dom = VICTIM};
	struct gnttab_copy c = {
		.source = {.domid = VICTIM}, .dest = {.domid = DOMID_SELF}, .len = 16, .flags = 0};
	long rc[5];

	m.ref = 20;
	c.dest.u.gmfn = virt_to_mfn(page);
	hypercall_grant_table_op(GNTTABOP_map_grant_ref, &m, 1);
	rc[0] = m.status;
	m.ref = 0x7fffffff;
	hypercall_grant_table_op(GNTTABOP_map_grant_ref, &m, 1);
	rc[1] = m.status;
	hypercall_grant_table_op(GNTTABOP_setup_table, &s, 1);
	rc[2] = s.status;
	hypercall_grant_table_op(GNTTABOP_query_size, &q, 1);
	rc[3] = q.status;
	hypercall_grant_table_op(GNTTABOP_copy, &c, 1);
	rc[4] = c.status;
	answers("neighbour grants", rc, 5);
}

static void memory_rows_of(void)
{
	static const unsigned int sized[] = {XENMEM_current_reservation, XENMEM_maximum_reservation,
					     XENMEM_maximum_gpfn};
	xen_pfn_t frame = 0;
	struct xen_memory_reservation r = {.nr_extents = 1, .domid = VICTIM};
	struct xen_add_to_physmap a = {.domid = VICTIM, .space = XENMAPSPACE_shared_info};
	domid_t dom = VICTIM;
	long rc[7];

	set_xen_guest_handle(r.extent_start, &frame);
	for (unsigned int i = 0; i < 3; i++)
		rc[i] = hypercall_memory_op(sized[i], &dom);
	rc[3] = hypercall_memory_op(XENMEM_increase_reservation, &r);
	rc[4] = hypercall_memory_op(XENMEM_decrease_reservation, &r);
	rc[5] = hypercall_memory_op(XENMEM_populate_physmap, &r);
	rc[6] = hypercall_memory_op(XENMEM_add_to_physmap, &a);
	answers("neighbour memory", rc, 7);
}

static void paging_rows(void)
{
	static unsigned char page[PAGE_SIZE] PAGE_ALIGNED;
	uint64_t pte = pte_of(virt_to_mfn(page), PTE_RW);
	mmu_update_t u = {.ptr = pte_maddr(pte_find((unsigned long)page, 1)), .val = pte};
	struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
	long rc[4];

	rc[0] = hypercall_mmu_update(&u, 1, NULL, VICTIM);
	rc[1] = HYPERCALL4(mmu_update, &u, 1, NULL, ((VICTIM + 1ul) << 16) | DOMID_SELF);
	rc[2] = hypercall_mmuext_op(&op, 1, NULL, VICTIM);
	rc[3] = HYPERCALL4(update_va_mapping_otherdomain, page, pte, 0, VICTIM);
	answers("neighbour paging", rc, 4);
}

void neighbour_rows(void)
{
	struct sched_remote_shutdown r = {.domain_id = VICTIM};

	event_rows();
	grant_rows();
	memory_rows_of();
	paging_rows();
	answer("neighbour shutdown", hypercall_sched_op(SCHEDOP_remote_shutdown, &r));
}
