/* SPDX-License-Identifier: MIT */
/*
 * scnprintf: beside printf.c rather than in it, so that host builds can link it with the C
 * library's vsnprintf.
 */
#include "lib/printf.h"

size_t scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!size)
		return 0;
	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}
