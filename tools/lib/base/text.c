/* SPDX-License-Identifier: MIT */
/* See text.h. */
#include "lib/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
		t->size = (t->len + n + 1) * 3 / 2 + 64;
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
	char *p = text_room(t, 64);
	size_t room = t->size - t->len;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(p, room, fmt, again);
	va_end(again);
	if (n < 0)
		abort();
	if ((size_t)n >= room)
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

static unsigned int min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int str_distance(const char *a, const char *b)
{
	unsigned int n[33][33], la = strlen(a), lb = strlen(b);

	if (la > 32 || lb > 32)
		return 99;
	for (unsigned int i = 0; i <= la; i++)
		for (unsigned int j = 0; j <= lb; j++) {
			n[i][j] = i && j ? n[i - 1][j - 1] + (a[i - 1] != b[j - 1]) : i + j;
			if (i && j)
				n[i][j] = min(n[i][j], min(n[i - 1][j], n[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				n[i][j] = min(n[i][j], n[i - 2][j - 2] + 1);
		}
	return n[la][lb];
}

bool str_has_word(const char *list, const char *word)
{
	size_t n = strlen(word), len;

	for (; *(list += strspn(list, " \t")); list += len) {
		len = strcspn(list, " \t");
		if (len == n && !strncasecmp(list, word, n))
			return true;
	}
	return false;
}
