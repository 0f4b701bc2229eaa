/* SPDX-License-Identifier: MIT */
/*
 * The grant table itself: its two formats, growing to its limit, the small operations on it, domains that die with mappings
 * or while mapped.
 */
#include "fake_grants.h"

#include <string.h>

static void v2_keeps_its_status_apart(void **state)
{
	grant_entry_v2_t *e;
	mfn_t mfn, sub;
	grant_handle_t h;

	grant_use_v2(g1);
	e = grant_v2(g1->d->grant, 255);
	mfn = guest_frame(g1);
	*e = (grant_entry_v2_t){.full_page = {.hdr = {GTF_permit_access, 2}, .frame = mfn}};
	h = grant_map_ok(255, 0, GNTMAP_host_map);
	assert_int_equal(e->hdr.flags, GTF_permit_access);
	assert_int_equal(*grant_status_v2(g1->d->grant, 255), GTF_reading | GTF_writing);
	assert_int_equal(grant_map_status(1, 256, GNTMAP_host_map), GNTST_bad_gntref);
	assert_int_equal(grant_unmap_one(h, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(*grant_status_v2(g1->d->grant, 255), 0);
	sub = grant_sub(g1, 20, 2, 100, 200);
	assert_int_equal(grant_map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	assert_int_equal(*grant_status_v2(g1->d->grant, 20), 0);
	e->full_page.frame = mfn | 1UL << 40;
	assert_int_equal(grant_map_status(1, 255, GNTMAP_host_map), GNTST_bad_page);
	assert_int_equal(*grant_status_v2(g1->d->grant, 255), 0);
	assert_idle(g1, mfn);
	assert_idle(g1, sub);
}

static void version_changes_keep_reserved_entries(void **state)
{
	struct gnttab_set_version v = {.version = 3};
	mfn_t con = grant_frame(g1, 0, 2, 0), late = grant_frame(g1, 40, 2, 0);
	grant_handle_t h = grant_map_ok(0, 0, GNTMAP_host_map),
		       l = grant_map_ok(40, 1, GNTMAP_host_map);

	guest_run(g1, 0);
	assert_int_equal(grant_op(GNTTABOP_set_version, &v, 1), -EINVAL);
	assert_int_equal(v.version, 1);
	v.version = 2;
	assert_int_equal(grant_op(GNTTABOP_set_version, &v, 1), -EBUSY);
	guest_run(g2, 0);
	grant_unmap_one(l, SLOT_VA(1), 0);
	grant_use_v2(g1);
	assert_int_equal(grant_v2(g1->d->grant, 0)->hdr.flags, GTF_permit_access);
	assert_int_equal(grant_v2(g1->d->grant, 0)->full_page.frame, con);
	assert_int_equal(*grant_status_v2(g1->d->grant, 0), GTF_reading | GTF_writing);
	assert_int_equal(grant_v2(g1->d->grant, 40)->hdr.flags, 0);

	guest_run(g1, 0);
	v.version = 1;
	grant_through(g1, 3, 2, 0, 30);
	assert_int_equal(grant_op(GNTTABOP_set_version, &v, 1), -ERANGE);
	assert_int_equal(v.version, 2);
	grant_v2(g1->d->grant, 3)->hdr.flags = 0;
	v.version = 1;
	assert_int_equal(grant_op(GNTTABOP_set_version, &v, 1), 0);
	assert_int_equal(grant_entry(g1, 0)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(grant_entry(g1, 0)->frame, con);
	guest_run(g2, 0);
	assert_int_equal(grant_unmap_one(h, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(grant_entry(g1, 0)->flags, GTF_permit_access);
	assert_idle(g1, con);
	assert_idle(g1, late);
	g1->d->grant->max_version = 1;
	guest_run(g1, 0);
	v.version = 2;
	assert_int_equal(grant_op(GNTTABOP_set_version, &v, 1), -ENOSYS);
}

/* What another CPU finds while a copy out of part of a page is under way. */
static void a_copied_part_cannot_be_mapped(void **state)
{
	const struct grant_want want = {.user = 2, .pin = GNTPIN_hstr_inc, .kind = GRANT_part};
	struct gnttab_set_version v = {.version = 1};
	struct page_info *page;
	mfn_t sub;

	grant_use_v2(g1);
	sub = grant_sub(g1, 3, 2, 100, 64);
	assert_int_equal(grant_pin(g1->d, 3, &want, &page), GNTST_okay);
	grant_v2(g1->d->grant, 3)->hdr.flags = GTF_permit_access;
	grant_v2(g1->d->grant, 3)->full_page.frame = sub;
	assert_int_equal(grant_map_status(1, 3, GNTMAP_host_map | GNTMAP_readonly),
			 GNTST_general_error);
	guest_run(g1, 0);
	assert_int_equal(grant_op(GNTTABOP_set_version, &v, 1), -EAGAIN);
	put_page(page);
	grant_unpin(g1->d, 3, want.pin);
	v.version = 1;
	assert_int_equal(grant_op(GNTTABOP_set_version, &v, 1), 0);
	guest_run(g2, 0);
	assert_int_equal(grant_map_status(1, 3, GNTMAP_host_map | GNTMAP_readonly), GNTST_okay);
}

/* --- sizes and frames --- */

static void tables_grow_to_their_limit(void **state)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	uint64_t frames[65];
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 64};
	mfn_t mfn;

	s.frame_list.p = frames;
	assert_int_equal(grant_op(GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_okay);
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(frames[i], virt_to_mfn(g2->d->grant->shared.page[i]));
		assert_ptr_equal(mfn_to_page(frames[i])->owner, g2->d);
	}
	s.nr_frames = 65;
	assert_int_equal(grant_op(GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_general_error);
	s.nr_frames = 1;
	s.frame_list.p = (void *)BAD_VA;
	assert_int_equal(grant_op(GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_bad_virt_addr);
	s.frame_list.p = (void *)HYP_VIRT_START;
	assert_int_equal(grant_op(GNTTABOP_setup_table, &s, 1), -EFAULT);
	s.frame_list.p = frames;
	s.dom = 1;
	assert_int_equal(grant_op(GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_permission_denied);
	s.dom = 6;
	assert_int_equal(grant_op(GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_bad_domain);
	assert_int_equal(grant_op(GNTTABOP_query_size, &q, 1), 0);
	assert_int_equal(q.nr_frames, 64);
	assert_int_equal(q.max_nr_frames, 64);
	guest_run(g0, 0);
	q.dom = 1;
	assert_int_equal(grant_op(GNTTABOP_query_size, &q, 1), 0);
	assert_int_equal(q.nr_frames, 1);
	assert_int_equal(grant_table_frame(g1->d, XENMEM_resource_grant_table_id_shared, 5, &mfn),
			 0);
	assert_int_equal(mfn, virt_to_mfn(g1->d->grant->shared.page[5]));
	assert_int_equal(grant_table_frame(g1->d, XENMEM_resource_grant_table_id_shared, 64, &mfn),
			 -EINVAL);
	assert_int_equal(grant_table_frame(g1->d, XENMEM_resource_grant_table_id_shared, ~0u, &mfn),
			 -EINVAL);
	assert_int_equal(grant_table_frame(g1->d, XENMEM_resource_grant_table_id_status, 0, &mfn),
			 -EINVAL);
	grant_use_v2(g1);
	assert_int_equal(grant_table_frame(g1->d, XENMEM_resource_grant_table_id_status, 7, &mfn),
			 0);
	assert_int_equal(g1->d->grant->shared.nr, 64);
	assert_int_equal(grant_table_frame(g1->d, XENMEM_resource_grant_table_id_status, 8, &mfn),
			 -EINVAL);
}

static void status_frames_and_versions_are_told(void **state)
{
	uint64_t frames[8];
	struct gnttab_get_status_frames s = {.dom = DOMID_SELF, .nr_frames = 1};
	struct gnttab_get_version v = {.dom = 1};

	s.frame_list.p = frames;
	assert_int_equal(grant_op(GNTTABOP_get_status_frames, &s, 1), 0);
	assert_int_equal(s.status, GNTST_general_error);
	grant_use_v2(g2);
	assert_int_equal(grant_op(GNTTABOP_get_status_frames, &s, 1), 0);
	assert_int_equal(s.status, GNTST_okay);
	assert_int_equal(frames[0], virt_to_mfn(g2->d->grant->status.page[0]));
	assert_int_equal(grant_op(GNTTABOP_get_version, &v, 1), -EPERM);
	v.dom = 6;
	assert_int_equal(grant_op(GNTTABOP_get_version, &v, 1), -ESRCH);
	v.dom = DOMID_SELF;
	assert_int_equal(grant_op(GNTTABOP_get_version, &v, 1), 0);
	assert_int_equal(v.version, 2);
}

static void entries_swap_when_idle(void **state)
{
	struct gnttab_swap_grant_ref s[2] = {{.ref_a = 20, .ref_b = 21},
					     {.ref_a = 20, .ref_b = 512}};
	mfn_t a = grant_frame(g1, 20, 2, 0), b = grant_frame(g1, 21, 0, GTF_readonly);
	grant_handle_t h;

	guest_run(g1, 0);
	assert_int_equal(grant_op(GNTTABOP_swap_grant_ref, s, 2), 0);
	assert_int_equal(s[0].status, GNTST_okay);
	assert_int_equal(s[1].status, GNTST_bad_gntref);
	assert_int_equal(grant_entry(g1, 21)->frame, a);
	assert_int_equal(grant_entry(g1, 20)->frame, b);
	guest_run(g2, 0);
	h = grant_map_ok(21, 0, GNTMAP_host_map);
	guest_run(g1, 0);
	assert_int_equal(grant_op(GNTTABOP_swap_grant_ref, s, 1), 0);
	assert_int_equal(s[0].status, GNTST_eagain);
	s[0].ref_a = s[0].ref_b;
	assert_int_equal(grant_op(GNTTABOP_swap_grant_ref, s, 1), 0);
	assert_int_equal(s[0].status, GNTST_okay);
	guest_run(g2, 0);
	grant_unmap_one(h, SLOT_VA(0), 0);
}

static void caches_are_flushed_for_users_only(void **state)
{
	struct gnttab_cache_flush c = {.length = 64, .op = GNTTAB_CACHE_CLEAN};
	mfn_t mfn, mine = guest_frame(g2);
	mfn_t unused;
	grant_handle_t h;

	assert_int_equal(
		grant_table_frame(g1->d, XENMEM_resource_grant_table_id_shared, 40, &unused), 0);
	mfn = grant_frame(g1, 20000, 2, 0);
	c.a.dev_bus_addr = mfn << PAGE_SHIFT;
	assert_int_equal(grant_op(GNTTABOP_cache_flush, &c, 1), -EINVAL);
	h = grant_map_ok(20000, 0, GNTMAP_host_map);
	fake_preempt = 1;
	assert_int_equal(grant_op(GNTTABOP_cache_flush, &c, 1), 0);
	assert_int_equal(guest_continuations, 4); /* 4096 entries at a time */
	fake_preempt = 0;
	c.op = GNTTAB_CACHE_INVAL;
	assert_int_equal(grant_op(GNTTABOP_cache_flush, &c, 1), -EOPNOTSUPP);
	c.op = GNTTAB_CACHE_SOURCE_GREF;
	assert_int_equal(grant_op(GNTTABOP_cache_flush, &c, 1), -EINVAL);
	c.op = GNTTAB_CACHE_INVAL | GNTTAB_CACHE_CLEAN;
	c.offset = 4095;
	assert_int_equal(grant_op(GNTTABOP_cache_flush, &c, 1), -EINVAL);
	c.length = 1;
	assert_int_equal(grant_op(GNTTABOP_cache_flush, &c, 1), 0);
	c.a.dev_bus_addr = mine << PAGE_SHIFT;
	assert_int_equal(grant_op(GNTTABOP_cache_flush, &c, 1), 0);
	c.a.dev_bus_addr = ~0UL;
	assert_int_equal(grant_op(GNTTABOP_cache_flush, &c, 1), -EINVAL);
	assert_int_equal(grant_op(0xfffff000 | GNTTABOP_cache_flush, &c, 1), -EINVAL);
	grant_unmap_one(h, SLOT_VA(0), 0);
	assert_idle(g1, mfn);
	assert_int_equal(frame_refs(mine), 1);
}

static void limits_are_checked_at_creation(void **state)
{
	struct fake_guest *g3 = guest_new(3);
	unsigned long before = heap_free_pages();

	assert_int_equal(grant_table_init(g3->d, 0, 0, 1), -EINVAL);
	assert_int_equal(grant_table_init(g3->d, 4, 4, 0), -EINVAL);
	assert_int_equal(grant_table_init(g3->d, 4, 4, 3), -EINVAL);
	assert_int_equal(grant_table_init(g3->d, 0x7fffffff, 4, 1), -EINVAL);
	assert_int_equal(grant_table_init(g3->d, 1u << 20, 1u << 20, 1), -ENOMEM);
	assert_int_equal(heap_free_pages(), before);
	assert_int_equal(grant_table_init(g3->d, 1, 1, 1), 0);
}

/* --- ends --- */

static void death_lets_go_of_others(void **state)
{
	mfn_t host = grant_frame(g1, 20, 2, 0), dev = grant_frame(g1, 21, 2, 0);
	uint32_t before = g1->d->refcount;
	unsigned int calls = 1;

	grant_map_ok(20, 0, GNTMAP_host_map);
	grant_map_ok(21, 1, GNTMAP_device_map);
	for (unsigned int i = 0; i < 3 * MAPTRACK_PER_PAGE; i++)
		maptrack_get(g2->d->grant); /* so many that it takes several steps */
	g2->d->grant->mapped = 2;	    /* the others were never filled */
	g2->d->dying = DOMDYING_dying;
	fake_preempt = 1;
	while (grant_table_release_mappings(g2->d) == -ERESTART)
		calls++;
	assert_int_equal(calls, 4);
	assert_int_equal(g1->d->refcount, before);
	assert_int_equal(grant_entry(g1, 20)->flags, GTF_permit_access);
	assert_idle(g1, dev);
	/* The page-table entry's own references: its page table's to put. */
	assert_int_equal(frame_refs(host), 2);
	assert_int_equal(frame_writers(host), 1);
	put_page_and_type(mfn_to_page(host));
	grant_table_destroy(g2->d);
	assert_idle(g1, host);
}

static void a_dead_granter_stays_for_its_users(void **state)
{
	struct fake_guest *g3 = grant_guest(3);
	struct domain *d3 = g3->d;
	mfn_t mfn = grant_frame(g3, 20, 2, 0);
	struct gnttab_map_grant_ref m = grant_map_flags(3, 20, 0, GNTMAP_host_map);
	uint32_t refcount = d3->refcount;

	assert_int_equal(m.status, GNTST_okay);
	d3->dying = DOMDYING_dying;
	assert_int_equal(grant_table_release_mappings(d3), 0);
	assert_int_equal(domain_relinquish_pages(d3), 0);
	assert_int_equal(frame_refs(mfn), 1); /* the mapping's alone */
	guest_forget(g3);
	assert_int_equal(grant_unmap_one(m.handle, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(frame_refs(mfn), 0);
	assert_true(d3->refcount < refcount);
	grant_table_destroy(d3);
}

static void everything_is_given_back(void **state)
{
	unsigned long before = heap_free_pages();
	struct fake_guest *g3 = grant_guest(3);
	mfn_t mfn;

	grant_use_v2(g3);
	assert_int_equal(grant_table_frame(g3->d, XENMEM_resource_grant_table_id_shared, 63, &mfn),
			 0);
	maptrack_put(g3->d->grant, maptrack_get(g3->d->grant), 0, 0);
	assert_int_equal(grant_table_release_mappings(g3->d), 0);
	assert_int_equal(domain_relinquish_pages(g3->d), 0);
	grant_table_destroy(g3->d);
	page_free(g3->shared);
	assert_int_equal(heap_free_pages(), before);
}

static unsigned int lines_printed;

static void no_lock_held(void)
{
	lines_printed++;
	assert_false(spin_is_locked(&g1->d->grant->lock));
}

/* The console is slow, and others wait for the lock. */
static void dumping_holds_no_lock(void **state)
{
	grant_frame(g1, 20, 2, 0);
	grant_map_ok(20, 0, GNTMAP_host_map);
	lines_printed = 0;
	fake_printk = no_lock_held;
	grant_dump(g1->d);
	assert_int_equal(lines_printed, 1 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_copied_part_cannot_be_mapped, grant_setup),
		cmocka_unit_test_setup(v2_keeps_its_status_apart, grant_setup),
		cmocka_unit_test_setup(version_changes_keep_reserved_entries, grant_setup),
		cmocka_unit_test_setup(tables_grow_to_their_limit, grant_setup),
		cmocka_unit_test_setup(status_frames_and_versions_are_told, grant_setup),
		cmocka_unit_test_setup(entries_swap_when_idle, grant_setup),
		cmocka_unit_test_setup(caches_are_flushed_for_users_only, grant_setup),
		cmocka_unit_test_setup(limits_are_checked_at_creation, grant_setup),
		cmocka_unit_test_setup(dumping_holds_no_lock, grant_setup),
		cmocka_unit_test_setup(death_lets_go_of_others, grant_setup),
		cmocka_unit_test_setup(a_dead_granter_stays_for_its_users, grant_setup),
		cmocka_unit_test_setup(everything_is_given_back, grant_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
