/* SPDX-License-Identifier: MIT */
/*
 * LZMA2, the compression inside xz, after the LZMA specification (lzma-specification.txt, 9.38)
 * and LZMA2's chunk layout as the .xz format uses it.
 *
 * Every bit is coded by a range coder with a probability that adapts: an 11-bit estimate that the
 * bit is 0. The decoder is a state machine over the last few packet kinds (literal, match,
 * repeated match, short repeat), which select the probabilities of the next.
 *
 * Tables are static.
 */
#include "lib/unpack.h"

#define PROB_BITS 11
#define PROB_HALF (1u << (PROB_BITS - 1))
#define MOVE_BITS 5
#define RC_TOP	  (1u << 24)

#define STATES	   12
#define POS_MAX	   16 /* 1 << pb */
#define LIT_MAX	   16 /* 1 << (lc + lp), LZMA2's limit */
#define LEN_STATES 4  /* lengths 2, 3, 4 and more select the distance slot's tree */
#define ALIGN_BITS 4
#define MATCH_MIN  2

typedef uint16_t prob;

struct length_probs {
	prob choice, choice2;
	prob low[POS_MAX][8], mid[POS_MAX][8], high[256];
};

/* Nothing but probabilities: reset_state() relies on it. */
struct probs {
	prob is_match[STATES][POS_MAX];
	prob is_rep[STATES], is_rep0[STATES], is_rep1[STATES], is_rep2[STATES];
	prob is_rep0_long[STATES][POS_MAX];
	prob slot[LEN_STATES][64];
	prob special[128]; /* slots 4..13: the reverse trees, each from its distance base - slot */
	prob align[1 << ALIGN_BITS];
	struct length_probs match_len, rep_len;
	prob literal[LIT_MAX][0x300];
};

static struct probs probs;

struct lzma {
	struct unpack u; /* the current chunk; the rest survives from one to the next */
	uint32_t range, code;
	uint32_t rep[4]; /* last distances, less 1 */
	unsigned int state;
	unsigned int lc, lp_mask, pb_mask;
};

static const char damaged[] = "xz data is damaged";

static always_inline void normalize(struct lzma *s)
{
	if (s->range < RC_TOP) {
		s->range <<= 8;
		s->code = s->code << 8 | *unpack_take(&s->u, 1);
	}
}

static always_inline unsigned int get_bit(struct lzma *s, prob *p)
{
	uint32_t bound;

	normalize(s);
	bound = (s->range >> PROB_BITS) * *p;
	if (s->code < bound) {
		s->range = bound;
		*p += ((1u << PROB_BITS) - *p) >> MOVE_BITS;
		return 0;
	}
	s->range -= bound;
	s->code -= bound;
	*p -= *p >> MOVE_BITS;
	return 1;
}

/* A number of `bits` bits, highest first, each with its own node in the tree. */
static always_inline unsigned int get_tree(struct lzma *s, prob *tree, unsigned int bits)
{
	unsigned int node = 1;

	do {
		node = node << 1 | get_bit(s, &tree[node]);
	} while (node < 1u << bits);
	return node - (1u << bits);
}

/* The same, lowest bit first. */
static always_inline unsigned int get_reverse_tree(struct lzma *s, prob *tree, unsigned int bits)
{
	unsigned int node = 1, value = 0;

	for (unsigned int i = 0; i < bits; i++) {
		unsigned int bit = get_bit(s, &tree[node]);

		node = node << 1 | bit;
		value |= bit << i;
	}
	return value;
}

/* Bits of probability one half. */
static always_inline uint32_t get_direct(struct lzma *s, unsigned int bits)
{
	uint32_t value = 0;

	while (bits--) {
		uint32_t borrow;

		normalize(s);
		s->range >>= 1;
		s->code -= s->range;
		borrow = 0 - (s->code >> 31);
		s->code += s->range & borrow;
		value = (value << 1) + borrow + 1;
	}
	return value;
}

static always_inline unsigned int get_length(struct lzma *s, struct length_probs *l,
					     unsigned int pos)
{
	if (!get_bit(s, &l->choice))
		return MATCH_MIN + get_tree(s, l->low[pos], 3);
	if (!get_bit(s, &l->choice2))
		return MATCH_MIN + 8 + get_tree(s, l->mid[pos], 3);
	return MATCH_MIN + 16 + get_tree(s, l->high, 8);
}

/* A distance, less 1. */
static always_inline uint32_t get_distance(struct lzma *s, unsigned int len)
{
	unsigned int slot = get_tree(s, probs.slot[min(len - MATCH_MIN, LEN_STATES - 1u)], 6), bits;
	uint32_t dist;

	if (slot < 4)
		return slot;
	bits = (slot >> 1) - 1;
	dist = (2 | (slot & 1)) << bits;
	if (slot < 14)
		return dist + get_reverse_tree(s, probs.special + dist - slot, bits);
	dist += get_direct(s, bits - ALIGN_BITS) << ALIGN_BITS;
	return dist + get_reverse_tree(s, probs.align, ALIGN_BITS);
}

/*
 * A literal: eight bits in the tree that the previous byte and the position choose. After a match,
 * as long as its bits equal those of the byte that would have continued the match, that byte's bits
 * choose between two further trees.
 */
