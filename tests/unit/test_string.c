/* SPDX-License-Identifier: MIT */
/*
 * lib/string.c against byte loops. The build renames each function (hv_memcpy and so on) so that
 * it stands beside the C library's, which the sanitizers need.
 */
#include "unit.h"

#include "lib/string.h"

#define SPAN 200 /* well past the 32-byte limit of the short paths */

static uint8_t area[3 * SPAN], want[3 * SPAN];

static void fill(void)
{
	for (size_t i = 0; i < sizeof(area); i++)
		area[i] = want[i] = (uint8_t)(i * 7 + 3);
}

static void same(const char *what, size_t n, size_t off)
{
	for (size_t i = 0; i < sizeof(area); i++) {
		if (area[i] != want[i])
			fail_msg("%s n=%zu off=%zu: byte %zu", what, n, off, i);
	}
}

static void test_memcpy(void **state)
{
	(void)state;
	for (size_t n = 0; n <= SPAN; n++) {
		for (size_t off = 0; off < 9; off++) {
			fill();
			for (size_t i = 0; i < n; i++)
				want[2 * SPAN - 20 + off + i] = area[off + i];
			assert_ptr_equal(memcpy(area + 2 * SPAN - 20 + off, area + off, n),
					 area + 2 * SPAN - 20 + off);
			same("memcpy", n, off);
		}
	}
}

static void test_memmove(void **state)
{
	static uint8_t copy[3 * SPAN];

	(void)state;
	for (size_t n = 0; n <= SPAN; n++) {
		for (size_t to = 0; to <= 2 * SPAN;
		     to += to > SPAN - 12 && to < SPAN + 12 ? 1 : 11) {
			fill();
			for (size_t i = 0; i < sizeof(copy); i++)
				copy[i] = area[i];
			for (size_t i = 0; i < n; i++)
				want[to + i] = copy[SPAN + i];
			assert_ptr_equal(memmove(area + to, area + SPAN, n), area + to);
			same("memmove", n, to);
		}
	}
}

static void test_memset(void **state)
{
	(void)state;
	for (size_t n = 0; n <= SPAN; n++) {
		for (size_t off = 0; off < 9; off++) {
			fill();
			for (size_t i = 0; i < n; i++)
				want[off + i] = 0x9c;
			assert_ptr_equal(memset(area + off, 0x39c, n), area + off);
			same("memset", n, off);
		}
	}
}

static void test_memcmp(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 40; n++) {
		fill();
		assert_int_equal(memcmp(area, want, n), 0);
		for (size_t at = 0; at < n; at++) {
			fill();
			area[at] = 0x80;
			want[at] = 0x7f;
			want[at + 1] = 0xff;
			assert_true(memcmp(area, want, n) > 0);
			assert_true(memcmp(want, area, n) < 0);
			assert_int_equal(memcmp(area, want, at), 0);
		}
	}
}

static void test_searches(void **state)
{
	static const char s[] = "one/two/three";

	(void)state;
	assert_ptr_equal(strchr(s, '/'), s + 3);
	assert_ptr_equal(strchr(s, 0), s + 13);
	assert_null(strchr(s, 'x'));
	assert_ptr_equal(strstr(s, "two"), s + 4);
	assert_ptr_equal(strstr(s, ""), s);
	assert_ptr_equal(strstr(s, "three"), s + 8);
	assert_null(strstr(s, "threes"));
}

static void test_lengths_and_order(void **state)
{
	(void)state;
	assert_int_equal(strlen(""), 0);
	assert_int_equal(strlen("abc"), 3);
	assert_int_equal(strnlen("abc", 2), 2);
	assert_int_equal(strnlen("abc", 9), 3);
	assert_int_equal(strcmp("", ""), 0);
	assert_true(strcmp("a", "b") < 0);
	assert_true(strcmp("a\xff", "a") > 0);
	assert_true(strcmp("ab", "a\xff") < 0);
	assert_int_equal(strncmp("abX", "abY", 2), 0);
	assert_true(strncmp("abX", "abY", 3) < 0);
	assert_int_equal(strncmp("ab", "ab", 100), 0);
	assert_int_equal(strncmp("x", "y", 0), 0);
}

static void test_strlcpy(void **state)
{
	char buf[5] = "....";

	(void)state;
	assert_int_equal(strlcpy(buf, "abcdefgh", sizeof(buf)), 8);
	assert_string_equal(buf, "abcd");
	assert_int_equal(strlcpy(buf, "xy", sizeof(buf)), 2);
	assert_string_equal(buf, "xy");
	assert_int_equal(strlcpy(buf, "1234", sizeof(buf)), 4);
	assert_string_equal(buf, "1234");
	assert_int_equal(strlcpy(buf, "zzz", 0), 3);
	assert_string_equal(buf, "1234");
	assert_int_equal(strlcpy(buf, "zzz", 1), 3);
	assert_string_equal(buf, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy),	 cmocka_unit_test(test_memmove),
		cmocka_unit_test(test_memset),	 cmocka_unit_test(test_memcmp),
		cmocka_unit_test(test_searches), cmocka_unit_test(test_lengths_and_order),
		cmocka_unit_test(test_strlcpy),
	};

	return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
