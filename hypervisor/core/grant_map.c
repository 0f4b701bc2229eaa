/* SPDX-License-Identifier: MIT */
/*
 * Mapping another domain's granted frame, and letting it go; and the handles, which say what a
 * domain has mapped of others.
 *
 * A mapping is: a pin on the entry, a handle, a reference on the granting domain, and for each use
 * (host, device) one reference on the frame, and one as writable page unless it is read-only. The
 * host use's frame references belong to the page-table entry (core/grant.h). They are put only
 * after no TLB can hold the mapping any more: that is why unmapping has two halves.
 *
 * A handle is taken before the mapping is made and freed after it is gone; in between, each of its
 * two uses can be claimed once by an unmap.
 *
 * Lock: gt->maptrack_lock for the handles; else none is held here, each step locks what it changes.
 */
#include "core/grant_table.h"

#include "x86/softirq.h"
#include "x86/tlb.h"

static struct grant_mapping *maptrack_entry(const struct grant_table *gt, grant_handle_t handle)
{
	return (struct grant_mapping *)gt->maptrack.page[handle / MAPTRACK_PER_PAGE] +
	       handle % MAPTRACK_PER_PAGE;
}

grant_handle_t maptrack_get(struct grant_table *gt)
{
	grant_handle_t handle = MAPTRACK_NONE;

	spin_lock(&gt->maptrack_lock);
	if (gt->free_handle != MAPTRACK_NONE) {
		handle = gt->free_handle;
		gt->free_handle = maptrack_entry(gt, handle)->ref;
	} else if (!grant_pages_grow(&gt->maptrack, gt->handles / MAPTRACK_PER_PAGE + 1, NULL)) {
		handle = gt->handles++;
	}
	gt->mapped += handle != MAPTRACK_NONE;
	spin_unlock(&gt->maptrack_lock);
	return handle;
}

void maptrack_put(struct grant_table *gt, grant_handle_t handle, unsigned int uses,
		  unsigned int back)
{
	struct domain *granter = NULL;
	struct grant_mapping *m;

	spin_lock(&gt->maptrack_lock);
	m = maptrack_entry(gt, handle);
	m->flags = (uint16_t)((m->flags & ~MAPTRACK_busy(uses)) | back);
	if (!(m->flags & (MAPTRACK_uses | MAPTRACK_busy(MAPTRACK_uses)))) {
		granter = m->granter;
		*m = (struct grant_mapping){.ref = gt->free_handle};
		gt->free_handle = handle;
		gt->mapped--;
	}
	spin_unlock(&gt->maptrack_lock);
	if (granter)
		domain_put(granter);
}

/*
 * Those of @uses that the handle stands for are the caller's to end, and nobody else's; the mapping
 * as it was goes to @m. Until maptrack_put() the handle stays taken.
 */
static unsigned int maptrack_claim(struct grant_table *gt, grant_handle_t handle, unsigned int uses,
				   struct grant_mapping *m)
{
	struct grant_mapping *now;

	*m = (struct grant_mapping){};
	spin_lock(&gt->maptrack_lock);
	if (handle < gt->handles) {
		now = maptrack_entry(gt, (grant_handle_t)array_index_nospec(handle, gt->handles));
		*m = *now;
		uses &= m->flags;
		now->flags = (uint16_t)((m->flags & ~uses) | MAPTRACK_busy(uses));
	}
	spin_unlock(&gt->maptrack_lock);
	return uses & m->flags;
}

static uint32_t map_pin(unsigned int uses, bool readonly)
{
	uint32_t pin = 0;

	if (uses & GNTMAP_device_map)
		pin += readonly ? GNTPIN_devr_inc : GNTPIN_devw_inc;
	if (uses & GNTMAP_host_map)
		pin += readonly ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
	return pin;
}

static void refs_put(struct page_info *pg, unsigned int uses, bool readonly)
{
	for (; uses; uses &= uses - 1) {
		if (!readonly)
			put_page_type(pg);
		put_page(pg);
	}
}

/* One frame reference is in hand. On failure none is left. */
static int16_t refs_get(struct page_info *pg, struct domain *owner, unsigned int uses,
			bool readonly)
{
	if (!readonly && get_page_type(pg, PGT_writable_page)) {
		put_page(pg);
		return GNTST_general_error;
	}
	if (uses != MAPTRACK_uses)
		return GNTST_okay;
	if (readonly ? get_page(pg, owner) : !get_page_and_type(pg, owner, PGT_writable_page))
		return GNTST_okay;
	refs_put(pg, GNTMAP_host_map, readonly);
	return GNTST_general_error;
}

