/* SPDX-License-Identifier: MIT */
/* lib/bitmap.c against an array of bools, for sizes around the word boundary. */
#include "unit.h"

#include "lib/bitmap.h"

#define MAX 200

static size_t naive_next(const bool *b, size_t n, size_t from, bool want)
{
	while (from < n && b[from] != want)
		from++;
	return from < n ? from : n;
}

static void check_searches(const unsigned long *map, const bool *bits, size_t n)
{
	size_t weight = 0, seen = 0, bit;

	for (size_t i = 0; i < n; i++) {
		weight += bits[i];
		assert_int_equal(bitmap_test(map, i), bits[i]);
		assert_int_equal(bitmap_find_next(map, n, i), naive_next(bits, n, i, true));
		assert_int_equal(bitmap_find_next_zero(map, n, i), naive_next(bits, n, i, false));
	}
	bitmap_for_each (bit, map, n)
		seen++;
	assert_int_equal(seen, weight);
	assert_int_equal(bitmap_weight(map, n), weight);
	assert_int_equal(bitmap_empty(map, n), weight == 0);
	assert_int_equal(bitmap_full(map, n), weight == n);
	assert_int_equal(bitmap_find_next(map, n, n), n);
	assert_int_equal(bitmap_find_next(map, n, n + 1000), n);
}

static void test_searches(void **state)
{
	uint64_t rnd = 1;

	(void)state;
	for (size_t n = 1; n < MAX; n++) {
		BITMAP_DECLARE(map, MAX);
		bool bits[MAX];

		/* Bits beyond n are set: they must not be seen. */
		for (size_t i = 0; i < BITMAP_WORDS(MAX); i++)
			map[i] = ~0UL;
		for (size_t i = 0; i < n; i++) {
			bits[i] = unit_random(&rnd) % 7 < n % 8;
			(bits[i] ? bitmap_set : bitmap_clear)(map, i);
		}
		check_searches(map, bits, n);
	}
}

static void test_ranges(void **state)
{
	uint64_t rnd = 2;
	BITMAP_DECLARE(map, MAX);
	bool bits[MAX] = {};

	(void)state;
	bitmap_zero(map, MAX);
	for (int round = 0; round < 500; round++) {
		size_t first = unit_random(&rnd) % MAX;
		size_t count = unit_random(&rnd) % (MAX - first + 1);
		bool set = unit_random(&rnd) & 1;

		(set ? bitmap_set_range : bitmap_clear_range)(map, first, count);
		for (size_t i = first; i < first + count; i++)
			bits[i] = set;
		check_searches(map, bits, MAX);
	}
}

static void test_logic(void **state)
{
	unsigned long a[2] = {0xf0f0, ~0UL}, b[2] = {0xff00, ~0UL << 4}, r[2];

	(void)state;
	bitmap_and(r, a, b, 70);
	assert_int_equal(r[0], 0xf000);
	assert_int_equal(r[1], 0x30);
	bitmap_or(r, a, b, 70);
	assert_int_equal(r[0], 0xfff0);
	assert_int_equal(r[1], 0x3f);
	bitmap_andnot(r, a, b, 70);
	assert_int_equal(r[0], 0x00f0);
	assert_int_equal(r[1], 0x0f);
	assert_true(bitmap_subset(r, a, 70));
	assert_false(bitmap_subset(a, b, 70));
	assert_true(bitmap_intersects(a, b, 70));
	assert_false(bitmap_intersects(r, b, 70));
	bitmap_copy(r, a, 66);
	assert_int_equal(r[1], 3);
	assert_true(bitmap_equal(r, a, 66));
	assert_false(bitmap_equal(r, a, 67));
	bitmap_fill(r, 65);
	assert_int_equal(r[1], 1);
	assert_true(bitmap_full(r, 65));
	bitmap_zero(r, 65);
	assert_true(bitmap_empty(r, 128));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_searches),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_logic),
	};

	return cmocka_run_group_tests_name("bitmap", tests, NULL, NULL);
}
