/* SPDX-License-Identifier: MIT */
/*
 * LZMA2, the compression inside xz, after the LZMA specification (lzma-specification.txt, 9.38)
 * and LZMA2's chunk layout as the .xz format uses it.
 *
 * Every bit is coded by a range coder with a probability that adapts: an 11-bit estimate that the
 * bit is 0. The decoder is a state machine over the last few packet kinds (literal, match,
 * repeated match, short repeat), which select the probabilities of the next.
 *
 * At the end of a chunk's input the range coder reads zeros and goes on: such output is bounded
 * by the chunk's declared size, and the mismatch found at the chunk's end. Tables are static.
 */
#include "lib/lzma.h"

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

struct range_coder {
	uint32_t range, code;
	const uint8_t *in, *end;
};

/* What survives from one chunk to the next. */
struct lzma {
	const uint8_t *base; /* output since the last dictionary reset */
	uint32_t rep[4];     /* last distances, less 1 */
	unsigned int state;
	unsigned int lc, lp_mask, pb_mask;
};

static const char truncated[] = "xz data ends too early";
static const char damaged[] = "xz data is damaged";

static always_inline void rc_normalize(struct range_coder *rc)
{
	if (rc->range < RC_TOP) {
		rc->range <<= 8;
		rc->code <<= 8;
		if (likely(rc->in < rc->end))
			rc->code |= *rc->in++;
	}
}

static always_inline unsigned int rc_bit(struct range_coder *rc, prob *p)
{
	uint32_t bound;

	rc_normalize(rc);
	bound = (rc->range >> PROB_BITS) * *p;
	if (rc->code < bound) {
		rc->range = bound;
		*p += ((1u << PROB_BITS) - *p) >> MOVE_BITS;
		return 0;
	}
	rc->range -= bound;
	rc->code -= bound;
	*p -= *p >> MOVE_BITS;
	return 1;
}

/* A number of `bits` bits, highest first, each with its own node in the tree. */
static always_inline unsigned int rc_tree(struct range_coder *rc, prob *tree, unsigned int bits)
{
	unsigned int node = 1;

	for (unsigned int i = 0; i < bits; i++)
		node = node << 1 | rc_bit(rc, &tree[node]);
	return node - (1u << bits);
}

/* The same, lowest bit first. */
static always_inline unsigned int rc_reverse_tree(struct range_coder *rc, prob *tree,
						  unsigned int bits)
{
	unsigned int node = 1, value = 0;

	for (unsigned int i = 0; i < bits; i++) {
		unsigned int bit = rc_bit(rc, &tree[node]);

		node = node << 1 | bit;
		value |= bit << i;
	}
	return value;
}

/* Bits of probability one half. */
static always_inline uint32_t rc_direct(struct range_coder *rc, unsigned int bits)
{
	uint32_t value = 0;

	while (bits--) {
		uint32_t borrow;

		rc_normalize(rc);
		rc->range >>= 1;
		rc->code -= rc->range;
		borrow = 0 - (rc->code >> 31);
		rc->code += rc->range & borrow;
		value = (value << 1) + borrow + 1;
	}
	return value;
}

static always_inline unsigned int decode_length(struct range_coder *rc, struct length_probs *l,
						unsigned int pos)
{
	if (!rc_bit(rc, &l->choice))
		return MATCH_MIN + rc_tree(rc, l->low[pos], 3);
	if (!rc_bit(rc, &l->choice2))
		return MATCH_MIN + 8 + rc_tree(rc, l->mid[pos], 3);
	return MATCH_MIN + 16 + rc_tree(rc, l->high, 8);
}

/* A distance, less 1. */
static always_inline uint32_t decode_distance(struct range_coder *rc, unsigned int len)
{
	unsigned int tree = len - MATCH_MIN < LEN_STATES ? len - MATCH_MIN : LEN_STATES - 1;
	unsigned int slot = rc_tree(rc, probs.slot[tree], 6), bits;
	uint32_t dist;

	if (slot < 4)
		return slot;
	bits = (slot >> 1) - 1;
	dist = (2 | (slot & 1)) << bits;
	if (slot < 14)
		return dist + rc_reverse_tree(rc, probs.special + dist - slot, bits);
	dist += rc_direct(rc, bits - ALIGN_BITS) << ALIGN_BITS;
	return dist + rc_reverse_tree(rc, probs.align, ALIGN_BITS);
}

