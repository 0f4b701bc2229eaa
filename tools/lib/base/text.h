/* SPDX-License-Identifier: MIT */
/*
 * Memory and growing text. Running out of memory ends the process: every daemon here survives being killed at any point, so there is
 * one way to recover and not two.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static inline void text_autofree(void *p)
{
	free(*(void **)p);
}

/* A local whose memory is freed where it goes out of scope. */
#define autofree __attribute__((cleanup(text_autofree)))

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Bytes that grow at the end; {0} is the empty one. @data is followed by a NUL that @len does not count. */
struct text {
	char *data;
	size_t len, size;
};

/* vsnprintf() of the caller's own arguments behind @fmt into the array @to. */
#define text_format(to, fmt)                                     \
	do {                                                     \
		va_list format_ap;                               \
		va_start(format_ap, fmt);                        \
		(void)vsnprintf(to, sizeof(to), fmt, format_ap); \
		va_end(format_ap);                               \
	} while (0)

void text_add(struct text *t, const void *bytes, size_t n);
void text_str(struct text *t, const char *s);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *t, const char *fmt, va_list ap);
/* Room for @n bytes behind the end; the caller adds what it used to @len (and keeps the NUL). */
char *text_room(struct text *t, size_t n);
/* Takes the first @n bytes away. */
void text_drop(struct text *t, size_t n);
void text_free(struct text *t);
/* The bytes, owned by the caller (never NULL); @t is empty afterwards. */
char *text_take(struct text *t);

bool str_starts(const char *s, const char *prefix);
/* The whole of @s as a number in base 10 (or 0x...) between @min and @max. */
bool str_to_long(const char *s, long min, long max, long *out);
/* How many letters must be changed, added, left out or swapped to make @b of @a; 99 for words over 32 letters. */
unsigned int str_distance(const char *a, const char *b);
/* Whether @word is one of those in @list, between blanks; in whatever case. */
bool str_has_word(const char *list, const char *word);