static always_inline uint8_t get_literal(struct lzma *s)
{
	size_t pos = s->u.out - s->u.base;
	unsigned int prev = pos ? s->u.out[-1] : 0, node = 1, offset = 0x100, byte;
	prob *tree = probs.literal[((pos & s->lp_mask) << s->lc) + (prev >> (8 - s->lc))];

	if (s->state < 7)
		return get_tree(s, tree, 8);
	/* The state says a match came before, so rep[0] has been checked against the output. */
	byte = *(s->u.out - s->rep[0] - 1);
	do {
		unsigned int expected, bit;

		byte <<= 1;
		expected = byte & offset;
		bit = get_bit(s, &tree[offset + expected + node]);
		node = node << 1 | bit;
		offset &= bit ? expected : ~expected;
	} while (node < 0x100);
	return node;
}

/* A match by one of the last four distances, which moves to the front. Returns its length. */
static always_inline unsigned int repeated_match(struct lzma *s, unsigned int pos)
{
	unsigned int state = s->state;
	uint32_t dist;

	if (!get_bit(s, &probs.is_rep0[state])) {
		if (!get_bit(s, &probs.is_rep0_long[state][pos])) {
			s->state = state < 7 ? 9 : 11;
			return 1;
		}
	} else {
		if (!get_bit(s, &probs.is_rep1[state])) {
			dist = s->rep[1];
		} else {
			if (!get_bit(s, &probs.is_rep2[state])) {
				dist = s->rep[2];
			} else {
				dist = s->rep[3];
				s->rep[3] = s->rep[2];
			}
			s->rep[2] = s->rep[1];
		}
		s->rep[1] = s->rep[0];
		s->rep[0] = dist;
	}
	s->state = state < 7 ? 8 : 11;
	return get_length(s, &probs.rep_len, pos);
}

static always_inline unsigned int simple_match(struct lzma *s, unsigned int pos)
{
	unsigned int len;

	s->rep[3] = s->rep[2];
	s->rep[2] = s->rep[1];
	s->rep[1] = s->rep[0];
	len = get_length(s, &probs.match_len, pos);
	s->rep[0] = get_distance(s, len);
	s->state = s->state < 7 ? 7 : 10;
	return len;
}

/*
 * Decodes up to `end`, which is where the chunk's output ends. The hot loop: its state lives in
 * locals, hence in registers.
 */
static void decode(struct lzma *state, const uint8_t *end)
{
	static const uint8_t after_literal[STATES] = {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5};
	struct lzma s = *state;

	while (s.u.out < end) {
		unsigned int pos = (s.u.out - s.u.base) & s.pb_mask, len;

		if (!get_bit(&s, &probs.is_match[s.state][pos])) {
			*s.u.out = get_literal(&s);
			s.u.out++;
			s.state = after_literal[s.state];
			continue;
		}
		if (get_bit(&s, &probs.is_rep[s.state]))
			len = repeated_match(&s, pos);
		else
			len = simple_match(&s, pos);
		unpack_match(&s.u, (size_t)s.rep[0] + 1, len);
	}
	normalize(&s);
	*state = s;
}

static void reset_state(struct lzma *s)
{
	prob *p = (prob *)&probs;

	for (size_t i = 0; i < sizeof(probs) / sizeof(*p); i++)
		p[i] = PROB_HALF;
	memset(s->rep, 0, sizeof(s->rep));
	s->state = 0;
}

static void read_properties(struct unpack *u, struct lzma *s)
{
	unsigned int b = *unpack_take(u, 1), lc = b % 9, lp = b / 9 % 5, pb = b / 45;

	unpack_check(u, pb <= 4 && lc + lp <= 4, damaged);
	s->lc = lc;
	s->lp_mask = (1u << lp) - 1;
	s->pb_mask = (1u << pb) - 1;
}

/* A big-endian size, less 1. */
static size_t read_size(struct unpack *u)
{
	const uint8_t *p = unpack_take(u, 2);

	return (p[0] << 8 | p[1]) + 1;
}

static void lzma_chunk(struct unpack *u, struct lzma *s, uint8_t control)
{
	size_t len = ((control & 0x1fu) << 16) + read_size(u), packed = read_size(u);
	const uint8_t *h;

	if (control >= 0xc0)
		read_properties(u, s);
	if (control >= 0xa0)
		reset_state(s);
	s->u = unpack_part(u, packed);
	h = unpack_take(&s->u, 5);
	unpack_room(u, len);
	unpack_check(u, !h[0], damaged);
	s->range = UINT32_MAX;
	s->code = __builtin_bswap32(get_le(h + 1, 4));
	decode(s, u->out);
	unpack_check(u, s->u.out == u->out && !unpack_left(&s->u) && !s->code, damaged);
}

/*
 * Control bytes: 0 end, 1 and 2 stored chunks with and without dictionary reset, 0x80 and up LZMA
 * chunks whose bits 5 and 6 say what is reset: 1 state, 2 and properties, 3 and dictionary. The
 * first chunk must reset the dictionary. After such a reset the next LZMA chunk must bring
 * properties and so reset the state: old distances would reach too far.
 */
void unpack_lzma2(struct unpack *u)
{
	unsigned int least = 0xe0; /* of the control bytes of LZMA chunks allowed next */
	struct lzma s = {};

	for (;;) {
		uint8_t control = *unpack_take(u, 1);

		if (!control)
			break;
		if (control == 1 || control >= 0xe0) {
			u->base = u->out;
			least = 0xc0;
		}
		if (control >= least) {
			lzma_chunk(u, &s, control);
			least = 0x80;
		} else {
			unpack_check(u, control == 1 || (control == 2 && least < 0xe0), damaged);
			unpack_copy(u, read_size(u));
		}
	}
}
