/* SPDX-License-Identifier: MIT */
/*
 * Zstandard (RFC 8878): frames and blocks. The entropy coding is in unzstd_fse.c, the sequences in
 * unzstd_seq.c.
 *
 * The output buffer is the window, whatever size the frame declares. Dictionaries are
 * refused. The content checksum is verified where there is one. Tables are static.
 */
#include "lib/unzstd.h"
#include "lib/xxhash.h"

#define ZSTD_MAGIC     0xfd2fb528u
#define SKIPPABLE      0x184d2a50u
#define SKIPPABLE_MASK 0xfffffff0u

#define BLOCK_RAW	 0
#define BLOCK_RLE	 1
#define BLOCK_COMPRESSED 2

#define LITERALS_RAW	    0
#define LITERALS_RLE	    1
#define LITERALS_COMPRESSED 2
#define LITERALS_TREELESS   3

struct frame_header {
	size_t size; /* of the header */
	bool checksum, dictionary, has_content_size;
	uint64_t content_size;
};

static struct zstd_state state;

static const char truncated[] = "zstd data ends too early";
static const char too_large[] = "zstd data is larger than the size it was said to have";

/* Reads `bytes` (0 to 8) little-endian bytes. */
static uint64_t get_le(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

/* 3.1.1.1. in stands at the magic number. False when there is too little of it. */
static bool read_header(const uint8_t *in, size_t len, struct frame_header *h)
{
	static const uint8_t dict_bytes[4] = {0, 1, 2, 4}, size_bytes[4] = {0, 2, 4, 8};
	unsigned int flags, single, dict, content, at = 5;

	if (len < 5)
		return false;
	flags = in[4];
	single = flags >> 5 & 1;
	dict = dict_bytes[flags & 3];
	content = size_bytes[flags >> 6];
	if (single && !content)
		content = 1;
	h->size = 5 + !single + dict + content;
	if (len < h->size)
		return false;
	at += !single;
	h->checksum = flags & 4;
	h->dictionary = get_le(in + at, dict) != 0;
	at += dict;
	h->has_content_size = content;
	h->content_size = get_le(in + at, content) + (content == 2 ? 256 : 0);
	return true;
}

/*
 * --- Literals section, 3.1.1.3.1
 * ------------------------------------------------------------------
 */

struct literals_header {
	unsigned int type, streams;
	size_t size, packed; /* bytes once decoded, and in the block */
};

static bool read_literals_header(const uint8_t **in, const uint8_t *end, struct literals_header *h)
{
	unsigned int format, bytes;
	uint64_t v;

	if (*in == end)
		return false;
	h->type = **in & 3;
	format = **in >> 2 & 3;
	if (h->type < LITERALS_COMPRESSED)
		bytes = format == 1 ? 2 : format == 3 ? 3 : 1;
	else
		bytes = format < 2 ? 3 : format + 2;
	if (bytes > (size_t)(end - *in))
		return false;
	v = get_le(*in, bytes);
	*in += bytes;
	h->streams = format ? 4 : 1;
	if (h->type < LITERALS_COMPRESSED) {
		h->size = v >> (bytes == 1 ? 3 : 4);
		h->packed = h->type == LITERALS_RAW ? h->size : 1;
	} else {
		unsigned int bits = format < 2 ? 10 : format == 2 ? 14 : 18;

		h->size = v >> 4 & ((1u << bits) - 1);
		h->packed = v >> (4 + bits);
	}
	return h->size <= ZSTD_BLOCK_MAX && h->packed <= (size_t)(end - *in);
}

static bool huffman_literals(const struct literals_header *h, const uint8_t *in, const uint8_t *end)
{
	struct huf_table *t = &state.huffman;

	if (h->type == LITERALS_COMPRESSED && !huf_read_table(t, &in, end))
		return false;
	if (!t->bits)
		return false;
	return (h->streams == 4 ? huf_decode_4 : huf_decode_1)(t, in, end - in, state.literals,
							       h->size);
}

/* Leaves the literals in *lit, which points into the input where they are stored plainly. */
static bool read_literals(const uint8_t **in, const uint8_t *end, struct zstd_literals *lit)
{
	struct literals_header h;

	if (!read_literals_header(in, end, &h))
		return false;
	lit->p = state.literals;
	lit->end = lit->p + h.size;
	if (h.type == LITERALS_RAW) {
		lit->p = *in;
		lit->end = *in + h.size;
	} else if (h.type == LITERALS_RLE) {
		memset(state.literals, **in, h.size);
	} else if (!huffman_literals(&h, *in, *in + h.packed)) {
		return false;
	}
	*in += h.packed;
	return true;
}

/*
 * --- Blocks and frames
 * --------------------------------------------------------------------------
 */

static int compressed_block(struct unpack *u, size_t size, const uint8_t *base)
{
	const uint8_t *in = u->in, *end = in + size;
	struct zstd_literals lit;

	if (size > ZSTD_BLOCK_MAX)
		return unpack_fail(u, "zstd data holds a block that is too large");
	if (!read_literals(&in, end, &lit))
		return unpack_fail(u, "zstd data holds damaged literals");
	u->in = end;
	return zstd_sequences(u, &state, in, end, &lit, base);
}

static int plain_block(struct unpack *u, unsigned int type, size_t size)
{
	size_t packed = type == BLOCK_RAW ? size : 1;

	if (packed > unpack_in_left(u))
		return unpack_fail(u, truncated);
	if (size > unpack_room(u))
		return unpack_full(u, too_large);
	if (type == BLOCK_RAW)
		memcpy(u->out, u->in, size);
	else
		memset(u->out, *u->in, size);
	u->in += packed;
	u->out += size;
	return 0;
}

/* 3.1.1.2: blocks up to the one marked as the last. */
static int frame_blocks(struct unpack *u, const uint8_t *base)
{
	uint32_t header;
	int rc;

	do {
		size_t size;

		if (unpack_in_left(u) < 3)
			return unpack_fail(u, truncated);
		header = get_le(u->in, 3);
		size = header >> 3;
		u->in += 3;
		switch (header >> 1 & 3) {
		case BLOCK_RAW:
		case BLOCK_RLE:
			rc = plain_block(u, header >> 1 & 3, size);
			break;
		case BLOCK_COMPRESSED:
			if (size > unpack_in_left(u))
				return unpack_fail(u, truncated);
			rc = compressed_block(u, size, base);
			break;
		default:
			return unpack_fail(u, "zstd data holds a block of unknown type");
		}
	} while (!rc && !(header & 1));
	return rc;
}

static int frame(struct unpack *u)
{
	const uint8_t *base = u->out;
	struct frame_header h;
	int rc;

	if (!read_header(u->in, unpack_in_left(u), &h))
		return unpack_fail(u, truncated);
	if (h.dictionary)
		return unpack_fail(u, "zstd data needs a dictionary");
	u->in += h.size;
	zstd_reset(&state);
	rc = frame_blocks(u, base);
	if (rc)
		return rc;
	if (h.has_content_size && h.content_size != (uint64_t)(u->out - base))
		return unpack_fail(u, "zstd data has a size other than its header says");
	if (!h.checksum)
		return 0;
	if (unpack_in_left(u) < 4)
		return unpack_fail(u, truncated);
	if (get_le32(u->in) != (uint32_t)xxh64(base, u->out - base))
		return unpack_fail(u, "zstd data has a wrong checksum");
	u->in += 4;
	return 0;
}

int unpack_zstd(struct unpack *u)
{
	int rc = 0;

	while (!rc && unpack_in_left(u) >= 4) {
		uint32_t magic = get_le32(u->in);

		if (magic == ZSTD_MAGIC) {
			rc = frame(u);
		} else if ((magic & SKIPPABLE_MASK) == SKIPPABLE && unpack_in_left(u) >= 8) {
			size_t size = get_le32(u->in + 4);

			if (size > unpack_in_left(u) - 8)
				return unpack_fail(u, truncated);
			u->in += 8 + size;
		} else {
			break;
		}
	}
	return rc;
}

/* The first frame's content size, or else what its blocks could hold at most. */
size_t unpack_zstd_bound(const uint8_t *in, size_t len)
{
	struct frame_header h;
	size_t at, bound = 0;
	uint32_t header;

	if (!read_header(in, len, &h))
		return 0;
	if (h.has_content_size)
		return h.content_size;
	at = h.size;
	do {
		unsigned int type;
		size_t size;

		if (len - at < 3)
			return 0;
		header = get_le(in + at, 3);
		size = header >> 3;
		type = header >> 1 & 3;
		at += 3;
		bound += type == BLOCK_COMPRESSED ? ZSTD_BLOCK_MAX : size;
		if (len - at < (type == BLOCK_RLE ? 1 : size))
			return 0;
		at += type == BLOCK_RLE ? 1 : size;
	} while (!(header & 1));
	return bound;
}
