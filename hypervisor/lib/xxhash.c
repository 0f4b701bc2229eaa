/* SPDX-License-Identifier: MIT */
/*
 * XXH64, after the algorithm's description (xxhash_spec.md, version 0.1.1): four lanes over
 * stripes of 32 bytes, their sum, then what is left over, then a final mix.
 */
#include "lib/unpack.h"

#define P1 11400714785074694791ul
#define P2 14029467366897019727ul
#define P3 1609587929392839161ul
#define P4 9650029242287828579ul
#define P5 2870177450012600261ul

static inline uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline uint64_t lane_round(uint64_t lane, uint64_t v)
{
	return rotl(lane + v * P2, 31) * P1;
}

uint64_t xxh64(const void *data, size_t len)
{
	const uint8_t *p = data, *end = p + len;
	uint64_t lane[4] = {P1 + P2, P2, 0, -P1}, h = P5;

	if (len >= 32) {
		for (; end - p >= 32; p += 32) {
			for (int i = 0; i < 4; i++)
				lane[i] = lane_round(lane[i], get_le(p + 8 * i, 8));
		}
		h = rotl(lane[0], 1) + rotl(lane[1], 7) + rotl(lane[2], 12) + rotl(lane[3], 18);
		for (int i = 0; i < 4; i++)
			h = (h ^ lane_round(0, lane[i])) * P1 + P4;
	}
	h += len;
	for (; end - p >= 8; p += 8)
		h = rotl(h ^ lane_round(0, get_le(p, 8)), 27) * P1 + P4;
	if (end - p >= 4) {
		h = rotl(h ^ get_le(p, 4) * P1, 23) * P2 + P3;
		p += 4;
	}
	for (; p < end; p++)
		h = rotl(h ^ *p * P5, 11) * P1;
	h = (h ^ h >> 33) * P2;
	h = (h ^ h >> 29) * P3;
	return h ^ h >> 32;
}
