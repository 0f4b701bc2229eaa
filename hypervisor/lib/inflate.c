/* SPDX-License-Identifier: MIT */
/*
 * gzip (RFC 1952) around DEFLATE (RFC 1951).
 *
 * Huffman codes are decoded through a table of FAST_BITS bits that answers nearly always; longer
 * codes go bit by bit through the canonical order. Bits come from a 64-bit reservoir; at the end
 * of the input it is topped up with nothing, and taking more bits than it holds is the one
 * "truncated" check. Tables are static: one stream at a time.
 */
#include "lib/crc32.h"
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
	struct unpack *u;
	uint64_t bits;	   /* reservoir, next bit lowest */
	unsigned int have; /* valid bits in it */
	uint8_t *base;	   /* where this member's output began */
};

static struct huffman literal_codes, distance_codes;

static const char truncated[] = "gzip data ends too early";
static const char too_large[] = "gzip data is larger than the size it was said to have";

/* Tops the reservoir up to at least 56 bits, as far as there is input. */
static always_inline void refill(struct inflate *s)
{
	struct unpack *u = s->u;

	if (unpack_in_left(u) >= 8) {
		s->bits |= get_le64(u->in) << s->have;
		u->in += (63 - s->have) >> 3;
		s->have |= 56;
		return;
	}
	while (s->have <= 56 && u->in < u->in_end) {
		s->bits |= (uint64_t)*u->in++ << s->have;
		s->have += 8;
	}
}

/* Takes n <= 16 bits. False when the input has ended; the value is then worthless. */
static always_inline bool take(struct inflate *s, unsigned int n, unsigned int *value)
{
	if (s->have < n)
		refill(s);
	*value = s->bits & ((1u << n) - 1);
	if (s->have < n)
		return false;
	s->bits >>= n;
	s->have -= n;
	return true;
}

static inline unsigned int reverse(unsigned int code, unsigned int len)
{
	unsigned int r = 0;

	for (; len; len--, code >>= 1)
		r = r << 1 | (code & 1);
	return r;
}

static void build_fast(struct huffman *h, const uint8_t *lengths, unsigned int n,
		       const uint16_t *first_code)
{
	uint16_t code[MAX_BITS + 1];

	memset(h->fast, 0, sizeof(h->fast));
	memcpy(code, first_code, sizeof(code));
	for (unsigned int sym = 0; sym < n; sym++) {
		unsigned int len = lengths[sym];

		if (!len || len > FAST_BITS)
			continue;
		for (unsigned int i = reverse(code[len]++, len); i < 1 << FAST_BITS; i += 1 << len)
			h->fast[i] = sym << 4 | len;
	}
}

/*
 * Builds the decoder for n code lengths. False for an over-subscribed set, or an incomplete one,
 * except that a lone code of one bit (or none at all) is allowed: RFC 1951 3.2.7 for distances.
 */
static bool build(struct huffman *h, const uint8_t *lengths, unsigned int n)
{
	uint16_t first_code[MAX_BITS + 1] = {}, offset[MAX_BITS + 2] = {};
	int left = 1;

	memset(h->count, 0, sizeof(h->count));
	for (unsigned int sym = 0; sym < n; sym++)
		h->count[lengths[sym]]++;
	h->count[0] = 0;
	for (unsigned int len = 1; len <= MAX_BITS; len++) {
		left = 2 * left - h->count[len];
		if (left < 0)
			return false;
		first_code[len] = (first_code[len - 1] + h->count[len - 1]) << 1;
		offset[len + 1] = offset[len] + h->count[len];
	}
	if (left && (offset[MAX_BITS + 1] > 1 || h->count[1] != offset[MAX_BITS + 1]))
		return false;
	build_fast(h, lengths, n, first_code);
	for (unsigned int sym = 0; sym < n; sym++) {
		if (lengths[sym])
			h->symbol[offset[lengths[sym]]++] = sym;
	}
	return true;
}

/* The canonical walk, for codes the table does not hold: -1 for a code that does not exist. */
static int decode_slow(struct inflate *s, const struct huffman *h)
{
	int code = 0, first = 0, index = 0;

	for (unsigned int len = 1; len <= MAX_BITS && len <= s->have; len++) {
		int count = h->count[len];

		code |= s->bits >> (len - 1) & 1;
		if (code - first < count) {
			s->bits >>= len;
			s->have -= len;
			return h->symbol[index + code - first];
		}
		index += count;
		first = (first + count) << 1;
		code <<= 1;
	}
	return -1;
}

