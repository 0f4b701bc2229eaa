/* SPDX-License-Identifier: MIT */
/*
 * Formatted text into a buffer: of the C library's formats what the hypervisor prints.
 *
 * Conversions: d u x p s c %, flags 0 and #, width, precision (of strings), lengths l ll z. The
 * result is always terminated when size > 0. Any other conversion is copied as it stands.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/* Returns the length the whole text would have had. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* Returns the number of characters really stored, without the terminator. */
size_t scnprintf(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* LIB_PRINTF_H */
