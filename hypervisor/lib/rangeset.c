/* SPDX-License-Identifier: MIT */
/*
 * Sets of numbers as a sorted, singly linked list of ranges. The sets are short (domain 0's
 * memory map makes a dozen ranges), so a walk beats a tree and leaves nothing to balance.
 *
 * Arithmetic at the ends of the 64-bit space is avoided by comparing before adding: first - 1 is
 * only formed when first > 0, last + 1 only when last < UINT64_MAX.
 */
#include "lib/rangeset.h"

#include "lib/errno.h"

static struct range *pool_alloc(void *ctx)
{
	struct range_pool *pool = ctx;
	struct range *r = pool->free;

	if (r)
		pool->free = r->next;
	return r;
}

static void pool_free(void *ctx, struct range *r)
{
	struct range_pool *pool = ctx;

	r->next = pool->free;
	pool->free = r;
}

const struct rangeset_ops range_pool_ops = {.alloc = pool_alloc, .free = pool_free};

void range_pool_init(struct range_pool *pool, struct range *ranges, size_t count)
{
	pool->free = NULL;
	while (count)
		pool_free(pool, &ranges[--count]);
}

void rangeset_init(struct rangeset *rs, const struct rangeset_ops *ops, void *ctx)
{
	*rs = (struct rangeset){.ops = ops, .ctx = ctx};
}

static struct range *range_alloc(struct rangeset *rs, uint64_t first, uint64_t last)
{
	struct range *r = rs->ops->alloc(rs->ctx);

	if (r) {
		r->first = first;
		r->last = last;
	}
	return r;
}

/* Takes the range at *link out of the list and frees it. */
static void range_unlink(struct rangeset *rs, struct range **link)
{
	struct range *r = *link;

	*link = r->next;
	rs->ops->free(rs->ctx, r);
}

void rangeset_destroy(struct rangeset *rs)
{
	while (rs->head)
		range_unlink(rs, &rs->head);
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
	struct range **link, *r;
	uint64_t beyond = last < UINT64_MAX ? last + 1 : last;

	if (last < first)
		return -EINVAL;
	/* A range that ends just below us is joined, too. */
	link = find_link(rs, first ? first - 1 : 0);
	r = *link;
	if (!r || r->first > beyond) {
		struct range *fresh = range_alloc(rs, first, last);

		if (!fresh)
			return -ENOMEM;
		fresh->next = r;
		*link = fresh;
		return 0;
	}
	if (first < r->first)
		r->first = first;
	if (last > r->last)
		r->last = last;
	while (r->next && r->next->first <= beyond) {
		if (r->next->last > r->last)
			r->last = r->next->last;
		range_unlink(rs, &r->next);
	}
	return 0;
}

/* first..last lies inside r and touches neither end: r becomes two. */
static int range_split(struct rangeset *rs, struct range *r, uint64_t first, uint64_t last)
{
	struct range *upper = range_alloc(rs, last + 1, r->last);

	if (!upper)
		return -ENOMEM;
	upper->next = r->next;
	r->next = upper;
	r->last = first - 1;
	return 0;
}

int rangeset_remove(struct rangeset *rs, uint64_t first, uint64_t last)
{
	struct range **link, *r;

	if (last < first)
		return -EINVAL;
	link = find_link(rs, first);
	r = *link;
	if (r && r->first < first) {
		if (r->last > last)
			return range_split(rs, r, first, last);
		r->last = first - 1;
		link = &r->next;
	}
	while (*link && (*link)->last <= last)
		range_unlink(rs, link);
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

bool rangeset_overlaps(const struct rangeset *rs, uint64_t first, uint64_t last)
{
	const struct range *r = rs->head;

	while (r && r->last < first)
		r = r->next;
	return r && first <= last && r->first <= last;
}

int rangeset_for_each(const struct rangeset *rs, uint64_t first, uint64_t last,
		      int (*fn)(uint64_t first, uint64_t last, void *arg), void *arg)
{
	for (const struct range *r = rs->head; r && r->first <= last; r = r->next) {
		int rc;

		if (r->last < first)
			continue;
		rc = fn(r->first > first ? r->first : first, r->last < last ? r->last : last, arg);
		if (rc)
			return rc;
	}
	return 0;
}
