/* SPDX-License-Identifier: MIT */
/*
 * Zstandard's backward bit streams and its FSE tables (RFC 8878, 4.1). Private to lib/unzstd*.c.
 *
 * A backward stream is written from its first byte on and read from its last bit back; a 1 bit
 * marks where it begins. Reading past its start yields garbage but touches no memory outside;
 * bits_overrun() tells, and callers ask before they trust what they decoded.
 */
#ifndef LIB_ZSTD_BITS_H
#define LIB_ZSTD_BITS_H

#include "lib/bitops.h"
#include "lib/unpack.h"

struct backbits {
	const uint8_t *start, *ptr; /* word holds the eight bytes at ptr */
	uint64_t word;
	unsigned int used; /* bits of word consumed, from the top */
};

/* False for an empty stream or one without its mark. */
static inline bool bits_open(struct backbits *b, const uint8_t *data, size_t len)
{
	if (!len || !data[len - 1])
		return false;
	b->start = data;
	b->used = 8 - fls64(data[len - 1]);
	if (len >= 8) {
		b->ptr = data + len - 8;
		b->word = get_le64(b->ptr);
		return true;
	}
	b->ptr = data;
	b->word = 0;
	for (size_t i = 0; i < len; i++)
		b->word |= (uint64_t)data[i] << 8 * i;
	b->used += 8 * (8 - len);
	return true;
}

/* Makes at least 57 bits available, where the stream still has them. */
static always_inline void bits_refill(struct backbits *b)
{
	size_t bytes = b->used >> 3;

	if (unlikely(b->used > 64))
		return;
	if (bytes > (size_t)(b->ptr - b->start))
		bytes = b->ptr - b->start;
	if (!bytes)
		return;
	b->ptr -= bytes;
	b->used -= 8 * bytes;
	b->word = get_le64(b->ptr);
}

/* The next n < 58 bits; the masked shift keeps an overrun stream harmless. */
static always_inline uint64_t bits_peek(const struct backbits *b, unsigned int n)
{
	return b->word << (b->used & 63) >> 1 >> (63 - n);
}

static always_inline uint64_t bits_take(struct backbits *b, unsigned int n)
{
	uint64_t v = bits_peek(b, n);

	b->used += n;
	return v;
}

static inline bool bits_overrun(const struct backbits *b)
{
	return b->used > 64;
}

/* Every bit has been read and none beyond. */
static inline bool bits_done(const struct backbits *b)
{
	return b->ptr == b->start && b->used == 64;
}

/*
 * One state of a decoding table. base and extra are set for sequence codes only: the value is
 * base plus `extra` bits. The next state is next plus `bits` bits.
 */
struct fse_entry {
	uint32_t base;
	uint16_t next;
	uint8_t extra;
	uint8_t bits;
};

#define FSE_MAX_LOG	9
#define FSE_MAX_SYMBOLS 53

struct fse_table {
	unsigned int log;
	struct fse_entry entry[1 << FSE_MAX_LOG];
	uint8_t symbol[1 << FSE_MAX_LOG];
};

/* Probabilities, -1 meaning "less than one", of symbols 0..count - 1; they fill 1 << log cells. */
struct fse_norm {
	int16_t p[FSE_MAX_SYMBOLS];
	unsigned int count;
	unsigned int log;
};

void fse_build(struct fse_table *t, const struct fse_norm *norm);

/*
 * Reads a table description, 4.1.1, from *in on, and advances it. At most max_count symbols and 1
 * << max_log cells. False when it is malformed.
 */
bool fse_read_norm(const uint8_t **in, const uint8_t *end, struct fse_norm *norm,
		   unsigned int max_count, unsigned int max_log);

/* Huffman coded literals, 4.2. */

#define HUF_MAX_BITS 11

struct huf_table {
	unsigned int bits; /* of the longest code; 0: there is no table yet */
	struct {
		uint8_t symbol, bits;
	} entry[1 << HUF_MAX_BITS];
};

/* Reads a tree description from *in on and advances it. False when it is malformed. */
bool huf_read_table(struct huf_table *t, const uint8_t **in, const uint8_t *end);

/* Decodes exactly `len` literals from one stream, or from four with their jump table. */
bool huf_decode_1(const struct huf_table *t, const uint8_t *in, size_t in_len, uint8_t *out,
		  size_t len);
bool huf_decode_4(const struct huf_table *t, const uint8_t *in, size_t in_len, uint8_t *out,
		  size_t len);

#endif /* LIB_ZSTD_BITS_H */
