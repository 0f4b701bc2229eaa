/* SPDX-License-Identifier: MIT */
/*
 * Formatted text into a buffer: the C library's vsnprintf family without floating point and
 * without %n.
 *
 * Conversions: d i u x X o p s c %, flags - 0 + space #, width and precision as number or `*`,
 * lengths hh h l ll j z t. The result is always terminated when size > 0; the return value
 * is the length the whole text would have had. An unknown conversion is copied as it stands.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
int snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Like snprintf, but returns the number of characters really stored, without the terminator. */
size_t scnprintf(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* LIB_PRINTF_H */
