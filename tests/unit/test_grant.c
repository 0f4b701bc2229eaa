/* SPDX-License-Identifier: MIT */
/*
 * Mapping grants through their hypercall, with the real frame references below: what is refused and with which status, that
 * every reference, pin and handle comes back, batches that are interrupted, and a guest that changes its entries at the
 * worst moment.
 */
#include "fake_grants.h"

#include <string.h>

/* --- mapping --- */

static void mapping_holds_and_lets_go(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	uint32_t before = g1->d->refcount;
	grant_handle_t rw, ro;

	ro = grant_map_ok(20, 0, GNTMAP_host_map | GNTMAP_readonly);
	assert_int_equal(slots[0].mfn, mfn);
	assert_int_equal(frame_refs(mfn), 2);
	assert_int_equal(frame_writers(mfn), 0);
	assert_int_equal(grant_entry(g1, 20)->flags, GTF_permit_access | GTF_reading);
	rw = grant_map_ok(20, 1, GNTMAP_host_map);
	assert_int_not_equal(ro, rw);
	assert_int_equal(frame_refs(mfn), 3);
	assert_int_equal(frame_writers(mfn), 1);
	assert_int_equal(grant_entry(g1, 20)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(g1->d->refcount, before + 2);
	assert_int_equal(grant_table_mapped(g2->d), 2);

	assert_int_equal(grant_unmap_one(rw, SLOT_VA(1), 0), GNTST_okay);
	assert_int_equal(grant_entry(g1, 20)->flags, GTF_permit_access | GTF_reading);
	assert_int_equal(frame_writers(mfn), 0);
	assert_int_equal(grant_unmap_one(rw, SLOT_VA(1), 0), GNTST_bad_handle);
	assert_int_equal(grant_unmap_one(ro, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(grant_entry(g1, 20)->flags, GTF_permit_access);
	assert_int_equal(g1->d->refcount, before);
	assert_int_equal(grant_table_mapped(g2->d), 0);
	assert_idle(g1, mfn);
}

static void mapping_refuses(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0), stranger = guest_frame(g0);
	const unsigned int host = GNTMAP_host_map;

	grant_frame(g1, 21, 0, 0);
	grant_frame(g1, 22, 2, GTF_readonly);
	grant_frame(g1, 23, 2, GTF_sub_page);
	*grant_entry(g1, 24) = (grant_entry_v1_t){GTF_permit_access, 2, (uint32_t)stranger};
	*grant_entry(g1, 25) = (grant_entry_v1_t){GTF_permit_access, 2, ~0u};
	*grant_entry(g1, 26) = (grant_entry_v1_t){GTF_accept_transfer, 2, (uint32_t)mfn};
	*grant_entry(g1, 27) = (grant_entry_v1_t){GTF_transitive, 2, (uint32_t)mfn};
	assert_int_equal(grant_map_status(1, 20, 0), GNTST_bad_gntref);
	assert_int_equal(grant_map_status(1, 20, GNTMAP_readonly), GNTST_bad_gntref);
	assert_int_equal(grant_map_status(1, 512, host), GNTST_bad_gntref);
	assert_int_equal(grant_map_status(1, ~0u, host), GNTST_bad_gntref);
	assert_int_equal(grant_map_status(6, 20, host), GNTST_bad_domain);
	assert_int_equal(grant_map_status(DOMID_SELF, 20, host), GNTST_bad_domain);
	assert_int_equal(grant_map_status(1, 19, host), GNTST_general_error); /* nothing granted */
	assert_int_equal(grant_map_status(1, 21, host), GNTST_general_error);
	assert_int_equal(grant_map_status(1, 22, host), GNTST_general_error);
	assert_int_equal(grant_map_status(1, 23, host), GNTST_general_error);
	assert_int_equal(grant_map_status(1, 24, host), GNTST_bad_page);
	assert_int_equal(grant_map_status(1, 25, host), GNTST_bad_page);
	assert_int_equal(grant_map_status(1, 26, host), GNTST_general_error);
	assert_int_equal(grant_map_status(1, 27, host), GNTST_general_error);
	assert_int_equal(grant_entry(g1, 24)->flags, GTF_permit_access);
	pv_map_rc = GNTST_bad_virt_addr;
	assert_int_equal(grant_map_status(1, 20, host), GNTST_bad_virt_addr);
	assert_int_equal(grant_map_status(1, 20, host | GNTMAP_device_map), GNTST_bad_virt_addr);
	assert_int_equal(grant_map_status(1, 22, host | GNTMAP_readonly), GNTST_bad_virt_addr);
	assert_int_equal(grant_entry(g1, 20)->flags, GTF_permit_access);
	assert_int_equal(grant_entry(g1, 22)->flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(grant_table_mapped(g2->d), 0);
	assert_int_equal(frame_refs(stranger), 1);
	assert_idle(g1, mfn);
}

static void a_page_table_is_never_mapped_writable(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	struct page_info *pg = mfn_to_page(mfn);
	grant_handle_t h;

	pg->type_info = PGT_l1_page_table | PGT_validated | 1;
	assert_int_equal(grant_map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	assert_int_equal(grant_map_status(1, 20, GNTMAP_device_map), GNTST_general_error);
	h = grant_map_ok(20, 0, GNTMAP_host_map | GNTMAP_readonly);
	assert_int_equal(grant_unmap_one(h, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(pg->type_info, PGT_l1_page_table | PGT_validated | 1);
	pg->type_info = 0;
	/*
	 * And what is mapped writable cannot become one, even after the granter has withdrawn the
	 * entry.
	 */
	h = grant_map_ok(20, 0, GNTMAP_host_map);
	memset(grant_entry(g1, 20), 0, sizeof(grant_entry_v1_t));
	assert_int_not_equal(get_page_type(pg, PGT_seg_desc_page), 0);
	assert_int_equal(grant_unmap_one(h, SLOT_VA(0), 0), GNTST_okay);
	assert_idle(g1, mfn);
}

static void both_uses_of_a_handle_count(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	grant_handle_t h = grant_map_ok(20, 3, GNTMAP_host_map | GNTMAP_device_map);

	assert_int_equal(frame_refs(mfn), 3);
	assert_int_equal(frame_writers(mfn), 2);
	assert_int_equal(grant_unmap_one(h, 0, 0), GNTST_okay); /* nothing asked, nothing done */
	assert_int_equal(grant_unmap_one(h, SLOT_VA(3), 5 << PAGE_SHIFT), GNTST_bad_dev_addr);
	assert_int_equal(frame_refs(mfn), 3);
	assert_int_equal(grant_unmap_one(h, SLOT_VA(4), 0), GNTST_general_error);
	assert_int_equal(grant_unmap_one(h, 0, mfn << PAGE_SHIFT), GNTST_okay);
	assert_int_equal(frame_refs(mfn), 2);
	assert_int_equal(grant_unmap_one(h, SLOT_VA(3), mfn << PAGE_SHIFT), GNTST_okay);
	assert_int_equal(grant_unmap_one(h, SLOT_VA(3), 0), GNTST_bad_handle);
	assert_int_equal(grant_unmap_one(~0u, SLOT_VA(3), 0), GNTST_bad_handle);
	assert_idle(g1, mfn);
}

/* The handle outlives the first of two unmaps that share a TLB flush. */
static void one_batch_may_unmap_both_uses(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	grant_handle_t h = grant_map_ok(20, 3, GNTMAP_host_map | GNTMAP_device_map);
	struct gnttab_unmap_grant_ref u[3] = {
		{.host_addr = SLOT_VA(3), .handle = h},
		{.dev_bus_addr = mfn << PAGE_SHIFT, .handle = h},
		{.host_addr = SLOT_VA(3), .handle = h},
	};

	assert_int_equal(grant_op(GNTTABOP_unmap_grant_ref, u, 3), 0);
	assert_int_equal(u[0].status, GNTST_okay);
	assert_int_equal(u[1].status, GNTST_okay);
	assert_int_equal(u[2].status, GNTST_bad_handle);
	assert_int_equal(grant_table_mapped(g2->d), 0);
	assert_int_equal(g1->d->refcount, 2);
	assert_idle(g1, mfn);
}

static void replacing_moves_the_other_entry(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	struct gnttab_unmap_and_replace u = {.host_addr = SLOT_VA(0), .new_addr = SLOT_VA(1)};

	u.handle = grant_map_ok(20, 0, GNTMAP_host_map);
	slots[1].mfn = 77;
	slots[1].present = true;
	assert_int_equal(grant_op(GNTTABOP_unmap_and_replace, &u, 1), 0);
	assert_int_equal(u.status, GNTST_okay);
	assert_int_equal(slots[0].mfn, 77);
	assert_false(slots[1].present);
	assert_idle(g1, mfn);
}

static void one_user_at_a_time(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	grant_handle_t h = grant_map_ok(20, 0, GNTMAP_host_map);

	grant_entry(g1, 20)->domid = 0; /* the granter changes its mind while the entry is in use */
	guest_run(g0, 0);
	assert_int_equal(grant_map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	guest_run(g2, 0);
	grant_entry(g1, 20)->frame = 1; /* and the frame: the first one counts */
	grant_map_ok(20, 1, GNTMAP_host_map | GNTMAP_readonly);
	assert_int_equal(slots[1].mfn, mfn);
	assert_int_equal(grant_unmap_one(h, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(grant_unmap_one(h + 1, SLOT_VA(1), 0), GNTST_okay);
	assert_idle(g1, mfn);
}

/*
 * What was granted for reading does not become writable because the entry now grants something
 * else.
 */
static void an_upgrade_needs_the_same_grant(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, GTF_readonly), other = guest_frame(g1);
	grant_handle_t ro = grant_map_ok(20, 0, GNTMAP_host_map | GNTMAP_readonly), rw;
	const uint16_t used = GTF_permit_access | GTF_reading;

	*grant_entry(g1, 20) = (grant_entry_v1_t){used, 2, (uint32_t)other};
	assert_int_equal(grant_map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	assert_int_equal(grant_entry(g1, 20)->flags, used);
	*grant_entry(g1, 20) = (grant_entry_v1_t){used, 0, (uint32_t)mfn};
	assert_int_equal(grant_map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	*grant_entry(g1, 20) = (grant_entry_v1_t){used, 2, (uint32_t)mfn};
	rw = grant_map_ok(20, 1, GNTMAP_host_map);
	assert_int_equal(grant_unmap_one(ro, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(grant_unmap_one(rw, SLOT_VA(1), 0), GNTST_okay);
	assert_int_equal(grant_entry(g1, 20)->flags, GTF_permit_access);
	assert_idle(g1, mfn);
}

static void counters_do_not_overflow(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	grant_handle_t h[128];

	for (unsigned int i = 0; i < 128; i++)
		h[i] = grant_map_ok(20, i, GNTMAP_host_map | GNTMAP_readonly);
	assert_int_equal(grant_map_flags(1, 20, 128, GNTMAP_host_map | GNTMAP_readonly).status,
			 GNTST_general_error);
	assert_int_equal(grant_active(g1->d->grant, 20)->pin, 128 * GNTPIN_hstr_inc);
	/* The other counters are their own. */
	assert_int_equal(grant_map_flags(1, 20, 129, GNTMAP_host_map).status, GNTST_okay);
	assert_int_equal(grant_unmap_one(h[0], SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(grant_map_flags(1, 20, 0, GNTMAP_host_map | GNTMAP_readonly).status,
			 GNTST_okay);
	assert_int_equal(frame_refs(mfn), 1 + 128 + 1);
}

static void handles_have_a_limit(void **state)
{
	struct fake_guest *g3 = guest_new(3);

	assert_int_equal(grant_table_init(g3->d, 4, 0, 2), 0);
	grant_frame(g1, 20, 3, 0);
	guest_run(g3, 0);
	assert_int_equal(grant_map_status(1, 20, GNTMAP_host_map), GNTST_no_space);
	g3->d->grant->maptrack.max = 1;
	for (unsigned int i = 0; i < MAPTRACK_PER_PAGE; i++)
		assert_int_not_equal(maptrack_get(g3->d->grant), MAPTRACK_NONE);
	assert_int_equal(grant_map_status(1, 20, GNTMAP_host_map), GNTST_no_space);
	maptrack_put(g3->d->grant, 17, 0, 0);
	assert_int_equal(grant_map_flags(1, 20, 0, GNTMAP_host_map).handle, 17);
}

/* Reentered from inside a map: what another vCPU of the granter could do then. */
static void withdraw_and_switch_version(void)
{
	uint32_t version = 2;

	assert_int_equal(grant_set_version(g1->d, &version), -EBUSY);
	memset(grant_entry(g1, 20), 0, sizeof(grant_entry_v1_t));
}

static void withdraw_reserved_and_switch(void)
{
	uint32_t version = 2;

	assert_int_equal(grant_set_version(g1->d, &version), 0);
}

static void granter_may_act_during_a_map(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);

	pv_map_hook = withdraw_and_switch_version;
	pv_map_rc = GNTST_general_error;
	assert_int_equal(grant_map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	assert_idle(g1, mfn);
	mfn = grant_frame(g1, 1, 2, 0);
	pv_map_hook = withdraw_reserved_and_switch;
	assert_int_equal(grant_map_status(1, 1, GNTMAP_host_map), GNTST_general_error);
	assert_int_equal(g1->d->grant->version, 2);
	assert_int_equal(*grant_status_v2(g1->d->grant, 1), 0);
	assert_idle(g1, mfn);
}

/* --- batches --- */

static void batches_are_interrupted_and_go_on(void **state)
{
	struct gnttab_map_grant_ref m[100] = {};
	struct gnttab_unmap_grant_ref u[100] = {};
	mfn_t mfn[100];

	for (unsigned int i = 0; i < 100; i++) {
		mfn[i] = grant_frame(g1, 20 + i, 2, 0);
		m[i] = (struct gnttab_map_grant_ref){
			.host_addr = SLOT_VA(i), .flags = GNTMAP_host_map, .ref = 20 + i, .dom = 1};
	}
	m[50].ref = 5; /* one fails among them */
	fake_preempt = 7;
	assert_int_equal(grant_op(GNTTABOP_map_grant_ref, m, 100), 0);
	assert_true(guest_continuations >= 12);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(m[i].status, i == 50 ? GNTST_general_error : GNTST_okay);
		u[i] = (struct gnttab_unmap_grant_ref){.host_addr = SLOT_VA(i),
						       .handle = i == 50 ? ~0u : m[i].handle};
	}
	fake_preempt = 2;
	fake_flushes = 0;
	assert_int_equal(grant_op(GNTTABOP_unmap_grant_ref, u, 100), 0);
	assert_true(guest_continuations >= 1);
	assert_int_equal(fake_flushes, 4); /* one for 32 */
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(u[i].status, i == 50 ? GNTST_bad_handle : GNTST_okay);
		assert_idle(g1, mfn[i]);
	}
	assert_int_equal(grant_table_mapped(g2->d), 0);
}

static void bad_arrays_are_refused(void **state)
{
	struct gnttab_map_grant_ref m;

	assert_int_equal(grant_op(GNTTABOP_map_grant_ref, (void *)BAD_VA, 1), -EFAULT);
	assert_int_equal(grant_op(GNTTABOP_map_grant_ref, (void *)HYP_VIRT_START, 1), -EFAULT);
	assert_int_equal(grant_op(GNTTABOP_map_grant_ref, (void *)0x7fffffffff00UL, 1000), -EFAULT);
	assert_int_equal(grant_op(GNTTABOP_map_grant_ref, (void *)-64L, 100), -EFAULT);
	assert_int_equal(grant_op(GNTTABOP_map_grant_ref, &m, 1u << 31), -EINVAL);
	assert_int_equal(grant_op(GNTTABOP_map_grant_ref, &m, 0), 0);
	assert_int_equal(grant_op(GNTTABOP_unmap_grant_ref, (void *)BAD_VA, 1), -EFAULT);
	assert_int_equal(grant_op(GNTTABOP_copy, (void *)BAD_VA, 1), -EFAULT);
	assert_int_equal(grant_op(GNTTABOP_setup_table, (void *)BAD_VA, 1), -EFAULT);
	assert_int_equal(grant_op(GNTTABOP_setup_table, &m, 2), -EINVAL);
	assert_int_equal(grant_op(GNTTABOP_query_size, &m, 0), -EINVAL);
	assert_int_equal(grant_op(GNTTABOP_dump_table, &m, 1), -ENOSYS);
	assert_int_equal(grant_op(13, &m, 1), -ENOSYS);
	assert_int_equal(grant_op(0xfff, &m, 1), -ENOSYS);
	assert_int_equal(grant_op(0x1000 | GNTTABOP_copy, &m, 1), -EINVAL);
}

static void transfers_leave_the_page_alone(void **state)
{
	struct gnttab_transfer t[3] = {};
	mfn_t mfn = guest_frame(g2);

	t[0].mfn = t[1].mfn = t[2].mfn = mfn;
	fake_preempt = 1;
	assert_int_equal(grant_op(GNTTABOP_transfer, t, 3), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(t[i].status, GNTST_bad_page);
	assert_int_equal(frame_refs(mfn), 1);
}

/* --- anything, at random, against a simple account of what is mapped --- */

static void random_use_balances(void **state)
{
	static struct {
		grant_handle_t handle;
		bool mapped, readonly;
		unsigned int frame;
	} acct[64];
	mfn_t mfn[16];
	unsigned int ro[16] = {}, rw[16] = {};
	uint64_t rnd = 4;

	memset(acct, 0, sizeof(acct));
	for (unsigned int i = 0; i < 16; i++)
		mfn[i] = grant_frame(g1, 20 + i, 2, i % 4 == 3 ? GTF_readonly : 0);
	for (unsigned int n = 0; n < 40000; n++) {
		uint64_t r = unit_random(&rnd);
		unsigned int s = r / 16 % 64, f = r / 1024 % 16;
		bool want_ro = r >> 30 & 1;

		if (r % 16 == 0) { /* the granter plays with its entry */
			grant_entry(g1, 20 + f)->flags ^=
				(uint16_t)(r >> 40 & ~(GTF_reading | GTF_writing));
		} else if (r % 16 == 1) { /* and puts it right */
			grant_entry(g1, 20 + f)->flags =
				(uint16_t)((grant_entry(g1, 20 + f)->flags &
					    (GTF_reading | GTF_writing)) |
					   GTF_permit_access);
		} else if (r % 16 == 2) {
			struct gnttab_copy c = copy_op(1, 20 + f, 1, 20 + s % 16,
						       GNTCOPY_source_gref | GNTCOPY_dest_gref);

			copy_status(c);
		} else if (r % 16 < 8 && acct[s].mapped) {
			assert_int_equal(grant_unmap_one(acct[s].handle, SLOT_VA(s), 0),
					 GNTST_okay);
			acct[s].mapped = false;
			(acct[s].readonly ? ro : rw)[acct[s].frame]--;
		} else if (!acct[s].mapped) {
			struct gnttab_map_grant_ref m = grant_map_flags(
				1, 20 + f, s, GNTMAP_host_map | (want_ro ? GNTMAP_readonly : 0));

			acct[s].mapped = m.status == GNTST_okay;
			acct[s].handle = m.handle;
			acct[s].readonly = want_ro;
			acct[s].frame = f;
			if (acct[s].mapped)
				(want_ro ? ro : rw)[f]++;
		}
		assert_int_equal(frame_refs(mfn[f]), 1 + ro[f] + rw[f]);
		assert_int_equal(frame_writers(mfn[f]), rw[f]);
	}
	for (unsigned int s = 0; s < 64; s++)
		if (acct[s].mapped)
			assert_int_equal(grant_unmap_one(acct[s].handle, SLOT_VA(s), 0),
					 GNTST_okay);
	for (unsigned int i = 0; i < 16; i++) {
		assert_idle(g1, mfn[i]);
		assert_int_equal(grant_entry(g1, 20 + i)->flags & (GTF_reading | GTF_writing), 0);
	}
	assert_int_equal(grant_table_mapped(g2->d), 0);
	assert_int_equal(g1->d->refcount, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(mapping_holds_and_lets_go, grant_setup),
		cmocka_unit_test_setup(mapping_refuses, grant_setup),
		cmocka_unit_test_setup(a_page_table_is_never_mapped_writable, grant_setup),
		cmocka_unit_test_setup(both_uses_of_a_handle_count, grant_setup),
		cmocka_unit_test_setup(replacing_moves_the_other_entry, grant_setup),
		cmocka_unit_test_setup(one_user_at_a_time, grant_setup),
		cmocka_unit_test_setup(an_upgrade_needs_the_same_grant, grant_setup),
		cmocka_unit_test_setup(counters_do_not_overflow, grant_setup),
		cmocka_unit_test_setup(handles_have_a_limit, grant_setup),
		cmocka_unit_test_setup(granter_may_act_during_a_map, grant_setup),
		cmocka_unit_test_setup(batches_are_interrupted_and_go_on, grant_setup),
		cmocka_unit_test_setup(bad_arrays_are_refused, grant_setup),
		cmocka_unit_test_setup(transfers_leave_the_page_alone, grant_setup),
		cmocka_unit_test_setup(one_batch_may_unmap_both_uses, grant_setup),
		cmocka_unit_test_setup(random_use_balances, grant_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
