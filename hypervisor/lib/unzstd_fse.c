/* SPDX-License-Identifier: MIT */
/*
 * Zstandard's entropy tables: FSE table descriptions and decoding tables (RFC 8878, 4.1), and the
 * Huffman trees and streams of literals (4.2). Nothing here knows blocks or frames.
 */
#include "lib/zstd_bits.h"

/*
 * --- FSE
 * ----------------------------------------------------------------------------------------
 */

/* A forward bit stream, lowest bit first. Past the end it reads zeros; `at` tells. */
struct forebits {
	const uint8_t *in;
	size_t len;
	size_t at; /* next bit */
};

static unsigned int fore_peek(const struct forebits *b, unsigned int n)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < 4; i++) {
		size_t byte = b->at / 8 + i;

		if (byte < b->len)
			v |= (uint32_t)b->in[byte] << 8 * i;
	}
	return v >> (b->at & 7) & ((1u << n) - 1);
}

static unsigned int fore_take(struct forebits *b, unsigned int n)
{
	unsigned int v = fore_peek(b, n);

	b->at += n;
	return v;
}

/*
 * A value in 0..remaining + 1, in as few bits as tell those apart: the low ones save one bit.
 * 4.1.1.
 */
static unsigned int read_probability(struct forebits *b, unsigned int remaining)
{
	unsigned int bits = fls64(remaining + 1) + 1;
	unsigned int short_ones = (1u << bits) - 1 - (remaining + 1);
	unsigned int value = fore_peek(b, bits), low = value & ((1u << (bits - 1)) - 1);

	if (low < short_ones) {
		b->at += bits - 1;
		return low;
	}
	b->at += bits;
	return value < 1u << (bits - 1) ? value : value - short_ones;
}

bool fse_read_norm(const uint8_t **in, const uint8_t *end, struct fse_norm *norm,
		   unsigned int max_count, unsigned int max_log)
{
	struct forebits b = {.in = *in, .len = end - *in};
	unsigned int remaining;

	norm->log = fore_take(&b, 4) + 5;
	if (norm->log > max_log)
		return false;
	remaining = 1u << norm->log;
	norm->count = 0;
	while (remaining && norm->count < max_count) {
		int p = (int)read_probability(&b, remaining) - 1;

		norm->p[norm->count++] = p;
		remaining -= p < 0 ? 1 : p;
		/* After a probability of 0, runs of further zeros, three to a group. */
		for (unsigned int run = p ? 0 : 3; run == 3;) {
			run = fore_take(&b, 2);
			if (run > max_count - norm->count)
				return false;
			for (unsigned int i = 0; i < run; i++)
				norm->p[norm->count++] = 0;
		}
	}
	*in += (b.at + 7) / 8;
	return !remaining && b.at <= 8 * b.len;
}

/* Gives each cell its symbol: the rare ones at the top, the others strewn over the rest. */
static void spread_symbols(struct fse_table *t, const struct fse_norm *norm)
{
	unsigned int size = 1u << norm->log, mask = size - 1;
	unsigned int step = (size >> 1) + (size >> 3) + 3, top = size, at = 0;

	for (unsigned int s = 0; s < norm->count; s++) {
		if (norm->p[s] == -1)
			t->symbol[--top] = s;
	}
	for (unsigned int s = 0; s < norm->count; s++) {
		for (int i = 0; i < norm->p[s]; i++) {
			t->symbol[at] = s;
			do
				at = (at + step) & mask;
			while (at >= top);
		}
	}
}

void fse_build(struct fse_table *t, const struct fse_norm *norm)
{
	unsigned int size = 1u << norm->log;
	uint16_t next[FSE_MAX_SYMBOLS];

	t->log = norm->log;
	spread_symbols(t, norm);
	for (unsigned int s = 0; s < norm->count; s++)
		next[s] = norm->p[s] < 0 ? 1 : norm->p[s];
	for (unsigned int i = 0; i < size; i++) {
		unsigned int state = next[t->symbol[i]]++;
		unsigned int bits = norm->log - fls64(state);

		t->entry[i].bits = bits;
		t->entry[i].next = (state << bits) - size;
	}
}

/*
 * --- Huffman
 * ------------------------------------------------------------------------------------
 */

#define WEIGHTS_MAX_LOG 6
#define WEIGHTS_MAX	255
#define WEIGHT_LIMIT	(HUF_MAX_BITS + 1)

static struct fse_table weights_table;

/*
 * Weights coded by FSE with two states that take turns, 4.2.1.2. The stream's end is where a state
 * would need more bits than are left; the other state then yields the last symbol.
 */
