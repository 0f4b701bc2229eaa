/* SPDX-License-Identifier: MIT */
/*
 * The .xz container (xz-file-format.txt 1.0.4): stream header, blocks, index, footer. A block's
 * filter chain is LZMA2, alone or under the x86 branch filter: what Linux's build uses.
 *
 * CRC32 is verified wherever the format has it; block checks of other kinds (CRC64, SHA-256) are
 * skipped. One stream is read; what follows its footer is ignored.
 */
#include "lib/crc32.h"
#include "lib/lzma.h"
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

static const char truncated[] = "xz data ends too early";
static const char bad_header[] = "xz block header is damaged";

/* Bytes of the check after each block, by check type: section 2.1.1.2. */
static unsigned int check_size(unsigned int type)
{
	return type ? 4u << (type - 1) / 3 : 0;
}

/* A variable-length integer, section 1.2. False when it is malformed or passes end. */
static bool read_vli(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (unsigned int shift = 0; shift < 63; shift += 7) {
		uint8_t b;

		if (*p >= end)
			return false;
		b = *(*p)++;
		*value |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return b || !shift; /* no padding with zeros */
	}
	return false;
}

static int filter(struct unpack *u, struct block *b, bool last, const uint8_t **p,
		  const uint8_t *end)
{
	uint64_t id, len;

	if (!read_vli(p, end, &id) || !read_vli(p, end, &len) || len > (size_t)(end - *p))
		return unpack_fail(u, bad_header);
	if (id == FILTER_LZMA2 && len == 1 && last) {
		/* Its property is the dictionary's size, which a flat buffer need not know. */
	} else if (id == FILTER_X86 && !len && !last) {
		b->x86 = true;
	} else if (id == FILTER_X86 && len == 4 && !last) {
		b->x86 = true;
		b->x86_start = get_le32(*p);
	} else {
		u->why = "xz data uses a filter other than LZMA2 and x86";
		return -EOPNOTSUPP;
	}
	*p += len;
	return 0;
}

/* Section 3.1. Moves past the header, whose size byte is not 0. */
static int block_header(struct unpack *u, struct block *b)
{
	const uint8_t *h = u->in, *p = h + 2, *end;
	size_t size = (h[0] + 1) * 4;
	unsigned int filters;
	int rc = 0;

	if (size > unpack_in_left(u))
		return unpack_fail(u, truncated);
	end = h + size - 4;
	if (crc32(0, h, size - 4) != get_le32(end))
		return unpack_fail(u, bad_header);
	filters = (h[1] & BLOCK_FILTERS) + 1;
	*b = (struct block){.compressed = UINT64_MAX, .uncompressed = UINT64_MAX};
	if (h[1] & BLOCK_RESERVED || filters > 2 ||
	    (h[1] & BLOCK_COMPRESSED && !read_vli(&p, end, &b->compressed)) ||
	    (h[1] & BLOCK_UNCOMPRESSED && !read_vli(&p, end, &b->uncompressed)))
		return unpack_fail(u, bad_header);
	for (unsigned int i = 0; !rc && i < filters; i++)
		rc = filter(u, b, i == filters - 1, &p, end);
	u->in = h + size;
	return rc;
}

/* Padding to four bytes, then the check. */
static int block_end(struct unpack *u, const uint8_t *data, unsigned int check, size_t compressed)
{
	for (; compressed & 3; compressed++) {
		if (u->in == u->in_end)
			return unpack_fail(u, truncated);
		if (*u->in++)
			return unpack_fail(u, "xz block padding is damaged");
	}
	if (unpack_in_left(u) < check_size(check))
		return unpack_fail(u, truncated);
	if (check == CHECK_CRC32 && get_le32(u->in) != crc32(0, data, u->out - data))
		return unpack_fail(u, "xz data has a wrong checksum");
	u->in += check_size(check);
	return 0;
}

