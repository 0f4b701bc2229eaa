/* SPDX-License-Identifier: MIT */
/*
 * Memory operations with bad contents: reservations for other domains, extents that overflow, order
 * and count at their limits, lists behind bad pointers.
 */
#include "refusals.h"

static xen_pfn_t frames[4];

static struct xen_memory_reservation reservation(unsigned long n, unsigned int order, domid_t dom)
{
	struct xen_memory_reservation r = {.nr_extents = n, .extent_order = order, .domid = dom};

	set_xen_guest_handle(r.extent_start, frames);
	return r;
}

static void reservation_rows(void)
{
	static const unsigned int ops[] = {XENMEM_increase_reservation, XENMEM_decrease_reservation,
					   XENMEM_populate_physmap};
	struct xen_memory_reservation r;
	long rc[8];
	char key[60];

	for (unsigned int i = 0; i < ARRAY_LEN(ops); i++) {
		frames[0] = ~0ul;
		r = reservation(1, 0, NOBODY);
		rc[0] = hypercall_memory_op(ops[i], &r);
		r = reservation(1, 0, DOMID_IO);
		rc[1] = hypercall_memory_op(ops[i], &r);
		r = reservation(1, 64, DOMID_SELF);
		rc[2] = hypercall_memory_op(ops[i], &r);
		r = reservation(1, 30, DOMID_SELF);
		rc[3] = hypercall_memory_op(ops[i], &r);
		r = reservation(~0ul, 0, DOMID_SELF);
		rc[4] = hypercall_memory_op(ops[i], &r);
		r = reservation(~0ul >> 4, 0, DOMID_SELF);
		rc[5] = hypercall_memory_op(ops[i], &r);
		r = reservation(1, 0, DOMID_SELF);
		set_xen_guest_handle(r.extent_start, (xen_pfn_t *)0xffff82d040200000ul);
		rc[6] = hypercall_memory_op(ops[i], &r);
		set_xen_guest_handle(r.extent_start, (xen_pfn_t *)0x123456789000ul);
		rc[7] = hypercall_memory_op(ops[i], &r);
		guest_snprintf(key, sizeof(key), "memory_op %u reservation", ops[i]);
		answers(key, rc, 8);
	}
}

static void exchange_rows(void)
{
	struct xen_memory_exchange x = {.in = reservation(1, 0, DOMID_SELF),
					.out = reservation(1, 0, NOBODY)};
	long rc[5];

	rc[0] = hypercall_memory_op(XENMEM_exchange, &x);
	x.out = reservation(2, 0, DOMID_SELF);
	rc[1] = hypercall_memory_op(XENMEM_exchange, &x);
	x.in = reservation(~0ul, 0, DOMID_SELF);
	x.out = reservation(~0ul, 0, DOMID_SELF);
	rc[2] = hypercall_memory_op(XENMEM_exchange, &x);
	x.in = reservation(1, 40, DOMID_SELF);
	x.out = reservation(1, 40, DOMID_SELF);
	rc[3] = hypercall_memory_op(XENMEM_exchange, &x);
	frames[0] = ~0ul;
	x.in = reservation(1, 0, DOMID_SELF);
	x.out = reservation(1, 0, DOMID_SELF);
	x.nr_exchanged = 5;
	rc[4] = hypercall_memory_op(XENMEM_exchange, &x);
	answers("memory_op exchange", rc, 5);
}

static void physmap_rows(void)
{
	struct xen_add_to_physmap a = {.domid = NOBODY, .space = XENMAPSPACE_shared_info};
	struct xen_remove_from_physmap r = {.domid = DOMID_SELF, .gpfn = ~0ul};
	struct xen_memory_map map = {.nr_entries = 0};
	struct xen_machphys_mfn_list list = {.max_extents = 1};
	domid_t dom[] = {NOBODY, DOMID_IO, DOMID_INVALID};
	long rc[3];

	rc[0] = hypercall_memory_op(XENMEM_add_to_physmap, &a);
	a = (struct xen_add_to_physmap){.domid = DOMID_SELF, .space = 99};
	rc[1] = hypercall_memory_op(XENMEM_add_to_physmap, &a);
	rc[2] = hypercall_memory_op(XENMEM_remove_from_physmap, &r);
	answers("memory_op physmap", rc, 3);
	for (unsigned int i = 0; i < 3; i++)
		rc[i] = hypercall_memory_op(XENMEM_current_reservation, &dom[i]);
	answers("memory_op current_reservation", rc, 3);
	for (unsigned int i = 0; i < 3; i++)
		rc[i] = hypercall_memory_op(XENMEM_maximum_reservation, &dom[i]);
	answers("memory_op maximum_reservation", rc, 3);
	answer("memory_op memory_map", hypercall_memory_op(XENMEM_memory_map, &map));
	answer("memory_op machine_map", hypercall_memory_op(XENMEM_machine_memory_map, &map));
	set_xen_guest_handle(list.extent_start, (xen_pfn_t *)0xffff82d040200000ul);
	answer("memory_op mfn_list", hypercall_memory_op(XENMEM_machphys_mfn_list, &list));
}

void memory_rows(void)
{
	reservation_rows();
	exchange_rows();
	physmap_rows();
}
