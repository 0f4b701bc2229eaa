/* SPDX-License-Identifier: MIT */
/*
 * Formatted text into a buffer.
 *
 * One pass over the format; each conversion is parsed into a `struct spec` and then printed. All
 * output goes through put(), the only place that compares with the buffer's size, so text that
 * does not fit is counted and dropped. No state outlives a call and no lock is taken: it may run
 * in any context, a panic included.
 */
#include "lib/printf.h"

#include "lib/string.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct out {
	char *buf;
	size_t size;
	size_t len; /* what the whole text needs so far */
};

struct spec {
	bool left, zero, plus, space, alt, upper;
	bool has_prec;
	int width;
	int prec;
	unsigned char length; /* bytes of the integer argument */
};

static inline void put(struct out *o, char c)
{
	if (o->len < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_repeat(struct out *o, char c, int n)
{
	for (; n > 0; n--)
		put(o, c);
}

static void put_padded(struct out *o, const struct spec *sp, const char *s, size_t n)
{
	int pad = n < (size_t)sp->width ? sp->width - (int)n : 0;

	if (!sp->left)
		put_repeat(o, ' ', pad);
	for (; n; n--)
		put(o, *s++);
	if (sp->left)
		put_repeat(o, ' ', pad);
}

static void put_string(struct out *o, const struct spec *sp, const char *s)
{
	if (!s)
		s = "(null)";
	/* With a precision the argument need not be terminated. */
	put_padded(o, sp, s, sp->has_prec ? strnlen(s, sp->prec) : strlen(s));
}

/* Digits of v, most significant first; the returned pointer lies within end[-22..0]. */
static char *digits(char *end, uint64_t v, unsigned int base, bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (; v; v /= base)
		*--end = set[v % base];
	return end;
}

static void put_number(struct out *o, const struct spec *sp, uint64_t v, unsigned int base,
		       const char *prefix)
{
	char tmp[24], *end = tmp + sizeof(tmp);
	char *s = digits(end, v, base, sp->upper);
	int n = end - s, min = sp->has_prec ? sp->prec : 1;
	int zeros = min > n ? min - n : 0;
	int plen = strlen(prefix), pad;

	if (sp->alt && base == 8 && !zeros && (n || !min))
		zeros = 1;
	pad = sp->width - plen - zeros - n;
	if (pad > 0 && sp->zero && !sp->left && !sp->has_prec) {
		zeros += pad;
		pad = 0;
	}
	if (!sp->left)
		put_repeat(o, ' ', pad);
	while (*prefix)
		put(o, *prefix++);
	put_repeat(o, '0', zeros);
	while (s < end)
		put(o, *s++);
	if (sp->left)
		put_repeat(o, ' ', pad);
}

static void put_signed(struct out *o, const struct spec *sp, int64_t v)
{
	const char *sign = v < 0 ? "-" : sp->plus ? "+" : sp->space ? " " : "";

	put_number(o, sp, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, sign);
}

static void put_pointer(struct out *o, const struct spec *sp, const void *p)
{
	put_number(o, sp, (uintptr_t)p, 16, "0x");
}

static const char *parse_flags(const char *f, struct spec *sp)
{
	for (;; f++) {
		switch (*f) {
		case '-':
			sp->left = true;
			break;
		case '0':
			sp->zero = true;
			break;
		case '+':
			sp->plus = true;
			break;
		case ' ':
			sp->space = true;
			break;
		case '#':
			sp->alt = true;
			break;
		default:
			return f;
		}
	}
}

static const char *parse_number(const char *f, int *value)
{
	int v = 0;

	for (; *f >= '0' && *f <= '9'; f++)
		v = v > (INT_MAX - 9) / 10 ? INT_MAX : v * 10 + (*f - '0');
	*value = v;
	return f;
}

static const char *parse_length(const char *f, struct spec *sp)
{
	sp->length = sizeof(int);
	switch (*f) {
	case 'h':
		sp->length = f[1] == 'h' ? sizeof(char) : sizeof(short);
		return f + (f[1] == 'h' ? 2 : 1);
	case 'l':
		sp->length = sizeof(long);
		return f + (f[1] == 'l' ? 2 : 1);
	case 'j':
	case 'z':
	case 't':
		sp->length = sizeof(long);
		return f + 1;
	default:
		return f;
	}
}

/* va_list is an array type: it travels inside a structure so that callees advance ours. */
struct args {
	va_list ap;
};

static const char *parse_spec(const char *f, struct spec *sp, struct args *a)
{
	f = parse_flags(f, sp);
	if (*f == '*') {
		sp->width = va_arg(a->ap, int);
		if (sp->width < 0) {
			sp->left = true;
			sp->width = sp->width == INT_MIN ? INT_MAX : -sp->width;
		}
		f++;
	} else {
		f = parse_number(f, &sp->width);
	}
	if (*f == '.') {
		sp->has_prec = true;
		if (f[1] == '*') {
			sp->prec = va_arg(a->ap, int);
			f += 2;
		} else {
			f = parse_number(f + 1, &sp->prec);
		}
		if (sp->prec < 0) /* as if none was given */
			sp->has_prec = false;
	}
	return parse_length(f, sp);
}

static int64_t arg_signed(const struct spec *sp, struct args *a)
{
	int v;

	if (sp->length == sizeof(long))
		return va_arg(a->ap, long);
	v = va_arg(a->ap, int);
	return sp->length == sizeof(char)    ? (signed char)v
	       : sp->length == sizeof(short) ? (short)v
					     : v;
}

static uint64_t arg_unsigned(const struct spec *sp, struct args *a)
{
	unsigned int v;

	if (sp->length == sizeof(long))
		return va_arg(a->ap, unsigned long);
	v = va_arg(a->ap, unsigned int);
	return sp->length == sizeof(char)    ? (unsigned char)v
	       : sp->length == sizeof(short) ? (unsigned short)v
					     : v;
}

static void put_hex(struct out *o, const struct spec *sp, uint64_t v)
{
	put_number(o, sp, v, 16, sp->alt && v ? (sp->upper ? "0X" : "0x") : "");
}

/* Prints one conversion; false if it is none that we know. */
static bool put_conversion(struct out *o, struct spec *sp, char conv, struct args *a)
{
	char c;

	switch (conv) {
	case 'd':
	case 'i':
		put_signed(o, sp, arg_signed(sp, a));
		return true;
	case 'u':
		put_number(o, sp, arg_unsigned(sp, a), 10, "");
		return true;
	case 'X':
		sp->upper = true;
		/* fall through */
	case 'x':
		put_hex(o, sp, arg_unsigned(sp, a));
		return true;
	case 'o':
		put_number(o, sp, arg_unsigned(sp, a), 8, "");
		return true;
	case 'p':
		put_pointer(o, sp, va_arg(a->ap, const void *));
		return true;
	case 's':
		put_string(o, sp, va_arg(a->ap, const char *));
		return true;
	case 'c':
		c = (char)va_arg(a->ap, int);
		put_padded(o, sp, &c, 1);
		return true;
	case '%':
		put(o, '%');
		return true;
	default:
		return false;
	}
}

static void format(struct out *o, const char *fmt, struct args *a)
{
	const char *f = fmt, *start;

	while (*f) {
		struct spec sp = {};

		if (*f != '%') {
			put(o, *f++);
			continue;
		}
		start = f;
		f = parse_spec(f + 1, &sp, a);
		if (*f && put_conversion(o, &sp, *f, a)) {
			f++;
			continue;
		}
		while (start < f)
			put(o, *start++);
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = {.buf = buf, .size = size};
	struct args a;

	va_copy(a.ap, ap);
	format(&o, fmt, &a);
	va_end(a.ap);
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return o.len > INT_MAX ? INT_MAX : (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
