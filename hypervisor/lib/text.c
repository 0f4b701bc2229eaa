/* SPDX-License-Identifier: MIT */
/*
 * scnprintf and strlcpy, which Debian 12's C library lacks: beside printf.c and string.c rather
 * than in them, so that host builds can link these with the C library's functions.
 */
#include "lib/printf.h"
#include "lib/string.h"
#include "lib/types.h"

size_t scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!size)
		return 0;
	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return min((size_t)n, size - 1);
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src), n;

	if (size) {
		n = min(len, size - 1);
		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}
