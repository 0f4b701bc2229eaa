/* SPDX-License-Identifier: MIT */
/*
 * CRC-32 (ISO 3309, reflected polynomial 0xedb88320), eight bytes a step: table[k][b] is the
 * remainder of byte b followed by k zero bytes, so the eight contributions of a quadword are
 * independent look-ups. A kernel of 30 MB is checked at boot, which is why the plain bytewise loop
 * would not do. The tables are computed at first use.
 */
#include "lib/unpack.h"

static uint32_t table[8][256];

static void make_tables(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t r = b;

		for (int bit = 0; bit < 8; bit++)
			r = r >> 1 ^ (r & 1 ? 0xedb88320 : 0);
		table[0][b] = r;
	}
	for (uint32_t b = 0; b < 256; b++) {
		for (int k = 1; k < 8; k++)
			table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xff];
	}
}

uint32_t crc32(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t crc = UINT32_MAX;

	if (!table[0][1])
		make_tables();
	for (; len >= 8; len -= 8, p += 8) {
		uint64_t v = get_le(p, 8) ^ crc;

		crc = table[7][v & 0xff] ^ table[6][v >> 8 & 0xff] ^ table[5][v >> 16 & 0xff] ^
		      table[4][v >> 24 & 0xff] ^ table[3][v >> 32 & 0xff] ^
		      table[2][v >> 40 & 0xff] ^ table[1][v >> 48 & 0xff] ^ table[0][v >> 56];
	}
	while (len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}
