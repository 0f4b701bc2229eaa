/* SPDX-License-Identifier: MIT */
/*
 * Grant tables against this very domain: set-up, map and unmap with the flags in the shared entry,
 * read-only grants, wrong frames and references, copy by reference and by frame, version 2 with its
 * status frames, sub-page and transitive entries refused or honoured as Xen does.
 */
#include "guest.h"

TEST("grants");

#define FIRST_REF 16

static domid_t self; /* the map call takes a real number, not DOMID_SELF */

static union {
	grant_entry_v1_t v1[512];
	grant_entry_v2_t v2[256];
	unsigned char page[PAGE_SIZE];
} grants PAGE_ALIGNED;

static unsigned char status_page[PAGE_SIZE] PAGE_ALIGNED;
static volatile unsigned char window[PAGE_SIZE] PAGE_ALIGNED;
static unsigned char source[PAGE_SIZE] PAGE_ALIGNED, target[PAGE_SIZE] PAGE_ALIGNED;

static void table_setup(void)
{
	xen_pfn_t frame = 0;
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 1};

	set_xen_guest_handle(s.frame_list, &frame);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &s, 1), 0);
	CHECK_EQ(s.status, GNTST_okay);
	CHECK(frame != 0);
	CHECK_EQ(hypercall_update_va_mapping((unsigned long)&grants, pte_of(frame, PTE_RW),
					     UVMF_INVLPG),
		 0);
}

static void test_query(void)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	struct gnttab_get_version v = {.dom = DOMID_SELF};

	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_query_size, &q, 1), 0);
	CHECK_EQ(q.status, GNTST_okay);
	CHECK(q.nr_frames >= 1);
	CHECK_EQ(q.max_nr_frames, 64);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_get_version, &v, 1), 0);
	CHECK_EQ(v.version, 1);
}

static long map(struct gnttab_map_grant_ref *m, uint32_t ref, uint32_t flags)
{
	*m = (struct gnttab_map_grant_ref){
		.host_addr = (unsigned long)window, .flags = flags, .ref = ref, .dom = self};
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_map_grant_ref, m, 1), 0);
	return m->status;
}

static long unmap(uint32_t handle)
{
	struct gnttab_unmap_grant_ref u = {.host_addr = (unsigned long)window, .handle = handle};

	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &u, 1), 0);
	return u.status;
}

static void grant_v1(uint32_t ref, unsigned long mfn, uint16_t flags)
{
	grants.v1[ref].domid = self;
	grants.v1[ref].frame = mfn;
	asm volatile("" : : : "memory");
	((volatile grant_entry_v1_t *)grants.v1)[ref].flags = flags;
}

static uint16_t flags_v1(uint32_t ref)
{
	return ((volatile grant_entry_v1_t *)grants.v1)[ref].flags;
}

static void test_map(void)
{
	struct gnttab_map_grant_ref m;

	source[5] = 0x5a;
	grant_v1(FIRST_REF, virt_to_mfn(source), GTF_permit_access);
	CHECK_EQ(map(&m, FIRST_REF, GNTMAP_host_map), GNTST_okay);
	CHECK_EQ(window[5], 0x5a);
	window[6] = 0x66;
	CHECK_EQ(((volatile unsigned char *)source)[6], 0x66);
	CHECK_EQ(flags_v1(FIRST_REF), GTF_permit_access | GTF_reading | GTF_writing);
	CHECK_EQ(unmap(m.handle), GNTST_okay);
	CHECK_EQ(flags_v1(FIRST_REF), GTF_permit_access);
	CHECK_EQ(unmap(m.handle), GNTST_bad_handle);
	CHECK_EQ(fault_read(window, NULL), TRAP_PF);
}

static void test_map_readonly(void)
{
	struct gnttab_map_grant_ref m;

	CHECK_EQ(map(&m, FIRST_REF, GNTMAP_host_map | GNTMAP_readonly), GNTST_okay);
	CHECK_EQ(flags_v1(FIRST_REF), GTF_permit_access | GTF_reading);
	CHECK_EQ(fault_read(window, NULL), TRAP_NONE);
	CHECK_EQ(fault_write(window, 1), TRAP_PF);
	CHECK_EQ(unmap(m.handle), GNTST_okay);
	grant_v1(FIRST_REF, virt_to_mfn(source), GTF_permit_access | GTF_readonly);
	CHECK_EQ(map(&m, FIRST_REF, GNTMAP_host_map), GNTST_general_error);
	CHECK_EQ(map(&m, FIRST_REF, GNTMAP_host_map | GNTMAP_readonly), GNTST_okay);
	CHECK_EQ(unmap(m.handle), GNTST_okay);
}

