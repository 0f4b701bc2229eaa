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
#include "lib/types.h"

struct out {
	char *buf;
	size_t size;
	size_t len; /* what the whole text needs so far */
};

struct spec {
	bool zero, alt;
	bool is_long;
	size_t width;
	size_t prec; /* SIZE_MAX: none */
};

static inline void put(struct out *o, char c)
{
	if (o->len < o->size)
		o->buf[o->len] = c;
	o->len++;
}

/* Prefix and text, with spaces before or zeros between the two up to the width. */
static void put_field(struct out *o, const struct spec *sp, const char *prefix, const char *s,
		      size_t n)
{
	size_t len = strlen(prefix) + n, pad = sp->width > len ? sp->width - len : 0;

	for (; pad && !sp->zero; pad--)
		put(o, ' ');
	while (*prefix)
		put(o, *prefix++);
	for (; pad; pad--)
		put(o, '0');
	while (n--)
		put(o, *s++);
}

static void put_number(struct out *o, const struct spec *sp, uint64_t v, unsigned int base,
		       const char *prefix)
{
	char tmp[20], *end = tmp + sizeof(tmp), *s = end;

	do {
		*--s = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	put_field(o, sp, prefix, s, end - s);
}

static void put_signed(struct out *o, const struct spec *sp, int64_t v)
{
	put_number(o, sp, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0 ? "-" : "");
}

static void put_string(struct out *o, const struct spec *sp, const char *s)
{
	if (!s)
		s = "(null)";
	/* With a precision the argument need not be terminated. */
	put_field(o, sp, "", s, strnlen(s, sp->prec));
}

static const char *parse_number(const char *f, size_t *value)
{
	for (*value = 0; *f >= '0' && *f <= '9'; f++)
		*value = *value * 10 + (*f - '0');
	return f;
}

static const char *parse_spec(const char *f, struct spec *sp)
{
	*sp = (struct spec){.prec = SIZE_MAX};
	for (; *f == '0' || *f == '#'; f++) {
		sp->zero |= *f == '0';
		sp->alt |= *f == '#';
	}
	f = parse_number(f, &sp->width);
	if (*f == '.')
		f = parse_number(f + 1, &sp->prec);
	for (; *f == 'l' || *f == 'z'; f++)
		sp->is_long = true;
	return f;
}

/* Prints one conversion; false if it is none that we know. */
static bool put_conversion(struct out *o, const struct spec *sp, char conv, va_list *ap)
{
	uint64_t v;
	char c;

	switch (conv) {
	case 'd':
		put_signed(o, sp, sp->is_long ? va_arg(*ap, long) : va_arg(*ap, int));
		return true;
	case 'u':
	case 'x':
		v = sp->is_long ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);
		put_number(o, sp, v, conv == 'u' ? 10 : 16, sp->alt && v ? "0x" : "");
		return true;
	case 'p':
		put_number(o, sp, va_arg(*ap, uintptr_t), 16, "0x");
		return true;
	case 's':
		put_string(o, sp, va_arg(*ap, const char *));
		return true;
	case 'c':
		c = va_arg(*ap, int);
		put_field(o, sp, "", &c, 1);
		return true;
	case '%':
		put(o, '%');
		return true;
	default:
		return false;
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = {.buf = buf, .size = size};
	struct spec sp;
	va_list ap; /* args is a pointer here, ap an array whose address callees can take */

	va_copy(ap, args);
	while (*fmt) {
		const char *start = fmt++;

		if (*start == '%') {
			fmt = parse_spec(fmt, &sp);
			if (*fmt && put_conversion(&o, &sp, *fmt, &ap)) {
				fmt++;
				continue;
			}
		}
		while (start < fmt)
			put(&o, *start++);
	}
	va_end(ap);
	if (size)
		buf[min(o.len, size - 1)] = '\0';
	return o.len;
}
