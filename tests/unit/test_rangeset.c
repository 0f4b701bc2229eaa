/* SPDX-License-Identifier: MIT */
/*
 * lib/rangeset.c against an array of bools, at both ends of the 64-bit space, and with a pool that
 * runs dry: a refused call must leave the set as it was.
 */
#include "unit.h"

#include "lib/errno.h"
#include "lib/rangeset.h"

#define N 64

struct fixture {
	struct range ranges[N];
	struct range_pool pool;
	struct rangeset set;
};

static void setup(struct fixture *f, size_t count)
{
	range_pool_init(&f->pool, f->ranges, count);
	rangeset_init(&f->set, &range_pool_ops, &f->pool);
}

static size_t pool_left(const struct fixture *f)
{
	size_t n = 0;

	for (const struct range *r = f->pool.free; r; r = r->next)
		n++;
	return n;
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

static int mark(uint64_t first, uint64_t last, void *arg)
{
	bool *seen = arg;

	for (uint64_t i = first; i <= last && i >= first; i++)
		seen[i % N] = true;
	return 0;
}

static void check_model(const struct rangeset *rs, uint64_t base, const bool *model)
{
	for (size_t a = 0; a < N; a += 3) {
		bool all = true, some = false, seen[N] = {};

		for (size_t b = a; b < N; b++) {
			all = all && model[b];
			some = some || model[b];
			assert_int_equal(rangeset_contains(rs, base + a, base + b), all);
			assert_int_equal(rangeset_overlaps(rs, base + a, base + b), some);
		}
		assert_int_equal(rangeset_for_each(rs, base + a, base + N - 1, mark, seen), 0);
		for (size_t b = 0; b < N; b++)
			assert_int_equal(seen[b], b >= a && model[b]);
	}
}

/* base is a multiple of N, so that mark() can fold numbers into the model. */
static void run_model(uint64_t base, size_t pool, uint64_t seed)
{
	struct fixture f;
	bool model[N] = {};

	setup(&f, pool);
	for (int round = 0; round < 400; round++) {
		size_t a = unit_random(&seed) % N, b = a + unit_random(&seed) % (N - a);
		bool add = unit_random(&seed) & 1;
		int rc = (add ? rangeset_add : rangeset_remove)(&f.set, base + a, base + b);

		assert_true(rc == 0 || (rc == -ENOMEM && !f.pool.free));
		for (size_t i = a; !rc && i <= b; i++)
			model[i] = add;
		assert_int_equal(check_invariant(&f.set) + pool_left(&f), pool);
		check_model(&f.set, base, model);
	}
	rangeset_destroy(&f.set);
	assert_true(rangeset_empty(&f.set));
	assert_int_equal(pool_left(&f), pool);
}

static void test_model(void **state)
{
	(void)state;
	run_model(0, N, 1);
	run_model(1ul << 40, N, 2);
	run_model(UINT64_MAX - N + 1, N, 3);
}

static void test_pool_runs_dry(void **state)
{
	(void)state;
	run_model(0, 1, 4);
	run_model(UINT64_MAX - N + 1, 3, 5);
}

static void test_whole_space(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, 2);
	assert_int_equal(rangeset_add(&f.set, 0, UINT64_MAX), 0);
	assert_true(rangeset_contains(&f.set, 0, UINT64_MAX));
	assert_int_equal(rangeset_remove(&f.set, 5, 5), 0);
	assert_false(rangeset_contains(&f.set, 5, 5));
	assert_true(rangeset_contains(&f.set, 6, UINT64_MAX));
	assert_int_equal(rangeset_remove(&f.set, 9, 9), -ENOMEM);
	assert_true(rangeset_contains(&f.set, 6, UINT64_MAX));
	assert_int_equal(rangeset_add(&f.set, 5, 5), 0);
	assert_int_equal(check_invariant(&f.set), 1);
	assert_int_equal(rangeset_remove(&f.set, 0, UINT64_MAX), 0);
	assert_true(rangeset_empty(&f.set));
}

static void test_refusals(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, 0);
	assert_int_equal(rangeset_add(&f.set, 2, 1), -EINVAL);
	assert_int_equal(rangeset_remove(&f.set, 2, 1), -EINVAL);
	assert_int_equal(rangeset_add(&f.set, 1, 1), -ENOMEM);
	assert_int_equal(rangeset_remove(&f.set, 1, 1), 0);
	assert_false(rangeset_contains(&f.set, 2, 1));
	assert_false(rangeset_overlaps(&f.set, 2, 1));
}

static int stop_at_second(uint64_t first, uint64_t last, void *arg)
{
	int *calls = arg;

	(void)first, (void)last;
	return ++*calls == 2 ? 77 : 0;
}

static void test_for_each_stops(void **state)
{
	struct fixture f;
	int calls = 0;

	(void)state;
	setup(&f, N);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(rangeset_add(&f.set, i * 10, i * 10 + 3), 0);
	assert_int_equal(rangeset_for_each(&f.set, 0, UINT64_MAX, stop_at_second, &calls), 77);
	assert_int_equal(calls, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),	       cmocka_unit_test(test_pool_runs_dry),
		cmocka_unit_test(test_whole_space),    cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_for_each_stops),
	};

	return cmocka_run_group_tests_name("rangeset", tests, NULL, NULL);
}
