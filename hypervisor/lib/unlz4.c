/* SPDX-License-Identifier: MIT */
/*
 * LZ4 (lz4_Block_format.md, lz4_Frame_format.md): the modern frame, and the legacy frame that
 * `lz4 -l` writes and Linux's bzImage holds.
 *
 * A legacy frame has no end mark: it ends with the input, or where what follows is no block. The
 * modern frame's checksums are verified, those of single blocks excepted.
 */
#include "lib/unpack.h"
#include "lib/xxhash.h"

#define LEGACY_MAGIC 0x184c2102u
#define FRAME_MAGIC  0x184d2204u

#define LEGACY_BLOCK (8u << 20)				      /* what a block holds at most */
#define LEGACY_WORST (LEGACY_BLOCK + LEGACY_BLOCK / 255 + 16) /* ... when it cannot be compressed */

#define FLG_DICT_ID	   0x01
#define FLG_CONTENT_SUM	   0x04
#define FLG_CONTENT_SIZE   0x08
#define FLG_BLOCK_SUM	   0x10
#define FLG_VERSION(flg)   ((flg) >> 6)
#define BLOCK_UNCOMPRESSED 0x80000000u

static const char truncated[] = "lz4 data ends too early";
static const char too_large[] = "lz4 data is larger than the size it was said to have";

/* Adds the bytes that follow a length nibble of 15. False when the input ends in them. */
static inline bool long_length(const uint8_t **in, const uint8_t *end, size_t *len)
{
	uint8_t b;

	do {
		if (*in == end)
			return false;
		b = *(*in)++;
		*len += b;
	} while (b == 255);
	return true;
}

/* One block, u->in..end. Matches reach back to base at most. */
static int block(struct unpack *u, const uint8_t *end, const uint8_t *base)
{
	const uint8_t *in = u->in;
	uint8_t *out = u->out;

	for (;;) {
		size_t lit, len, dist;
		uint8_t token;

		if (in == end)
			return unpack_fail(u, truncated);
		token = *in++;
		lit = token >> 4;
		if (lit == 15 && !long_length(&in, end, &lit))
			return unpack_fail(u, truncated);
		if (lit > (size_t)(end - in))
			return unpack_fail(u, truncated);
		if (lit > (size_t)(u->out_end - out))
			return unpack_full(u, too_large);
		copy_literals(out, in, lit, u->out_end, end);
		out += lit;
		in += lit;
		if (in == end) /* the last sequence has no match */
			break;
		if (end - in < 2)
			return unpack_fail(u, truncated);
		dist = get_le16(in);
		in += 2;
		len = token & 15;
		if (len == 15 && !long_length(&in, end, &len))
			return unpack_fail(u, truncated);
		len += 4;
		if (!dist || dist > (size_t)(out - base))
			return unpack_fail(u, "lz4 data refers to what lies before its beginning");
		if (len > (size_t)(u->out_end - out))
			return unpack_full(u, too_large);
		out = copy_match(out, dist, len, u->out_end);
	}
	u->in = in;
	u->out = out;
	return 0;
}

static int legacy_frame(struct unpack *u)
{
	int rc = 0;

	u->in += 4;
	while (!rc && unpack_in_left(u) > 4) {
		uint32_t size = get_le32(u->in);

		/* The next frame, or bytes that somebody appended: in either case not ours. */
		if (size > LEGACY_WORST || !size)
			break;
		u->in += 4;
		if (size > unpack_in_left(u))
			return unpack_fail(u, truncated);
		rc = block(u, u->in + size, u->out);
	}
	return rc;
}