static void test_map_bad(void)
{
	struct gnttab_map_grant_ref m;

	CHECK_EQ(map(&m, 1u << 30, GNTMAP_host_map), GNTST_bad_gntref);
	CHECK_EQ(map(&m, FIRST_REF + 1, GNTMAP_host_map), GNTST_general_error);
	grant_v1(FIRST_REF + 1, 0x0fffffff, GTF_permit_access);
	CHECK_EQ(map(&m, FIRST_REF + 1, GNTMAP_host_map), GNTST_bad_page);
	grant_v1(FIRST_REF + 1, virt_to_mfn(root_table), GTF_permit_access);
	CHECK_EQ(map(&m, FIRST_REF + 1, GNTMAP_host_map), GNTST_general_error);
	grant_v1(FIRST_REF + 1, virt_to_mfn(source), GTF_permit_access);
	grants.v1[FIRST_REF + 1].domid = self + 1;
	CHECK_EQ(map(&m, FIRST_REF + 1, GNTMAP_host_map), GNTST_general_error);
	CHECK_EQ(map(&m, FIRST_REF + 1, 0), GNTST_bad_gntref);
	grant_v1(FIRST_REF + 1, 0, 0);
	CHECK_EQ(unmap(~0u), GNTST_bad_handle);
}

/* The frame of an entry in a page table of ours, changed by the map itself. */
static void test_map_pte(void)
{
	uint64_t *pte = pte_find((unsigned long)window, 1);
	struct gnttab_map_grant_ref m = {.host_addr = pte_maddr(pte),
					 .flags = GNTMAP_host_map | GNTMAP_contains_pte,
					 .ref = FIRST_REF,
					 .dom = self};
	struct gnttab_unmap_grant_ref u = {.host_addr = m.host_addr};

	grant_v1(FIRST_REF, virt_to_mfn(source), GTF_permit_access);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_map_grant_ref, &m, 1), 0);
	CHECK_EQ(m.status, GNTST_okay);
	if (m.status != GNTST_okay)
		return;
	CHECK_EQ(window[5], 0x5a);
	/* Only the unmap call may drop a granted mapping. */
	u.handle = m.handle;
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &u, 1), 0);
	CHECK_EQ(u.status, GNTST_okay);
	CHECK_EQ(*pte & PTE_P, 0);
}

static long copy(struct gnttab_copy *c)
{
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_copy, c, 1), 0);
	return c->status;
}

static void test_copy(void)
{
	struct gnttab_copy c = {.source = {.u.ref = FIRST_REF, .domid = self, .offset = 100},
				.dest = {.domid = DOMID_SELF, .offset = 200},
				.len = 300,
				.flags = GNTCOPY_source_gref};

	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		source[i] = i * 7;
	memset(target, 0, sizeof(target));
	c.dest.u.gmfn = virt_to_mfn(target);
	CHECK_EQ(copy(&c), GNTST_okay);
	CHECK(!memcmp(target + 200, source + 100, 300));
	CHECK_EQ(target[199] | target[500], 0);
	CHECK_EQ(flags_v1(FIRST_REF), GTF_permit_access);
	c.source.offset = 4000;
	CHECK_EQ(copy(&c), GNTST_bad_copy_arg);
	c.source.offset = 0;
	c.dest.offset = 4095;
	CHECK_EQ(copy(&c), GNTST_bad_copy_arg);
	c.dest.offset = 0;
	c.dest.u.gmfn = virt_to_mfn(root_table);
	CHECK_EQ(copy(&c), GNTST_general_error);
	c.dest.u.gmfn = ~0ul >> 20;
	CHECK(copy(&c) != GNTST_okay);
	c.dest.u.gmfn = virt_to_mfn(target);
	c.dest.domid = 1;
	CHECK_EQ(copy(&c), GNTST_bad_domain);
	c.dest.domid = DOMID_SELF;
	c.source.u.ref = 1u << 20;
	CHECK_EQ(copy(&c), GNTST_bad_gntref);
}

static void test_copy_to_readonly(void)
{
	struct gnttab_copy c = {.dest = {.u.ref = FIRST_REF + 2, .domid = self},
				.source = {.domid = DOMID_SELF},
				.len = 16,
				.flags = GNTCOPY_dest_gref};

	c.source.u.gmfn = virt_to_mfn(source);
	grant_v1(FIRST_REF + 2, virt_to_mfn(target), GTF_permit_access | GTF_readonly);
	CHECK_EQ(copy(&c), GNTST_general_error);
	grant_v1(FIRST_REF + 2, virt_to_mfn(target), GTF_permit_access);
	CHECK_EQ(copy(&c), GNTST_okay);
	CHECK(!memcmp(target, source, 16));
}

