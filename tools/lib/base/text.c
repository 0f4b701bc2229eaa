/* SPDX-License-Identifier: MIT */
/* See text.h. */
#include "lib/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xasprintf(const char *fmt, ...)
{
	struct text t = {0};
	va_list ap;

	va_start(ap, fmt);
	text_vprintf(&t, fmt, ap);
	va_end(ap);
	return text_take(&t);
}

char *text_room(struct text *t, size_t n)
{
	if (t->size - t->len <= n) {
		t->size = (t->len + n + 1) * 3 / 2;
		if (t->size < 64)
			t->size = 64;
		t->data = xrealloc(t->data, t->size);
	}
	return t->data + t->len;
}

void text_add(struct text *t, const void *bytes, size_t n)
{
	char *p = text_room(t, n);

	if (n)
		memcpy(p, bytes, n);
	p[n] = '\0';
	t->len += n;
}

void text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_vprintf(struct text *t, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		abort();
	vsnprintf(text_room(t, (size_t)n), (size_t)n + 1, fmt, ap);
	t->len += (size_t)n;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vprintf(t, fmt, ap);
	va_end(ap);
}

void text_drop(struct text *t, size_t n)
{
	if (!n)
		return;
	memmove(t->data, t->data + n, t->len - n + 1);
	t->len -= n;
}

void text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){0};
}

char *text_take(struct text *t)
{
	char *s = t->data ? t->data : xstrdup("");

	*t = (struct text){0};
	return s;
}

bool str_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool str_to_long(const char *s, long min, long max, long *out)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(s, &end, str_starts(s, "0x") ? 16 : 10);
	if (errno || end == s || *end || value < min || value > max)
		return false;
	*out = value;
	return true;
}
