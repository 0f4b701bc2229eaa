/* SPDX-License-Identifier: MIT */
/*
 * Zstandard (RFC 8878): from the bottom up, backward bit streams and the FSE tables that are used
 * on them; Huffman coded literals; sequences, which are triples of literal length, offset and
 * match length; blocks and frames.
 *
 * The output buffer is the window, whatever size the frame declares. Dictionaries are
 * refused. The content checksum is verified where there is one. Tables are static.
 */
#include "lib/bitops.h"
#include "lib/unpack.h"

#define ZSTD_BLOCK_MAX (128u << 10)

#define BLOCK_RAW	 0
#define BLOCK_RLE	 1
#define BLOCK_COMPRESSED 2

#define LITERALS_RAW	  0
#define LITERALS_RLE	  1
#define LITERALS_TREELESS 3 /* 2: with a Huffman tree, 3: coded by the last one */

#define MODE_PREDEFINED 0
#define MODE_RLE	1
#define MODE_FSE	2
#define MODE_REPEAT	3

/* What sequences consist of, in the order of their tables. */
enum { LITERAL_LENGTH, OFFSET, MATCH_LENGTH, KINDS };

#define FSE_MAX_LOG   9
#define FSE_MAX_CODES 53

#define HUF_MAX_BITS 11

/*
 * One state of a decoding table. The value it stands for is base plus `extra` bits. The next state
 * is next plus `bits` bits.
 */
struct fse_entry {
	uint32_t base;
	uint16_t next;
	uint8_t extra;
	uint8_t bits;
};

struct fse_table {
	bool valid;
	unsigned int log;
	struct fse_entry entry[1 << FSE_MAX_LOG];
};

/* Probabilities, -1 meaning "less than one", of codes 0..count - 1; they fill 1 << log cells. */
struct fse_norm {
	int16_t p[FSE_MAX_CODES];
	unsigned int count;
	unsigned int log;
};

/*
 * What is coded by FSE. Each code stands for 1 << extra values, which begin where those of the code
 * before end.
 */
struct fse_kind {
	uint8_t max_log, codes;
	uint8_t first; /* value of code 0 */
	uint8_t extra[FSE_MAX_CODES];
	struct fse_norm predefined;
};

/* What lives from block to block of a frame, and the current block's literals. */
static struct {
	struct {
		unsigned int bits; /* of the longest code; 0: there is no table yet */
		struct {
			uint8_t symbol, bits;
		} entry[1 << HUF_MAX_BITS];
	} huffman;
	struct fse_table table[KINDS];
	size_t repeat[3]; /* the last three offsets, newest first */
	uint8_t literals[ZSTD_BLOCK_MAX];
} zstd;

static const char bad_literals[] = "zstd data holds damaged literals";
static const char bad_sequences[] = "zstd data holds damaged sequences";
static const char bad_bits[] = "zstd data holds a damaged bit stream";

/* --- Bit streams and FSE tables, 4.1 --- */

/*
 * A backward stream is written from its first byte on and read from its last bit back; a 1 bit
 * marks where it begins. Reading past its start yields garbage but touches no memory outside, and
 * fails at the next refill.
 */
struct backbits {
	const uint8_t *start, *ptr; /* word holds the eight bytes at ptr */
	uint64_t word;
	unsigned int used; /* bits of word consumed, from the top */
};

/* The next len bytes of input as a stream. */
static inline struct backbits bits_open(struct unpack *u, size_t len)
{
	const uint8_t *p = unpack_take(u, len);
	unsigned int n = min(len, (size_t)8);

	unpack_check(u, len && p[len - 1], bad_bits);
	return (struct backbits){
		.start = p,
		.ptr = p + len - n,
		.word = get_le(p + len - n, n),
		.used = 64 - 8 * n + 8 - fls64(p[len - 1]),
	};
}

static always_inline bool bits_overrun(const struct backbits *b)
{
	return b->used > 64;
}

