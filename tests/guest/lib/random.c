/* SPDX-License-Identifier: MIT */
/* Numbers that look random and repeat with their seed (xorshift), for kernels that mean harm. */
#include "guest.h"

static uint64_t state = 1;

void random_seed(uint64_t seed)
{
	state = seed | 1; /* it may not be 0 */
}

uint64_t random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

unsigned int random_below(unsigned int n)
{
	return random64() % n;
}
