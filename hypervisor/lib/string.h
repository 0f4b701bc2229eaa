/* SPDX-License-Identifier: MIT */
/*
 * Memory and string functions.
 *
 * The names and contracts are those of the C library, so that the compiler may call them for
 * structure copies and so that host builds can link the C library's own in place of string.c.
 * Nothing here takes a lock, faults on purpose or knows about guests: guest memory is copied by
 * the guest-copy functions, never by these.
 *
 * In the freestanding build the fixed-size cases go through the compiler's builtins, which
 * turn small constant sizes into plain moves.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strstr(const char *s, const char *needle);

/* Copies with truncation, always terminates when size > 0. Returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);

#if !__STDC_HOSTED__
#define memcpy(dst, src, n)  __builtin_memcpy(dst, src, n)
#define memmove(dst, src, n) __builtin_memmove(dst, src, n)
#define memset(dst, c, n)    __builtin_memset(dst, c, n)
#define memcmp(a, b, n)	     __builtin_memcmp(a, b, n)
#define strlen(s)	     __builtin_strlen(s)
#endif

#endif /* LIB_STRING_H */