/*
 * A literal after a literal: eight bits in the tree that the previous byte and the position
 * choose.
 */
static always_inline uint8_t plain_literal(struct range_coder *rc, prob *tree)
{
	unsigned int node = 1;

	do {
		node = node << 1 | rc_bit(rc, &tree[node]);
	} while (node < 0x100);
	return node;
}

/*
 * A literal after a match: as long as its bits equal those of the byte that would have continued
 * the match, that byte's bits choose between two further trees.
 */
static always_inline uint8_t matched_literal(struct range_coder *rc, prob *tree, unsigned int byte)
{
	unsigned int node = 1, offset = 0x100;

	do {
		unsigned int expected, bit;

		byte <<= 1;
		expected = byte & offset;
		bit = rc_bit(rc, &tree[offset + expected + node]);
		node = node << 1 | bit;
		offset &= bit ? expected : ~expected;
	} while (node < 0x100);
	return node;
}

static always_inline uint8_t decode_literal(struct lzma *s, struct range_coder *rc,
					    const uint8_t *out)
{
	size_t pos = out - s->base;
	unsigned int prev = pos ? out[-1] : 0;
	prob *tree = probs.literal[((pos & s->lp_mask) << s->lc) + (prev >> (8 - s->lc))];

	if (s->state < 7)
		return plain_literal(rc, tree);
	/* The state says a match came before, so rep[0] has been checked against the output. */
	return matched_literal(rc, tree, *(out - s->rep[0] - 1));
}

