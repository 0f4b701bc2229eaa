/* SPDX-License-Identifier: MIT */
/* lib/parse.c: numbers, sizes, switches, and what must be refused. */
#include "unit.h"

#include "lib/errno.h"
#include "lib/parse.h"

#define KEPT 0x1234567

static void check_u64(const char *s, unsigned int base, int rc, uint64_t value, int used)
{
	const char *end = NULL;
	uint64_t v = KEPT;

	if (parse_u64(s, &end, base, &v) != rc || v != (rc ? KEPT : value))
		fail_msg("'%s' base %u: value %#lx", s, base, v);
	if (!rc)
		assert_int_equal(end - s, used);
	else
		assert_null(end);
}

static void test_u64(void **state)
{
	uint64_t v = KEPT;

	(void)state;
	check_u64("0", 0, 0, 0, 1);
	check_u64("42 rest", 0, 0, 42, 2);
	check_u64("0x1fG", 0, 0, 0x1f, 4);
	check_u64("0X1F", 16, 0, 0x1f, 4);
	check_u64("1f", 16, 0, 0x1f, 2);
	check_u64("0x", 0, 0, 0, 1);
	check_u64("0xg", 16, 0, 0, 1);
	check_u64("0777", 0, 0, 0777, 4);
	check_u64("08", 0, 0, 0, 1);
	check_u64("0777", 10, 0, 777, 4);
	check_u64("18446744073709551615", 0, 0, UINT64_MAX, 20);
	check_u64("18446744073709551616", 0, -ERANGE, 0, 0);
	check_u64("0xffffffffffffffff", 0, 0, UINT64_MAX, 18);
	check_u64("0x10000000000000000", 0, -ERANGE, 0, 0);
	check_u64("", 0, -EINVAL, 0, 0);
	check_u64("-1", 0, -EINVAL, 0, 0);
	check_u64(" 1", 0, -EINVAL, 0, 0);
	check_u64("1", 1, -EINVAL, 0, 0);
	check_u64("1", 37, -EINVAL, 0, 0);
	assert_int_equal(parse_u64("12x", NULL, 0, &v), -EINVAL);
	assert_int_equal(v, KEPT);
	assert_int_equal(parse_u64("12", NULL, 0, &v), 0);
	assert_int_equal(v, 12);
}

static void check_size(const char *s, char unit, int rc, uint64_t value)
{
	uint64_t v = KEPT;

	if (parse_size(s, NULL, unit, &v) != rc || v != (rc ? KEPT : value))
		fail_msg("'%s' unit %c: value %#lx", s, unit, v);
}

static void test_size(void **state)
{
	const char *s = "512M,max:1G", *end;
	uint64_t v;

	(void)state;
	check_size("512M", 'K', 0, 512ul << 20);
	check_size("512m", 'K', 0, 512ul << 20);
	check_size("1G", 'K', 0, 1ul << 30);
	check_size("2T", 'K', 0, 2ul << 40);
	check_size("7B", 'K', 0, 7);
	check_size("7", 'K', 0, 7 << 10);
	check_size("7", 'B', 0, 7);
	check_size("0x10k", 'B', 0, 0x10 << 10);
	check_size("16777215T", 'B', 0, 16777215ul << 40);
	check_size("16777216T", 'B', -ERANGE, 0);
	check_size("7P", 'B', -EINVAL, 0);
	check_size("7MB", 'B', -EINVAL, 0);
	check_size("7", 'x', -EINVAL, 0);
	check_size("M", 'B', -EINVAL, 0);
	check_size("", 'B', -EINVAL, 0);
	assert_int_equal(parse_size(s, &end, 'K', &v), 0);
	assert_int_equal(v, 512ul << 20);
	assert_ptr_equal(end, s + 4);
}

static void test_bool(void **state)
{
	const char *pair = "on,off";

	(void)state;
	assert_int_equal(parse_bool("yes", NULL), 1);
	assert_int_equal(parse_bool("true", NULL), 1);
	assert_int_equal(parse_bool("enable", NULL), 1);
	assert_int_equal(parse_bool("1", NULL), 1);
	assert_int_equal(parse_bool("no", NULL), 0);
	assert_int_equal(parse_bool("false", NULL), 0);
	assert_int_equal(parse_bool("disable", NULL), 0);
	assert_int_equal(parse_bool("0", NULL), 0);
	assert_int_equal(parse_bool(pair, pair + 2), 1);
	assert_int_equal(parse_bool(pair + 3, NULL), 0);
	assert_int_equal(parse_bool("", NULL), -EINVAL);
	assert_int_equal(parse_bool("o", NULL), -EINVAL);
	assert_int_equal(parse_bool("onn", NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_bool),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
