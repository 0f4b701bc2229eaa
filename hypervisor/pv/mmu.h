/* SPDX-License-Identifier: MIT */
/*
 * The PV page-table code among itself: which flags guests may use, taking and dropping what an entry refers to
 * (pv/validate.c), changing one entry of a locked table (pv/mmu_entry.c), finding an entry by its address (pv/mmu.c).
 */
#ifndef PV_MMU_H
#define PV_MMU_H

#include "lib/errno.h"
#include "mm/frame_inline.h"
#include "mm/guest_copy.h"
#include "pv/pv.h"

/* Flags refused above level 1: guests have no large pages, no global tables, and no say in the cache policy there. */
#define TABLE_REFUSED (PTE_PSE | PTE_PWT | PTE_PCD | PTE_G)
/* In level 1 these need rights to devices. GLOBAL is taken away without a word: guest entries never are. */
#define L1_CACHE (PTE_PAT | PTE_PWT | PTE_PCD)
/* What may change in a present entry without a look at what it refers to. */
#define FREE_FLAGS (PTE_NX | 0x7ff0000000000000UL | PTE_AVAIL | PTE_D | PTE_A | PTE_US | PTE_G)

#define TYPE_STEP (1UL << PGT_type_shift) /* the type of the level above */

/* Both guest modes run in ring 3: an entry without USER would be unusable. */
static always_inline pte_t l1_adjust(pte_t e)
{
	return (e | PTE_US) & ~PTE_G;
}

static always_inline pte_t table_adjust(pte_t e, uint64_t type)
{
	return e | PTE_US | (type == PGT_l4_page_table ? PTE_A : 0);
}

static always_inline bool l4_slot_is_ours(unsigned int i)
{
	return i - HYPERVISOR_SLOT_FIRST <= HYPERVISOR_SLOT_LAST - HYPERVISOR_SLOT_FIRST;
}

/* A guest's own addresses: canonical, outside of the hypervisor's slots. */
static always_inline bool guest_va_ok(unsigned long va)
{
	return va < 0x0000800000000000UL || va >= HYP_VIRT_END;
}

/* May it choose cache policies: does it own device memory or ports? */
static inline bool cache_policy_allowed(const struct domain *d)
{
	return !rangeset_empty(&d->iomem_caps) || !rangeset_empty(&d->ioport_caps);
}

/* @d's frame @mfn, referenced; NULL if it is not one. */
static inline struct page_info *frame_get(struct domain *d, mfn_t mfn)
{
	return mfn_valid(mfn) && get_page(mfn_to_page(mfn), d) ? mfn_to_page(mfn) : NULL;
}

/*
 * The references of a present level-1 entry of a table of @d that maps a frame of @pg_owner. Device frames have none. May
 * change the entry's cache flags. 0, -EINVAL (flags), -EPERM (device), -EBUSY (not the frame's owner, or in use as a table).
 */
int l1_ref_get_slow(pte_t *e, struct domain *d, struct domain *pg_owner);

static always_inline int l1_ref_get(pte_t *e, struct domain *d, struct domain *pg_owner)
{
	mfn_t mfn = pte_mfn(*e);
	struct page_info *pg;

	if (likely(mfn < max_page) && likely(!(*e & L1_CACHE)) && likely(d == pg_owner)) {
		pg = mfn_to_page(mfn);
		if (likely(get_page(pg, d))) {
			if (!(*e & PTE_RW) || likely(!type_get_writable(pg)))
				return 0;
			put_page(pg);
			return -EBUSY;
		}
	}
	return l1_ref_get_slow(e, d, pg_owner);
}

static always_inline void l1_ref_put(pte_t e)
{
	mfn_t mfn = pte_mfn(e);
	struct page_info *pg;

	if (unlikely(mfn >= max_page))
		return;
	pg = mfn_to_page(mfn);
	if (unlikely(READ_ONCE(pg->count_info) & PGC_device))
		return;
	if (e & PTE_RW)
		type_put_writable(pg);
	put_page(pg);
}

/*
 * The references of a present entry of @pg, a table of level 2 to 4 and of @type. get: -ERESTART leaves a general reference on
 * the lower table, which is partial. put: likewise, the type reference being dropped.
 */
int table_ref_get(pte_t e, struct page_info *pg, uint64_t type, bool preemptible);
int table_ref_put(pte_t e, struct page_info *pg, uint64_t type, bool preemptible);

