/* SPDX-License-Identifier: MIT */
/*
 * Grant tables through their hypercall, with the real frame references below and a pretended page
 * table above: what is refused and with which status, that every reference, pin and handle comes
 * back, both entry formats, copies, batches that are interrupted, domains that die with mappings,
 * and a guest that changes its entries at the worst moment.
 */
#include "unit.h"

#include "fake_guest.h"

#include "core/grant_table.h"
#include <xen/memory.h>

#include <string.h>

static struct fake_guest *g0, *g1, *g2; /* g1 grants, g2 uses */

/* --- page tables: 64 slots, addressed from 0x10000 --- */

#define SLOTS	   256
#define SLOT_VA(i) (0x10000UL + (unsigned long)(i)*PAGE_SIZE)

static struct {
	mfn_t mfn;
	unsigned int flags;
	bool present;
} slots[SLOTS];
static int pv_map_rc;
static void (*pv_map_hook)(void);

static unsigned long slot_of(uint64_t addr)
{
	return (addr - SLOT_VA(0)) / PAGE_SIZE;
}

int pv_grant_map(uint64_t addr, mfn_t mfn, unsigned int gnttab_flags, unsigned int cache_flags)
{
	unsigned long i = slot_of(addr);

	if (pv_map_hook)
		pv_map_hook();
	if (pv_map_rc)
		return pv_map_rc;
	if (i >= SLOTS || slots[i].present)
		return GNTST_bad_virt_addr;
	slots[i].mfn = mfn;
	slots[i].flags = gnttab_flags;
	slots[i].present = true;
	return GNTST_okay;
}

int pv_grant_unmap(uint64_t addr, mfn_t mfn, uint64_t new_addr, unsigned int gnttab_flags)
{
	unsigned long i = slot_of(addr), j = slot_of(new_addr);

	if (i >= SLOTS || !slots[i].present || slots[i].mfn != mfn)
		return GNTST_general_error;
	assert_int_equal(slots[i].flags & GNTMAP_readonly, gnttab_flags & GNTMAP_readonly);
	slots[i].present = false;
	if (new_addr) {
		slots[i] = slots[j];
		slots[j].present = false;
	}
	return GNTST_okay;
}

/* --- the operations as a guest makes them --- */

static long op(unsigned int cmd, void *arg, unsigned int count)
{
	return guest_call(hc_grant_table_op, cmd, (unsigned long)arg, count);
}

static struct gnttab_map_grant_ref map_flags(domid_t dom, grant_ref_t ref, unsigned int slot,
					     unsigned int flags)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = SLOT_VA(slot),
		.flags = flags,
		.ref = ref,
		.dom = dom,
		.status = 1,
	};

	assert_int_equal(op(GNTTABOP_map_grant_ref, &m, 1), 0);
	return m;
}

static int map_status(domid_t dom, grant_ref_t ref, unsigned int flags)
{
	return map_flags(dom, ref, 9, flags).status;
}

static grant_handle_t map_ok(grant_ref_t ref, unsigned int slot, unsigned int flags)
{
	struct gnttab_map_grant_ref m = map_flags(1, ref, slot, flags);

	assert_int_equal(m.status, GNTST_okay);
	return m.handle;
}

static int unmap(grant_handle_t handle, uint64_t host_addr, uint64_t dev_addr)
{
	struct gnttab_unmap_grant_ref u = {
		.host_addr = host_addr, .dev_bus_addr = dev_addr, .handle = handle, .status = 1};

	assert_int_equal(op(GNTTABOP_unmap_grant_ref, &u, 1), 0);
	return u.status;
}

static struct fake_guest *new_guest(unsigned int id)
{
	struct fake_guest *g = guest_new(id);

	assert_int_equal(grant_table_init(g->d, ~0u, ~0u, 2), 0);
	return g;
}

static int setup(void **state)
{
	guests_reset();
	memset(slots, 0, sizeof(slots));
	pv_map_rc = 0;
	pv_map_hook = NULL;
	grant_opt_transitive = true;
	g0 = new_guest(0);
	g1 = new_guest(1);
	g2 = new_guest(2);
	guest_run(g2, 0);
	return 0;
}

static grant_entry_v1_t *entry(struct fake_guest *g, grant_ref_t ref)
{
	return grant_v1(g->d->grant, ref);
}

static mfn_t grant_frame(struct fake_guest *g, grant_ref_t ref, domid_t to, unsigned int flags)
{
	mfn_t mfn = guest_frame(g);

	*entry(g, ref) = (grant_entry_v1_t){.flags = (uint16_t)(GTF_permit_access | flags),
					    .domid = to,
					    .frame = (uint32_t)mfn};
	return mfn;
}

static unsigned int refs(mfn_t mfn)
{
	return mfn_to_page(mfn)->count_info & PGC_count;
}

static unsigned int writers(mfn_t mfn)
{
	return page_type_count(mfn_to_page(mfn));
}

/* Nothing of anything is held any more. */
static void assert_idle(struct fake_guest *g, mfn_t mfn)
{
	assert_int_equal(grant_table_active(g->d), 0);
	assert_int_equal(refs(mfn), 1);
	assert_int_equal(writers(mfn), 0);
	assert_int_equal(g->d->grant->lock.owner, g->d->grant->lock.next);
}

/* --- mapping --- */

