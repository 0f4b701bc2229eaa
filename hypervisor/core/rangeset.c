/* SPDX-License-Identifier: MIT */
/*
 * Sets of numbers as a sorted, singly linked list of ranges. The sets are short (domain 0's
 * memory map makes a dozen ranges), so a walk beats a tree and leaves nothing to balance.
 *
 * Arithmetic at the ends of the 64-bit space is avoided by comparing before adding: first - 1 is
 * only formed when first > 0, last + 1 only when last < UINT64_MAX.
 */
#include "core/rangeset.h"

#include "lib/errno.h"
#include "mm/heap.h"

/* Puts a range before the one at *link. */
static int range_insert(struct range **link, uint64_t first, uint64_t last)
{
	struct range *r = knew(struct range);

	if (!r)
		return -ENOMEM;
	*r = (struct range){.next = *link, .first = first, .last = last};
	*link = r;
	return 0;
}

/* Takes the range at *link out of the list and frees it. */
static void range_unlink(struct range **link)
{
	struct range *r = *link;

	*link = r->next;
	kfree(r);
}

/* The link to the first range that ends at or after x. */
static struct range **find_link(struct rangeset *rs, uint64_t x)
{
	struct range **link = &rs->head;

	while (*link && (*link)->last < x)
		link = &(*link)->next;
	return link;
}

int rangeset_add(struct rangeset *rs, uint64_t first, uint64_t last)
{
	uint64_t beyond = last < UINT64_MAX ? last + 1 : last;
	/* A range that ends just below us is joined, too. */
	struct range **link = find_link(rs, first ? first - 1 : 0), *r = *link;

	if (last < first)
		return -EINVAL;
	if (!r || r->first > beyond)
		return range_insert(link, first, last);
	r->first = min(first, r->first);
	r->last = max(last, r->last);
	while (r->next && r->next->first <= beyond) {
		r->last = max(r->last, r->next->last);
		range_unlink(&r->next);
	}
	return 0;
}

int rangeset_remove(struct rangeset *rs, uint64_t first, uint64_t last)
{
	struct range **link = find_link(rs, first), *r = *link;

	if (last < first)
		return -EINVAL;
	if (r && r->first < first) {
		/* What lies above us becomes a range of its own. */
		if (r->last > last && range_insert(&r->next, last + 1, r->last))
			return -ENOMEM;
		r->last = first - 1;
		link = &r->next;
	}
	while (*link && (*link)->last <= last)
		range_unlink(link);
	if (*link && (*link)->first <= last)
		(*link)->first = last + 1;
	return 0;
}

bool rangeset_contains(const struct rangeset *rs, uint64_t first, uint64_t last)
{
	const struct range *r = rs->head;

	while (r && r->last < first)
		r = r->next;
	return r && first <= last && r->first <= first && last <= r->last;
}