/* The next symbol, or -1. The reservoir must have been refilled. */
static always_inline int decode(struct inflate *s, const struct huffman *h)
{
	unsigned int e = h->fast[s->bits & ((1 << FAST_BITS) - 1)];
	unsigned int len = e & 15;

	if (!len || len > s->have)
		return decode_slow(s, h);
	s->bits >>= len;
	s->have -= len;
	return e >> 4;
}

static int bad_code(struct inflate *s)
{
	if (s->u->in == s->u->in_end && s->have < MAX_BITS)
		return unpack_fail(s->u, truncated);
	return unpack_fail(s->u, "gzip data holds a code that does not exist");
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

/*
 * A match whose length symbol has been read: at most 5 + 15 + 13 bits more, which the refill
 * covers.
 */
static always_inline int match(struct inflate *s, unsigned int sym, uint8_t **out)
{
	struct unpack *u = s->u;
	unsigned int extra, len, dist;
	int dsym;

	sym -= 257;
	if (sym >= ARRAY_SIZE(length_base))
		return bad_code(s);
	if (!take(s, length_extra[sym], &extra))
		return unpack_fail(u, truncated);
	len = length_base[sym] + extra;
	dsym = decode(s, &distance_codes);
	if (dsym < 0 || dsym >= (int)ARRAY_SIZE(dist_base))
		return bad_code(s);
	if (!take(s, dist_extra[dsym], &extra))
		return unpack_fail(u, truncated);
	dist = dist_base[dsym] + extra;
	if (dist > (size_t)(*out - s->base))
		return unpack_fail(u, "gzip data refers to what lies before its beginning");
	if (len > (size_t)(u->out_end - *out))
		return unpack_full(u, too_large);
	*out = copy_match(*out, dist, len, u->out_end);
	return 0;
}

static int coded_block(struct inflate *s)
{
	struct unpack *u = s->u;
	uint8_t *out = u->out;
	int rc = 0;

	while (!rc) {
		int sym;

		/* 15 + 5 + 15 + 13 bits are what one match takes at most. */
		if (s->have < 48)
			refill(s);
		sym = decode(s, &literal_codes);
		if (sym < 0) {
			rc = bad_code(s);
		} else if (sym < 256) {
			if (out == u->out_end)
				rc = unpack_full(u, too_large);
			else
				*out++ = sym;
		} else if (sym == 256) {
			break;
		} else {
			rc = match(s, sym, &out);
		}
	}
	u->out = out;
	return rc;
}

static int fixed_block(struct inflate *s)
{
	uint8_t lengths[LITERALS];

	for (unsigned int i = 0; i < LITERALS; i++)
		lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	build(&literal_codes, lengths, LITERALS);
	memset(lengths, 5, DISTANCES);
	build(&distance_codes, lengths, DISTANCES);
	return coded_block(s);
}

/* Reads n code lengths, themselves coded: RFC 1951 3.2.7. */
static int read_lengths(struct inflate *s, uint8_t *lengths, unsigned int n)
{
	static const uint8_t base[3] = {3, 3, 11}, extra_bits[3] = {2, 3, 7};
	unsigned int i = 0;

	while (i < n) {
		unsigned int extra;
		int sym;

		refill(s);
		sym = decode(s, &literal_codes);
		if (sym < 0)
			return bad_code(s);
		if (sym < 16) {
			lengths[i++] = sym;
			continue;
		}
		if (!take(s, extra_bits[sym - 16], &extra))
			return unpack_fail(s->u, truncated);
		extra += base[sym - 16];
		if (extra > n - i || (sym == 16 && !i))
			return unpack_fail(s->u, "gzip data holds a bad list of code lengths");
		memset(lengths + i, sym == 16 ? lengths[i - 1] : 0, extra);
		i += extra;
	}
	return 0;
}

static int dynamic_block(struct inflate *s)
{
	static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
					  11, 4,  12, 3, 13, 2, 14, 1, 15};
	uint8_t lengths[LITERALS + DISTANCES] = {};
	unsigned int nlit, ndist, ncode, len;
	int rc;

	if (!take(s, 5, &nlit) || !take(s, 5, &ndist) || !take(s, 4, &ncode))
		return unpack_fail(s->u, truncated);
	nlit += 257;
	ndist += 1;
	ncode += 4;
	if (nlit > 286 || ndist > 30)
		return unpack_fail(s->u, "gzip data holds too many code lengths");
	for (unsigned int i = 0; i < ncode; i++) {
		if (!take(s, 3, &len))
			return unpack_fail(s->u, truncated);
		lengths[order[i]] = len;
	}
	if (!build(&literal_codes, lengths, 19))
		return unpack_fail(s->u, "gzip data holds an impossible code");
	rc = read_lengths(s, lengths, nlit + ndist);
	if (rc)
		return rc;
	if (!lengths[256] || !build(&literal_codes, lengths, nlit) ||
	    !build(&distance_codes, lengths + nlit, ndist))
		return unpack_fail(s->u, "gzip data holds an impossible code");
	return coded_block(s);
}

