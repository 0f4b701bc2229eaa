/* SPDX-License-Identifier: MIT */
/*
 * core/rangeset.c against an array of bools, at both ends of the 64-bit space, and with memory that
 * runs dry: a refused call must leave the set as it was.
 */
#include "unit.h"

#include <stdlib.h>

#include "core/rangeset.h"
#include "lib/errno.h"

#define N 64

void *kzalloc(size_t bytes);
void kfree(void *p);

static size_t room; /* ranges that may still be allocated */

void *kzalloc(size_t bytes)
{
	if (!room)
		return NULL;
	room--;
	return calloc(1, bytes);
}

void kfree(void *p)
{
	free(p);
	room++;
}

static size_t check_invariant(const struct rangeset *rs)
{
	size_t n = 0;

	for (const struct range *r = rs->head; r; r = r->next, n++) {
		assert_true(r->first <= r->last);
		if (r->next)
			assert_true(r->last < r->next->first && r->last + 1 < r->next->first);
	}
	return n;
}

static void check_model(const struct rangeset *rs, uint64_t base, const bool *model)
{
	for (size_t a = 0; a < N; a += 3) {
		bool all = true;

		for (size_t b = a; b < N; b++) {
			all = all && model[b];
			assert_int_equal(rangeset_contains(rs, base + a, base + b), all);
		}
	}
}

static void run_model(uint64_t base, size_t ranges, uint64_t seed)
{
	struct rangeset set = {};
	bool model[N] = {};

	room = ranges;
	for (int round = 0; round < 400; round++) {
		size_t a = unit_random(&seed) % N, b = a + unit_random(&seed) % (N - a);
		bool add = unit_random(&seed) & 1;
		int rc = (add ? rangeset_add : rangeset_remove)(&set, base + a, base + b);

		assert_true(rc == 0 || (rc == -ENOMEM && !room));
		for (size_t i = a; !rc && i <= b; i++)
			model[i] = add;
		assert_int_equal(check_invariant(&set) + room, ranges);
		check_model(&set, base, model);
	}
	assert_int_equal(rangeset_remove(&set, 0, UINT64_MAX), 0);
	assert_true(rangeset_empty(&set));
	assert_int_equal(room, ranges);
}

static void test_model(void **state)
{
	(void)state;
	run_model(0, N, 1);
	run_model(1ul << 40, N, 2);
	run_model(UINT64_MAX - N + 1, N, 3);
}

static void test_memory_runs_dry(void **state)
{
	(void)state;
	run_model(0, 1, 4);
	run_model(UINT64_MAX - N + 1, 3, 5);
}

static void test_whole_space(void **state)
{
	struct rangeset set = {};

	(void)state;
	room = 2;
	assert_int_equal(rangeset_add(&set, 0, UINT64_MAX), 0);
	assert_true(rangeset_contains(&set, 0, UINT64_MAX));
	assert_int_equal(rangeset_remove(&set, 5, 5), 0);
	assert_false(rangeset_contains(&set, 5, 5));
	assert_true(rangeset_contains(&set, 6, UINT64_MAX));
	assert_int_equal(rangeset_remove(&set, 9, 9), -ENOMEM);
	assert_true(rangeset_contains(&set, 6, UINT64_MAX));
	assert_int_equal(rangeset_add(&set, 5, 5), 0);
	assert_int_equal(check_invariant(&set), 1);
	assert_int_equal(rangeset_remove(&set, 0, UINT64_MAX), 0);
	assert_true(rangeset_empty(&set));
}

static void test_refusals(void **state)
{
	struct rangeset set = {};

	(void)state;
	room = 0;
	assert_int_equal(rangeset_add(&set, 2, 1), -EINVAL);
	assert_int_equal(rangeset_remove(&set, 2, 1), -EINVAL);
	assert_int_equal(rangeset_add(&set, 1, 1), -ENOMEM);
	assert_int_equal(rangeset_remove(&set, 1, 1), 0);
	assert_false(rangeset_contains(&set, 2, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_memory_runs_dry),
		cmocka_unit_test(test_whole_space),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests_name("rangeset", tests, NULL, NULL);
}
