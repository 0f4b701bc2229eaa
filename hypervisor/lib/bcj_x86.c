/* SPDX-License-Identifier: MIT */
/*
 * The x86 branch filter of xz, backwards. The encoder turned the relative operands of CALL (E8)
 * and JMP (E9) into absolute ones, which repeat and so compress better; here they become relative
 * again.
 *
 * It converts only operands whose top byte is 00 or FF, and distrusts an opcode byte that shortly
 * follows another one it left alone, since one of the two is then no opcode at all. `skipped`
 * remembers those: bit k is set if the byte k + 1 positions back was an opcode left alone.
 */
#include "lib/unpack.h"

static inline bool is_opcode(uint8_t b)
{
	return (b & 0xfe) == 0xe8;
}

static inline bool is_top(uint8_t b)
{
	return b == 0x00 || b == 0xff;
}

/* None of eight bytes is an opcode: the test for a zero byte, after making opcodes zero. */
static inline bool no_opcode_in(uint64_t v)
{
	v = (v & 0xfefefefefefefefe) ^ 0xe8e8e8e8e8e8e8e8;
	return !((v - 0x0101010101010101) & ~v & 0x8080808080808080);
}

/* Converts the operand of the opcode at p, `next` being the address after it. False: left alone. */
static bool convert(uint8_t *p, unsigned int skipped, uint32_t next)
{
	unsigned int shift = 0;
	uint32_t value;

	if (!is_top(p[4]))
		return false;
	if (skipped) {
		unsigned int back = skipped == 4 ? 3 : skipped;

		/* Two of them in reach, or one whose own operand looks convertible. */
		if (skipped == 3 || skipped > 4 || is_top(p[4 - back]))
			return false;
		shift = 32 - 8 * back;
	}
	value = get_le(p + 1, 4) - next;
	/*
	 * Conversion must not make the earlier opcode's operand look convertible: where it would,
	 * the encoder inverted everything from that byte down, and converted again.
	 */
	while (skipped && is_top(value >> (shift - 8)))
		value = (value ^ ((1ull << shift) - 1)) - next;
	value = (value & 0x1ffffff) | (value & 0x1000000 ? 0xff000000 : 0);
	__builtin_memcpy(p + 1, &value, sizeof(value));
	return true;
}

void bcj_x86_decode(uint8_t *buf, size_t size, uint32_t start)
{
	unsigned int skipped = 0;
	size_t i = 0;

	while (i + 5 <= size) {
		if (!skipped && i + 8 <= size && no_opcode_in(get_le(buf + i, 8))) {
			i += 8;
		} else if (!is_opcode(buf[i])) {
			skipped = skipped << 1 & 7;
			i++;
		} else if (convert(buf + i, skipped, start + (uint32_t)i + 5)) {
			skipped = 0;
			i += 5;
		} else {
			skipped = (skipped << 1 | 1) & 7;
			i++;
		}
	}
}