/*
 * pv/mmu_entry.c: change one entry of a table that is locked. What the old value referred to is let go; if that is interrupted,
 * the rest is left in current's pv.old_table.
 */
enum entry_mode {
	ENTRY_PLAIN,
	ENTRY_KEEP_AD, /* the accessed and dirty bits that the hardware has set stay */
	ENTRY_EXACT, /* only if it is still @oe: -EAGAIN when the hardware has set a bit meanwhile */
};
int l1_entry_change(pte_t *p, pte_t oe, pte_t ne, struct domain *d, struct domain *pg_owner,
		    enum entry_mode mode);
static always_inline int l1_entry_set(pte_t *p, pte_t ne, struct domain *d, struct domain *pg_owner,
				      enum entry_mode mode)
{
	pte_t oe = READ_ONCE(*p);

	/* Present before and after, and nothing differs that matters: the common case of all. */
	if ((oe & ne & PTE_P) && !((oe ^ ne) & ~FREE_FLAGS) && mode == ENTRY_PLAIN) {
		WRITE_ONCE(*p, l1_adjust(ne));
		return 0;
	}
	return l1_entry_change(p, oe, ne, d, pg_owner, mode);
}
/* Level 2 and up; -ERESTART: nothing changed. */
int table_entry_set(pte_t *p, pte_t ne, struct page_info *pg, uint64_t type, enum entry_mode mode);

/*
 * Walking the guest's own tables: through the direct map, without a lock. Another vCPU may be changing them, so each step
 * believes only that a frame is RAM; what is found in the end counts after its table is locked and turns out
 * to be the domain's. The root is that of current, whose type reference the vCPU holds.
 */
static always_inline const pte_t *walk_step(pte_t e)
{
	mfn_t mfn = pte_mfn(e);

	/* A guest's tables are all marked USER; what is not is ours, reached by a guest's linear mapping of its root. */
	if (unlikely((e & (PTE_P | PTE_US | PTE_PSE)) != (PTE_P | PTE_US)) ||
	    unlikely(!mfn_valid(mfn)))
		return NULL;
	return mfn_to_virt(mfn);
}

/* The level-2 entry for @va, 0 if there is none. */
static always_inline pte_t walk_to_l2(paddr_t root, unsigned long va)
{
	const pte_t *t = maddr_to_virt(root);

	if (unlikely(!guest_va_ok(va)))
		return 0;
	t = walk_step(READ_ONCE(t[pte_index(va, L4_SHIFT)]));
	if (unlikely(!t))
		return 0;
	t = walk_step(READ_ONCE(t[pte_index(va, L3_SHIFT)]));
	if (unlikely(!t))
		return 0;
	return READ_ONCE(t[pte_index(va, L2_SHIFT)]);
}

/* Lock @pg if it is a level-1 table of current's domain, else NULL. */
static always_inline struct page_info *l1_page_lock(struct page_info *pg)
{
	uint64_t type = page_table_lock(pg);

	if (likely(type == PGT_l1_page_table) && likely(pg->owner == current->domain))
		return pg;
	if (type != PGT_none)
		page_table_unlock(pg);
	return NULL;
}

/* The level-1 table that maps @va for current, locked; NULL if there is none of its domain's. */
static always_inline struct page_info *l1_table_lock(unsigned long va)
{
	pte_t l2e = walk_to_l2(current->pv.cr3_kernel, va);

	if (unlikely(!(l2e & PTE_P)) || unlikely(!mfn_valid(pte_mfn(l2e))))
		return NULL;
	return l1_page_lock(mfn_to_page(pte_mfn(l2e)));
}

static inline pte_t *l1_entry_of(struct page_info *pg, unsigned long va)
{
	return (pte_t *)page_to_virt(pg) + pte_index(va, L1_SHIFT);
}
/* pv/mmu.c: ends what an interrupted operation left (v->pv.old_table): 0 or -ERESTART. */
int pv_finish_old_table(struct vcpu *v);
int pv_unpin_table(struct domain *d, mfn_t mfn);
int pv_new_user_cr3(struct vcpu *v, mfn_t mfn);
/* The physical CPUs behind a guest's set of vCPUs. 0 or -EFAULT. */
int pv_vcpumask(struct domain *d, unsigned long bitmap_va, cpumask_t *cpus);

/* The domain a hypercall names: the caller for DOMID_SELF; referenced unless it is the caller or a pseudo-domain. */
struct domain *foreign_domain_get(domid_t id);
void foreign_domain_put(struct domain *d);

#endif
