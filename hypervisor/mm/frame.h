/* SPDX-License-Identifier: MIT */
/*
 * Machine frames. Each frame of RAM has one struct page_info, which says who owns it, how many references hold it,
 * and what it is used as. The invariant the whole of PV safety rests on:
 *
 *   A frame is reachable by writing from a guest, or it is a page table (or descriptor table), never both.
 *
 * It is kept by the type: type_info holds one type at a time and counts the uses as that type. The type changes only when
 * the count is zero, and after no CPU's TLB can hold a mapping of the former use (tlb_stamp).
 * References (count_info) keep the frame from being freed; every type reference is also backed by one of those.
 *
 * Both words change by compare-and-exchange only; no lock. Lists of frames belong to the heap (heap lock) or to a
 * domain (d->page_lock).
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "lib/bitops.h"
#include "lib/types.h"
#include "x86/page.h"

struct domain;

struct page_info {
	uint32_t next,
		prev; /* list links: frame numbers, 0 = none (frame 0 is never RAM of ours) */
	union {
		uint64_t type_info; /* allocated: PGT_*, atomic */
		uint32_t order;	    /* free: this frame heads a buddy of 2^order frames */
		struct {	    /* a page of small objects: mm/alloc.c */
			uint16_t class, in_use, first_free;
		} slab;
	};
	uint32_t count_info; /* PGC_*: atomic */
	union {
		uint32_t tlb_stamp; /* TLB clock when the last type use (free: any use) ended */
		uint32_t pt_next; /* a partial table: entries [0, pt_next) hold references; PTN_* */
	};
	struct domain *owner; /* NULL: free or the hypervisor's own */
};
_Static_assert(sizeof(struct page_info) == 32, "a frame's record is 32 bytes: 0.8 % of RAM");

/* count_info */
#define PGC_allocated 0x80000000u /* the owner's own reference (counts 1 in the count) */
#define PGC_xen_heap  0x40000000u /* hypervisor memory, possibly shared with the owner */
#define PGC_free      0x20000000u /* in the heap */
#define PGC_dirty     0x10000000u /* free and not scrubbed */
#define PGC_doomed    PGC_dirty /* shared, and given up by us: to the heap with the last reference */
#define PGC_raw	      PGC_xen_heap /* free, as the firmware left it: scrubbed when it is allocated */
#define PGC_device    0x04000000u  /* no RAM of ours: device space, holes, the first MiB */
#define PGC_count     0x03ffffffu

/* type_info: type in the top bits, flags, then the count */
#define PGT_type_shift	  60
#define PGT_type_mask	  (0xfUL << PGT_type_shift)
#define PGT_none	  (0UL << PGT_type_shift)
#define PGT_l1_page_table (1UL << PGT_type_shift)
#define PGT_l2_page_table (2UL << PGT_type_shift)
#define PGT_l3_page_table (3UL << PGT_type_shift)
#define PGT_l4_page_table (4UL << PGT_type_shift)
#define PGT_seg_desc_page (5UL << PGT_type_shift)
/* hypervisor memory that a guest may read but nobody can give another type */
#define PGT_shared_page	  (6UL << PGT_type_shift)
#define PGT_writable_page (7UL << PGT_type_shift)
#define PGT_pinned	  (1UL << 59) /* the guest holds a type reference by MMUEXT_PIN */
#define PGT_validated	  (1UL << 58) /* content has been checked for this type */
#define PGT_partial	  (1UL << 57) /* (de)validation was interrupted; count is 0 */
#define PGT_foreign	  (1UL << 56) /* was mapped writable by a domain other than its owner */
#define PGT_locked	  (1UL << 48) /* content lock of a validated page table: page_table_lock() */
/* signed 16 bits: > 0 entries of this table that map tables of its own level, < 0 such uses of it: pv/validate.c */
#define PGT_linear_shift 32
#define PGT_linear_mask	 (0xffffUL << PGT_linear_shift)
#define PGT_count_mask	 0x00ffffffffUL

#define frame_table ((struct page_info *)FRAME_TABLE_START)
extern mfn_t max_page; /* first frame number past the highest RAM */
extern unsigned long
	total_pages; /* frames of RAM the heap was given, and what is in use by the image */

/*
 * Machine-to-physical: what the owner calls the frame. Written through the hypervisor's mapping, read by guests at the
 * ABI's address.
 */
#define m2p_rw		  ((unsigned long *)RW_MPT_VIRT_START)
#define INVALID_M2P_ENTRY (~0UL)
#define SHARED_M2P_ENTRY  (~0UL - 1UL)

#ifndef HOST_BUILD
static inline struct page_info *mfn_to_page(mfn_t mfn)
{
	return &frame_table[mfn];
}
static inline mfn_t page_to_mfn(const struct page_info *pg)
{
	return (mfn_t)(pg - frame_table);
}
/*
 * True for frames of RAM (all others are device space). Every frame below max_page has a readable record; those of
 * holes are one shared read-only page of PGC_device records.
 */
static inline bool mfn_valid(mfn_t mfn)
{
	return mfn < max_page && !(mfn_to_page(mfn)->count_info & PGC_device);
}
static inline void m2p_set(mfn_t mfn, unsigned long gpfn)
{
	m2p_rw[mfn] = gpfn;
}
static inline unsigned long m2p_get(mfn_t mfn)
{
	return m2p_rw[mfn];
}
#else
struct page_info *mfn_to_page(mfn_t mfn);
mfn_t page_to_mfn(const struct page_info *pg);
bool mfn_valid(mfn_t mfn);
void m2p_set(mfn_t mfn, unsigned long gpfn);
unsigned long m2p_get(mfn_t mfn);
#endif
#define page_to_virt(pg) mfn_to_virt(page_to_mfn(pg))
#define virt_to_page(va) mfn_to_page(virt_to_mfn(va))

