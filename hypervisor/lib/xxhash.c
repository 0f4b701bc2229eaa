/* SPDX-License-Identifier: MIT */
/*
 * XXH32 and XXH64, after the algorithm's description (xxhash_spec.md, version 0.1.1): four lanes
 * over stripes of 16 and 32 bytes, their sum, then what is left over, then a final mix.
 */
#include "lib/xxhash.h"

#include "lib/unpack.h"

#define P32_1 2654435761u
#define P32_2 2246822519u
#define P32_3 3266489917u
#define P32_4 668265263u
#define P32_5 374761393u

#define P64_1 11400714785074694791ul
#define P64_2 14029467366897019727ul
#define P64_3 1609587929392839161ul
#define P64_4 9650029242287828579ul
#define P64_5 2870177450012600261ul

static inline uint32_t rotl32(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

static inline uint64_t rotl64(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

uint32_t xxh32(const void *data, size_t len)
{
	const uint8_t *p = data, *end = p + len;
	uint32_t lane[4] = {P32_1 + P32_2, P32_2, 0, -P32_1}, h = P32_5;

	if (len >= 16) {
		for (; end - p >= 16; p += 16) {
			for (int i = 0; i < 4; i++)
				lane[i] = rotl32(lane[i] + get_le32(p + 4 * i) * P32_2, 13) * P32_1;
		}
		h = rotl32(lane[0], 1) + rotl32(lane[1], 7) + rotl32(lane[2], 12) +
		    rotl32(lane[3], 18);
	}
	h += (uint32_t)len;
	for (; end - p >= 4; p += 4)
		h = rotl32(h + get_le32(p) * P32_3, 17) * P32_4;
	for (; p < end; p++)
		h = rotl32(h + *p * P32_5, 11) * P32_1;
	h = (h ^ h >> 15) * P32_2;
	h = (h ^ h >> 13) * P32_3;
	return h ^ h >> 16;
}

static inline uint64_t round64(uint64_t lane, uint64_t v)
{
	return rotl64(lane + v * P64_2, 31) * P64_1;
}

uint64_t xxh64(const void *data, size_t len)
{
	const uint8_t *p = data, *end = p + len;
	uint64_t lane[4] = {P64_1 + P64_2, P64_2, 0, -P64_1}, h = P64_5;

	if (len >= 32) {
		for (; end - p >= 32; p += 32) {
			for (int i = 0; i < 4; i++)
				lane[i] = round64(lane[i], get_le64(p + 8 * i));
		}
		h = rotl64(lane[0], 1) + rotl64(lane[1], 7) + rotl64(lane[2], 12) +
		    rotl64(lane[3], 18);
		for (int i = 0; i < 4; i++)
			h = (h ^ round64(0, lane[i])) * P64_1 + P64_4;
	}
	h += len;
	for (; end - p >= 8; p += 8)
		h = rotl64(h ^ round64(0, get_le64(p)), 27) * P64_1 + P64_4;
	if (end - p >= 4) {
		h = rotl64(h ^ get_le32(p) * P64_1, 23) * P64_2 + P64_3;
		p += 4;
	}
	for (; p < end; p++)
		h = rotl64(h ^ *p * P64_5, 11) * P64_1;
	h = (h ^ h >> 33) * P64_2;
	h = (h ^ h >> 29) * P64_3;
	return h ^ h >> 32;
}
