/* SPDX-License-Identifier: MIT */
/*
 * gzip (RFC 1952) around DEFLATE (RFC 1951).
 *
 * Huffman codes are decoded through a table of FAST_BITS bits that answers nearly always; longer
 * codes go bit by bit through the canonical order. Bits come from a 64-bit reservoir; at the end
 * of the input it is topped up with nothing, and taking more bits than it holds is the one
 * "truncated" check. Tables are static: one stream at a time.
 */
#include "lib/unpack.h"

#define MAX_BITS  15
#define FAST_BITS 10
#define LITERALS  288
#define DISTANCES 32

#define GZIP_HCRC    0x02
#define GZIP_EXTRA   0x04
#define GZIP_NAME    0x08
#define GZIP_COMMENT 0x10
#define GZIP_UNKNOWN 0xe0

struct huffman {
	uint16_t fast[1 << FAST_BITS]; /* symbol << 4 | length, 0 for codes that are longer */
	uint16_t count[MAX_BITS + 1];  /* codes of each length */
	uint16_t symbol[LITERALS];     /* in order of their codes */
};

struct inflate {
	struct unpack u;
	uint64_t bits;	   /* reservoir, next bit lowest */
	unsigned int have; /* valid bits in it */
};

static struct huffman literal_codes, distance_codes;

static const char bad_code[] = "gzip data holds a code that does not exist";
static const char bad_lengths[] = "gzip data holds an impossible code";

/* Tops the reservoir up to at least 56 bits, as far as there is input. */
static always_inline void refill(struct inflate *s)
{
	if (unpack_left(&s->u) >= 8) {
		s->bits |= get_le(s->u.in, 8) << s->have;
		s->u.in += (63 - s->have) >> 3;
		s->have |= 56;
		return;
	}
	while (s->have <= 56 && s->u.in < s->u.in_end) {
		s->bits |= (uint64_t)*s->u.in++ << s->have;
		s->have += 8;
	}
}

static always_inline void drop(struct inflate *s, unsigned int n)
{
	unpack_check(&s->u, n <= s->have, "the compressed data ends too early");
	s->bits >>= n;
	s->have -= n;
}

/* Takes n <= 16 bits. */
static always_inline unsigned int take(struct inflate *s, unsigned int n)
{
	unsigned int value;

	if (s->have < n)
		refill(s);
	value = s->bits & ((1u << n) - 1);
	drop(s, n);
	return value;
}

static inline unsigned int reverse(unsigned int code, unsigned int len)
{
	unsigned int r = 0;

	for (; len; len--, code >>= 1)
		r = r << 1 | (code & 1);
	return r;
}

/*
 * Builds the decoder for n code lengths. Over-subscribed sets are refused, and incomplete ones
 * except that a lone code of one bit (or none at all) is allowed: RFC 1951 3.2.7 for distances.
 */
static void build(const struct unpack *u, struct huffman *h, const uint8_t *lengths, unsigned int n)
{
	uint16_t place[MAX_BITS + 2] = {}; /* in h->symbol: of the next symbol of each length */
	unsigned int code = 0, at = 0;
	int left = 1;

	memset(h, 0, sizeof(*h));
	for (unsigned int sym = 0; sym < n; sym++)
		h->count[lengths[sym]]++;
	h->count[0] = 0;
	for (unsigned int len = 1; len <= MAX_BITS; len++) {
		left = 2 * left - h->count[len];
		unpack_check(u, left >= 0, bad_lengths);
		place[len + 1] = place[len] + h->count[len];
	}
	unpack_check(u, !left || !place[MAX_BITS + 1] || (place[MAX_BITS + 1] == 1 && h->count[1]),
		     bad_lengths);
	for (unsigned int sym = 0; sym < n; sym++) {
		if (lengths[sym])
			h->symbol[place[lengths[sym]]++] = sym;
	}
	for (unsigned int len = 1; len <= FAST_BITS; len++, code <<= 1) {
		for (; at < place[len]; at++, code++) {
			for (unsigned int i = reverse(code, len); i < 1 << FAST_BITS; i += 1 << len)
				h->fast[i] = h->symbol[at] << 4 | len;
		}
	}
}

/* The canonical walk, for codes the table does not hold: what it would hold. */
static unsigned int decode_slow(struct unpack_exit *exit, const struct huffman *h, uint64_t bits)
{
	unsigned int code = 0, index = 0;

	for (unsigned int len = 1; len <= MAX_BITS; len++, bits >>= 1) {
		unsigned int count = h->count[len];

		code = code << 1 | (bits & 1);
		if (code < count)
			return h->symbol[index + code] << 4 | len;
		index += count;
		code -= count;
	}
	unpack_fail(exit, -EINVAL, bad_code);
}

/* The next symbol. The reservoir must have been refilled. */
static always_inline unsigned int decode(struct inflate *s, const struct huffman *h)
{
	unsigned int e = h->fast[s->bits & ((1 << FAST_BITS) - 1)];

	if (!e)
		e = decode_slow(s->u.exit, h, s->bits);
	drop(s, e & 15);
	return e >> 4;
}