/* Gives whole bytes of the reservoir back to the input. */
static void align_to_byte(struct inflate *s)
{
	s->u->in -= s->have >> 3;
	s->bits = 0;
	s->have = 0;
}

static int stored_block(struct inflate *s)
{
	struct unpack *u = s->u;
	size_t len;

	align_to_byte(s);
	if (unpack_in_left(u) < 4)
		return unpack_fail(u, truncated);
	len = get_le16(u->in);
	if ((get_le16(u->in + 2) ^ 0xffff) != len)
		return unpack_fail(u, "gzip data holds a damaged stored block");
	u->in += 4;
	if (unpack_in_left(u) < len)
		return unpack_fail(u, truncated);
	if (unpack_room(u) < len)
		return unpack_full(u, too_large);
	memcpy(u->out, u->in, len);
	u->in += len;
	u->out += len;
	return 0;
}

static int inflate(struct unpack *u)
{
	struct inflate s = {.u = u, .base = u->out};
	unsigned int last, type;
	int rc;

	do {
		if (!take(&s, 1, &last) || !take(&s, 2, &type))
			return unpack_fail(u, truncated);
		switch (type) {
		case 0:
			rc = stored_block(&s);
			break;
		case 1:
			rc = fixed_block(&s);
			break;
		case 2:
			rc = dynamic_block(&s);
			break;
		default:
			rc = unpack_fail(u, "gzip data holds a block of unknown type");
		}
	} while (!rc && !last);
	align_to_byte(&s);
	return rc;
}

static bool skip_text(struct unpack *u)
{
	while (u->in < u->in_end) {
		if (!*u->in++)
			return true;
	}
	return false;
}

/* RFC 1952 2.3 */
static int member_header(struct unpack *u)
{
	const uint8_t *h = u->in;
	uint8_t flags;

	if (unpack_in_left(u) < 10)
		return unpack_fail(u, truncated);
	flags = h[3];
	if (h[2] != 8 || flags & GZIP_UNKNOWN)
		return unpack_fail(u, "gzip header of an unknown kind");
	u->in += 10;
	if (flags & GZIP_EXTRA) {
		if (unpack_in_left(u) < 2 || unpack_in_left(u) - 2 < get_le16(u->in))
			return unpack_fail(u, truncated);
		u->in += 2 + get_le16(u->in);
	}
	if ((flags & GZIP_NAME && !skip_text(u)) || (flags & GZIP_COMMENT && !skip_text(u)))
		return unpack_fail(u, truncated);
	if (flags & GZIP_HCRC) {
		if (unpack_in_left(u) < 2)
			return unpack_fail(u, truncated);
		u->in += 2;
	}
	return 0;
}

static int member(struct unpack *u)
{
	const uint8_t *base = u->out;
	int rc = member_header(u);

	if (!rc)
		rc = inflate(u);
	if (rc)
		return rc;
	if (unpack_in_left(u) < 8)
		return unpack_fail(u, truncated);
	if (get_le32(u->in) != crc32(0, base, u->out - base))
		return unpack_fail(u, "gzip data has a wrong checksum");
	if (get_le32(u->in + 4) != (uint32_t)(u->out - base))
		return unpack_fail(u, "gzip data has a wrong length");
	u->in += 8;
	return 0;
}

int unpack_gzip(struct unpack *u)
{
	int rc;

	do {
		rc = member(u);
	} while (!rc && unpack_in_left(u) >= 2 && u->in[0] == 0x1f && u->in[1] == 0x8b);
	return rc;
}

/* The length modulo 2^32 ends the stream. */
size_t unpack_gzip_bound(const uint8_t *in, size_t len)
{
	return len < 18 ? 0 : get_le32(in + len - 4);
}
