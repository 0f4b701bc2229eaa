/* SPDX-License-Identifier: MIT */
/*
 * Changing one entry of a guest's page table. The caller holds the table's content lock, so nobody but the hardware, which
 * sets accessed and dirty bits, writes the entry meanwhile.
 *
 * Order: take what the new value refers to, write it, let go what the old one referred to. Nothing fails after the
 * write. Stale translations of the old value are the guest's to flush; before a frame gets another use the type code does.
 */
#include "pv/mmu.h"

/* False: ENTRY_EXACT, and it has changed. */
static always_inline bool entry_write(pte_t *p, pte_t oe, pte_t ne, enum entry_mode mode)
{
	pte_t seen;

	if (likely(mode == ENTRY_PLAIN)) {
		WRITE_ONCE(*p, ne);
		return true;
	}
	if (mode == ENTRY_EXACT)
		return cmpxchg(p, oe, ne) == oe;
	for (;; oe = seen) {
		seen = cmpxchg(p, oe, ne | (oe & (PTE_A | PTE_D)));
		if (seen == oe)
			return true;
	}
}

/* Nothing but the right to write differs, of a frame the table's owner has: its general reference just stays. */
static always_inline bool only_rw_differs(pte_t oe, pte_t ne, const struct domain *d,
					  const struct domain *pg_owner)
{
	mfn_t mfn = pte_mfn(ne);

	return (oe & PTE_P) && !((oe ^ ne) & ~(FREE_FLAGS | PTE_RW)) && !(ne & L1_CACHE) &&
	       d == pg_owner && mfn < max_page && READ_ONCE(mfn_to_page(mfn)->owner) == d;
}

/* What a changed entry needs beyond what the old one holds, and what it leaves over. */
static always_inline int l1_change_get(pte_t *ne, struct domain *d, struct domain *pg_owner,
				       bool rw_only)
{
	if (rw_only)
		return *ne & PTE_RW && type_get_writable(mfn_to_page(pte_mfn(*ne))) ? -EBUSY : 0;
	return *ne & PTE_P ? l1_ref_get(ne, d, pg_owner) : 0;
}

static always_inline void l1_change_put(pte_t e, bool rw_only)
{
	if (!rw_only && (e & PTE_P))
		l1_ref_put(e);
	else if (rw_only && (e & PTE_RW))
		type_put_writable(mfn_to_page(pte_mfn(e)));
}

static always_inline int l1_change(pte_t *p, pte_t oe, pte_t ne, struct domain *d,
				   struct domain *pg_owner, enum entry_mode mode)
{
	bool rw_only;
	int rc;

	if (ne & PTE_P)
		ne = l1_adjust(ne);
	/* For the plain change l1_entry_set() has looked already. */
	if (mode != ENTRY_PLAIN && (oe & ne & PTE_P) && !((oe ^ ne) & ~FREE_FLAGS))
		return entry_write(p, oe, ne, mode) ? 0 : -EAGAIN;
	rw_only = only_rw_differs(oe, ne, d, pg_owner);
	rc = l1_change_get(&ne, d, pg_owner, rw_only);
	if (unlikely(rc))
		return rc;
	if (unlikely(!entry_write(p, oe, ne, mode))) {
		l1_change_put(ne, rw_only);
		return -EAGAIN;
	}
	l1_change_put(oe, rw_only);
	return 0;
}

/* Twice the same code: the plain change is what guests do all the time. */
int l1_entry_change(pte_t *p, pte_t oe, pte_t ne, struct domain *d, struct domain *pg_owner,
		    enum entry_mode mode)
{
	return likely(mode == ENTRY_PLAIN) ? l1_change(p, oe, ne, d, pg_owner, ENTRY_PLAIN)
					   : l1_change(p, oe, ne, d, pg_owner, mode);
}

/* Let go what an entry of a level 2 to 4 table referred to. */
static void table_entry_put(pte_t oe, struct page_info *pg, uint64_t type)
{
	struct page_info *low = mfn_to_page(pte_mfn(oe));
	bool preemptible = type != PGT_l2_page_table;

	/* At most one operation can be half done: the caller looks at old_table before the next. */
	if (preemptible && current->pv.old_table)
		preemptible = false;
	if (table_ref_put(oe, pg, type, preemptible))
		current->pv.old_table = low;
}

int table_entry_set(pte_t *p, pte_t ne, struct page_info *pg, uint64_t type, enum entry_mode mode)
{
	unsigned int slot = ((unsigned long)p & ~PAGE_MASK) / sizeof(*p);
	pte_t oe = READ_ONCE(*p);
	int rc;

	if (type == PGT_l4_page_table && l4_slot_is_ours(slot))
		return -EINVAL;
	if (ne & PTE_P) {
		if (ne & TABLE_REFUSED)
			return -EINVAL;
		ne = table_adjust(ne, type);
		if ((oe & PTE_P) && !((oe ^ ne) & ~FREE_FLAGS)) {
			(void)entry_write(p, oe, ne, mode);
			return 0;
		}
		rc = table_ref_get(ne, pg, type, type != PGT_l2_page_table);
		if (rc == -ERESTART) /* the work done so far stays with the lower table */
			put_page(mfn_to_page(pte_mfn(ne)));
		if (rc)
			return rc;
	}
	(void)entry_write(p, oe, ne, mode);
	if (oe & PTE_P)
		table_entry_put(oe, pg, type);
	return 0;
}
