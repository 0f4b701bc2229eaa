/* SPDX-License-Identifier: MIT */
/*
 * General references to frames. A frame whose count is zero belongs to the heap or to the hypervisor, and nobody else
 * can bring it up from there: only assignment to a domain sets the first reference. The last one gone, the
 * frame returns to the heap (domain_page_free).
 *
 * Only compare-and-exchange, no lock. Type references are in mm/page_type.c.
 */
#include "mm/frame_inline.h"

bool get_page(struct page_info *pg, const struct domain *d)
{
	return ref_get_owned(pg, d);
}

struct domain *get_page_owner(struct page_info *pg)
{
	if (!ref_get(pg))
		return NULL;
	ASSERT(pg->owner);
	return pg->owner;
}

void put_page(struct page_info *pg)
{
	ref_put(pg);
}