/* Makes at least 57 bits available, where the stream still has them. */
static always_inline void bits_refill(const struct unpack *u, struct backbits *b)
{
	size_t bytes = min((size_t)b->used >> 3, (size_t)(b->ptr - b->start));

	unpack_check(u, !bits_overrun(b), bad_bits);
	if (!bytes) /* a short stream's word is no whole one */
		return;
	b->ptr -= bytes;
	b->used -= 8 * bytes;
	b->word = get_le(b->ptr, 8);
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

/* Every bit must have been read, and none beyond. */
static inline void bits_close(const struct unpack *u, struct backbits *b)
{
	bits_refill(u, b);
	unpack_check(u, b->ptr == b->start && b->used == 64, bad_bits);
}

static always_inline size_t fse_value(const struct fse_entry *e, struct backbits *b)
{
	return e->base + bits_take(b, e->extra);
}

static always_inline unsigned int fse_next(const struct fse_entry *e, struct backbits *b)
{
	return e->next + bits_take(b, e->bits);
}

static void fse_build(struct fse_table *t, const struct fse_norm *norm, const struct fse_kind *kind)
{
	unsigned int size = 1u << norm->log, step = size / 2 + size / 8 + 3, top = size, at = 0;
	uint32_t base[FSE_MAX_CODES], value = kind->first;
	uint16_t next[FSE_MAX_CODES];
	uint8_t code[1 << FSE_MAX_LOG]; /* of each cell: the rare ones at the top ... */

	for (unsigned int c = 0; c < norm->count; value += 1u << kind->extra[c++]) {
		base[c] = value;
		next[c] = norm->p[c] < 0 ? 1 : norm->p[c];
		if (norm->p[c] < 0)
			code[--top] = c;
	}
	for (unsigned int c = 0; c < norm->count; c++) { /* ... the others strewn over the rest */
		for (int i = 0; i < norm->p[c]; i++) {
			code[at] = c;
			do
				at = (at + step) & (size - 1);
			while (at >= top);
		}
	}
	for (unsigned int i = 0; i < size; i++) {
		unsigned int n = next[code[i]]++, bits = norm->log - fls64(n);

		t->entry[i] = (struct fse_entry){base[code[i]], (n << bits) - size,
						 kind->extra[code[i]], bits};
	}
	t->log = norm->log;
	t->valid = true;
}

/* n < 25 bits of a forward stream, lowest first, at bit `at`. */
static unsigned int fore_peek(const uint8_t *in, unsigned int at, unsigned int n)
{
	return get_le(in + at / 8, 4) >> (at & 7) & ((1u << n) - 1);
}

/* A value in 0..max, in as few bits as tell those apart: the low ones save one bit. 4.1.1. */
static unsigned int fore_take(const uint8_t *in, unsigned int *at, unsigned int max)
{
	unsigned int bits = fls64(max) + 1, spare = (1u << bits) - 1 - max;
	unsigned int value = fore_peek(in, *at, bits), low = value & ((1u << (bits - 1)) - 1);

	*at += bits - (low < spare);
	return low < spare ? low : value == low ? value : value - spare;
}

/* Reads a table's description, 4.1.1. */
static void fse_read(struct unpack *u, struct fse_table *t, const struct fse_kind *kind)
{
	uint8_t in[128] = {}; /* longer than any, so that only its end need be compared */
	unsigned int at = 4, left, run;
	struct fse_norm norm = {};

	memcpy(in, u->in, min(unpack_left(u), sizeof(in)));
	norm.log = (in[0] & 15) + 5;
	unpack_check(u, norm.log <= kind->max_log, bad_bits);
	for (left = 1u << norm.log; left;) {
		int p = (int)fore_take(in, &at, left + 1) - 1;

		unpack_check(u, norm.count < kind->codes, bad_bits);
		norm.p[norm.count++] = p;
		left -= p < 0 ? 1 : p;
		/* After a probability of 0, how many more there are, three and another number at most. */
		for (run = p ? 0 : 3; run == 3; at += 2) {
			run = fore_peek(in, at, 2);
			norm.count += run; /* they are 0 */
			unpack_check(u, norm.count <= kind->codes, bad_bits);
		}
	}
	unpack_take(u, (at + 7) / 8);
	fse_build(t, &norm, kind);
}

/* --- Literals, 3.1.1.3.1 and 4.2 --- */

#define WEIGHTS_MAX 255

/*
 * Weights coded by FSE with two states that take turns, 4.2.1.2. The stream's end is where a state
 * would need more bits than are left; the other state then yields the last weight. Returns how
 * many.
 */
static unsigned int decode_weights(struct unpack u, uint8_t *weights)
{
	static const struct fse_kind kind = {.max_log = 6, .codes = HUF_MAX_BITS + 2};
	static struct fse_table t;
	unsigned int state[2], n = 0, turn = 0;
	struct backbits b;

	fse_read(&u, &t, &kind);
	b = bits_open(&u, unpack_left(&u));
	state[0] = bits_take(&b, t.log);
	state[1] = bits_take(&b, t.log);
	for (; !bits_overrun(&b); turn ^= 1) {
		const struct fse_entry *e = &t.entry[state[turn]];

		unpack_check(&u, n < WEIGHTS_MAX - 1, bad_literals);
		weights[n++] = e->base;
		bits_refill(&u, &b);
		state[turn] = fse_next(e, &b);
	}
	weights[n++] = t.entry[state[turn]].base;
	return n;
}

/*
 * 4.2.1: a tree is told by each symbol's weight, two to a byte or FSE coded; that of the last
 * symbol is implied. A symbol of weight w > 0 takes 1 << (w - 1) cells of the table, and codes of
 * bits + 1 - w bits. Cells are given out by ascending weight, symbols ascending within one.
 */
static void huffman_table(struct unpack *u)
{
	uint8_t weights[WEIGHTS_MAX + 1], header = *unpack_take(u, 1);
	unsigned int n = header - 127, sum = 0, left, cell = 0, bits;

	if (header < 128) {
		n = decode_weights(unpack_part(u, header), weights);
	} else {
		const uint8_t *pairs = unpack_take(u, (n + 1) / 2);

		for (unsigned int s = 0; s < n; s++)
			weights[s] = pairs[s / 2] >> (s & 1 ? 0 : 4) & 15;
	}
	for (unsigned int s = 0; s < n; s++)
		sum += (1u << weights[s]) >> 1;
	/* The implied weight fills up to the next power of two and must be a power of two. */
	bits = sum ? fls64(sum) + 1 : 0;
	left = (1u << bits) - sum;
	unpack_check(u, bits && bits <= HUF_MAX_BITS && !(left & (left - 1)), bad_literals);
	weights[n++] = fls64(left) + 1;
	for (unsigned int w = 1; w <= bits; w++) {
		for (unsigned int s = 0; s < n; s++) {
			for (unsigned int i = weights[s] == w ? 1u << (w - 1) : 0; i; i--, cell++) {
				zstd.huffman.entry[cell].symbol = s;
				zstd.huffman.entry[cell].bits = bits + 1 - w;
			}
		}
	}
	zstd.huffman.bits = bits;
}

static always_inline uint8_t huffman_symbol(struct backbits *b)
{
	unsigned int cell = bits_peek(b, zstd.huffman.bits);

	b->used += zstd.huffman.entry[cell].bits;
	return zstd.huffman.entry[cell].symbol;
}

/* Decodes exactly n literals from a stream of `packed` bytes. */
static void huffman_stream(struct unpack *u, size_t packed, uint8_t *out, size_t n)
{
	struct backbits b = bits_open(u, packed);
	uint8_t *end = out + n;

	/* Five codes of 11 bits fit what a refill guarantees. */
	for (; end - out >= 5; out += 5) {
		bits_refill(u, &b);
		out[0] = huffman_symbol(&b);
		out[1] = huffman_symbol(&b);
		out[2] = huffman_symbol(&b);
		out[3] = huffman_symbol(&b);
		out[4] = huffman_symbol(&b);
	}
	bits_refill(u, &b);
	while (out < end)
		*out++ = huffman_symbol(&b);
	bits_close(u, &b);
}

/* One stream, or four of which the first three have their sizes before them. */
static void huffman_literals(struct unpack u, unsigned int streams, size_t n)
{
	size_t part = streams == 1 ? n : (n + 3) / 4;
	const uint8_t *sizes = unpack_take(&u, 2 * (streams - 1));
	uint8_t *out = zstd.literals;

	unpack_check(&u, zstd.huffman.bits && n >= (streams - 1) * part, bad_literals);
	for (; streams > 1; streams--, sizes += 2, out += part, n -= part)
		huffman_stream(&u, get_le(sizes, 2), out, part);
	huffman_stream(&u, unpack_left(&u), out, n);
}

/* Reads the literals section; the literals themselves become the input of *lit. */
static void read_literals(struct unpack *u, struct unpack *lit)
{
	static const uint8_t plain_bytes[4] = {1, 2, 1, 3}, plain_shift[4] = {3, 4, 3, 4};
	static const uint8_t coded_bytes[4] = {3, 3, 4, 5}, coded_bits[4] = {10, 10, 14, 18};
	const uint8_t *h = unpack_take(u, 1);
	unsigned int type = *h & 3, format = *h >> 2 & 3;
	struct unpack part;
	uint64_t v;
	size_t n;

	lit->in = zstd.literals;
	if (type <= LITERALS_RLE) {
		unpack_take(u, plain_bytes[format] - 1);
		n = get_le(h, plain_bytes[format]) >> plain_shift[format];
		unpack_check(u, n <= ZSTD_BLOCK_MAX, bad_literals);
		if (type == LITERALS_RAW)
			lit->in = unpack_take(u, n);
		else
			memset(zstd.literals, *unpack_take(u, 1), n);
	} else {
		unpack_take(u, coded_bytes[format] - 1);
		v = get_le(h, coded_bytes[format]) >> 4;
		n = v & ((1u << coded_bits[format]) - 1);
		unpack_check(u, n <= ZSTD_BLOCK_MAX, bad_literals);
		part = unpack_part(u, v >> coded_bits[format]);
		if (type != LITERALS_TREELESS)
			huffman_table(&part);
		huffman_literals(part, format ? 4 : 1, n);
	}
	lit->in_end = lit->in + n;
}

/* --- Sequences, 3.1.1.3.2 --- */

/* Tables 15 to 17 and the predefined distributions, 3.1.1.3.2.2. */
static const struct fse_kind kinds[KINDS] =
	{
		[LITERAL_LENGTH] =
			{
				.max_log = 9,
				.codes = 36,
				.extra = {[16] = 1, 1, 1, 1,  2,  2,  3,  3,  4,  6,
					  7,	    8, 9, 10, 11, 12, 13, 14, 15, 16},
				.predefined = {.p = {4, 3, [2 ... 12] = 2, 1, 1, 1, [16 ... 24] = 2,
						     3, 2, [27 ... 31] = 1, [32 ... 35] = -1},
					       .count = 36,
					       .log = 6},
			},
		[OFFSET] =
			{
				.max_log = 8,
				.codes = 32,
				.first = 1,
				.extra = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
					  11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
					  22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
				.predefined =
					{.p = {[0 ... 5] = 1, 2, 2, 2, [9 ... 23] = 1, [24 ... 28] = -1},
					 .count = 29,
					 .log =
						 5},
			},
		[MATCH_LENGTH] =
			{
				.max_log = 9,
				.codes = 53,
				.first = 3,
				.extra = {[32] = 1, 1, 1, 1,  2,  2,  3,  3,  4,  4, 5,
					  7,	    8, 9, 10, 11, 12, 13, 14, 15, 16},
				.predefined = {.p = {1, 4, 3, [3 ... 8] = 2, [9 ... 45] = 1,
						     [46 ... 52] = -1},
					       .count = 53,
					       .log = 6},
			},
};

/* 3.1.1.3.2.1: one table, as the block's mode says. */
static void read_table(struct unpack *u, unsigned int kind, unsigned int mode)
{
	const struct fse_kind *k = &kinds[kind];
	struct fse_table *t = &zstd.table[kind];
	struct fse_norm single = {};
	unsigned int code;

	switch (mode) {
	case MODE_PREDEFINED:
		fse_build(t, &k->predefined, k);
		break;
	case MODE_RLE:
		code = *unpack_take(u, 1);
		unpack_check(u, code < k->codes, bad_sequences);
		single.p[code] = 1;
		single.count = code + 1;
		fse_build(t, &single, k);
		break;
	case MODE_FSE:
		fse_read(u, t, k);
		break;
	default:
		unpack_check(u, t->valid, bad_sequences);
	}
}

/* 3.1.1.5: values 1 to 3 name one of the last offsets, and mean something else without literals. */
static always_inline size_t resolve_offset(size_t *repeat, size_t value, bool no_literals)
{
	unsigned int i = value > 3 ? 3 : value - 1 + no_literals;
	size_t offset = value > 3 ? value - 3 : i == 3 ? repeat[0] - 1 : repeat[i];

	if (i > 1)
		repeat[2] = repeat[1];
	if (i > 0)
		repeat[1] = repeat[0];
	return repeat[0] = offset;
}

/*
 * Executes `count` sequences: copies literals from the input of *out, and matches. Bits come in the
 * order offset, match length, literal length, then the states' updates in the order literal length,
 * match length, offset: at most 31 + 16 + 16 and 9 + 9 + 8, hence a refill before each of the
 * groups that fit.
 */
static void run_sequences(struct unpack *u, struct unpack *out, unsigned int count)
{
	const struct fse_table *t = zstd.table;
	struct backbits b = bits_open(u, unpack_left(u));
	unsigned int ll = bits_take(&b, t[LITERAL_LENGTH].log);
	unsigned int of = bits_take(&b, t[OFFSET].log);
	unsigned int ml = bits_take(&b, t[MATCH_LENGTH].log);
	struct unpack s = *out;

	for (;;) {
		const struct fse_entry *literals = &t[LITERAL_LENGTH].entry[ll];
		const struct fse_entry *offset = &t[OFFSET].entry[of];
		const struct fse_entry *match = &t[MATCH_LENGTH].entry[ml];
		size_t of_value, ml_value, ll_value;

		bits_refill(&s, &b);
		of_value = fse_value(offset, &b);
		ml_value = fse_value(match, &b);
		bits_refill(&s, &b);
		ll_value = fse_value(literals, &b);
		unpack_copy(&s, ll_value);
		unpack_match(&s, resolve_offset(zstd.repeat, of_value, !ll_value), ml_value);
		if (!--count)
			break;
		ll = fse_next(literals, &b);
		ml = fse_next(match, &b);
		of = fse_next(offset, &b);
	}
	bits_close(&s, &b);
	*out = s;
}

static void read_sequences(struct unpack *u, struct unpack *out)
{
	unsigned int count = *unpack_take(u, 1), modes;

	if (count == 255)
		count = get_le(unpack_take(u, 2), 2) + 0x7f00;
	else if (count >= 128)
		count = (count - 128) << 8 | *unpack_take(u, 1);
	if (count) {
		modes = *unpack_take(u, 1);
		unpack_check(u, !(modes & 3), bad_sequences);
		for (unsigned int kind = 0; kind < KINDS; kind++, modes <<= 2)
			read_table(u, kind, modes >> 6 & 3);
		run_sequences(u, out, count);
	}
	unpack_check(u, !unpack_left(u), bad_sequences);
}

/* --- Blocks and frames, 3.1.1 --- */

struct frame {
	bool checksum, has_size;
	uint64_t size; /* of the content */
};

struct block {
	bool last;
	unsigned int type;
	size_t size;
};

/* 3.1.1.1, from the magic number on */
static struct frame frame_header(struct unpack *u)
{
	static const uint8_t dict_bytes[4] = {0, 1, 2, 4}, size_bytes[4] = {0, 2, 4, 8};
	uint8_t flags = unpack_take(u, 5)[4];
	unsigned int dict = dict_bytes[flags & 3], bytes = size_bytes[flags >> 6];
	struct frame f;

	if (!(flags & 0x20))
		unpack_take(u, 1); /* the window's size */
	else if (!bytes)
		bytes = 1;
	unpack_check(u, !get_le(unpack_take(u, dict), dict), "zstd data needs a dictionary");
	f.checksum = flags & 4;
	f.has_size = bytes;
	f.size = get_le(unpack_take(u, bytes), bytes) + (bytes == 2 ? 256 : 0);
	return f;
}

static struct block block_header(struct unpack *u)
{
	uint32_t h = get_le(unpack_take(u, 3), 3);

	return (struct block){.last = h & 1, .type = h >> 1 & 3, .size = h >> 3};
}

static void compressed_block(struct unpack *u, size_t size)
{
	struct unpack block = unpack_part(u, size), out = block;

	unpack_check(u, size <= ZSTD_BLOCK_MAX, "zstd data holds a block that is too large");
	read_literals(&block, &out);
	read_sequences(&block, &out);
	unpack_copy(&out, unpack_left(&out)); /* the literals behind the last match */
	u->out = out.out;
}

void unpack_zstd(struct unpack *u)
{
	struct frame f = frame_header(u);
	struct block b;

	memset(&zstd, 0, sizeof(zstd));
	zstd.repeat[0] = 1;
	zstd.repeat[1] = 4;
	zstd.repeat[2] = 8;
	do {
		b = block_header(u);
		if (b.type == BLOCK_RAW)
			unpack_copy(u, b.size);
		else if (b.type == BLOCK_RLE)
			memset(unpack_room(u, b.size), *unpack_take(u, 1), b.size);
		else if (b.type == BLOCK_COMPRESSED)
			compressed_block(u, b.size);
		else
			unpack_check(u, false, "zstd data holds a block of unknown type");
	} while (!b.last);
	unpack_check(u, !f.has_size || f.size == (uint64_t)(u->out - u->base),
		     "zstd data has a size other than its header says");
	if (f.checksum)
		unpack_check(u,
			     get_le(unpack_take(u, 4), 4) ==
				     (uint32_t)xxh64(u->base, u->out - u->base),
			     "zstd data has a wrong checksum");
}

/* The content's size, or else what the blocks could hold at most. */
uint64_t unpack_zstd_bound(struct unpack *u)
{
	struct frame f = frame_header(u);
	struct block b = {};

	while (!f.has_size && !b.last) {
		b = block_header(u);
		unpack_take(u, b.type == BLOCK_RLE ? 1 : b.size);
		f.size += b.type == BLOCK_COMPRESSED ? ZSTD_BLOCK_MAX : b.size;
	}
	return f.size;
}
