/* SPDX-License-Identifier: MIT */
/*
 * memory_op as a PV guest uses it: giving pages back and getting others, exchange for a contiguous
 * range, the frame list of the machine-to-physical table, sizes, and the memory maps.
 */
#include "guest.h"

TEST("memory");

static xen_pfn_t list[16], list_out[16];

static struct xen_memory_reservation reservation(xen_pfn_t *frames, unsigned long n,
						 unsigned int order)
{
	struct xen_memory_reservation r = {
		.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};

	set_xen_guest_handle(r.extent_start, frames);
	return r;
}

static long current_pages(void)
{
	domid_t self = DOMID_SELF;

	return hypercall_memory_op(XENMEM_current_reservation, &self);
}

static void test_sizes(void)
{
	domid_t self = DOMID_SELF;
	long pages = current_pages(), max = hypercall_memory_op(XENMEM_maximum_reservation, &self);

	CHECK(pages >= (long)start_info->nr_pages);
	CHECK(max >= pages);
	CHECK(hypercall_memory_op(XENMEM_maximum_ram_page, NULL) > pages);
	CHECK(hypercall_memory_op(XENMEM_maximum_gpfn, &self) >= 0);
}

/* A page that is mapped is not let go; one that is not, is, and can be had again at the same place. */
static void test_balloon(void)
{
	unsigned char *page = page_alloc();
	unsigned long pfn = virt_to_pfn(page), mfn = virt_to_mfn(page);
	long before = current_pages();
	struct xen_memory_reservation r = reservation(list, 1, 0);

	CHECK_EQ(hypercall_update_va_mapping((unsigned long)page, 0, UVMF_INVLPG), 0);
	list[0] = mfn;
	CHECK_EQ(hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
	CHECK_EQ(current_pages(), before - 1);
	CHECK(hypercall_update_va_mapping((unsigned long)page, pte_of(mfn, PTE_RW), 0) < 0);
	CHECK_EQ(hypercall_memory_op(XENMEM_decrease_reservation, &r), 0);
	list[0] = pfn;
	CHECK_EQ(hypercall_memory_op(XENMEM_populate_physmap, &r), 1);
	CHECK_EQ(current_pages(), before);
	mfn = list[0];
	CHECK_EQ(mfn_to_pfn(mfn), pfn);
	CHECK_EQ(hypercall_update_va_mapping((unsigned long)page, pte_of(mfn, PTE_RW), 0), 0);
	((unsigned long *)start_info->mfn_list)[pfn] = mfn;
	CHECK_EQ(page[0] | page[4095], 0); /* nobody's old contents */
}

static void test_limits(void)
{
	struct xen_memory_reservation r = reservation(list, 1, 0);
	long rc;

	/* Domain 0 may have no ceiling; where there is one, it holds. */
	for (unsigned int i = 0; i < 16; i++)
		list[i] = start_info->nr_pages + i;
	rc = hypercall_memory_op(XENMEM_populate_physmap, &r);
	CHECK(rc == 0 || rc == 1);
	if (rc == 1)
		CHECK_EQ(hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
	r = reservation(list, 1, 20);
	CHECK(hypercall_memory_op(XENMEM_populate_physmap, &r) <= 0);
	r = reservation(list, 1, 0);
	r.domid = 1;
	CHECK_EQ(hypercall_memory_op(XENMEM_populate_physmap, &r), 0); /* none populated */
}

/* Four single pages for one of order 2. */
static void test_exchange(void)
{
	unsigned char *pages[4];
	struct xen_memory_exchange x = {.in = reservation(list, 4, 0),
					.out = reservation(list_out, 1, 2)};
	long before = current_pages();

	for (unsigned int i = 0; i < 4; i++) {
		pages[i] = page_alloc();
		list[i] = virt_to_mfn(pages[i]);
		hypercall_update_va_mapping((unsigned long)pages[i], 0, UVMF_INVLPG);
	}
	list_out[0] = virt_to_pfn(pages[0]);
	CHECK_EQ(hypercall_memory_op(XENMEM_exchange, &x), 0);
	CHECK_EQ(x.nr_exchanged, 4);
	CHECK_EQ(current_pages(), before);
	CHECK_EQ(list_out[0] & 3, 0);
	for (unsigned int i = 0; i < 4; i++) {
		CHECK_EQ(mfn_to_pfn(list_out[0] + i), virt_to_pfn(pages[0]) + i);
		CHECK_EQ(hypercall_update_va_mapping((unsigned long)pages[i],
						     pte_of(list_out[0] + i, PTE_RW), UVMF_INVLPG),
			 0);
		((unsigned long *)start_info->mfn_list)[virt_to_pfn(pages[i])] = list_out[0] + i;
	}
	pages[3][0] = 9;
	x.in = reservation(list, 3, 0);
	CHECK_EQ(hypercall_memory_op(XENMEM_exchange, &x), -XEN_EINVAL);
}

/* Pages in use as tables or mapped elsewhere cannot be exchanged away. */
static void test_exchange_refused(void)
{
	struct xen_memory_exchange x = {.in = reservation(list, 1, 0),
					.out = reservation(list_out, 1, 0)};

	list[0] = virt_to_mfn(root_table);
	list_out[0] = virt_to_pfn(root_table);
	CHECK(hypercall_memory_op(XENMEM_exchange, &x) < 0);
	list[0] = 0xfffffff;
	CHECK(hypercall_memory_op(XENMEM_exchange, &x) < 0);
	CHECK_EQ(x.nr_exchanged, 0);
}

static void test_machphys(void)
{
	static xen_pfn_t extents[64];
	struct xen_machphys_mfn_list l = {.max_extents = 64};
	struct xen_machphys_mapping m = {0};

	set_xen_guest_handle(l.extent_start, extents);
	CHECK_EQ(hypercall_memory_op(XENMEM_machphys_mfn_list, &l), 0);
	CHECK(l.nr_extents >= 1);
	CHECK(extents[0] != 0);
	CHECK_EQ(hypercall_memory_op(XENMEM_machphys_mapping, &m), 0);
	CHECK_EQ(m.v_start, MACH2PHYS_VIRT_START);
	CHECK(m.v_end > m.v_start && m.v_end <= MACH2PHYS_VIRT_END);
	CHECK(m.max_mfn >= start_info->nr_pages);
}

struct e820_entry {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

static void test_maps(void)
{
	static struct e820_entry map[128];
	struct xen_memory_map m = {.nr_entries = 128};
	uint64_t ram = 0;

	set_xen_guest_handle(m.buffer, map);
	CHECK_EQ(hypercall_memory_op(XENMEM_machine_memory_map, &m), is_dom0() ? 0 : -XEN_EPERM);
	for (unsigned int i = 0; i < m.nr_entries && is_dom0(); i++)
		if (map[i].type == 1)
			ram += map[i].size;
	CHECK(!is_dom0() || ram > start_info->nr_pages * PAGE_SIZE);
	m.nr_entries = 1;
	CHECK(!is_dom0() || hypercall_memory_op(XENMEM_machine_memory_map, &m) <= 0);
}

void test_main(void)
{
	events_disable();
	test_sizes();
	test_balloon();
	test_limits();
	test_exchange();
	test_exchange_refused();
	test_machphys();
	test_maps();
}
