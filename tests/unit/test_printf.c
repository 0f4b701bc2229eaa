/* SPDX-License-Identifier: MIT */
/*
 * lib/printf.c against the C library's vsnprintf: every combination of flags, width, precision,
 * length and conversion, into a large buffer and truncated ones. The build renames ours
 * (hv_snprintf).
 */
#include "unit.h"

#include "lib/printf.h"
#include "lib/string.h"

#include <limits.h>

#undef vsnprintf
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

static void compare(const char *fmt, ...)
{
	static const size_t sizes[] = {256, 8, 1, 0};
	char a[256], b[256];
	va_list ap;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int na, nb;

		memset(a, '#', sizeof(a));
		memset(b, '#', sizeof(b));
		va_start(ap, fmt);
		na = hv_vsnprintf(a, sizes[i], fmt, ap);
		va_end(ap);
		va_start(ap, fmt);
		nb = vsnprintf(b, sizes[i], fmt, ap);
		va_end(ap);
		if (na != nb || memcmp(a, b, sizeof(a)))
			fail_msg("'%s' size %zu: '%.40s' (%d), C library '%.40s' (%d)", fmt,
				 sizes[i], a, na, b, nb);
	}
}

/* Builds "[%<flags><width><prec><length><conv>]" for each choice. */
static void each_format(void (*check)(const char *fmt, const char *length), const char *convs,
			const char *const *lengths)
{
	static const char *const widths[] = {"", "1", "9", "25"};
	static const char *const precs[] = {"", ".", ".0", ".1", ".7", ".24"};
	char fmt[32];

	for (unsigned int flags = 0; flags < 32; flags++) {
		for (const char *c = convs; *c; c++) {
			/* Undefined: # with d, i, u; + and space with unsigned ones. */
			if ((flags & 16 && strchr("diu", *c)) || (flags & 12 && strchr("uxXo", *c)))
				continue;
			for (unsigned int i = 0; i < 4 * 6; i++) {
				for (const char *const *l = lengths; *l; l++) {
					hv_snprintf(fmt, sizeof(fmt), "[%%%s%s%s%s%s%s%s%s%c]",
						    flags & 1 ? "-" : "", flags & 2 ? "0" : "",
						    flags & 4 ? "+" : "", flags & 8 ? " " : "",
						    flags & 16 ? "#" : "", widths[i % 4],
						    precs[i / 4], *l, *c);
					check(fmt, *l);
				}
			}
		}
	}
}

static void check_integer(const char *fmt, const char *length)
{
	static const long values[] = {0,	 1,	  -1,	   8,	     127,
				      128,	 255,	  -129,	   32768,    65536,
				      123456789, INT_MIN, INT_MAX, LONG_MIN, LONG_MAX};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (!*length || *length == 'h')
			compare(fmt, (int)values[i]);
		else
			compare(fmt, values[i]);
	}
}

static void test_integers(void **state)
{
	static const char *const lengths[] = {"", "hh", "h", "l", "ll", "j", "z", "t", NULL};

	(void)state;
	each_format(check_integer, "diuxXo", lengths);
}

static void test_strings(void **state)
{
	static const char *const formats[] = {"%s|",	 "%10s|",    "%-10s|", "%.2s|",
					      "%10.2s|", "%-10.0s|", "%.s|"};
	static const char *const args[] = {"", "a", "hello", "a rather longer text"};

	(void)state;
	for (size_t f = 0; f < 7; f++) {
		for (size_t i = 0; i < 4; i++)
			compare(formats[f], args[i]);
	}
	compare("%.*s|", 3, "abcdef");
	compare("%.*s|", -1, "abcdef");
	compare("%*s|%*d", -8, "abc", 8, 42);
	compare("%s", (char *)NULL);
	compare("%c%5c%-5c|", 'a', 'b', 'c');
	compare("100%% %d%%", 5);
	compare("no conversion at all, and longer than eight");
}

static void test_unterminated(void **state)
{
	static const char three[3] = {'x', 'y', 'z'};
	char buf[16];

	(void)state;
	assert_int_equal(hv_snprintf(buf, sizeof(buf), "%.3s!", three), 4);
	assert_string_equal(buf, "xyz!");
	assert_int_equal(hv_snprintf(buf, sizeof(buf), "%.*s!", 2, three), 3);
	assert_string_equal(buf, "xy!");
}

static void test_pointers(void **state)
{
	char buf[40];

	(void)state;
	compare("%p|%20p|%-20p|", (void *)0xffff800012345678ul, (void *)1, (void *)2);
	hv_snprintf(buf, sizeof(buf), "%p", NULL);
	assert_string_equal(buf, "0x0");
}

static void test_unknown(void **state)
{
	const char *odd = "%y %-5q %", *refused = "a%nb";
	char buf[40];

	(void)state;
	hv_snprintf(buf, sizeof(buf), odd, 0, 0);
	assert_string_equal(buf, odd);
	hv_snprintf(buf, sizeof(buf), refused);
	assert_string_equal(buf, refused);
}

static void test_scnprintf(void **state)
{
	char buf[8];

	(void)state;
	assert_int_equal(scnprintf(buf, sizeof(buf), "%d", 123), 3);
	assert_int_equal(scnprintf(buf, sizeof(buf), "%s", "1234567890"), 7);
	assert_string_equal(buf, "1234567");
	assert_int_equal(scnprintf(buf, 0, "%d", 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),     cmocka_unit_test(test_strings),
		cmocka_unit_test(test_unterminated), cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_unknown),	     cmocka_unit_test(test_scnprintf),
	};

	return cmocka_run_group_tests_name("printf", tests, NULL, NULL);
}
