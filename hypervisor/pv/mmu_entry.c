/* SPDX-License-Identifier: MIT */
/*
 * Changing one entry of a guest's page table. The caller holds the table's content lock, so nobody but the hardware, which
 * sets accessed and dirty bits, writes the entry meanwhile.
 *
 * Order: take what the new value refers to, write it, let go what the old one referred to. Nothing fails after the
 * write. Stale translations of the old value are the guest's to flush; before a frame gets another use the type code does.
 */
#include "pv/mmu.h"

static always_inline void entry_write(pte_t *p, pte_t oe, pte_t ne, bool preserve_ad)
{
	pte_t seen;

	if (likely(!preserve_ad)) {
		WRITE_ONCE(*p, ne);
		return;
	}
	for (;; oe = seen) {
		seen = cmpxchg(p, oe, ne | (oe & (PTE_A | PTE_D)));
		if (seen == oe)
			return;
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

static int l1_rw_change(pte_t *p, pte_t oe, pte_t ne, bool preserve_ad)
{
	struct page_info *pg = mfn_to_page(pte_mfn(ne));

	if ((ne & PTE_RW) && type_get_writable(pg))
		return -EBUSY;
	entry_write(p, oe, ne, preserve_ad);
	if (!(ne & PTE_RW))
		type_put_writable(pg);
	return 0;
}

int l1_entry_change(pte_t *p, pte_t ne, struct domain *d, struct domain *pg_owner, bool preserve_ad)
{
	pte_t oe = READ_ONCE(*p);
	int rc;

	if (ne & PTE_P) {
		ne = l1_adjust(ne);
		if ((oe & PTE_P) && !((oe ^ ne) & ~FREE_FLAGS)) {
			entry_write(p, oe, ne, preserve_ad);
			return 0;
		}
		if (only_rw_differs(oe, ne, d, pg_owner))
			return l1_rw_change(p, oe, ne, preserve_ad);
		rc = l1_ref_get(&ne, d, pg_owner);
		if (unlikely(rc))
			return rc;
	}
	entry_write(p, oe, ne, preserve_ad);
	if (oe & PTE_P)
		l1_ref_put(oe);
	return 0;
}

/* What a changed entry needs beyond what the old one holds, and what it leaves over. */
static int l1_change_get(pte_t *ne, struct domain *d, bool rw_only)
{
	if (!(*ne & PTE_P))
		return 0;
	if (!rw_only)
		return l1_ref_get(ne, d, d);
	return *ne & PTE_RW && type_get_writable(mfn_to_page(pte_mfn(*ne))) ? -EBUSY : 0;
}

static void l1_change_put(pte_t e, bool rw_only)
{
	if (!(e & PTE_P))
		return;
	if (!rw_only)
		l1_ref_put(e);
	else if (e & PTE_RW)
		type_put_writable(mfn_to_page(pte_mfn(e)));
}

int l1_entry_exchange(pte_t *p, pte_t oe, pte_t ne, struct domain *d)
{
	bool rw_only;
	int rc;

	if (ne & PTE_P)
		ne = l1_adjust(ne);
	if ((oe & ne & PTE_P) && !((oe ^ ne) & ~FREE_FLAGS))
		return cmpxchg(p, oe, ne) == oe ? 0 : -EAGAIN;
	rw_only = (ne & PTE_P) && only_rw_differs(oe, ne, d, d);
	rc = l1_change_get(&ne, d, rw_only);
	if (rc)
		return rc;
	if (cmpxchg(p, oe, ne) != oe) {
		l1_change_put(ne, rw_only);
		return -EAGAIN;
	}
	l1_change_put(oe, rw_only);
	return 0;
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

int table_entry_set(pte_t *p, pte_t ne, struct page_info *pg, uint64_t type, bool preserve_ad)
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
			entry_write(p, oe, ne, preserve_ad);
			return 0;
		}
		rc = table_ref_get(ne, pg, type, type != PGT_l2_page_table);
		if (rc == -ERESTART) /* the work done so far stays with the lower table */
			ref_put(mfn_to_page(pte_mfn(ne)));
		if (rc)
			return rc;
	}
	entry_write(p, oe, ne, preserve_ad);
	if (oe & PTE_P)
		table_entry_put(oe, pg, type);
	return 0;
}
