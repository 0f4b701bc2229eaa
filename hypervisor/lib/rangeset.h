/* SPDX-License-Identifier: MIT */
/*
 * Sets of 64-bit numbers kept as sorted ranges: the I/O ports, MMIO frames and interrupts that a
 * domain may use.
 *
 * Invariant: ranges are inclusive at both ends, ascending, and neither overlap nor touch. The
 * caller locks. Memory for the ranges comes through rangeset_ops or from a fixed pool; add and
 * remove allocate before they change anything, so a failed call leaves the set as it was.
 */
#ifndef LIB_RANGESET_H
#define LIB_RANGESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	struct range *next;
	uint64_t first, last; /* both belong to the range */
};

struct rangeset_ops {
	struct range *(*alloc)(void *ctx); /* NULL when there is none */
	void (*free)(void *ctx, struct range *r);
};

struct rangeset {
	struct range *head;
	const struct rangeset_ops *ops;
	void *ctx;
};

/* A pool of ranges in caller-supplied memory; several sets may share one. */
struct range_pool {
	struct range *free;
};

extern const struct rangeset_ops range_pool_ops; /* its ctx is the struct range_pool */

void range_pool_init(struct range_pool *pool, struct range *ranges, size_t count);

void rangeset_init(struct rangeset *rs, const struct rangeset_ops *ops, void *ctx);
void rangeset_destroy(struct rangeset *rs); /* empties the set; it may be used again */

/* 0, -EINVAL when last < first, -ENOMEM. What is already (not) in the set does not matter. */
int rangeset_add(struct rangeset *rs, uint64_t first, uint64_t last);
int rangeset_remove(struct rangeset *rs, uint64_t first, uint64_t last);

/* All of first..last is in the set. */
bool rangeset_contains(const struct rangeset *rs, uint64_t first, uint64_t last);
/* Some of first..last is in the set. */
bool rangeset_overlaps(const struct rangeset *rs, uint64_t first, uint64_t last);

static inline bool rangeset_empty(const struct rangeset *rs)
{
	return !rs->head;
}

/*
 * Calls fn for each stretch of the set within first..last, clipped to it, ascending. A return
 * other than 0 ends the walk and is passed on. fn must not change the set.
 */
int rangeset_for_each(const struct rangeset *rs, uint64_t first, uint64_t last,
		      int (*fn)(uint64_t first, uint64_t last, void *arg), void *arg);

#endif /* LIB_RANGESET_H */
