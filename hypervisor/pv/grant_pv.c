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
	struct domain *d = current->domain;
	struct page_info *pg;
	uint64_t type;

	if (!(gnttab_flags & GNTMAP_contains_pte)) {
		pg = l1_table_lock(addr);
		if (pg)
			*p = l1_entry_of(pg, addr);
		return pg;
	}
	if ((addr & 7) || !mfn_valid(addr >> PAGE_SHIFT))
		return NULL;
	pg = mfn_to_page(addr >> PAGE_SHIFT);
	type = page_table_lock(pg);
	if (type == PGT_l1_page_table && pg->owner == d) {
		*p = (pte_t *)page_to_virt(pg) + (addr & ~PAGE_MASK) / 8;
		return pg;
	}
	if (type != PGT_none)
		page_table_unlock(pg);
	return NULL;
}

/* @cache_flags: PTE cache bits, 0 for RAM. */
static pte_t grant_pte(mfn_t mfn, unsigned int gnttab_flags, unsigned int cache_flags)
{
	pte_t e = pte_make(mfn, PTE_P | PTE_US | PTE_A | PTE_D | PTE_NX) | (cache_flags & L1_CACHE);

	if (!(gnttab_flags & GNTMAP_readonly))
		e |= PTE_RW;
	return e | ((pte_t)(gnttab_flags >> _GNTMAP_guest_avail0) << 9 & PTE_AVAIL);
}

int pv_grant_map(uint64_t addr, mfn_t mfn, unsigned int gnttab_flags, unsigned int cache_flags)
{
	struct page_info *pg;
	pte_t *p = NULL, oe;

	pg = entry_lock(addr, gnttab_flags, &p);
	if (!pg)
		return GNTST_general_error;
	/* A writable frame of another domain: all CPUs may come to know it. */
	if (!(gnttab_flags & GNTMAP_readonly) && mfn_valid(mfn))
		atomic_or(&mfn_to_page(mfn)->type_info, PGT_foreign);
	oe = xchg(p, grant_pte(mfn, gnttab_flags, cache_flags));
	page_table_unlock(pg);
	if (oe & PTE_P)
		l1_ref_put(oe);
	return GNTST_okay;
}

/* Clears the entry that maps @addr and returns what it held, references and all. */
static bool entry_steal(uint64_t addr, pte_t *stolen)
{
	pte_t *p = NULL;
	struct page_info *pg = entry_lock(addr, 0, &p);

	if (!pg)
		return false;
	*stolen = xchg(p, 0);
	page_table_unlock(pg);
	return true;
}

static int entry_replace(uint64_t addr, mfn_t mfn, unsigned int gnttab_flags, pte_t ne)
{
	pte_t *p = NULL, want = grant_pte(mfn, gnttab_flags, 0), oe;
	struct page_info *pg = entry_lock(addr, gnttab_flags, &p);
	int rc = GNTST_general_error;

	if (!pg)
		return rc;
	oe = READ_ONCE(*p);
	/* Still that frame, with the same rights: else these are not the grant's references. */
	if (!((oe ^ want) & (PTE_ADDR | PTE_P | PTE_RW))) {
		WRITE_ONCE(*p, ne);
		rc = GNTST_okay;
	}
	page_table_unlock(pg);
	return rc;
}

int pv_grant_unmap(uint64_t addr, mfn_t mfn, uint64_t new_addr, unsigned int gnttab_flags)
{
	pte_t ne = 0;
	int rc;

	if (new_addr && ((gnttab_flags & GNTMAP_contains_pte) || !entry_steal(new_addr, &ne)))
		return GNTST_general_error;
	rc = entry_replace(addr, mfn, gnttab_flags, ne);
	if (rc != GNTST_okay && (ne & PTE_P))
		l1_ref_put(ne);
	return rc;
}
