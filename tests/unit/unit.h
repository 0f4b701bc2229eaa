/* SPDX-License-Identifier: MIT */
/*
 * What every host unit test includes: cmocka with the headers it wants first, and a small random
 * number generator, so that tests of many shapes repeat exactly.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* xorshift64: never seed it with 0. */
static inline uint64_t unit_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

#endif /* TESTS_UNIT_H */
