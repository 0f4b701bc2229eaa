/* SPDX-License-Identifier: MIT */
/*
 * See fake_grants.h. Stands in for pv/grant_pv.c, too.
 */
#include "fake_grants.h"

#include <string.h>

struct fake_guest *g0, *g1, *g2;

struct fake_slot slots[SLOTS];
int16_t pv_map_rc;
void (*pv_map_hook)(void);

static unsigned long slot_of(uint64_t addr)
{
	return (addr - SLOT_VA(0)) / PAGE_SIZE;
}

int16_t pv_grant_map(uint64_t addr, mfn_t mfn, unsigned int gnttab_flags)
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

int16_t pv_grant_unmap(uint64_t addr, mfn_t mfn, uint64_t new_addr, unsigned int gnttab_flags)
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

unsigned int grant_table_active(struct domain *d)
{
	unsigned int n = 0;

	for (grant_ref_t ref = 0; ref < grant_entries(d->grant); ref++)
		n += grant_active(d->grant, ref)->pin != 0;
	return n;
}

unsigned int grant_table_mapped(struct domain *d)
{
	return d->grant->mapped;
}

/* --- the operations as a guest makes them --- */

long grant_op(unsigned int cmd, void *arg, unsigned int count)
{
	return guest_call(hc_grant_table_op, cmd, (unsigned long)arg, count);
}

struct gnttab_map_grant_ref grant_map_flags(domid_t dom, grant_ref_t ref, unsigned int slot,
					    unsigned int flags)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = SLOT_VA(slot),
		.flags = flags,
		.ref = ref,
		.dom = dom,
		.status = 1,
	};

	assert_int_equal(grant_op(GNTTABOP_map_grant_ref, &m, 1), 0);
	return m;
}

int grant_map_status(domid_t dom, grant_ref_t ref, unsigned int flags)
{
	return grant_map_flags(dom, ref, 9, flags).status;
}

grant_handle_t grant_map_ok(grant_ref_t ref, unsigned int slot, unsigned int flags)
{
	struct gnttab_map_grant_ref m = grant_map_flags(1, ref, slot, flags);

	assert_int_equal(m.status, GNTST_okay);
	return m.handle;
}

int grant_unmap_one(grant_handle_t handle, uint64_t host_addr, uint64_t dev_addr)
{
	struct gnttab_unmap_grant_ref u = {
		.host_addr = host_addr, .dev_bus_addr = dev_addr, .handle = handle, .status = 1};

	assert_int_equal(grant_op(GNTTABOP_unmap_grant_ref, &u, 1), 0);
	return u.status;
}

struct fake_guest *grant_guest(unsigned int id)
{
	struct fake_guest *g = guest_new(id);

	assert_int_equal(grant_table_init(g->d, grant_opt_max_frames, grant_opt_max_maptrack, 2),
			 0);
	return g;
}

int grant_setup(void **state)
{
	guests_reset();
	memset(slots, 0, sizeof(slots));
	pv_map_rc = 0;
	pv_map_hook = NULL;
	grant_opt_transitive = true;
	g0 = grant_guest(0);
	g1 = grant_guest(1);
	g2 = grant_guest(2);
	guest_run(g2, 0);
	return 0;
}

grant_entry_v1_t *grant_entry(struct fake_guest *g, grant_ref_t ref)
{
	return grant_v1(g->d->grant, ref);
}

mfn_t grant_frame(struct fake_guest *g, grant_ref_t ref, domid_t to, unsigned int flags)
{
	mfn_t mfn = guest_frame(g);

	*grant_entry(g, ref) = (grant_entry_v1_t){.flags = (uint16_t)(GTF_permit_access | flags),
						  .domid = to,
						  .frame = (uint32_t)mfn};
	return mfn;
}

unsigned int frame_refs(mfn_t mfn)
{
	return mfn_to_page(mfn)->count_info & PGC_count;
}

unsigned int frame_writers(mfn_t mfn)
{
	return page_type_count(mfn_to_page(mfn));
}

void assert_idle(struct fake_guest *g, mfn_t mfn)
{
	assert_int_equal(grant_table_active(g->d), 0);
	assert_int_equal(frame_refs(mfn), 1);
	assert_int_equal(frame_writers(mfn), 0);
	assert_false(spin_is_locked(&g->d->grant->lock));
}

struct gnttab_copy copy_op(domid_t from, uint64_t src, domid_t to, uint64_t dst, unsigned int flags)
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

int copy_status(struct gnttab_copy c)
{
	assert_int_equal(grant_op(GNTTABOP_copy, &c, 1), 0);
	return c.status;
}

void grant_use_v2(struct fake_guest *g)
{
	struct gnttab_set_version v = {.version = 2};

	guest_run(g, 0);
	assert_int_equal(grant_op(GNTTABOP_set_version, &v, 1), 0);
	assert_int_equal(v.version, 2);
	guest_run(g2, 0);
}

mfn_t grant_sub(struct fake_guest *g, grant_ref_t ref, domid_t to, unsigned int off,
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

void grant_through(struct fake_guest *g, grant_ref_t ref, domid_t to, domid_t from,
		   grant_ref_t gref)
{
	grant_entry_v2_t *e = grant_v2(g->d->grant, ref);

	e->transitive.trans_domid = from;
	e->transitive.gref = gref;
	e->hdr.domid = to;
	e->hdr.flags = GTF_transitive;
}