static void test_transfer_and_flush(void)
{
	struct gnttab_transfer t = {.domid = self, .ref = FIRST_REF};
	struct gnttab_cache_flush f = {.op = GNTTAB_CACHE_CLEAN, .length = 64};
	long rc;

	t.mfn = ~0ul >> 20;
	rc = hypercall_grant_table_op(GNTTABOP_transfer, &t, 1);
	CHECK_EQ(rc, 0);
	CHECK(t.status < 0);
	f.a.dev_bus_addr = pte_of(virt_to_mfn(source), 0);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_cache_flush, &f, 1), 0);
	f.length = PAGE_SIZE + 1;
	CHECK(hypercall_grant_table_op(GNTTABOP_cache_flush, &f, 1) < 0);
}

static long version_set(uint32_t version)
{
	struct gnttab_set_version v = {.version = version};

	return hypercall_grant_table_op(GNTTABOP_set_version, &v, 1);
}

static bool status_map(void)
{
	uint64_t frame = 0;
	struct gnttab_get_status_frames s = {.nr_frames = 1, .dom = DOMID_SELF};

	set_xen_guest_handle(s.frame_list, &frame);
	CHECK_EQ(hypercall_grant_table_op(GNTTABOP_get_status_frames, &s, 1), 0);
	CHECK_EQ(s.status, GNTST_okay);
	return !hypercall_update_va_mapping((unsigned long)status_page, pte_of(frame, PTE_RW),
					    UVMF_INVLPG);
}

static void test_v2(void)
{
	volatile grant_status_t *status = (volatile grant_status_t *)status_page;
	struct gnttab_map_grant_ref m;
	uint32_t ref = FIRST_REF + 4;

	memset(grants.page, 0, sizeof(grants.page));
	CHECK_EQ(version_set(2), 0);
	table_setup();
	if (!status_map())
		verdict_error("status frame cannot be mapped");
	grants.v2[ref].full_page.frame = virt_to_mfn(source);
	grants.v2[ref].hdr.domid = self;
	asm volatile("" : : : "memory");
	grants.v2[ref].hdr.flags = GTF_permit_access;
	CHECK_EQ(map(&m, ref, GNTMAP_host_map), GNTST_okay);
	CHECK_EQ(status[ref], GTF_reading | GTF_writing);
	CHECK_EQ(version_set(1), -XEN_EBUSY);
	CHECK_EQ(unmap(m.handle), GNTST_okay);
	CHECK_EQ(status[ref], 0);
	CHECK_EQ(hypercall_update_va_mapping((unsigned long)status_page, 0, UVMF_INVLPG), 0);
	CHECK_EQ(version_set(1), 0);
	CHECK_EQ(version_set(2), 0);
}

static void test_v2_subpage(void)
{
	uint32_t ref = FIRST_REF + 5;
	struct gnttab_copy c = {.source = {.u.ref = ref, .domid = self, .offset = 0},
				.dest = {.domid = DOMID_SELF},
				.len = 64,
				.flags = GNTCOPY_source_gref};
	struct gnttab_map_grant_ref m;

	grants.v2[ref].sub_page.page_off = 256;
	grants.v2[ref].sub_page.length = 64;
	grants.v2[ref].sub_page.frame = virt_to_mfn(source);
	grants.v2[ref].hdr.domid = self;
	asm volatile("" : : : "memory");
	grants.v2[ref].hdr.flags = GTF_permit_access | GTF_sub_page;
	c.dest.u.gmfn = virt_to_mfn(target);
	c.source.offset = 256;
	CHECK_EQ(copy(&c), GNTST_okay);
	CHECK(!memcmp(target, source + 256, 64));
	c.source.offset = 250;
	CHECK_EQ(copy(&c), GNTST_general_error);
	CHECK(map(&m, ref, GNTMAP_host_map) != GNTST_okay);
	grants.v2[ref].hdr.flags = 0;
}

void test_main(void)
{
	self = domain_self();
	CHECK_EQ(version_set(1), 0);
	table_setup();
	test_query();
	test_map();
	test_map_readonly();
	test_map_bad();
	test_map_pte();
	test_copy();
	test_copy_to_readonly();
	test_transfer_and_flush();
	test_v2();
	test_v2_subpage();
}
