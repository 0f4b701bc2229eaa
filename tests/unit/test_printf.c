/* SPDX-License-Identifier: MIT */
/*
 * lib/printf.c against the C library's vsnprintf: every combination of flags, width, length and
 * conversion that it knows, into a large buffer and truncated ones. The build renames ours
 * (hv_vsnprintf).
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

static int hv_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = hv_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

/* Builds "[%<flags><width><length><conv>]" for each choice. */
static void each_format(void (*check)(const char *fmt, const char *length), const char *convs,
			const char *const *lengths)
{
	static const char *const widths[] = {"", "1", "9", "25"};
	char fmt[32];

	for (unsigned int flags = 0; flags < 4; flags++) {
		for (const char *c = convs; *c; c++) {
			if (flags & 2 && strchr("du", *c)) /* undefined */
				continue;
			for (unsigned int i = 0; i < 4; i++) {
				for (const char *const *l = lengths; *l; l++) {
					hv_snprintf(fmt, sizeof(fmt), "[%%%s%s%s%s%c]",
						    flags & 1 ? "0" : "", flags & 2 ? "#" : "",
						    widths[i], *l, *c);
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
		if (!*length)
			compare(fmt, (int)values[i]);
		else
			compare(fmt, values[i]);
	}
}

static void test_integers(void **state)
{
	static const char *const lengths[] = {"", "l", "ll", "z", NULL};

	(void)state;
	each_format(check_integer, "dux", lengths);
}

static void test_strings(void **state)
{
	static const char *const formats[] = {"%s|", "%10s|", "%.2s|", "%10.2s|", "%.s|"};
	static const char *const args[] = {"", "a", "hello", "a rather longer text"};

	(void)state;
	for (size_t f = 0; f < 5; f++) {
		for (size_t i = 0; i < 4; i++)
			compare(formats[f], args[i]);
	}
	compare("%s", (char *)NULL);
	compare("%c%5c|", 'a', 'b');
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
}

static void test_pointers(void **state)
{
	char buf[40];

	(void)state;
	compare("%p|%20p|", (void *)0xffff800012345678ul, (void *)1);
	hv_snprintf(buf, sizeof(buf), "%p", NULL);
	assert_string_equal(buf, "0x0");
}

static void test_unknown(void **state)
{
	const char *odd = "%y %05q %-d %", *refused = "a%nb";
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
