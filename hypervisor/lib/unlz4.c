/* SPDX-License-Identifier: MIT */
/*
 * LZ4's blocks (lz4_Block_format.md) in the legacy frame (lz4_Frame_format.md), which is what
 * Linux's bzImage holds: a magic number, then blocks with their size before them. It has no
 * checksum and no end mark: it ends with the input, or where what follows is no block.
 */
#include "lib/unpack.h"

#define BLOCK_MAX   (8u << 20)			       /* what a block holds at most */
#define BLOCK_WORST (BLOCK_MAX + BLOCK_MAX / 255 + 16) /* ... when it cannot be compressed */

/* A length that begins with a nibble: 15 says that bytes follow, up to one that is not 255. */
static always_inline size_t read_length(struct unpack *u, size_t len)
{
	uint8_t b = 255;

	if (len == 15) {
		for (; b == 255; len += b)
			b = *unpack_take(u, 1);
	}
	return len;
}

static void block(struct unpack *u, size_t size)
{
	struct unpack s = unpack_part(u, size);

	s.base = s.out;
	for (;;) {
		uint8_t token = *unpack_take(&s, 1);
		size_t dist;

		unpack_copy(&s, read_length(&s, token >> 4));
		if (s.in == s.in_end) /* the last sequence has no match */
			break;
		dist = get_le(unpack_take(&s, 2), 2);
		unpack_match(&s, dist, read_length(&s, token & 15) + 4);
	}
	u->out = s.out;
}

/* The compressed size of the next block; 0 for the next frame or bytes that somebody appended. */
static size_t block_size(struct unpack *u)
{
	size_t size = unpack_left(u) > 4 ? get_le(u->in, 4) : 0;

	if (!size || size > BLOCK_WORST)
		return 0;
	u->in += 4;
	return size;
}

void unpack_lz4(struct unpack *u)
{
	unpack_take(u, 4);
	for (size_t size = block_size(u); size; size = block_size(u))
		block(u, size);
}

uint64_t unpack_lz4_bound(struct unpack *u)
{
	uint64_t bound = 0;

	unpack_take(u, 4);
	for (size_t size = block_size(u); size; size = block_size(u)) {
		unpack_take(u, size);
		bound += BLOCK_MAX;
	}
	return bound;
}
