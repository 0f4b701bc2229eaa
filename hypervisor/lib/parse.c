/* SPDX-License-Identifier: MIT */
/*
 * Numbers, sizes and switches out of text. Overflow is found before it happens, never after; no
 * character beyond the terminator is looked at.
 */
#include "lib/parse.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "lib/types.h"

/* The value of a digit, or 99, which no base accepts. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 99;
}

/* "0x" counts as a prefix only when a digit follows: "0x" alone is the number 0 and an x. */
static const char *skip_prefix(const char *s, unsigned int *base)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16;

	if (!*base)
		*base = hex ? 16 : s[0] == '0' ? 8 : 10;
	return hex && *base == 16 ? s + 2 : s;
}

int parse_u64(const char *s, const char **end, unsigned int base, uint64_t *value)
{
	uint64_t v = 0;
	const char *p = skip_prefix(s, &base);

	if (base < 2 || base > 36 || digit_value(*p) >= base)
		return -EINVAL;
	for (; digit_value(*p) < base; p++) {
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit_value(*p), &v))
			return -ERANGE;
	}
	if (!end && *p)
		return -EINVAL;
	if (end)
		*end = p;
	*value = v;
	return 0;
}

/* log2 of a unit, or -1. */
static int unit_shift(char c)
{
	static const char units[] = "bkmgt";
	const char *p = c ? strchr(units, c | 0x20) : NULL;

	return p ? (int)(p - units) * 10 : -1;
}

int parse_size(const char *s, const char **end, char unit, uint64_t *bytes)
{
	uint64_t v;
	const char *p;
	int rc = parse_u64(s, &p, 0, &v);
	int shift;

	if (rc)
		return rc;
	shift = unit_shift(*p);
	if (shift >= 0)
		p++;
	else
		shift = unit_shift(unit);
	if (shift < 0 || (!end && *p))
		return -EINVAL;
	if (v > UINT64_MAX >> shift)
		return -ERANGE;
	if (end)
		*end = p;
	*bytes = v << shift;
	return 0;
}

int parse_bool(const char *s, const char *end)
{
	static const struct {
		const char *word;
		int value;
	} words[] = {
		{"yes", 1}, {"on", 1},	{"true", 1},  {"enable", 1},  {"1", 1},
		{"no", 0},  {"off", 0}, {"false", 0}, {"disable", 0}, {"0", 0},
	};
	size_t len = end ? (size_t)(end - s) : strlen(s);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].word) == len && !strncmp(words[i].word, s, len))
			return words[i].value;
	}
	return -EINVAL;
}