static void mapping_holds_and_lets_go(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	uint32_t before = g1->d->refcount;
	grant_handle_t rw, ro;

	ro = map_ok(20, 0, GNTMAP_host_map | GNTMAP_readonly);
	assert_int_equal(slots[0].mfn, mfn);
	assert_int_equal(refs(mfn), 2);
	assert_int_equal(writers(mfn), 0);
	assert_int_equal(entry(g1, 20)->flags, GTF_permit_access | GTF_reading);
	rw = map_ok(20, 1, GNTMAP_host_map);
	assert_int_not_equal(ro, rw);
	assert_int_equal(refs(mfn), 3);
	assert_int_equal(writers(mfn), 1);
	assert_int_equal(entry(g1, 20)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(g1->d->refcount, before + 2);
	assert_int_equal(grant_table_mapped(g2->d), 2);

	assert_int_equal(unmap(rw, SLOT_VA(1), 0), GNTST_okay);
	assert_int_equal(entry(g1, 20)->flags, GTF_permit_access | GTF_reading);
	assert_int_equal(writers(mfn), 0);
	assert_int_equal(unmap(rw, SLOT_VA(1), 0), GNTST_bad_handle);
	assert_int_equal(unmap(ro, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(entry(g1, 20)->flags, GTF_permit_access);
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
	*entry(g1, 24) = (grant_entry_v1_t){GTF_permit_access, 2, (uint32_t)stranger};
	*entry(g1, 25) = (grant_entry_v1_t){GTF_permit_access, 2, ~0u};
	*entry(g1, 26) = (grant_entry_v1_t){GTF_accept_transfer, 2, (uint32_t)mfn};
	*entry(g1, 27) = (grant_entry_v1_t){GTF_transitive, 2, (uint32_t)mfn};
	assert_int_equal(map_status(1, 20, 0), GNTST_bad_gntref);
	assert_int_equal(map_status(1, 20, GNTMAP_readonly), GNTST_bad_gntref);
	assert_int_equal(map_status(1, 512, host), GNTST_bad_gntref);
	assert_int_equal(map_status(1, ~0u, host), GNTST_bad_gntref);
	assert_int_equal(map_status(6, 20, host), GNTST_bad_domain);
	assert_int_equal(map_status(DOMID_SELF, 20, host), GNTST_bad_domain);
	assert_int_equal(map_status(1, 19, host), GNTST_general_error); /* nothing granted */
	assert_int_equal(map_status(1, 21, host), GNTST_general_error);
	assert_int_equal(map_status(1, 22, host), GNTST_general_error);
	assert_int_equal(map_status(1, 23, host), GNTST_general_error);
	assert_int_equal(map_status(1, 24, host), GNTST_bad_page);
	assert_int_equal(map_status(1, 25, host), GNTST_bad_page);
	assert_int_equal(map_status(1, 26, host), GNTST_general_error);
	assert_int_equal(map_status(1, 27, host), GNTST_general_error);
	assert_int_equal(entry(g1, 24)->flags, GTF_permit_access);
	pv_map_rc = GNTST_bad_virt_addr;
	assert_int_equal(map_status(1, 20, host), GNTST_bad_virt_addr);
	assert_int_equal(map_status(1, 20, host | GNTMAP_device_map), GNTST_bad_virt_addr);
	assert_int_equal(map_status(1, 22, host | GNTMAP_readonly), GNTST_bad_virt_addr);
	pv_map_rc = -EINVAL; /* an errno: not the guest's language */
	assert_int_equal(map_status(1, 20, host), GNTST_general_error);
	assert_int_equal(entry(g1, 20)->flags, GTF_permit_access);
	assert_int_equal(entry(g1, 22)->flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(grant_table_mapped(g2->d), 0);
	assert_int_equal(refs(stranger), 1);
	assert_idle(g1, mfn);
}

static void a_page_table_is_never_mapped_writable(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	struct page_info *pg = mfn_to_page(mfn);
	grant_handle_t h;

	pg->type_info = PGT_l1_page_table | PGT_validated | 1;
	assert_int_equal(map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	assert_int_equal(map_status(1, 20, GNTMAP_device_map), GNTST_general_error);
	h = map_ok(20, 0, GNTMAP_host_map | GNTMAP_readonly);
	assert_int_equal(unmap(h, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(pg->type_info, PGT_l1_page_table | PGT_validated | 1);
	pg->type_info = 0;
	/*
	 * And what is mapped writable cannot become one, even after the granter has withdrawn the
	 * entry.
	 */
	h = map_ok(20, 0, GNTMAP_host_map);
	memset(entry(g1, 20), 0, sizeof(grant_entry_v1_t));
	assert_int_not_equal(get_page_type(pg, PGT_seg_desc_page), 0);
	assert_true(pg->type_info & PGT_foreign);
	assert_int_equal(unmap(h, SLOT_VA(0), 0), GNTST_okay);
	assert_idle(g1, mfn);
}

static void both_uses_of_a_handle_count(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	grant_handle_t h = map_ok(20, 3, GNTMAP_host_map | GNTMAP_device_map);

	assert_int_equal(refs(mfn), 3);
	assert_int_equal(writers(mfn), 2);
	assert_int_equal(unmap(h, 0, 0), GNTST_okay); /* nothing asked, nothing done */
	assert_int_equal(unmap(h, SLOT_VA(3), 5 << PAGE_SHIFT), GNTST_bad_dev_addr);
	assert_int_equal(refs(mfn), 3);
	assert_int_equal(unmap(h, SLOT_VA(4), 0), GNTST_general_error);
	assert_int_equal(unmap(h, 0, mfn << PAGE_SHIFT), GNTST_okay);
	assert_int_equal(refs(mfn), 2);
	assert_int_equal(unmap(h, SLOT_VA(3), mfn << PAGE_SHIFT), GNTST_okay);
	assert_int_equal(unmap(h, SLOT_VA(3), 0), GNTST_bad_handle);
	assert_int_equal(unmap(~0u, SLOT_VA(3), 0), GNTST_bad_handle);
	assert_idle(g1, mfn);
}

/* The handle outlives the first of two unmaps that share a TLB flush. */
static void one_batch_may_unmap_both_uses(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	grant_handle_t h = map_ok(20, 3, GNTMAP_host_map | GNTMAP_device_map);
	struct gnttab_unmap_grant_ref u[3] = {
		{.host_addr = SLOT_VA(3), .handle = h},
		{.dev_bus_addr = mfn << PAGE_SHIFT, .handle = h},
		{.host_addr = SLOT_VA(3), .handle = h},
	};

	assert_int_equal(op(GNTTABOP_unmap_grant_ref, u, 3), 0);
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

	u.handle = map_ok(20, 0, GNTMAP_host_map);
	slots[1].mfn = 77;
	slots[1].present = true;
	assert_int_equal(op(GNTTABOP_unmap_and_replace, &u, 1), 0);
	assert_int_equal(u.status, GNTST_okay);
	assert_int_equal(slots[0].mfn, 77);
	assert_false(slots[1].present);
	assert_idle(g1, mfn);
}

static void one_user_at_a_time(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	grant_handle_t h = map_ok(20, 0, GNTMAP_host_map);

	entry(g1, 20)->domid = 0; /* the granter changes its mind while the entry is in use */
	guest_run(g0, 0);
	assert_int_equal(map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	guest_run(g2, 0);
	entry(g1, 20)->frame = 1; /* and the frame: the first one counts */
	map_ok(20, 1, GNTMAP_host_map | GNTMAP_readonly);
	assert_int_equal(slots[1].mfn, mfn);
	assert_int_equal(unmap(h, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(unmap(h + 1, SLOT_VA(1), 0), GNTST_okay);
	assert_idle(g1, mfn);
}

/*
 * What was granted for reading does not become writable because the entry now grants something
 * else.
 */
static void an_upgrade_needs_the_same_grant(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, GTF_readonly), other = guest_frame(g1);
	grant_handle_t ro = map_ok(20, 0, GNTMAP_host_map | GNTMAP_readonly), rw;
	const uint16_t used = GTF_permit_access | GTF_reading;

	*entry(g1, 20) = (grant_entry_v1_t){used, 2, (uint32_t)other};
	assert_int_equal(map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	assert_int_equal(entry(g1, 20)->flags, used);
	*entry(g1, 20) = (grant_entry_v1_t){used, 0, (uint32_t)mfn};
	assert_int_equal(map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	*entry(g1, 20) = (grant_entry_v1_t){used, 2, (uint32_t)mfn};
	rw = map_ok(20, 1, GNTMAP_host_map);
	assert_int_equal(unmap(ro, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(unmap(rw, SLOT_VA(1), 0), GNTST_okay);
	assert_int_equal(entry(g1, 20)->flags, GTF_permit_access);
	assert_idle(g1, mfn);
}

static void counters_do_not_overflow(void **state)
{
	mfn_t mfn = grant_frame(g1, 20, 2, 0);
	grant_handle_t h[128];

	for (unsigned int i = 0; i < 128; i++)
		h[i] = map_ok(20, i, GNTMAP_host_map | GNTMAP_readonly);
	assert_int_equal(map_flags(1, 20, 128, GNTMAP_host_map | GNTMAP_readonly).status,
			 GNTST_general_error);
	assert_int_equal(grant_active(g1->d->grant, 20)->pin, 128 * GNTPIN_hstr_inc);
	/* The other counters are their own. */
	assert_int_equal(map_flags(1, 20, 129, GNTMAP_host_map).status, GNTST_okay);
	assert_int_equal(unmap(h[0], SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(map_flags(1, 20, 0, GNTMAP_host_map | GNTMAP_readonly).status, GNTST_okay);
	assert_int_equal(refs(mfn), 1 + 128 + 1);
}

static void handles_have_a_limit(void **state)
{
	struct fake_guest *g3 = guest_new(3);

	assert_int_equal(grant_table_init(g3->d, 4, 0, 2), 0);
	grant_frame(g1, 20, 3, 0);
	guest_run(g3, 0);
	assert_int_equal(map_status(1, 20, GNTMAP_host_map), GNTST_no_space);
	g3->d->grant->max_maptrack = 1;
	for (unsigned int i = 0; i < MAPTRACK_PER_PAGE; i++)
		assert_int_not_equal(maptrack_get(g3->d->grant), MAPTRACK_NONE);
	assert_int_equal(map_status(1, 20, GNTMAP_host_map), GNTST_no_space);
	maptrack_put(g3->d->grant, 17);
	assert_int_equal(map_flags(1, 20, 0, GNTMAP_host_map).handle, 17);
}

/* Reentered from inside a map: what another vCPU of the granter could do then. */
static void withdraw_and_switch_version(void)
{
	uint32_t version = 2;

	assert_int_equal(grant_set_version(g1->d, &version), -EBUSY);
	memset(entry(g1, 20), 0, sizeof(grant_entry_v1_t));
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
	assert_int_equal(map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	assert_idle(g1, mfn);
	mfn = grant_frame(g1, 1, 2, 0);
	pv_map_hook = withdraw_reserved_and_switch;
	assert_int_equal(map_status(1, 1, GNTMAP_host_map), GNTST_general_error);
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
	assert_int_equal(op(GNTTABOP_map_grant_ref, m, 100), 0);
	assert_true(guest_continuations >= 12);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(m[i].status, i == 50 ? GNTST_general_error : GNTST_okay);
		u[i] = (struct gnttab_unmap_grant_ref){.host_addr = SLOT_VA(i),
						       .handle = i == 50 ? ~0u : m[i].handle};
	}
	fake_preempt = 2;
	fake_flushes = 0;
	assert_int_equal(op(GNTTABOP_unmap_grant_ref, u, 100), 0);
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

	assert_int_equal(op(GNTTABOP_map_grant_ref, (void *)BAD_VA, 1), -EFAULT);
	assert_int_equal(op(GNTTABOP_map_grant_ref, (void *)HYP_VIRT_START, 1), -EFAULT);
	assert_int_equal(op(GNTTABOP_map_grant_ref, (void *)0x7fffffffff00UL, 1000), -EFAULT);
	assert_int_equal(op(GNTTABOP_map_grant_ref, (void *)-64L, 100), -EFAULT);
	assert_int_equal(op(GNTTABOP_map_grant_ref, &m, 1u << 31), -EINVAL);
	assert_int_equal(op(GNTTABOP_map_grant_ref, &m, 0), 0);
	assert_int_equal(op(GNTTABOP_unmap_grant_ref, (void *)BAD_VA, 1), -EFAULT);
	assert_int_equal(op(GNTTABOP_copy, (void *)BAD_VA, 1), -EFAULT);
	assert_int_equal(op(GNTTABOP_setup_table, (void *)BAD_VA, 1), -EFAULT);
	assert_int_equal(op(GNTTABOP_setup_table, &m, 2), -EINVAL);
	assert_int_equal(op(GNTTABOP_query_size, &m, 0), -EINVAL);
	assert_int_equal(op(GNTTABOP_dump_table, &m, 1), -ENOSYS);
	assert_int_equal(op(13, &m, 1), -ENOSYS);
	assert_int_equal(op(0xfff, &m, 1), -ENOSYS);
	assert_int_equal(op(0x1000 | GNTTABOP_copy, &m, 1), -EINVAL);
}

static void transfers_leave_the_page_alone(void **state)
{
	struct gnttab_transfer t[3] = {};
	mfn_t mfn = guest_frame(g2);

	t[0].mfn = t[1].mfn = t[2].mfn = mfn;
	fake_preempt = 1;
	assert_int_equal(op(GNTTABOP_transfer, t, 3), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(t[i].status, GNTST_bad_page);
	assert_int_equal(refs(mfn), 1);
}

/* --- copying --- */

static struct gnttab_copy copy_op(domid_t from, uint64_t src, domid_t to, uint64_t dst,
				  unsigned int flags)
{
	struct gnttab_copy c = {.len = 64, .flags = (uint16_t)flags, .status = 1};

	c.source.domid = from;
	c.dest.domid = to;
	if (flags & GNTCOPY_source_gref)
		c.source.u.ref = (grant_ref_t)src;
	else
		c.source.u.gmfn = src;
	if (flags & GNTCOPY_dest_gref)
		c.dest.u.ref = (grant_ref_t)dst;
	else
		c.dest.u.gmfn = dst;
	return c;
}

static int copy_status(struct gnttab_copy c)
{
	assert_int_equal(op(GNTTABOP_copy, &c, 1), 0);
	return c.status;
}

static void copies_reach_the_right_bytes(void **state)
{
	mfn_t theirs = grant_frame(g1, 20, 2, GTF_readonly), to = grant_frame(g1, 21, 2, 0);
	mfn_t mine = guest_frame(g2);
	struct gnttab_copy c = copy_op(1, 20, DOMID_SELF, mine, GNTCOPY_source_gref);

	memset(mfn_to_virt(theirs), 'x', PAGE_SIZE);
	memset(mfn_to_virt(mine), 0, PAGE_SIZE);
	c.source.offset = 4000;
	c.dest.offset = 10;
	c.len = 96;
	assert_int_equal(copy_status(c), GNTST_okay);
	assert_int_equal(((char *)mfn_to_virt(mine))[9], 0);
	assert_int_equal(((char *)mfn_to_virt(mine))[10], 'x');
	assert_int_equal(((char *)mfn_to_virt(mine))[105], 'x');
	assert_int_equal(((char *)mfn_to_virt(mine))[106], 0);
	c.len = 97;
	assert_int_equal(copy_status(c), GNTST_bad_copy_arg);
	c.source.offset = 0;
	c.dest.offset = 4000;
	assert_int_equal(copy_status(c), GNTST_bad_copy_arg);
	c.dest.offset = c.len = 0xffff;
	assert_int_equal(copy_status(c), GNTST_bad_copy_arg);
	c.len = 0;
	c.source.domid = 6; /* all is checked, even when nothing is to copy */
	assert_int_equal(copy_status(c), GNTST_bad_domain);
	assert_int_equal(
		copy_status(copy_op(1, 20, 1, 21, GNTCOPY_source_gref | GNTCOPY_dest_gref)),
		GNTST_okay);
	assert_int_equal(*(char *)mfn_to_virt(to), 'x');
	assert_int_equal(entry(g1, 20)->flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(entry(g1, 21)->flags, GTF_permit_access);
	assert_idle(g1, theirs);
	assert_idle(g1, to);
	assert_idle(g2, mine);
}

static void copies_are_refused(void **state)
{
	mfn_t ro = grant_frame(g1, 20, 2, GTF_readonly), mine = guest_frame(g2);
	mfn_t theirs = guest_frame(g1);

	assert_int_equal(copy_status(copy_op(DOMID_SELF, mine, 1, 20, GNTCOPY_dest_gref)),
			 GNTST_general_error);
	assert_int_equal(copy_status(copy_op(DOMID_SELF, theirs, DOMID_SELF, mine, 0)),
			 GNTST_bad_page);
	assert_int_equal(copy_status(copy_op(DOMID_SELF, ~0UL, DOMID_SELF, mine, 0)),
			 GNTST_bad_page);
	assert_int_equal(copy_status(copy_op(1, theirs, DOMID_SELF, mine, 0)),
			 GNTST_permission_denied);
	assert_int_equal(copy_status(copy_op(2, mine, DOMID_SELF, mine, 0)),
			 GNTST_permission_denied);
	assert_int_equal(copy_status(copy_op(6, 20, DOMID_SELF, mine, GNTCOPY_source_gref)),
			 GNTST_bad_domain);
	assert_int_equal(copy_status(copy_op(1, 19, DOMID_SELF, mine, GNTCOPY_source_gref)),
			 GNTST_general_error);
	assert_int_equal(copy_status(copy_op(1, 600, DOMID_SELF, mine, GNTCOPY_source_gref)),
			 GNTST_bad_gntref);
	mfn_to_page(mine)->type_info = PGT_l2_page_table | PGT_validated | 1;
	assert_int_equal(copy_status(copy_op(1, 20, DOMID_SELF, mine, GNTCOPY_source_gref)),
			 GNTST_general_error);
	assert_int_equal(copy_status(copy_op(DOMID_SELF, mine, DOMID_SELF, mine, 0)),
			 GNTST_general_error);
	mfn_to_page(mine)->type_info = 0;
	assert_idle(g1, ro);
	assert_idle(g1, theirs);
	assert_idle(g2, mine);
}

/* Rights gained for one element do not carry over to the next. */
static void a_batch_checks_each_element(void **state)
{
	mfn_t granted = grant_frame(g1, 20, 2, GTF_readonly), secret = guest_frame(g1);
	mfn_t mine = guest_frame(g2), other = guest_frame(g2);
	struct gnttab_copy c[40];

	for (unsigned int i = 0; i < 40; i++) {
		c[i] = copy_op(1, 20, DOMID_SELF, i % 2 ? mine : other, GNTCOPY_source_gref);
		c[i].dest.offset = (uint16_t)(i * 64);
	}
	c[3] = copy_op(1, secret, DOMID_SELF, mine, 0); /* by number, domain known */
	c[5] = copy_op(1, 20, DOMID_SELF, mine, 0);	/* the reference as a number */
	c[9] = copy_op(1, 20, 1, 20, GNTCOPY_source_gref | GNTCOPY_dest_gref);
	c[11].source.domid = 0; /* same reference, other domain */
	fake_preempt = 6;
	assert_int_equal(op(GNTTABOP_copy, c, 40), 0);
	assert_true(guest_continuations >= 5);
	for (unsigned int i = 0; i < 40; i++)
		assert_int_equal(c[i].status, i == 3 || i == 5	  ? GNTST_permission_denied
					      : i == 9 || i == 11 ? GNTST_general_error
								  : GNTST_okay);
	assert_idle(g1, granted);
	assert_idle(g1, secret);
	assert_idle(g2, mine);
	assert_idle(g2, other);
	assert_int_equal(g1->d->refcount, 2);
}

/* A reference and a frame number may be the same number. */
static void references_are_not_numbers(void **state)
{
	mfn_t mine = guest_frame(g2), granted = guest_frame(g2), to = guest_frame(g2), unused;
	struct gnttab_copy c[2] = {
		copy_op(DOMID_SELF, mine, DOMID_SELF, to, GNTCOPY_source_gref),
		copy_op(DOMID_SELF, mine, DOMID_SELF, to, 0),
	};

	assert_int_equal(grant_table_frame(g2->d, FAKE_FRAMES / V1_PER_PAGE, &unused), 0);
	*entry(g2, (grant_ref_t)mine) = (grant_entry_v1_t){GTF_permit_access, 2, (uint32_t)granted};
	strcpy(mfn_to_virt(mine), "mine");
	strcpy(mfn_to_virt(granted), "granted");
	c[1].dest.offset = 64;
	assert_int_equal(op(GNTTABOP_copy, c, 2), 0);
	assert_string_equal(mfn_to_virt(to), "granted");
	assert_string_equal((char *)mfn_to_virt(to) + 64, "mine");
	assert_idle(g2, mine);
	assert_idle(g2, granted);
}

/* --- version 2 --- */

static void use_v2(struct fake_guest *g)
{
	struct gnttab_set_version v = {.version = 2};

	guest_run(g, 0);
	assert_int_equal(op(GNTTABOP_set_version, &v, 1), 0);
	assert_int_equal(v.version, 2);
	guest_run(g2, 0);
}

static mfn_t grant_sub(struct fake_guest *g, grant_ref_t ref, domid_t to, unsigned int off,
		       unsigned int len)
{
	mfn_t mfn = guest_frame(g);
	grant_entry_v2_t *e = grant_v2(g->d->grant, ref);

	e->sub_page.page_off = (uint16_t)off;
	e->sub_page.length = (uint16_t)len;
	e->sub_page.frame = mfn;
	e->hdr.domid = to;
	e->hdr.flags = GTF_permit_access | GTF_sub_page;
	return mfn;
}

static void grant_through(struct fake_guest *g, grant_ref_t ref, domid_t to, domid_t from,
			  grant_ref_t gref)
{
	grant_entry_v2_t *e = grant_v2(g->d->grant, ref);

	e->transitive.trans_domid = from;
	e->transitive.gref = gref;
	e->hdr.domid = to;
	e->hdr.flags = GTF_transitive;
}

static void v2_keeps_its_status_apart(void **state)
{
	grant_entry_v2_t *e;
	mfn_t mfn, sub;
	grant_handle_t h;

	use_v2(g1);
	e = grant_v2(g1->d->grant, 255);
	mfn = guest_frame(g1);
	*e = (grant_entry_v2_t){.full_page = {.hdr = {GTF_permit_access, 2}, .frame = mfn}};
	h = map_ok(255, 0, GNTMAP_host_map);
	assert_int_equal(e->hdr.flags, GTF_permit_access);
	assert_int_equal(*grant_status_v2(g1->d->grant, 255), GTF_reading | GTF_writing);
	assert_int_equal(map_status(1, 256, GNTMAP_host_map), GNTST_bad_gntref);
	assert_int_equal(unmap(h, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(*grant_status_v2(g1->d->grant, 255), 0);
	sub = grant_sub(g1, 20, 2, 100, 200);
	assert_int_equal(map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	assert_int_equal(*grant_status_v2(g1->d->grant, 20), 0);
	e->full_page.frame = mfn | 1UL << 40;
	assert_int_equal(map_status(1, 255, GNTMAP_host_map), GNTST_bad_page);
	assert_int_equal(*grant_status_v2(g1->d->grant, 255), 0);
	assert_idle(g1, mfn);
	assert_idle(g1, sub);
}

static void sub_pages_are_copied_within_bounds(void **state)
{
	mfn_t mine = guest_frame(g2), sub;
	struct gnttab_copy c = copy_op(1, 20, DOMID_SELF, mine, GNTCOPY_source_gref);

	use_v2(g1);
	sub = grant_sub(g1, 20, 2, 100, 64);
	c.source.offset = 100;
	assert_int_equal(copy_status(c), GNTST_okay);
	c.source.offset = 99;
	assert_int_equal(copy_status(c), GNTST_general_error);
	c.source.offset = 101;
	assert_int_equal(copy_status(c), GNTST_general_error);
	c.len = 63;
	assert_int_equal(copy_status(c), GNTST_okay);
	grant_v2(g1->d->grant, 20)->sub_page.page_off = 0xfff0;
	grant_v2(g1->d->grant, 20)->sub_page.length = 0xffff;
	assert_int_equal(copy_status(c), GNTST_general_error);
	assert_idle(g1, sub);
	assert_idle(g2, mine);
}

static void transitive_grants_are_copied_only(void **state)
{
	mfn_t secret, mine = guest_frame(g2);
	struct gnttab_copy c = copy_op(1, 20, DOMID_SELF, mine, GNTCOPY_source_gref);
	struct gnttab_copy w = copy_op(DOMID_SELF, mine, 1, 20, GNTCOPY_dest_gref);

	use_v2(g1);
	secret = grant_frame(g0, 30, 1, 0);
	strcpy(mfn_to_virt(secret), "through");
	grant_through(g1, 20, 2, 0, 30);
	assert_int_equal(copy_status(c), GNTST_okay);
	assert_string_equal(mfn_to_virt(mine), "through");
	assert_int_equal(copy_status(w), GNTST_okay);
	assert_int_equal(map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	entry(g0, 30)->flags |= GTF_readonly;
	assert_int_equal(copy_status(c), GNTST_okay);
	assert_int_equal(copy_status(w), GNTST_general_error);
	entry(g0, 30)->domid = 2; /* for us, but not through the other */
	assert_int_equal(copy_status(c), GNTST_general_error);
	entry(g0, 30)->domid = 1;
	grant_through(g1, 20, 2, 1, 21); /* through itself */
	assert_int_equal(copy_status(c), GNTST_general_error);
	grant_through(g1, 20, 2, 6, 30);
	assert_int_equal(copy_status(c), GNTST_general_error);
	use_v2(g0);
	grant_through(g0, 30, 1, 2, 30); /* two steps */
	grant_through(g1, 20, 2, 0, 30);
	assert_int_equal(copy_status(c), GNTST_general_error);
	grant_opt_transitive = false;
	assert_int_equal(copy_status(c), GNTST_general_error);
	assert_int_equal(*grant_status_v2(g1->d->grant, 20), 0);
	assert_int_equal(*grant_status_v2(g0->d->grant, 30), 0);
	assert_int_equal(g0->d->refcount, 2);
	assert_idle(g0, secret);
	assert_idle(g1, secret);
	assert_idle(g2, mine);
}

static void version_changes_keep_reserved_entries(void **state)
{
	struct gnttab_set_version v = {.version = 3};
	mfn_t con = grant_frame(g1, 0, 2, 0), late = grant_frame(g1, 40, 2, 0);
	grant_handle_t h = map_ok(0, 0, GNTMAP_host_map), l = map_ok(40, 1, GNTMAP_host_map);

	guest_run(g1, 0);
	assert_int_equal(op(GNTTABOP_set_version, &v, 1), -EINVAL);
	assert_int_equal(v.version, 1);
	v.version = 2;
	assert_int_equal(op(GNTTABOP_set_version, &v, 1), -EBUSY);
	guest_run(g2, 0);
	unmap(l, SLOT_VA(1), 0);
	use_v2(g1);
	assert_int_equal(grant_v2(g1->d->grant, 0)->hdr.flags, GTF_permit_access);
	assert_int_equal(grant_v2(g1->d->grant, 0)->full_page.frame, con);
	assert_int_equal(*grant_status_v2(g1->d->grant, 0), GTF_reading | GTF_writing);
	assert_int_equal(grant_v2(g1->d->grant, 40)->hdr.flags, 0);

	guest_run(g1, 0);
	v.version = 1;
	grant_through(g1, 3, 2, 0, 30);
	assert_int_equal(op(GNTTABOP_set_version, &v, 1), -ERANGE);
	assert_int_equal(v.version, 2);
	grant_v2(g1->d->grant, 3)->hdr.flags = 0;
	v.version = 1;
	assert_int_equal(op(GNTTABOP_set_version, &v, 1), 0);
	assert_int_equal(entry(g1, 0)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(entry(g1, 0)->frame, con);
	guest_run(g2, 0);
	assert_int_equal(unmap(h, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(entry(g1, 0)->flags, GTF_permit_access);
	assert_idle(g1, con);
	assert_idle(g1, late);
	g1->d->grant->max_version = 1;
	guest_run(g1, 0);
	v.version = 2;
	assert_int_equal(op(GNTTABOP_set_version, &v, 1), -ENOSYS);
}

/* What another CPU finds while a copy out of part of a page is under way. */
static void a_copied_part_cannot_be_mapped(void **state)
{
	const struct grant_want want = {
		.user = 2, .pin = GNTPIN_hstr_inc, .readonly = true, .copy = true};
	struct gnttab_set_version v = {.version = 1};
	struct grant_got got;
	mfn_t sub;

	use_v2(g1);
	sub = grant_sub(g1, 3, 2, 100, 64);
	assert_int_equal(grant_pin(g1->d, 3, &want, &got), GNTST_okay);
	grant_v2(g1->d->grant, 3)->hdr.flags = GTF_permit_access;
	grant_v2(g1->d->grant, 3)->full_page.frame = sub;
	assert_int_equal(map_status(1, 3, GNTMAP_host_map | GNTMAP_readonly), GNTST_general_error);
	guest_run(g1, 0);
	assert_int_equal(op(GNTTABOP_set_version, &v, 1), -EAGAIN);
	put_page(got.page);
	grant_unpin(g1->d, 3, want.pin, true);
	v.version = 1;
	assert_int_equal(op(GNTTABOP_set_version, &v, 1), 0);
	guest_run(g2, 0);
	assert_int_equal(map_status(1, 3, GNTMAP_host_map | GNTMAP_readonly), GNTST_okay);
}

/* --- sizes and frames --- */

static void tables_grow_to_their_limit(void **state)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	uint64_t frames[65];
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 64};
	mfn_t mfn;

	s.frame_list.p = frames;
	assert_int_equal(op(GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_okay);
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(frames[i], virt_to_mfn(g2->d->grant->shared[i]));
		assert_ptr_equal(mfn_to_page(frames[i])->owner, g2->d);
	}
	s.nr_frames = 65;
	assert_int_equal(op(GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_general_error);
	s.nr_frames = 1;
	s.frame_list.p = (void *)BAD_VA;
	assert_int_equal(op(GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_bad_virt_addr);
	s.frame_list.p = (void *)HYP_VIRT_START;
	assert_int_equal(op(GNTTABOP_setup_table, &s, 1), -EFAULT);
	s.frame_list.p = frames;
	s.dom = 1;
	assert_int_equal(op(GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_permission_denied);
	s.dom = 6;
	assert_int_equal(op(GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_bad_domain);
	assert_int_equal(op(GNTTABOP_query_size, &q, 1), 0);
	assert_int_equal(q.nr_frames, 64);
	assert_int_equal(q.max_nr_frames, 64);
	guest_run(g0, 0);
	q.dom = 1;
	assert_int_equal(op(GNTTABOP_query_size, &q, 1), 0);
	assert_int_equal(q.nr_frames, 1);
	assert_int_equal(grant_table_frame(g1->d, 5, &mfn), 0);
	assert_int_equal(mfn, virt_to_mfn(g1->d->grant->shared[5]));
	assert_int_equal(grant_table_frame(g1->d, 64, &mfn), -EINVAL);
	assert_int_equal(grant_table_frame(g1->d, ~0UL, &mfn), -EINVAL);
	assert_int_equal(grant_table_frame(g1->d, XENMAPIDX_grant_table_status, &mfn), -EINVAL);
	use_v2(g1);
	assert_int_equal(grant_table_frame(g1->d, XENMAPIDX_grant_table_status | 7, &mfn), 0);
	assert_int_equal(g1->d->grant->nr_frames, 64);
	assert_int_equal(grant_table_frame(g1->d, XENMAPIDX_grant_table_status | 8, &mfn), -EINVAL);
}

static void status_frames_and_versions_are_told(void **state)
{
	uint64_t frames[8];
	struct gnttab_get_status_frames s = {.dom = DOMID_SELF, .nr_frames = 1};
	struct gnttab_get_version v = {.dom = 1};

	s.frame_list.p = frames;
	assert_int_equal(op(GNTTABOP_get_status_frames, &s, 1), 0);
	assert_int_equal(s.status, GNTST_general_error);
	use_v2(g2);
	assert_int_equal(op(GNTTABOP_get_status_frames, &s, 1), 0);
	assert_int_equal(s.status, GNTST_okay);
	assert_int_equal(frames[0], virt_to_mfn(g2->d->grant->status[0]));
	assert_int_equal(op(GNTTABOP_get_version, &v, 1), -EPERM);
	v.dom = 6;
	assert_int_equal(op(GNTTABOP_get_version, &v, 1), -ESRCH);
	v.dom = DOMID_SELF;
	assert_int_equal(op(GNTTABOP_get_version, &v, 1), 0);
	assert_int_equal(v.version, 2);
}

static void entries_swap_when_idle(void **state)
{
	struct gnttab_swap_grant_ref s[2] = {{.ref_a = 20, .ref_b = 21},
					     {.ref_a = 20, .ref_b = 512}};
	mfn_t a = grant_frame(g1, 20, 2, 0), b = grant_frame(g1, 21, 0, GTF_readonly);
	grant_handle_t h;

	guest_run(g1, 0);
	assert_int_equal(op(GNTTABOP_swap_grant_ref, s, 2), 0);
	assert_int_equal(s[0].status, GNTST_okay);
	assert_int_equal(s[1].status, GNTST_bad_gntref);
	assert_int_equal(entry(g1, 21)->frame, a);
	assert_int_equal(entry(g1, 20)->frame, b);
	guest_run(g2, 0);
	h = map_ok(21, 0, GNTMAP_host_map);
	guest_run(g1, 0);
	assert_int_equal(op(GNTTABOP_swap_grant_ref, s, 1), 0);
	assert_int_equal(s[0].status, GNTST_eagain);
	s[0].ref_a = s[0].ref_b;
	assert_int_equal(op(GNTTABOP_swap_grant_ref, s, 1), 0);
	assert_int_equal(s[0].status, GNTST_okay);
	guest_run(g2, 0);
	unmap(h, SLOT_VA(0), 0);
}

static void caches_are_flushed_for_users_only(void **state)
{
	struct gnttab_cache_flush c = {.length = 64, .op = GNTTAB_CACHE_CLEAN};
	mfn_t mfn, mine = guest_frame(g2);
	mfn_t unused;
	grant_handle_t h;

	assert_int_equal(grant_table_frame(g1->d, 40, &unused), 0);
	mfn = grant_frame(g1, 20000, 2, 0);
	c.a.dev_bus_addr = mfn << PAGE_SHIFT;
	assert_int_equal(op(GNTTABOP_cache_flush, &c, 1), -EINVAL);
	h = map_ok(20000, 0, GNTMAP_host_map);
	fake_preempt = 1;
	assert_int_equal(op(GNTTABOP_cache_flush, &c, 1), 0);
	assert_int_equal(guest_continuations, 4); /* 4096 entries at a time */
	fake_preempt = 0;
	c.op = GNTTAB_CACHE_INVAL;
	assert_int_equal(op(GNTTABOP_cache_flush, &c, 1), -EOPNOTSUPP);
	c.op = GNTTAB_CACHE_SOURCE_GREF;
	assert_int_equal(op(GNTTABOP_cache_flush, &c, 1), -EINVAL);
	c.op = GNTTAB_CACHE_INVAL | GNTTAB_CACHE_CLEAN;
	c.offset = 4095;
	assert_int_equal(op(GNTTABOP_cache_flush, &c, 1), -EINVAL);
	c.length = 1;
	assert_int_equal(op(GNTTABOP_cache_flush, &c, 1), 0);
	c.a.dev_bus_addr = mine << PAGE_SHIFT;
	assert_int_equal(op(GNTTABOP_cache_flush, &c, 1), 0);
	c.a.dev_bus_addr = ~0UL;
	assert_int_equal(op(GNTTABOP_cache_flush, &c, 1), -EINVAL);
	assert_int_equal(op(0xfffff000 | GNTTABOP_cache_flush, &c, 1), -EINVAL);
	unmap(h, SLOT_VA(0), 0);
	assert_idle(g1, mfn);
	assert_int_equal(refs(mine), 1);
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
	grant_table_seed(g3->d, GNTTAB_RESERVED_XENSTORE, 0, 1234, true);
	assert_int_equal(entry(g3, 1)->flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(entry(g3, 1)->frame, 1234);
	grant_table_seed(g3->d, 512, 0, 1234, false);
}

/* --- ends --- */

static void death_lets_go_of_others(void **state)
{
	mfn_t host = grant_frame(g1, 20, 2, 0), dev = grant_frame(g1, 21, 2, 0);
	uint32_t before = g1->d->refcount;
	unsigned int calls = 1;

	map_ok(20, 0, GNTMAP_host_map);
	map_ok(21, 1, GNTMAP_device_map);
	for (unsigned int i = 0; i < 3 * MAPTRACK_PER_PAGE; i++)
		maptrack_get(g2->d->grant); /* so many that it takes several steps */
	g2->d->dying = DOMDYING_dying;
	fake_preempt = 1;
	while (grant_table_release_mappings(g2->d) == -ERESTART)
		calls++;
	assert_int_equal(calls, 4);
	assert_int_equal(g1->d->refcount, before);
	assert_int_equal(entry(g1, 20)->flags, GTF_permit_access);
	assert_idle(g1, dev);
	/* The page-table entry's own references: its page table's to put. */
	assert_int_equal(refs(host), 2);
	assert_int_equal(writers(host), 1);
	put_page_and_type(mfn_to_page(host));
	grant_table_destroy(g2->d);
	grant_table_destroy(g2->d);
	assert_idle(g1, host);
}

static void a_dead_granter_stays_for_its_users(void **state)
{
	struct fake_guest *g3 = new_guest(3);
	struct domain *d3 = g3->d;
	mfn_t mfn = grant_frame(g3, 20, 2, 0);
	struct gnttab_map_grant_ref m = map_flags(3, 20, 0, GNTMAP_host_map);
	uint32_t refcount = d3->refcount;

	assert_int_equal(m.status, GNTST_okay);
	d3->dying = DOMDYING_dying;
	assert_int_equal(grant_table_release_mappings(d3), 0);
	assert_int_equal(domain_relinquish_pages(d3), 0);
	assert_int_equal(refs(mfn), 1); /* the mapping's alone */
	guest_forget(g3);
	assert_int_equal(unmap(m.handle, SLOT_VA(0), 0), GNTST_okay);
	assert_int_equal(refs(mfn), 0);
	assert_true(d3->refcount < refcount);
	grant_table_destroy(d3);
}

static void everything_is_given_back(void **state)
{
	unsigned long before = heap_free_pages();
	struct fake_guest *g3 = new_guest(3);
	mfn_t mfn;

	use_v2(g3);
	assert_int_equal(grant_table_frame(g3->d, 63, &mfn), 0);
	maptrack_put(g3->d->grant, maptrack_get(g3->d->grant));
	assert_int_equal(grant_table_release_mappings(g3->d), 0);
	assert_int_equal(domain_relinquish_pages(g3->d), 0);
	grant_table_destroy(g3->d);
	page_free(g3->shared);
	assert_int_equal(heap_free_pages(), before);
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
			entry(g1, 20 + f)->flags ^=
				(uint16_t)(r >> 40 & ~(GTF_reading | GTF_writing));
		} else if (r % 16 == 1) { /* and puts it right */
			entry(g1, 20 + f)->flags = (uint16_t)((entry(g1, 20 + f)->flags &
							       (GTF_reading | GTF_writing)) |
							      GTF_permit_access);
		} else if (r % 16 == 2) {
			struct gnttab_copy c = copy_op(1, 20 + f, 1, 20 + s % 16,
						       GNTCOPY_source_gref | GNTCOPY_dest_gref);

			copy_status(c);
		} else if (r % 16 < 8 && acct[s].mapped) {
			assert_int_equal(unmap(acct[s].handle, SLOT_VA(s), 0), GNTST_okay);
			acct[s].mapped = false;
			(acct[s].readonly ? ro : rw)[acct[s].frame]--;
		} else if (!acct[s].mapped) {
			struct gnttab_map_grant_ref m = map_flags(
				1, 20 + f, s, GNTMAP_host_map | (want_ro ? GNTMAP_readonly : 0));

			acct[s].mapped = m.status == GNTST_okay;
			acct[s].handle = m.handle;
			acct[s].readonly = want_ro;
			acct[s].frame = f;
			if (acct[s].mapped)
				(want_ro ? ro : rw)[f]++;
		}
		assert_int_equal(refs(mfn[f]), 1 + ro[f] + rw[f]);
		assert_int_equal(writers(mfn[f]), rw[f]);
	}
	for (unsigned int s = 0; s < 64; s++)
		if (acct[s].mapped)
			assert_int_equal(unmap(acct[s].handle, SLOT_VA(s), 0), GNTST_okay);
	for (unsigned int i = 0; i < 16; i++) {
		assert_idle(g1, mfn[i]);
		assert_int_equal(entry(g1, 20 + i)->flags & (GTF_reading | GTF_writing), 0);
	}
	assert_int_equal(grant_table_mapped(g2->d), 0);
	assert_int_equal(g1->d->refcount, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(mapping_holds_and_lets_go, setup),
		cmocka_unit_test_setup(mapping_refuses, setup),
		cmocka_unit_test_setup(a_page_table_is_never_mapped_writable, setup),
		cmocka_unit_test_setup(both_uses_of_a_handle_count, setup),
		cmocka_unit_test_setup(replacing_moves_the_other_entry, setup),
		cmocka_unit_test_setup(one_user_at_a_time, setup),
		cmocka_unit_test_setup(an_upgrade_needs_the_same_grant, setup),
		cmocka_unit_test_setup(counters_do_not_overflow, setup),
		cmocka_unit_test_setup(handles_have_a_limit, setup),
		cmocka_unit_test_setup(granter_may_act_during_a_map, setup),
		cmocka_unit_test_setup(batches_are_interrupted_and_go_on, setup),
		cmocka_unit_test_setup(bad_arrays_are_refused, setup),
		cmocka_unit_test_setup(transfers_leave_the_page_alone, setup),
		cmocka_unit_test_setup(copies_reach_the_right_bytes, setup),
		cmocka_unit_test_setup(copies_are_refused, setup),
		cmocka_unit_test_setup(a_batch_checks_each_element, setup),
		cmocka_unit_test_setup(references_are_not_numbers, setup),
		cmocka_unit_test_setup(a_copied_part_cannot_be_mapped, setup),
		cmocka_unit_test_setup(one_batch_may_unmap_both_uses, setup),
		cmocka_unit_test_setup(v2_keeps_its_status_apart, setup),
		cmocka_unit_test_setup(sub_pages_are_copied_within_bounds, setup),
		cmocka_unit_test_setup(transitive_grants_are_copied_only, setup),
		cmocka_unit_test_setup(version_changes_keep_reserved_entries, setup),
		cmocka_unit_test_setup(tables_grow_to_their_limit, setup),
		cmocka_unit_test_setup(status_frames_and_versions_are_told, setup),
		cmocka_unit_test_setup(entries_swap_when_idle, setup),
		cmocka_unit_test_setup(caches_are_flushed_for_users_only, setup),
		cmocka_unit_test_setup(limits_are_checked_at_creation, setup),
		cmocka_unit_test_setup(death_lets_go_of_others, setup),
		cmocka_unit_test_setup(a_dead_granter_stays_for_its_users, setup),
		cmocka_unit_test_setup(everything_is_given_back, setup),
		cmocka_unit_test_setup(random_use_balances, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
