/* SPDX-License-Identifier: MIT */
/*
 * The guest mapping behind a grant: written into the level-1 entry that the grant operation names, by machine address of
 * the entry (GNTMAP_contains_pte) or by the address that shall show the frame.
 *
 * References: the caller holds a general reference to the frame, and one as writable unless the grant is
 * read-only. pv_grant_map that succeeds hands them to the entry; pv_grant_unmap that succeeds hands them back. What
 * the entry held before is let go. If the guest overwrites the entry by itself, the references go with that, and a later
 * unmap does not find its entry.
 */
#include "core/grant.h"
#include "pv/mmu.h"

/* The guest's level-1 table with the entry to change, locked; NULL if it names none of its own. */
static struct page_info *entry_lock(uint64_t addr, unsigned int gnttab_flags, pte_t **p)
{
	struct page_info *pg = NULL;

	if (!(gnttab_flags & GNTMAP_contains_pte)) {
		pg = l1_table_lock(addr);
		if (pg)
			*p = l1_entry_of(pg, addr);
	} else if (!(addr & 7) && mfn_valid(addr >> PAGE_SHIFT)) {
		pg = l1_page_lock(mfn_to_page(addr >> PAGE_SHIFT));
		*p = (pte_t *)maddr_to_virt(addr);
	}
	return pg;
}

static pte_t grant_pte(mfn_t mfn, unsigned int gnttab_flags)
{
	pte_t e = pte_make(mfn, PTE_P | PTE_US | PTE_A | PTE_D | PTE_NX);

	if (!(gnttab_flags & GNTMAP_readonly))
		e |= PTE_RW;
	return e | ((pte_t)(gnttab_flags >> _GNTMAP_guest_avail0) << 9 & PTE_AVAIL);
}

int16_t pv_grant_map(uint64_t addr, mfn_t mfn, unsigned int gnttab_flags)
{
	uint64_t *type = &mfn_to_page(mfn)->type_info;
	struct page_info *pg;
	pte_t *p, oe;

	pg = entry_lock(addr, gnttab_flags, &p);
	if (!pg)
		return GNTST_general_error;
	/* A writable frame of another domain: when it changes its type one day, all CPUs may still know it. */
	if (!(gnttab_flags & GNTMAP_readonly) && !(READ_ONCE(*type) & PGT_foreign))
		atomic_or(type, PGT_foreign);
	oe = xchg(p, grant_pte(mfn, gnttab_flags));
	page_table_unlock(pg);
	if (oe & PTE_P)
		l1_ref_put(oe);
	return GNTST_okay;
}

int16_t pv_grant_unmap(uint64_t addr, mfn_t mfn, uint64_t new_addr, unsigned int gnttab_flags)
{
	pte_t *p, want = grant_pte(mfn, gnttab_flags), moved = 0;
	int16_t rc = GNTST_general_error;
	struct page_info *pg;

	if (new_addr) {
		pg = gnttab_flags & GNTMAP_contains_pte ? NULL : entry_lock(new_addr, 0, &p);
		if (!pg)
			return rc;
		moved = xchg(p, 0);
		page_table_unlock(pg);
	}
	pg = entry_lock(addr, gnttab_flags, &p);
	if (pg) {
		/* Still that frame, with the same rights: else these are not the grant's references. */
		if (!((READ_ONCE(*p) ^ want) & (PTE_ADDR | PTE_P | PTE_RW))) {
			WRITE_ONCE(*p, moved);
			rc = GNTST_okay;
		}
		page_table_unlock(pg);
	}
	if (rc != GNTST_okay && (moved & PTE_P))
		l1_ref_put(moved);
	return rc;
}
