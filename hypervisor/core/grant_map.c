/* SPDX-License-Identifier: MIT */
/*
 * Mapping another domain's granted frame, and letting it go.
 *
 * A mapping is: a pin on the entry, a handle, a reference on the granting domain, and for each use
 * (host, device) one reference on the frame, and one as writable page unless it is read-only. The
 * host use's frame references belong to the page-table entry (core/grant.h). They are put only
 * after no TLB can hold the mapping any more: that is why unmapping has two halves.
 *
 * No lock is held here; each step locks what it changes.
 */
#include "core/grant_table.h"

#include "x86/softirq.h"

uint32_t grant_map_pin(unsigned int uses, bool readonly)
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

/*
 * Writable by us: when the frame changes its type one day, not only its owner's CPUs may still know
 * it.
 */
static bool writable_get(struct page_info *pg, const struct domain *owner)
{
	if (get_page_type(pg, PGT_writable_page))
		return false;
	if (owner != current->domain && !(READ_ONCE(pg->type_info) & PGT_foreign))
		atomic_or(&pg->type_info, PGT_foreign);
	return true;
}

/* One frame reference is in hand. On failure none is left. */
static int16_t refs_get(struct page_info *pg, struct domain *owner, unsigned int uses,
			bool readonly)
{
	unsigned int got = 0;

	for (unsigned int use = uses; use; use &= use - 1) {
		if (got && !get_page(pg, owner))
			break;
		if (!readonly && !writable_get(pg, owner)) {
			put_page(pg);
			break;
		}
		got |= use & -use;
	}
	if (got == uses)
		return GNTST_okay;
	refs_put(pg, got, readonly);
	return GNTST_general_error;
}

/* The PV code may speak in errnos; what the guest gets is a GNTST_*. */
static int16_t pv_status(int rc)
{
	return (int16_t)(rc <= 0 && rc >= GNTST_no_space ? rc : GNTST_general_error);
}

static int16_t map_frame(struct domain *rd, const struct gnttab_map_grant_ref *op,
			 const struct grant_want *want, mfn_t *mfn)
{
	unsigned int uses = op->flags & MAPTRACK_uses;
	struct grant_got got;
	int16_t rc = grant_pin(rd, op->ref, want, &got);

	if (rc != GNTST_okay)
		return rc;
	*mfn = page_to_mfn(got.page);
	rc = refs_get(got.page, rd, uses, want->readonly);
	if (rc == GNTST_okay && (uses & GNTMAP_host_map)) {
		rc = pv_status(pv_grant_map(op->host_addr, *mfn, op->flags, 0));
		if (rc != GNTST_okay)
			refs_put(got.page, uses, want->readonly);
	}
	if (rc != GNTST_okay)
		grant_unpin(rd, op->ref, want->pin, want->readonly);
	return rc;
}

static int16_t map_from(struct domain *rd, struct gnttab_map_grant_ref *op)
{
	struct domain *ld = current->domain;
	bool readonly = op->flags & GNTMAP_readonly;
	const struct grant_want want = {
		.user = ld->domain_id,
		.pin = grant_map_pin(op->flags, readonly),
		.readonly = readonly,
	};
	grant_handle_t handle;
	mfn_t mfn;
	int16_t rc;

	handle = maptrack_get(ld->grant);
	if (handle == MAPTRACK_NONE)
		return GNTST_no_space;
	rc = map_frame(rd, op, &want, &mfn);
	if (rc != GNTST_okay) {
		maptrack_put(ld->grant, handle);
		return rc;
	}
	maptrack_fill(ld->grant, handle, rd, op->ref, op->flags);
	op->dev_bus_addr = mfn << PAGE_SHIFT;
	op->handle = handle;
	return GNTST_okay;
}

void grant_map(struct gnttab_map_grant_ref *op)
{
	struct domain *rd;

	if (!(op->flags & MAPTRACK_uses)) {
		op->status = GNTST_bad_gntref;
		return;
	}
	rd = domain_get(op->dom);
	if (!rd) {
		op->status = GNTST_bad_domain;
		return;
	}
	op->status = map_from(rd, op);
	if (op->status != GNTST_okay) /* else the mapping keeps it */
		domain_put(rd);
}

static int16_t unmap_claimed(struct grant_unmap *u, const struct grant_mapping *m,
			     unsigned int claimed)
{
	if ((claimed & GNTMAP_device_map) && u->dev_bus_addr != u->mfn << PAGE_SHIFT)
		return GNTST_bad_dev_addr;
	if (claimed & GNTMAP_host_map)
		return pv_status(pv_grant_unmap(u->host_addr, u->mfn, u->new_addr, m->flags));
	return GNTST_okay;
}

int16_t grant_unmap_begin(struct grant_unmap *u)
{
	struct grant_table *gt = current->domain->grant;
	unsigned int claimed, uses = 0;
	struct grant_mapping m;
	int16_t rc;

	u->done = 0;
	if (u->host_addr)
		uses |= GNTMAP_host_map;
	if (u->dev_bus_addr)
		uses |= GNTMAP_device_map;
	if (!maptrack_claim(gt, u->handle, uses, &m, &claimed))
		return GNTST_bad_handle;
	if (!claimed)
		return GNTST_okay;
	u->mfn = grant_active(m.granter->grant, m.ref)->mfn;
	rc = unmap_claimed(u, &m, claimed);
	if (rc == GNTST_okay)
		u->done = (uint16_t)(claimed | (m.flags & GNTMAP_readonly));
	else
		maptrack_unclaim(gt, u->handle, claimed);
	return rc;
}

void grant_unmap_end(const struct grant_unmap *u)
{
	struct grant_table *gt = current->domain->grant;
	unsigned int uses = u->done & MAPTRACK_uses;
	bool readonly = u->done & GNTMAP_readonly;
	const struct grant_mapping *m;

	if (!uses)
		return;
	m = maptrack_entry(gt, u->handle); /* still ours: busy */
	refs_put(mfn_to_page(u->mfn), uses, readonly);
	grant_unpin(m->granter, m->ref, grant_map_pin(uses, readonly), readonly);
	maptrack_finish(gt, u->handle, uses);
}

/* The host use's references go with the page tables of the dying domain. */
static void release_mapping(struct grant_mapping *m)
{
	unsigned int uses = m->flags & MAPTRACK_uses;
	bool readonly = m->flags & GNTMAP_readonly;

	if (!uses)
		return;
	if (uses & GNTMAP_device_map)
		refs_put(mfn_to_page(grant_active(m->granter->grant, m->ref)->mfn),
			 GNTMAP_device_map, readonly);
	grant_unpin(m->granter, m->ref, grant_map_pin(uses, readonly), readonly);
	m->flags = 0;
	domain_put(m->granter);
}

/* Handles are never used again: the array is taken down from its end, a page at a time. */
int grant_table_release_mappings(struct domain *d)
{
	struct grant_table *gt = d->grant;

	if (!gt)
		return 0;
	gt->free_handle = MAPTRACK_NONE;
	while (gt->maptrack_limit) {
		unsigned int first = gt->maptrack_limit - (unsigned int)MAPTRACK_PER_PAGE;

		for (unsigned int h = first; h < gt->maptrack_limit; h++)
			release_mapping(maptrack_entry(gt, h));
		gt->maptrack_limit = first;
		first /= MAPTRACK_PER_PAGE;
		grant_pages_free(gt->maptrack, first, first + 1);
		if (gt->maptrack_limit && irq_window())
			return -ERESTART;
	}
	gt->mapped = 0;
	return 0;
}