/*
 * General references. A frame whose count is zero belongs to the heap or to the hypervisor, and nobody else can bring it
 * up from there: only assignment to a domain sets the first reference. The last one gone, the frame returns to the heap.
 */
void domain_page_free(struct page_info *pg);

/* One more, if there is one already and room for another: count + 1 is neither 1 nor, wrapped, 0. */
static always_inline bool __must_check get_page_any(struct page_info *pg)
{
	uint32_t x = READ_ONCE(pg->count_info), seen;

	for (;; x = seen) {
		if (unlikely(((x + 1) & PGC_count) <= 1))
			return false;
		seen = cmpxchg(&pg->count_info, x, x + 1);
		if (likely(seen == x))
			return true;
	}
}

static always_inline void put_page(struct page_info *pg)
{
	uint32_t x = atomic_sub(&pg->count_info, 1);

	if (unlikely(!(x & PGC_count)))
		domain_page_free(pg);
}

/* One more of @d's frame. The owner is looked at after the reference is held: only then it cannot change. */
static always_inline bool __must_check get_page(struct page_info *pg, const struct domain *d)
{
	if (unlikely(!get_page_any(pg)))
		return false;
	if (likely(pg->owner == d))
		return true;
	put_page(pg);
	return false;
}

/* One more of a frame of whomever; NULL if it is nobody's. */
static inline struct domain *__must_check get_page_owner(struct page_info *pg)
{
	return get_page_any(pg) ? pg->owner : NULL;
}

/* get_page for a number that a guest gave; NULL if it has no such frame. */
static inline struct page_info *__must_check get_page_from_mfn(mfn_t mfn, const struct domain *d)
{
	return mfn_valid(mfn) && get_page(mfn_to_page(mfn), d) ? mfn_to_page(mfn) : NULL;
}

/*
 * Type references. get_page_type needs a general reference in the caller's hands; it validates page tables through
 * the registered functions when the type is new. Returns 0 or -EINVAL (refused: wrong type in use, bad content). Tables
 * of level 2 and up of a running guest should come through the preemptible form.
 */
int get_page_type(struct page_info *pg, uint64_t type) __must_check;
void put_page_type(struct page_info *pg);
/*
 * As above, for callers that can be preempted (pin, unpin, new base pointer, teardown).
 * get: -ERESTART means that nothing was taken; the work done so far is kept: call again after a preemption point.
 * put: -ERESTART means that the reference IS dropped, but the table's own references are not all let go: call
 * page_type_finish until it returns 0, holding a general reference, before the guest sees the operation end.
 */
int get_page_type_preemptible(struct page_info *pg, uint64_t type) __must_check;
int put_page_type_preemptible(struct page_info *pg) __must_check;
int page_type_finish(struct page_info *pg) __must_check;

/* Bits of pt_next: the number, and "entry pt_next - 1 holds only a general reference: its table is itself partial". */
#define PTN_number 0x03ffu
#define PTN_child  0x8000u
/* Validation has failed: what is left is to be let go again. */
#define PTN_failed 0x4000u

/* A page table of any level, or anything whose content is checked when it gets its type. */
static inline bool type_is_checked(uint64_t type)
{
	return type >= PGT_l1_page_table && type <= PGT_seg_desc_page;
}

/*
 * The content lock of a page table: held while an entry changes. It exists only while the frame is a validated table, and
 * the last type reference cannot go while it is held; so it also keeps the type and the owner. Never two of the same level.
 * Returns the type, or PGT_none (not locked) when the frame is no validated page table.
 */
uint64_t page_table_lock_slow(struct page_info *pg);
static inline uint64_t page_table_lock(struct page_info *pg)
{
	uint64_t x = READ_ONCE(pg->type_info);

	if (likely((x & (PGT_validated | PGT_locked)) == PGT_validated) &&
	    likely((x >> PGT_type_shift) - 1 < 4) &&
	    likely(cmpxchg(&pg->type_info, x, x | PGT_locked) == x))
		return x & PGT_type_mask;
	return page_table_lock_slow(pg);
}
static inline void page_table_unlock(struct page_info *pg)
{
	/* The lock has a byte of its own, which only its holder changes; compare-and-exchange by others cannot undo it. */
	__atomic_store_n((uint8_t *)&pg->type_info + 6, 0, __ATOMIC_RELEASE);
}

static inline int get_page_and_type(struct page_info *pg, const struct domain *d, uint64_t type)
{
	int rc;

	if (!get_page(pg, d))
		return -22; /* -EINVAL */
	rc = get_page_type(pg, type);
	if (rc)
		put_page(pg);
	return rc;
}

static inline void put_page_and_type(struct page_info *pg)
{
	put_page_type(pg);
	put_page(pg);
}

/*
 * pv/ registers how page tables are checked and let go (a call upward). Both work on pt_next: validate
 * upwards from it, devalidate downwards to 0. They return 0, -ERESTART (pt_next says how far; only when @preemptible), or,
 * validate alone, -EINVAL and the like with pt_next saying what must be let go again.
 */
struct page_type_ops {
	int (*validate)(struct page_info *pg, uint64_t type, bool preemptible);
	int (*devalidate)(struct page_info *pg, uint64_t type, bool preemptible);
};
void page_type_register(const struct page_type_ops *ops);

static inline uint64_t page_type(const struct page_info *pg)
{
	return pg->type_info & PGT_type_mask;
}

#endif
