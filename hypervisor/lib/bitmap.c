/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps. Searches look at one word at a time; the last word is masked by tail_mask() wherever it
 * is read, since a caller may hand in a map whose unused bits are not zero (one copied from a
 * guest, for instance).
 */
#include "lib/bitmap.h"

#include "lib/bitops.h"

#define WORD(bit) ((bit) / BITMAP_WORD_BITS)

/* The bits that count in word w of a map of nbits bits. */
static inline unsigned long tail_mask(size_t w, size_t nbits)
{
	size_t left = nbits - w * BITMAP_WORD_BITS;

	return left >= BITMAP_WORD_BITS ? ~0UL : (1UL << left) - 1;
}

static inline size_t find(const unsigned long *map, size_t nbits, size_t from, unsigned long flip)
{
	size_t w = WORD(from), bit;
	unsigned long word;

	if (from >= nbits)
		return nbits;
	word = (map[w] ^ flip) & (~0UL << from % BITMAP_WORD_BITS);
	while (!word) {
		if (++w >= BITMAP_WORDS(nbits))
			return nbits;
		word = map[w] ^ flip;
	}
	bit = w * BITMAP_WORD_BITS + __builtin_ctzl(word);
	return bit < nbits ? bit : nbits;
}

size_t bitmap_find_next(const unsigned long *map, size_t nbits, size_t from)
{
	return find(map, nbits, from, 0);
}

size_t bitmap_find_next_zero(const unsigned long *map, size_t nbits, size_t from)
{
	return find(map, nbits, from, ~0UL);
}

size_t bitmap_weight(const unsigned long *map, size_t nbits)
{
	size_t n = 0;

	for (size_t w = 0; w < BITMAP_WORDS(nbits); w++)
		n += hweight64(map[w] & tail_mask(w, nbits));
	return n;
}

void bitmap_zero(unsigned long *map, size_t nbits)
{
	for (size_t w = 0; w < BITMAP_WORDS(nbits); w++)
		map[w] = 0;
}

void bitmap_fill(unsigned long *map, size_t nbits)
{
	for (size_t w = 0; w < BITMAP_WORDS(nbits); w++)
		map[w] = tail_mask(w, nbits);
}

void bitmap_copy(unsigned long *dst, const unsigned long *src, size_t nbits)
{
	for (size_t w = 0; w < BITMAP_WORDS(nbits); w++)
		dst[w] = src[w] & tail_mask(w, nbits);
}

/* The bits of word w that lie in [first, end). */
static inline unsigned long range_mask(size_t w, size_t first, size_t end)
{
	unsigned long mask = tail_mask(w, end);

	return w == WORD(first) ? mask & (~0UL << first % BITMAP_WORD_BITS) : mask;
}

void bitmap_set_range(unsigned long *map, size_t first, size_t count)
{
	for (size_t w = WORD(first); w < BITMAP_WORDS(first + count); w++)
		map[w] |= range_mask(w, first, first + count);
}

void bitmap_clear_range(unsigned long *map, size_t first, size_t count)
{
	for (size_t w = WORD(first); w < BITMAP_WORDS(first + count); w++)
		map[w] &= ~range_mask(w, first, first + count);
}

void bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t w = 0; w < BITMAP_WORDS(nbits); w++)
		dst[w] = a[w] & b[w] & tail_mask(w, nbits);
}

void bitmap_or(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t w = 0; w < BITMAP_WORDS(nbits); w++)
		dst[w] = (a[w] | b[w]) & tail_mask(w, nbits);
}

void bitmap_andnot(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t w = 0; w < BITMAP_WORDS(nbits); w++)
		dst[w] = a[w] & ~b[w] & tail_mask(w, nbits);
}

bool bitmap_equal(const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t w = 0; w < BITMAP_WORDS(nbits); w++) {
		if ((a[w] ^ b[w]) & tail_mask(w, nbits))
			return false;
	}
	return true;
}

bool bitmap_subset(const unsigned long *small, const unsigned long *big, size_t nbits)
{
	for (size_t w = 0; w < BITMAP_WORDS(nbits); w++) {
		if (small[w] & ~big[w] & tail_mask(w, nbits))
			return false;
	}
	return true;
}

bool bitmap_intersects(const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t w = 0; w < BITMAP_WORDS(nbits); w++) {
		if (a[w] & b[w] & tail_mask(w, nbits))
			return true;
	}
	return false;
}