/* RFC 1951 3.2.5 */
static const uint16_t length_base[29] = {3,  4,	 5,  6,	  7,   8,   9,	 10,  11, 13,
					 15, 17, 19, 23,  27,  31,  35,	 43,  51, 59,
					 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
					 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t dist_base[30] = {
	1,   2,	  3,   4,   5,	 7,    9,    13,   17,	 25,   33,   49,   65,	  97,	 129,
	193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const uint8_t dist_extra[30] = {0, 0, 0, 0, 1, 1, 2, 2,	3,  3,	4,  4,	5,  5,	6,
				       6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

static void coded_block(struct inflate *state)
{
	struct inflate s = *state;

	for (;;) {
		unsigned int sym, len;

		/* 15 + 5 + 15 + 13 bits are what one match takes at most. */
		if (s.have < 48)
			refill(&s);
		sym = decode(&s, &literal_codes);
		if (sym < 256) {
			*unpack_room(&s.u, 1) = sym;
			continue;
		}
		if (sym == 256)
			break;
		sym -= 257;
		unpack_check(&s.u, sym < ARRAY_SIZE(length_base), bad_code);
		len = length_base[sym] + take(&s, length_extra[sym]);
		sym = decode(&s, &distance_codes);
		unpack_check(&s.u, sym < ARRAY_SIZE(dist_base), bad_code);
		unpack_match(&s.u, dist_base[sym] + take(&s, dist_extra[sym]), len);
	}
	*state = s;
}

static void fixed_block(struct inflate *s)
{
	uint8_t lengths[LITERALS];

	for (unsigned int i = 0; i < LITERALS; i++)
		lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	build(&s->u, &literal_codes, lengths, LITERALS);
	memset(lengths, 5, DISTANCES);
	build(&s->u, &distance_codes, lengths, DISTANCES);
	coded_block(s);
}

/* Code lengths that are themselves coded: RFC 1951 3.2.7. */
static void dynamic_block(struct inflate *s)
{
	static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
					  11, 4,  12, 3, 13, 2, 14, 1, 15};
	static const uint8_t base[3] = {3, 3, 11}, extra_bits[3] = {2, 3, 7};
	uint8_t lengths[LITERALS + DISTANCES] = {};
	unsigned int nlit = take(s, 5) + 257, ndist = take(s, 5) + 1, ncode = take(s, 4) + 4, i;

	unpack_check(&s->u, nlit <= 286 && ndist <= 30, "gzip data holds too many code lengths");
	for (i = 0; i < ncode; i++)
		lengths[order[i]] = take(s, 3);
	build(&s->u, &literal_codes, lengths, ARRAY_SIZE(order));
	for (i = 0; i < nlit + ndist;) {
		unsigned int sym, run;

		refill(s);
		sym = decode(s, &literal_codes);
		if (sym < 16) {
			lengths[i++] = sym;
			continue;
		}
		run = base[sym - 16] + take(s, extra_bits[sym - 16]);
		unpack_check(&s->u, run <= nlit + ndist - i && (sym > 16 || i),
			     "gzip data holds a bad list of code lengths");
		memset(lengths + i, sym == 16 ? lengths[i - 1] : 0, run);
		i += run;
	}
	unpack_check(&s->u, lengths[256], bad_lengths);
	build(&s->u, &literal_codes, lengths, nlit);
	build(&s->u, &distance_codes, lengths + nlit, ndist);
	coded_block(s);
}

/* Gives whole bytes of the reservoir back to the input. */
static void align_to_byte(struct inflate *s)
{
	s->u.in -= s->have >> 3;
	s->bits = 0;
	s->have = 0;
}

static void stored_block(struct inflate *s)
{
	const uint8_t *h;

	align_to_byte(s);
	h = unpack_take(&s->u, 4);
	unpack_check(&s->u, (get_le(h, 2) ^ get_le(h + 2, 2)) == 0xffff,
		     "gzip data holds a damaged stored block");
	unpack_copy(&s->u, get_le(h, 2));
}

static void inflate(struct unpack *u)
{
	static void (*const blocks[])(struct inflate * s) = {stored_block, fixed_block,
							     dynamic_block};
	struct inflate s = {.u = *u};
	unsigned int last, type;

	do {
		last = take(&s, 1);
		type = take(&s, 2);
		unpack_check(u, type < ARRAY_SIZE(blocks),
			     "gzip data holds a block of unknown type");
		blocks[type](&s);
	} while (!last);
	align_to_byte(&s);
	*u = s.u;
}

/* RFC 1952 2.3 */
static void member_header(struct unpack *u)
{
	const uint8_t *h = unpack_take(u, 10);
	uint8_t flags = h[3];

	unpack_check(u, h[2] == 8 && !(flags & GZIP_UNKNOWN), "gzip header of an unknown kind");
	if (flags & GZIP_EXTRA)
		unpack_take(u, get_le(unpack_take(u, 2), 2));
	for (unsigned int text = GZIP_NAME; text <= GZIP_COMMENT; text <<= 1) {
		while (flags & text && *unpack_take(u, 1))
			;
	}
	if (flags & GZIP_HCRC)
		unpack_take(u, 2);
}

void unpack_gzip(struct unpack *u)
{
	const uint8_t *end;

	member_header(u);
	inflate(u);
	end = unpack_take(u, 8);
	unpack_check(u, get_le(end, 4) == crc32(u->base, u->out - u->base),
		     "gzip data has a wrong checksum");
	unpack_check(u, get_le(end + 4, 4) == (uint32_t)(u->out - u->base),
		     "gzip data has a wrong length");
}

/* The length modulo 2^32 ends the stream. */
uint64_t unpack_gzip_bound(struct unpack *u)
{
	unpack_take(u, 18);
	return get_le(u->in_end - 4, 4);
}