/* Skips the frame's header and checks it; *flg is its flag byte. */
static int frame_header(struct unpack *u, uint8_t *flg)
{
	const uint8_t *h = u->in + 4;
	size_t len;

	if (unpack_in_left(u) < 7)
		return unpack_fail(u, truncated);
	*flg = h[0];
	len = 2 + (*flg & FLG_CONTENT_SIZE ? 8 : 0) + (*flg & FLG_DICT_ID ? 4 : 0);
	if (FLG_VERSION(*flg) != 1)
		return unpack_fail(u, "lz4 frame of an unknown version");
	if (unpack_in_left(u) < 4 + len + 1)
		return unpack_fail(u, truncated);
	if (h[len] != (uint8_t)(xxh32(h, len) >> 8))
		return unpack_fail(u, "lz4 frame header has a wrong checksum");
	if (*flg & FLG_DICT_ID)
		return unpack_fail(u, "lz4 data needs a dictionary");
	u->in = h + len + 1;
	return 0;
}

static int frame_block(struct unpack *u, uint32_t header, const uint8_t *base)
{
	size_t size = header & ~BLOCK_UNCOMPRESSED;

	if (size > unpack_in_left(u))
		return unpack_fail(u, truncated);
	if (!(header & BLOCK_UNCOMPRESSED))
		return block(u, u->in + size, base);
	if (size > unpack_room(u))
		return unpack_full(u, too_large);
	memcpy(u->out, u->in, size);
	u->in += size;
	u->out += size;
	return 0;
}

static int frame(struct unpack *u)
{
	const uint8_t *base = u->out;
	uint8_t flg;
	int rc = frame_header(u, &flg);

	while (!rc) {
		size_t sum = flg & FLG_BLOCK_SUM ? 4 : 0;
		uint32_t header;

		if (unpack_in_left(u) < 4)
			return unpack_fail(u, truncated);
		header = get_le32(u->in);
		u->in += 4;
		if (!header)
			break;
		rc = frame_block(u, header, base);
		if (!rc && unpack_in_left(u) < sum)
			return unpack_fail(u, truncated);
		if (!rc)
			u->in += sum;
	}
	if (rc || !(flg & FLG_CONTENT_SUM))
		return rc;
	if (unpack_in_left(u) < 4)
		return unpack_fail(u, truncated);
	if (get_le32(u->in) != xxh32(base, u->out - base))
		return unpack_fail(u, "lz4 data has a wrong checksum");
	u->in += 4;
	return 0;
}

int unpack_lz4(struct unpack *u)
{
	int rc = 0;

	while (!rc && unpack_in_left(u) >= 4) {
		uint32_t magic = get_le32(u->in);

		if (magic != LEGACY_MAGIC && magic != FRAME_MAGIC)
			break;
		rc = magic == FRAME_MAGIC ? frame(u) : legacy_frame(u);
	}
	return rc;
}

/*
 * What a compressed block of a modern frame holds at most, by its block descriptor: 64 KiB to 4
 * MiB.
 */
static size_t block_max(uint8_t bd)
{
	return (size_t)1 << (8 + 2 * (bd >> 4 & 7));
}

static size_t frame_bound(const uint8_t *in, size_t len)
{
	size_t at = 7 + (in[4] & FLG_DICT_ID ? 4 : 0), sum = in[4] & FLG_BLOCK_SUM ? 4 : 0;
	size_t bound = 0;

	if (in[4] & FLG_CONTENT_SIZE)
		return get_le64(in + 6);
	while (len - at >= 4) {
		uint32_t header = get_le32(in + at), size = header & ~BLOCK_UNCOMPRESSED;

		if (!header)
			return bound;
		if (len - at - 4 < size + sum)
			break;
		at += 4 + size + sum;
		bound += header & BLOCK_UNCOMPRESSED ? size : block_max(in[5]);
	}
	return 0;
}

static size_t legacy_bound(const uint8_t *in, size_t len)
{
	size_t at = 4, bound = 0;

	while (len - at > 4) {
		uint32_t size = get_le32(in + at);

		if (!size || size > LEGACY_WORST || size > len - at - 4)
			break;
		at += 4 + size;
		bound += LEGACY_BLOCK;
	}
	return bound;
}

size_t unpack_lz4_bound(const uint8_t *in, size_t len)
{
	if (len < 4)
		return 0;
	if (get_le32(in) != FRAME_MAGIC)
		return legacy_bound(in, len);
	return len < 15 ? 0 : frame_bound(in, len); /* nothing that holds a byte is shorter */
}