static int decode_weights(const uint8_t *in, size_t len, uint8_t *weights)
{
	const struct fse_table *t = &weights_table;
	const uint8_t *end = in + len;
	struct fse_norm norm;
	struct backbits b;
	unsigned int state[2];
	int n = 0;

	if (!fse_read_norm(&in, end, &norm, WEIGHT_LIMIT + 1, WEIGHTS_MAX_LOG))
		return -1;
	fse_build(&weights_table, &norm);
	if (!bits_open(&b, in, end - in))
		return -1;
	state[0] = bits_take(&b, t->log);
	state[1] = bits_take(&b, t->log);
	for (int turn = 0; !bits_overrun(&b); turn ^= 1) {
		const struct fse_entry *e = &t->entry[state[turn]];

		if (n >= WEIGHTS_MAX - 1)
			return -1;
		weights[n++] = t->symbol[state[turn]];
		bits_refill(&b);
		state[turn] = e->next + bits_take(&b, e->bits);
		if (bits_overrun(&b))
			weights[n++] = t->symbol[state[turn ^ 1]];
	}
	return n;
}

/*
 * 4.2.1: the weights as written, two to a byte or FSE coded. The last one is implied. -1:
 * malformed.
 */
static int read_weights(const uint8_t **in, const uint8_t *end, uint8_t *weights)
{
	unsigned int header, bytes;
	int n;

	if (*in == end)
		return -1;
	header = *(*in)++;
	n = (int)header - 127;
	bytes = header < 128 ? header : (n + 1) / 2;
	if (bytes > (size_t)(end - *in))
		return -1;
	if (header < 128) {
		n = decode_weights(*in, bytes, weights);
	} else {
		for (int i = 0; i < n; i++)
			weights[i] = (*in)[i / 2] >> (i & 1 ? 0 : 4) & 15;
	}
	*in += bytes;
	return n;
}

/*
 * A symbol of weight w takes 1 << (w - 1) cells, and codes of bits + 1 - w bits. Cells are given
 * out by ascending weight, symbols ascending within one.
 */
static void fill_table(struct huf_table *t, const uint8_t *weights, unsigned int n)
{
	unsigned int cell = 0;

	for (unsigned int w = 1; w <= t->bits; w++) {
		for (unsigned int s = 0; s < n; s++) {
			if (weights[s] != w)
				continue;
			for (unsigned int i = 0; i < 1u << (w - 1); i++, cell++) {
				t->entry[cell].symbol = s;
				t->entry[cell].bits = t->bits + 1 - w;
			}
		}
	}
}

bool huf_read_table(struct huf_table *t, const uint8_t **in, const uint8_t *end)
{
	uint8_t weights[WEIGHTS_MAX + 1];
	unsigned int sum = 0, left;
	int n = read_weights(in, end, weights);

	t->bits = 0;
	for (int i = 0; i < n; i++) {
		if (weights[i] > WEIGHT_LIMIT)
			return false;
		sum += weights[i] ? 1u << (weights[i] - 1) : 0;
	}
	if (n < 1 || !sum || fls64(sum) >= HUF_MAX_BITS)
		return false;
	/* The implied weight fills up to the next power of two and must be a power of two. */
	left = (2u << fls64(sum)) - sum;
	if (left & (left - 1))
		return false;
	weights[n++] = fls64(left) + 1;
	t->bits = fls64(sum) + 1;
	fill_table(t, weights, n);
	return true;
}

static always_inline uint8_t huf_symbol(const struct huf_table *t, struct backbits *b)
{
	unsigned int cell = bits_peek(b, t->bits);

	b->used += t->entry[cell].bits;
	return t->entry[cell].symbol;
}

bool huf_decode_1(const struct huf_table *t, const uint8_t *in, size_t in_len, uint8_t *out,
		  size_t len)
{
	uint8_t *end = out + len;
	struct backbits b;

	if (!bits_open(&b, in, in_len))
		return false;
	/* Five codes of 11 bits fit what a refill guarantees. */
	for (; end - out >= 5 && !bits_overrun(&b); out += 5) {
		bits_refill(&b);
		out[0] = huf_symbol(t, &b);
		out[1] = huf_symbol(t, &b);
		out[2] = huf_symbol(t, &b);
		out[3] = huf_symbol(t, &b);
		out[4] = huf_symbol(t, &b);
	}
	for (; out < end && !bits_overrun(&b); out++) {
		bits_refill(&b);
		*out = huf_symbol(t, &b);
	}
	bits_refill(&b);
	return out == end && bits_done(&b);
}

bool huf_decode_4(const struct huf_table *t, const uint8_t *in, size_t in_len, uint8_t *out,
		  size_t len)
{
	size_t part = (len + 3) / 4, at = 6;

	if (in_len < 6 || len < 3 * part)
		return false;
	for (unsigned int i = 0; i < 4; i++) {
		size_t size = i < 3 ? get_le16(in + 2 * i) : in_len - at;

		if (size > in_len - at ||
		    !huf_decode_1(t, in + at, size, out + i * part, i < 3 ? part : len - 3 * part))
			return false;
		at += size;
	}
	return true;
}