/* A match by one of the last four distances, which moves to the front. Returns its length. */
static always_inline unsigned int repeated_match(struct lzma *s, struct range_coder *rc,
						 unsigned int pos)
{
	unsigned int state = s->state;
	uint32_t dist;

	if (!rc_bit(rc, &probs.is_rep0[state])) {
		if (!rc_bit(rc, &probs.is_rep0_long[state][pos])) {
			s->state = state < 7 ? 9 : 11;
			return 1;
		}
	} else {
		if (!rc_bit(rc, &probs.is_rep1[state])) {
			dist = s->rep[1];
		} else {
			if (!rc_bit(rc, &probs.is_rep2[state])) {
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
	return decode_length(rc, &probs.rep_len, pos);
}

static always_inline unsigned int simple_match(struct lzma *s, struct range_coder *rc,
					       unsigned int pos)
{
	unsigned int len;

	s->rep[3] = s->rep[2];
	s->rep[2] = s->rep[1];
	s->rep[1] = s->rep[0];
	len = decode_length(rc, &probs.match_len, pos);
	s->rep[0] = decode_distance(rc, len);
	s->state = s->state < 7 ? 7 : 10;
	return len;
}

/*
 * Decodes up to `end`, which is where the chunk's output ends. False for a match that reaches
 * before the dictionary or beyond the chunk. The hot loop: its state lives in locals, hence in
 * registers.
 */
static bool decode(struct lzma *state, struct range_coder *coder, uint8_t *out, uint8_t *end,
		   const uint8_t *room)
{
	static const uint8_t after_literal[STATES] = {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5};
	struct range_coder rc = *coder;
	struct lzma s = *state;

	while (out < end) {
		unsigned int pos = (out - s.base) & s.pb_mask, len;

		if (!rc_bit(&rc, &probs.is_match[s.state][pos])) {
			*out = decode_literal(&s, &rc, out);
			out++;
			s.state = after_literal[s.state];
			continue;
		}
		if (rc_bit(&rc, &probs.is_rep[s.state]))
			len = repeated_match(&s, &rc, pos);
		else
			len = simple_match(&s, &rc, pos);
		if (s.rep[0] >= (size_t)(out - s.base) || len > (size_t)(end - out))
			return false;
		out = copy_match(out, (size_t)s.rep[0] + 1, len, room);
	}
	rc_normalize(&rc);
	*coder = rc;
	*state = s;
	return true;
}

static void reset_state(struct lzma *s)
{
	prob *p = (prob *)&probs;

	for (size_t i = 0; i < sizeof(probs) / sizeof(*p); i++)
		p[i] = PROB_HALF;
	memset(s->rep, 0, sizeof(s->rep));
	s->state = 0;
}

static bool set_properties(struct lzma *s, unsigned int b)
{
	unsigned int lc = b % 9, lp = b / 9 % 5, pb = b / 45;

	if (pb > 4 || lc + lp > 4)
		return false;
	s->lc = lc;
	s->lp_mask = (1u << lp) - 1;
	s->pb_mask = (1u << pb) - 1;
	return true;
}

static int plain_chunk(struct unpack *u)
{
	size_t len;

	if (unpack_in_left(u) < 2)
		return unpack_fail(u, truncated);
	len = (u->in[0] << 8 | u->in[1]) + 1;
	u->in += 2;
	if (len > unpack_in_left(u))
		return unpack_fail(u, truncated);
	if (len > unpack_room(u))
		return unpack_full(u, "xz data is larger than the size it was said to have");
	memcpy(u->out, u->in, len);
	u->in += len;
	u->out += len;
	return 0;
}

/* u->in stands behind header and properties; the chunk has `packed` bytes that yield `len`. */
static int lzma_payload(struct unpack *u, struct lzma *s, size_t packed, size_t len)
{
	struct range_coder rc = {.range = UINT32_MAX};

	if (packed > unpack_in_left(u))
		return unpack_fail(u, truncated);
	if (packed < 5 || u->in[0])
		return unpack_fail(u, damaged);
	if (len > unpack_room(u))
		return unpack_full(u, "xz data is larger than the size it was said to have");
	rc.code = __builtin_bswap32(get_le32(u->in + 1));
	rc.in = u->in + 5;
	rc.end = u->in + packed;
	if (!decode(s, &rc, u->out, u->out + len, u->out_end) || rc.in != rc.end || rc.code)
		return unpack_fail(u, damaged);
	u->in += packed;
	u->out += len;
	return 0;
}

static int lzma_chunk(struct unpack *u, struct lzma *s, uint8_t control, bool *need_properties)
{
	const uint8_t *h = u->in;
	unsigned int reset = control >> 5 & 3; /* 1 state, 2 and properties, 3 and dictionary */
	size_t len, packed;

	if (unpack_in_left(u) < 5)
		return unpack_fail(u, truncated);
	len = ((control & 0x1fu) << 16 | h[0] << 8 | h[1]) + 1;
	packed = (h[2] << 8 | h[3]) + 1;
	u->in += 4;
	if (reset >= 2) {
		if (!set_properties(s, *u->in++))
			return unpack_fail(u, damaged);
		*need_properties = false;
	} else if (*need_properties) {
		return unpack_fail(u, damaged);
	}
	if (reset)
		reset_state(s);
	return lzma_payload(u, s, packed, len);
}

/*
 * Control bytes: 0 end, 1 and 2 stored chunks with and without dictionary reset, 0x80 and up LZMA
 * chunks whose bits 5 and 6 say what is reset. The first chunk must reset the dictionary. After
 * such a reset the next LZMA chunk must bring properties and so reset the state: old distances
 * would reach too far.
 */
int unpack_lzma2(struct unpack *u)
{
	bool need_properties = true;
	struct lzma s = {};
	int rc = 0;

	while (!rc) {
		uint8_t control;

		if (u->in == u->in_end)
			return unpack_fail(u, truncated);
		control = *u->in++;
		if (!control)
			break;
		if (control == 1 || control >= 0xe0) {
			s.base = u->out;
			need_properties = true;
		} else if (!s.base || (control > 2 && control < 0x80)) {
			return unpack_fail(u, damaged);
		}
		if (control >= 0x80)
			rc = lzma_chunk(u, &s, control, &need_properties);
		else
			rc = plain_chunk(u);
	}
	return rc;
}
