/* SPDX-License-Identifier: MIT */
/*
 * Zstandard's sequences (RFC 8878, 3.1.1.3.2): triples of literal length, offset and match
 * length, each coded by an FSE table, and their execution.
 *
 * When a table is set up, every state gets its code's base value and number of extra bits, so
 * that the loop over sequences does one look-up for each of the three.
 */
#include "lib/unzstd.h"

#define MODE_PREDEFINED 0
#define MODE_RLE	1
#define MODE_FSE	2
#define MODE_REPEAT	3

#define OFFSET_CODES  32
#define LITERAL_CODES 36
#define MATCH_CODES   53

static const char damaged[] = "zstd data holds damaged sequences";
static const char too_large[] = "zstd data is larger than the size it was said to have";

/* Tables 15 and 17. Codes below 16 and 32 stand for themselves (plus 3 for matches). */
static const uint32_t literal_base[LITERAL_CODES - 16] = {
	16,  18,  20,  22,   24,   28,	 32,   40,    48,    64,
	128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};
static const uint8_t literal_extra[LITERAL_CODES - 16] = {1, 1, 1, 1,  2,  2,  3,  3,  4,  6,
							  7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint32_t match_base[MATCH_CODES - 32] = {35,   37,	  39,	41,   43,    47,    51,
						      59,   67,	  83,	99,   131,   259,   515,
						      1027, 2051, 4099, 8195, 16387, 32771, 65539};
static const uint8_t match_extra[MATCH_CODES - 32] = {1, 1, 1, 1,  2,  2,  3,  3,  4,  4, 5,
						      7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* 3.1.1.3.2.2: the predefined distributions. */
static const struct fse_norm predefined[ZSTD_CODES] = {
	[ZSTD_LITERAL_LENGTH] = {{4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,	1,  2,	2,
				  2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1},
				 36,
				 6},
	[ZSTD_OFFSET] = {{1, 1, 1, 1, 1, 1, 2, 2, 2, 1,	 1,  1,	 1,  1, 1,
			  1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1},
			 29,
			 5},
	[ZSTD_MATCH_LENGTH] = {{1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1,  1,  1,  1,  1,  1,  1, 1,
				1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1,
				1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1},
			       53,
			       6},
};

static const struct {
	uint8_t codes, max_log;
} limits[ZSTD_CODES] = {
	[ZSTD_LITERAL_LENGTH] = {LITERAL_CODES, 9},
	[ZSTD_OFFSET] = {OFFSET_CODES, 8},
	[ZSTD_MATCH_LENGTH] = {MATCH_CODES, 9},
};

void zstd_reset(struct zstd_state *z)
{
	z->huffman.bits = 0;
	memset(z->table_valid, 0, sizeof(z->table_valid));
	z->repeat[0] = 1;
	z->repeat[1] = 4;
	z->repeat[2] = 8;
}

static void set_value(struct fse_entry *e, enum zstd_code kind, unsigned int code)
{
	switch (kind) {
	case ZSTD_OFFSET:
		e->base = 1u << code;
		e->extra = code;
		break;
	case ZSTD_LITERAL_LENGTH:
		e->base = code < 16 ? code : literal_base[code - 16];
		e->extra = code < 16 ? 0 : literal_extra[code - 16];
		break;
	default:
		e->base = code < 32 ? code + 3 : match_base[code - 32];
		e->extra = code < 32 ? 0 : match_extra[code - 32];
	}
}

static void set_values(struct fse_table *t, enum zstd_code kind)
{
	for (unsigned int i = 0; i < 1u << t->log; i++)
		set_value(&t->entry[i], kind, t->symbol[i]);
}

/* 3.1.1.3.2.1: one table, as the block's mode says. */
static bool read_table(struct zstd_state *z, enum zstd_code kind, unsigned int mode,
		       const uint8_t **in, const uint8_t *end)
{
	struct fse_table *t = &z->table[kind];
	struct fse_norm norm;

	switch (mode) {
	case MODE_PREDEFINED:
		fse_build(t, &predefined[kind]);
		break;
	case MODE_RLE:
		if (*in == end || **in >= limits[kind].codes)
			return false;
		t->log = 0;
		t->entry[0] = (struct fse_entry){};
		t->symbol[0] = *(*in)++;
		break;
	case MODE_FSE:
		if (!fse_read_norm(in, end, &norm, limits[kind].codes, limits[kind].max_log))
			return false;
		fse_build(t, &norm);
		break;
	default:
		return z->table_valid[kind];
	}
	set_values(t, kind);
	z->table_valid[kind] = true;
	return true;
}

/* The number of sequences and the three tables. */
static bool read_header(struct zstd_state *z, const uint8_t **in, const uint8_t *end,
			unsigned int *count)
{
	const uint8_t *p = *in;
	size_t left = end - p;
	unsigned int modes;

	if (!left)
		return false;
	if (p[0] < 128) {
		*count = p[0];
		p += 1;
	} else if (p[0] < 255) {
		if (left < 2)
			return false;
		*count = (p[0] - 128u) << 8 | p[1];
		p += 2;
	} else {
		if (left < 3)
			return false;
		*count = get_le16(p + 1) + 0x7f00u;
		p += 3;
	}
	*in = p;
	if (!*count)
		return p == end;
	if (p == end || p[0] & 3)
		return false;
	modes = *(*in)++;
	return read_table(z, ZSTD_LITERAL_LENGTH, modes >> 6, in, end) &&
	       read_table(z, ZSTD_OFFSET, modes >> 4 & 3, in, end) &&
	       read_table(z, ZSTD_MATCH_LENGTH, modes >> 2 & 3, in, end);
}

/* 3.1.1.5: values 1 to 3 name one of the last offsets, and mean something else without literals. */
static always_inline size_t resolve_offset(size_t *repeat, size_t value, bool no_literals)
{
	size_t offset;
	unsigned int i;

	if (value > 3) {
		offset = value - 3;
		i = 2;
	} else {
		i = value - 1 + no_literals;
		offset = i == 3 ? repeat[0] - 1 : repeat[i];
		if (i == 3)
			i = 2;
	}
	if (i == 2)
		repeat[2] = repeat[1];
	if (i >= 1)
		repeat[1] = repeat[0];
	repeat[0] = offset;
	return offset;
}

static always_inline unsigned int next_state(const struct fse_entry *e, struct backbits *b)
{
	return e->next + bits_take(b, e->bits);
}

static always_inline size_t value_of(const struct fse_entry *e, struct backbits *b)
{
	return e->base + bits_take(b, e->extra);
}

/* Copies `literals` literals and a match to the output. */
static always_inline int execute(struct unpack *u, struct zstd_literals *lit, const uint8_t *base,
				 size_t literals, size_t offset, size_t match)
{
	if (literals > (size_t)(lit->end - lit->p))
		return unpack_fail(u, damaged);
	if (literals + match > unpack_room(u))
		return unpack_full(u, too_large);
	copy_literals(u->out, lit->p, literals, u->out_end, lit->end);
	lit->p += literals;
	u->out += literals;
	if (!offset || offset > (size_t)(u->out - base))
		return unpack_fail(u, "zstd data refers to what lies before its beginning");
	u->out = copy_match(u->out, offset, match, u->out_end);
	return 0;
}

/*
 * The loop over a block's sequences. Bits come in the order offset, match length, literal length,
 * then the states' updates in the order literal length, match length, offset: at most 31 + 16 +
 * 16 and 9 + 9 + 8, hence a refill before each of the three groups that fit.
 */
static int run(struct unpack *u, struct zstd_state *z, struct backbits *bits, unsigned int count,
	       struct zstd_literals *lit, const uint8_t *base)
{
	const struct fse_entry *ll, *of, *ml;
	unsigned int ll_state, of_state, ml_state;
	struct backbits b = *bits;

	ll_state = bits_take(&b, z->table[ZSTD_LITERAL_LENGTH].log);
	of_state = bits_take(&b, z->table[ZSTD_OFFSET].log);
	ml_state = bits_take(&b, z->table[ZSTD_MATCH_LENGTH].log);
	for (;;) {
		size_t literals, offset, match;
		int rc;

		ll = &z->table[ZSTD_LITERAL_LENGTH].entry[ll_state];
		of = &z->table[ZSTD_OFFSET].entry[of_state];
		ml = &z->table[ZSTD_MATCH_LENGTH].entry[ml_state];
		bits_refill(&b);
		offset = value_of(of, &b);
		match = value_of(ml, &b);
		bits_refill(&b);
		literals = value_of(ll, &b);
		offset = resolve_offset(z->repeat, offset, !literals);
		rc = execute(u, lit, base, literals, offset, match);
		if (rc)
			return rc;
		if (!--count)
			break;
		ll_state = next_state(ll, &b);
		ml_state = next_state(ml, &b);
		of_state = next_state(of, &b);
		if (bits_overrun(&b))
			return unpack_fail(u, damaged);
	}
	bits_refill(&b);
	return bits_done(&b) ? 0 : unpack_fail(u, damaged);
}

int zstd_sequences(struct unpack *u, struct zstd_state *z, const uint8_t *in, const uint8_t *end,
		   struct zstd_literals *lit, const uint8_t *base)
{
	struct backbits bits;
	unsigned int count;
	size_t left;
	int rc = 0;

	if (!read_header(z, &in, end, &count))
		return unpack_fail(u, damaged);
	if (count) {
		if (!bits_open(&bits, in, end - in))
			return unpack_fail(u, damaged);
		rc = run(u, z, &bits, count, lit, base);
	}
	if (rc)
		return rc;
	left = lit->end - lit->p;
	if (left > unpack_room(u))
		return unpack_full(u, too_large);
	memcpy(u->out, lit->p, left);
	lit->p = lit->end;
	u->out += left;
	return 0;
}
