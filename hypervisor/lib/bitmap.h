/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps: arrays of unsigned long of which the first `nbits` bits count, bit 0 first
 * (the numbering of bitops.h).
 *
 * Nothing here is atomic; single atomic bits are bitops.h's business. Invariant: functions that
 * write leave the unused bits of the last word zero, functions that read ignore them. A search
 * that finds nothing returns nbits.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <stdbool.h>
#include <stddef.h>

#define BITMAP_WORD_BITS	    (8 * sizeof(unsigned long))
#define BITMAP_WORDS(nbits)	    (((nbits) + BITMAP_WORD_BITS - 1) / BITMAP_WORD_BITS)
#define BITMAP_DECLARE(name, nbits) unsigned long name[BITMAP_WORDS(nbits)]

size_t bitmap_find_next(const unsigned long *map, size_t nbits, size_t from);
size_t bitmap_find_next_zero(const unsigned long *map, size_t nbits, size_t from);
size_t bitmap_weight(const unsigned long *map, size_t nbits);

void bitmap_zero(unsigned long *map, size_t nbits);
void bitmap_fill(unsigned long *map, size_t nbits);
void bitmap_copy(unsigned long *dst, const unsigned long *src, size_t nbits);
void bitmap_set_range(unsigned long *map, size_t first, size_t count);
void bitmap_clear_range(unsigned long *map, size_t first, size_t count);

void bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits);
void bitmap_or(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits);
void bitmap_andnot(unsigned long *dst, const unsigned long *a, const unsigned long *b,
		   size_t nbits);

bool bitmap_equal(const unsigned long *a, const unsigned long *b, size_t nbits);
bool bitmap_subset(const unsigned long *small, const unsigned long *big, size_t nbits);
bool bitmap_intersects(const unsigned long *a, const unsigned long *b, size_t nbits);

static inline size_t bitmap_find_first(const unsigned long *map, size_t nbits)
{
	return bitmap_find_next(map, nbits, 0);
}

static inline size_t bitmap_find_first_zero(const unsigned long *map, size_t nbits)
{
	return bitmap_find_next_zero(map, nbits, 0);
}

static inline bool bitmap_empty(const unsigned long *map, size_t nbits)
{
	return bitmap_find_next(map, nbits, 0) == nbits;
}

static inline bool bitmap_full(const unsigned long *map, size_t nbits)
{
	return bitmap_find_next_zero(map, nbits, 0) == nbits;
}

static inline bool bitmap_test(const unsigned long *map, size_t bit)
{
	return map[bit / BITMAP_WORD_BITS] >> bit % BITMAP_WORD_BITS & 1;
}

static inline void bitmap_set(unsigned long *map, size_t bit)
{
	map[bit / BITMAP_WORD_BITS] |= 1UL << bit % BITMAP_WORD_BITS;
}

static inline void bitmap_clear(unsigned long *map, size_t bit)
{
	map[bit / BITMAP_WORD_BITS] &= ~(1UL << bit % BITMAP_WORD_BITS);
}

#define bitmap_for_each(bit, map, nbits)                               \
	for ((bit) = bitmap_find_next(map, nbits, 0); (bit) < (nbits); \
	     (bit) = bitmap_find_next(map, nbits, (bit) + 1))

#endif /* LIB_BITMAP_H */
