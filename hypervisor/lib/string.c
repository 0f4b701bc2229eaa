/* SPDX-License-Identifier: MIT */
/*
 * Memory and string functions: exactly the names that a C library has as well, so that host
 * builds can leave this file out.
 *
 * Copies up to 32 bytes are done with overlapping loads and stores, larger ones with one `rep`
 * string instruction over quadwords and an overlapping last quadword: no byte loop anywhere, as
 * both real processors and emulators charge it per byte. The direction flag is never set, so an
 * interrupt taken in here finds it as the ABI wants it.
 *
 * Function names stand in parentheses because string.h defines macros of the same names.
 */
#include "lib/string.h"

#include <stdint.h>

/* Unaligned, alias-free views of memory. */
struct u64_any {
	uint64_t v;
} __attribute__((packed, may_alias));
struct u32_any {
	uint32_t v;
} __attribute__((packed, may_alias));
struct u16_any {
	uint16_t v;
} __attribute__((packed, may_alias));

#define LD(bits, p)    (((const struct u##bits##_any *)(p))->v)
#define ST(bits, p, x) (((struct u##bits##_any *)(p))->v = (x))

/* Keeps the compiler from recognising a loop as the very function it implements. */
#define HIDE(p) asm("" : "+r"(p))

/* n <= 32. All loads precede all stores, hence also right for overlapping areas. */
static inline __attribute__((always_inline)) void copy_small(uint8_t *d, const uint8_t *s, size_t n)
{
	if (n > 16) {
		uint64_t a = LD(64, s), b = LD(64, s + 8);
		uint64_t c = LD(64, s + n - 16), e = LD(64, s + n - 8);

		ST(64, d, a);
		ST(64, d + 8, b);
		ST(64, d + n - 16, c);
		ST(64, d + n - 8, e);
	} else if (n >= 8) {
		uint64_t a = LD(64, s), b = LD(64, s + n - 8);

		ST(64, d, a);
		ST(64, d + n - 8, b);
	} else if (n >= 4) {
		uint32_t a = LD(32, s), b = LD(32, s + n - 4);

		ST(32, d, a);
		ST(32, d + n - 4, b);
	} else if (n >= 2) {
		uint16_t a = LD(16, s), b = LD(16, s + n - 2);

		ST(16, d, a);
		ST(16, d + n - 2, b);
	} else if (n) {
		*d = *s;
	}
}

/* n > 8; the last quadword was loaded before the copy, so dst may lie below src and overlap it. */
static inline void copy_forward(uint8_t *d, const uint8_t *s, size_t n)
{
	uint64_t last = LD(64, s + n - 8);
	uint8_t *to = d;
	size_t quads = (n - 1) / 8;

	asm volatile("rep movsq" : "+D"(to), "+S"(s), "+c"(quads) : : "memory");
	ST(64, d + n - 8, last);
}

/* n > 8, dst above src. */
static void copy_backward(uint8_t *d, const uint8_t *s, size_t n)
{
	uint64_t first = LD(64, s);
	size_t i = n;

	for (; i > 8; i -= 8) {
		HIDE(d);
		ST(64, d + i - 8, LD(64, s + i - 8));
	}
	ST(64, d, first);
}

void *(memcpy)(void *restrict dst, const void *restrict src, size_t n)
{
	if (n <= 32)
		copy_small(dst, src, n);
	else
		copy_forward(dst, src, n);
	return dst;
}

void *(memmove)(void *dst, const void *src, size_t n)
{
	if (n <= 32)
		copy_small(dst, src, n);
	else if ((uintptr_t)dst - (uintptr_t)src >= n) /* also true for dst below src */
		copy_forward(dst, src, n);
	else
		copy_backward(dst, src, n);
	return dst;
}

void *(memset)(void *dst, int c, size_t n)
{
	uint64_t v = (uint8_t)c * UINT64_C(0x0101010101010101);
	uint8_t *d = dst, *to = dst;
	size_t quads = n / 8;

	if (n >= 8) {
		ST(64, d + n - 8, v);
		asm volatile("rep stosq" : "+D"(to), "+c"(quads) : "a"(v) : "memory");
	} else if (n >= 4) {
		ST(32, d, (uint32_t)v);
		ST(32, d + n - 4, (uint32_t)v);
	} else if (n >= 2) {
		ST(16, d, (uint16_t)v);
		ST(16, d + n - 2, (uint16_t)v);
	} else if (n) {
		*d = (uint8_t)v;
	}
	return dst;
}

int(memcmp)(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	while (n >= 8 && LD(64, x) == LD(64, y)) {
		x += 8;
		y += 8;
		n -= 8;
	}
	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

size_t(strlen)(const char *s)
{
	const char *p = s;

	while (*p) {
		p++;
		HIDE(p);
	}
	return p - s;
}

size_t(strnlen)(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int(strcmp)(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}

int(strncmp)(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b || !*a)
			return (uint8_t)*a - (uint8_t)*b;
	}
	return 0;
}

char *(strchr)(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *(strstr)(const char *s, const char *needle)
{
	size_t len = (strlen)(needle);

	for (;; s++) {
		if (!(strncmp)(s, needle, len))
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}
