/* SPDX-License-Identifier: MIT */
/*
 * The reference counts' fast forms, for the loops over page tables. The same as get_page and friends of mm/frame.h,
 * without the calls.
 */
#ifndef MM_FRAME_INLINE_H
#define MM_FRAME_INLINE_H

#include "lib/log.h"
#include "mm/heap.h"
#include "x86/tlb.h"

/* One more reference, if there is one already and room for another: count + 1 is neither 1 nor, wrapped, 0. */
static always_inline bool ref_get(struct page_info *pg)
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

static always_inline void ref_put(struct page_info *pg)
{
	uint32_t x = atomic_sub(&pg->count_info, 1);

	if (unlikely(!(x & PGC_count)))
		domain_page_free(pg);
}

/* The owner is looked at after the reference is held: only then it cannot change. */
static always_inline bool ref_get_owned(struct page_info *pg, const struct domain *d)
{
	if (unlikely(!ref_get(pg)))
		return false;
	if (likely(pg->owner == d))
		return true;
	ref_put(pg);
	return false;
}

#define TYPE_WRITABLE_READY ((PGT_writable_page | PGT_validated) >> 58)

static always_inline int type_get_writable(struct page_info *pg)
{
	uint64_t x = READ_ONCE(pg->type_info);

	if (likely(x >> 58 == TYPE_WRITABLE_READY) &&
	    likely((x & PGT_count_mask) != PGT_count_mask) &&
	    likely(cmpxchg(&pg->type_info, x, x + 1) == x))
		return 0;
	return get_page_type(pg, PGT_writable_page);
}

static always_inline void type_put_writable(struct page_info *pg)
{
	uint64_t x = READ_ONCE(pg->type_info), seen;

	for (;; x = seen) {
		ASSERT((x & PGT_type_mask) == PGT_writable_page && (x & PGT_count_mask));
		if ((x & PGT_count_mask) == 1)
			pg->tlb_stamp = tlb_stamp_now();
		seen = cmpxchg(&pg->type_info, x, x - 1);
		if (likely(seen == x))
			return;
	}
}

#endif