static int block(struct unpack *u, unsigned int check)
{
	uint8_t *data = u->out;
	const uint8_t *start;
	struct block b;
	int rc = block_header(u, &b);

	if (rc)
		return rc;
	start = u->in;
	rc = unpack_lzma2(u);
	if (rc)
		return rc;
	if ((b.compressed != UINT64_MAX && b.compressed != (uint64_t)(u->in - start)) ||
	    (b.uncompressed != UINT64_MAX && b.uncompressed != (uint64_t)(u->out - data)))
		return unpack_fail(u, "xz block has a size other than its header says");
	if (b.x86)
		bcj_x86_decode(data, u->out - data, b.x86_start);
	return block_end(u, data, check, u->in - start);
}

/* Section 4. The records repeat what the block headers said; their checksum is all we ask. */
static int stream_index(struct unpack *u, uint64_t blocks)
{
	const uint8_t *start = u->in, *p = start + 1;
	uint64_t records, value;
	size_t size;

	if (!read_vli(&p, u->in_end, &records))
		return unpack_fail(u, truncated);
	if (records != blocks)
		return unpack_fail(u, "xz index does not fit the data");
	for (uint64_t i = 0; i < 2 * records; i++) {
		if (!read_vli(&p, u->in_end, &value))
			return unpack_fail(u, truncated);
	}
	size = ROUND_UP((size_t)(p - start), 4);
	if (size + 4 > unpack_in_left(u))
		return unpack_fail(u, truncated);
	if (crc32(0, start, size) != get_le32(start + size))
		return unpack_fail(u, "xz index is damaged");
	u->in += size + 4;
	return 0;
}

/* Section 2.1.2 */
static int stream_footer(struct unpack *u, unsigned int check)
{
	const uint8_t *f = u->in;

	if (unpack_in_left(u) < FOOTER_SIZE)
		return unpack_fail(u, truncated);
	if (f[10] != 'Y' || f[11] != 'Z' || f[8] || f[9] != check ||
	    crc32(0, f + 4, 6) != get_le32(f))
		return unpack_fail(u, "xz stream footer is damaged");
	u->in += FOOTER_SIZE;
	return 0;
}

int unpack_xz(struct unpack *u)
{
	const uint8_t *h = u->in;
	uint64_t blocks = 0;
	unsigned int check;
	int rc = 0;

	if (unpack_in_left(u) < HEADER_SIZE)
		return unpack_fail(u, truncated);
	if (h[6] || h[7] > 15 || crc32(0, h + 6, 2) != get_le32(h + 8))
		return unpack_fail(u, "xz stream header is damaged");
	check = h[7];
	u->in += HEADER_SIZE;
	while (!rc) {
		if (u->in == u->in_end)
			return unpack_fail(u, truncated);
		if (!*u->in) /* where a block header would stand: the index */
			break;
		rc = block(u, check);
		blocks++;
	}
	if (!rc)
		rc = stream_index(u, blocks);
	if (!rc)
		rc = stream_footer(u, check);
	return rc;
}

/* Sums the uncompressed sizes in the index, which the footer leads to. */
size_t unpack_xz_bound(const uint8_t *in, size_t len)
{
	const uint8_t *end = in + len - FOOTER_SIZE, *p;
	uint64_t records, unpadded, size, sum = 0, back;

	if (len < HEADER_SIZE + FOOTER_SIZE || end[10] != 'Y' || end[11] != 'Z')
		return 0;
	back = ((uint64_t)get_le32(end + 4) + 1) * 4;
	if (back > len - HEADER_SIZE - FOOTER_SIZE)
		return 0;
	p = end - back + 1;
	if (!read_vli(&p, end, &records))
		return 0;
	while (records--) {
		if (!read_vli(&p, end, &unpadded) || !read_vli(&p, end, &size))
			return 0;
		if (__builtin_add_overflow(sum, size, &sum))
			return 0;
	}
	return sum;
}
