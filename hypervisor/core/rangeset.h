/* SPDX-License-Identifier: MIT */
/*
 * Sets of 64-bit numbers kept as sorted ranges: the I/O ports, MMIO frames and interrupts that a
 * domain may use. All zeros is the empty set.
 *
 * Invariant: ranges are inclusive at both ends, ascending, and neither overlap nor touch. The
 * caller locks. Add and remove allocate before they change anything, so a failed call leaves the
 * set as it was.
 */
#ifndef CORE_RANGESET_H
#define CORE_RANGESET_H

#include "lib/types.h"

struct range {
	struct range *next;
	uint64_t first, last; /* both belong to the range */
};

struct rangeset {
	struct range *head;
};

/* 0, -EINVAL when last < first, -ENOMEM. What is already (not) in the set does not matter. */
int rangeset_add(struct rangeset *rs, uint64_t first, uint64_t last);
int rangeset_remove(struct rangeset *rs, uint64_t first, uint64_t last);

/* All of first..last is in the set. */
bool rangeset_contains(const struct rangeset *rs, uint64_t first, uint64_t last);

static inline bool rangeset_empty(const struct rangeset *rs)
{
	return !rs->head;
}

#endif /* CORE_RANGESET_H */
