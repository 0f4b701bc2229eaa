/* SPDX-License-Identifier: MIT */
/*
 * Type references of writable frames, for the loops over page tables: the same as get_page_type and put_page_type without the calls.
 */
#ifndef MM_FRAME_INLINE_H
#define MM_FRAME_INLINE_H

#include "lib/log.h"
#include "mm/heap.h"
#include "x86/tlb.h"

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
