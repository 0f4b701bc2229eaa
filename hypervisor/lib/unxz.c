/* SPDX-License-Identifier: MIT */
/*
 * The .xz container (xz-file-format.txt 1.0.4): stream header, blocks, index, footer. A block's
 * filter chain is LZMA2, alone or under the x86 branch filter: what Linux's build uses.
 *
 * CRC32 is verified wherever the format has it; block checks of other kinds (CRC64, SHA-256) are
 * skipped. One stream is read; what follows its footer is ignored.
 */
#include "lib/unpack.h"

#define HEADER_SIZE 12
#define FOOTER_SIZE 12

#define CHECK_CRC32 1

#define FILTER_X86   0x04
#define FILTER_LZMA2 0x21

#define BLOCK_FILTERS	   0x03 /* number of filters - 1 */
#define BLOCK_RESERVED	   0x3c
#define BLOCK_COMPRESSED   0x40 /* the compressed size is given */
#define BLOCK_UNCOMPRESSED 0x80 /* the uncompressed size is given */

struct block {
	uint64_t compressed, uncompressed; /* as the header says, or UINT64_MAX */
	bool x86;
	uint32_t x86_start;
};

static const char bad_header[] = "xz block header is damaged";
static const char bad_footer[] = "xz stream footer is damaged";

/* A variable-length integer, section 1.2. */
static uint64_t read_vli(struct unpack *u)
{
	uint64_t value = 0;
	uint8_t b = 0x80;

	for (unsigned int shift = 0; b & 0x80; shift += 7) {
		b = *unpack_take(u, 1);
		unpack_check(u, shift < 63 && (b || !shift), "xz data holds a malformed number");
		value |= (uint64_t)(b & 0x7f) << shift;
	}
	return value;
}

/* The next filter of a block header, which must be this one: its properties, *len bytes. */
static const uint8_t *read_filter(struct unpack *h, uint64_t id, uint64_t *len)
{
	if (read_vli(h) != id)
		unpack_fail(h->exit, -EOPNOTSUPP, "xz data uses a filter other than LZMA2 and x86");
	*len = read_vli(h);
	return unpack_take(h, *len);
}

/* Section 3.1 */
static struct block block_header(struct unpack *u)
{
	struct block b = {.compressed = UINT64_MAX, .uncompressed = UINT64_MAX};
	struct unpack h = unpack_part(u, *u->in * 4ul);
	const uint8_t *start = h.in, *props;
	unsigned int flags;
	uint64_t len;

	unpack_check(u, crc32(start, h.in_end - start) == get_le(unpack_take(u, 4), 4), bad_header);
	flags = unpack_take(&h, 2)[1];
	b.x86 = (flags & BLOCK_FILTERS) == 1;
	unpack_check(u, !(flags & BLOCK_RESERVED) && (flags & BLOCK_FILTERS) <= 1, bad_header);
	if (flags & BLOCK_COMPRESSED)
		b.compressed = read_vli(&h);
	if (flags & BLOCK_UNCOMPRESSED)
		b.uncompressed = read_vli(&h);
	if (b.x86) {
		props = read_filter(&h, FILTER_X86, &len);
		unpack_check(u, !len || len == 4, bad_header);
		b.x86_start = get_le(props, len);
	}
	/* Its property is the dictionary's size, which a flat buffer need not know. */
	read_filter(&h, FILTER_LZMA2, &len);
	return b;
}

/* Up to four bytes, all 0, that make the size of what was read since start a multiple of four. */
static void skip_padding(struct unpack *u, const uint8_t *start)
{
	while ((u->in - start) & 3)
		unpack_check(u, !*unpack_take(u, 1), "xz padding is damaged");
}

static void block(struct unpack *u, unsigned int check)
{
	uint8_t *data = u->out;
	struct block b = block_header(u);
	const uint8_t *start = u->in, *sum;

	unpack_lzma2(u);
	unpack_check(u,
		     (b.compressed == UINT64_MAX || b.compressed == (uint64_t)(u->in - start)) &&
			     (b.uncompressed == UINT64_MAX ||
			      b.uncompressed == (uint64_t)(u->out - data)),
		     "xz block has a size other than its header says");
	if (b.x86)
		bcj_x86_decode(data, u->out - data, b.x86_start);
	skip_padding(u, start);
	/* The check's size by its type: section 2.1.1.2. */
	sum = unpack_take(u, check ? 4u << (check - 1) / 3 : 0);
	unpack_check(u, check != CHECK_CRC32 || get_le(sum, 4) == crc32(data, u->out - data),
		     "xz data has a wrong checksum");
}

/* Section 4. The records repeat what the block headers said; their checksum is all we ask. */
static void stream_index(struct unpack *u, uint64_t blocks)
{
	const uint8_t *start = u->in;
	size_t size;

	unpack_take(u, 1);
	unpack_check(u, read_vli(u) == blocks, "xz index does not fit the data");
	for (uint64_t i = 0; i < 2 * blocks; i++)
		read_vli(u);
	skip_padding(u, start);
	size = u->in - start;
	unpack_check(u, get_le(unpack_take(u, 4), 4) == crc32(start, size), "xz index is damaged");
}

void unpack_xz(struct unpack *u)
{
	const uint8_t *h = unpack_take(u, HEADER_SIZE), *f;
	unsigned int check = h[7];
	uint64_t blocks = 0;

	/* Sections 2.1.1 and 2.1.2 */
	unpack_check(u, !h[6] && check <= 15 && crc32(h + 6, 2) == get_le(h + 8, 4),
		     "xz stream header is damaged");
	/* Where a block header would stand, a zero byte begins the index. */
	for (; unpack_left(u) && *u->in; blocks++)
		block(u, check);
	stream_index(u, blocks);
	f = unpack_take(u, FOOTER_SIZE);
	unpack_check(u,
		     f[10] == 'Y' && f[11] == 'Z' && !f[8] && f[9] == check &&
			     crc32(f + 4, 6) == get_le(f, 4),
		     bad_footer);
}

/* Sums the uncompressed sizes in the index, which the footer leads to. */
uint64_t unpack_xz_bound(struct unpack *u)
{
	uint64_t back, sum = 0;
	const uint8_t *f;

	unpack_take(u, HEADER_SIZE + FOOTER_SIZE);
	f = u->in_end - FOOTER_SIZE;
	back = (get_le(f + 4, 4) + 1) * 4;
	unpack_check(u, f[10] == 'Y' && f[11] == 'Z' && back <= unpack_left(u), bad_footer);
	u->in = f - back + 1;
	for (uint64_t records = read_vli(u); records; records--) {
		read_vli(u); /* the compressed size */
		sum += read_vli(u);
	}
	return sum;
}
