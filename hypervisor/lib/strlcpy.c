/* SPDX-License-Identifier: MIT */
/*
 * strlcpy: the one string function of string.h that Debian 12's C library lacks. It has a file of
 * its own so that host builds can link it beside the C library.
 */
#include "lib/string.h"

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		size_t n = len < size ? len : size - 1;

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}