static int16_t map_frame(struct domain *rd, struct gnttab_map_grant_ref *op)
{
	unsigned int uses = op->flags & MAPTRACK_uses;
	bool readonly = op->flags & GNTMAP_readonly;
	const struct grant_want want = {
		.user = current->domain->domain_id,
		.pin = map_pin(uses, readonly),
		.kind = GRANT_whole,
	};
	struct page_info *page;
	int16_t rc = grant_pin(rd, op->ref, &want, &page);

	if (rc != GNTST_okay)
		return rc;
	rc = refs_get(page, rd, uses, readonly);
	if (rc == GNTST_okay && (uses & GNTMAP_host_map)) {
		rc = pv_grant_map(op->host_addr, page_to_mfn(page), op->flags);
		if (rc != GNTST_okay)
			refs_put(page, uses, readonly);
	}
	if (rc != GNTST_okay)
		grant_unpin(rd, op->ref, want.pin);
	else
		op->dev_bus_addr = page_to_mfn(page) << PAGE_SHIFT;
	return rc;
}

static int16_t map_from(struct domain *rd, struct gnttab_map_grant_ref *op)
{
	struct grant_table *gt = current->domain->grant;
	grant_handle_t handle = maptrack_get(gt);
	int16_t rc;

	if (handle == MAPTRACK_NONE)
		return GNTST_no_space;
	rc = map_frame(rd, op);
	if (rc != GNTST_okay) {
		maptrack_put(gt, handle, 0, 0);
		return rc;
	}
	spin_lock(&gt->maptrack_lock);
	*maptrack_entry(gt, handle) =
		(struct grant_mapping){.granter = rd, .ref = op->ref, .flags = op->flags & 0x1f};
	spin_unlock(&gt->maptrack_lock);
	op->handle = handle;
	return GNTST_okay;
}

int16_t grant_map(struct gnttab_map_grant_ref *op)
{
	struct domain *rd;
	int16_t rc;

	if (!(op->flags & MAPTRACK_uses))
		return GNTST_bad_gntref;
	rd = domain_get(op->dom);
	if (!rd)
		return GNTST_bad_domain;
	rc = map_from(rd, op);
	if (rc != GNTST_okay) /* else the mapping keeps it */
		domain_put(rd);
	return rc;
}

/* Claimed @uses end; the frame's references for @refs of them are ours to put. */
static void mapping_end(struct grant_table *gt, grant_handle_t handle, unsigned int uses,
			unsigned int refs)
{
	const struct grant_mapping *m = maptrack_entry(gt, handle);
	bool readonly = m->flags & GNTMAP_readonly;

	refs_put(mfn_to_page(grant_active(m->granter->grant, m->ref)->mfn), refs, readonly);
	grant_unpin(m->granter, m->ref, map_pin(uses, readonly));
	maptrack_put(gt, handle, uses, 0);
}

void grant_unmap_flush(struct grant_unmaps *u)
{
	if (!u->nr)
		return;
	/* Nobody gets the frames back before every CPU has forgotten the mappings. */
	tlb_flush_mask(&current->domain->dirty_cpus, FLUSH_TLB, 0);
	while (u->nr) {
		u->nr--;
		mapping_end(current->domain->grant, u->of[u->nr].handle, u->of[u->nr].uses,
			    u->of[u->nr].uses);
	}
}

int16_t grant_unmap(struct grant_unmaps *u, grant_handle_t handle, uint64_t host_addr,
		    uint64_t dev_bus_addr, uint64_t new_addr)
{
	struct grant_table *gt = current->domain->grant;
	unsigned int uses =
		(host_addr ? GNTMAP_host_map : 0) | (dev_bus_addr ? GNTMAP_device_map : 0);
	struct grant_mapping m;
	int16_t rc = GNTST_okay;
	mfn_t mfn;

	uses = maptrack_claim(gt, handle, uses, &m);
	if (!uses)
		return m.flags & MAPTRACK_uses ? GNTST_okay : GNTST_bad_handle;
	mfn = grant_active(m.granter->grant, m.ref)->mfn;
	if ((uses & GNTMAP_device_map) && dev_bus_addr != mfn << PAGE_SHIFT)
		rc = GNTST_bad_dev_addr;
	else if (uses & GNTMAP_host_map)
		rc = pv_grant_unmap(host_addr, mfn, new_addr, m.flags);
	if (rc != GNTST_okay) {
		maptrack_put(gt, handle, uses, uses);
		return rc;
	}
	u->of[u->nr].handle = handle;
	u->of[u->nr].uses = uses;
	if (++u->nr == UNMAP_BATCH)
		grant_unmap_flush(u);
	return GNTST_okay;
}

/* Handles are never used again: the array is taken down from its end, a page at a time. */
int grant_table_release_mappings(struct domain *d)
{
	struct grant_table *gt = d->grant;

	while (gt->handles) {
		grant_handle_t last = gt->handles - 1;
		struct grant_mapping m;
		unsigned int uses = maptrack_claim(gt, last, MAPTRACK_uses, &m);

		/* The host use's references go with the page tables of the dying domain. */
		if (uses)
			mapping_end(gt, last, uses, uses & GNTMAP_device_map);
		gt->handles = last;
		if (last % MAPTRACK_PER_PAGE == 0) {
			grant_pages_shrink(&gt->maptrack, last / MAPTRACK_PER_PAGE);
			if (last && irq_window())
				return -ERESTART;
		}
	}
	return 0;
}
