/* SPDX-License-Identifier: MIT */
/*
 * Decompression of kernels: gzip, xz, LZ4 (the legacy frame, which `lz4 -l` and Linux's build
 * write) and Zstandard, chosen by the data's first bytes.
 *
 * Whatever the input, only the two buffers are touched. The decoders keep their tables in static
 * memory (about 190 KiB in all), so one call at a time: this is boot's business.
 */
#ifndef LIB_DECOMPRESS_H
#define LIB_DECOMPRESS_H

#include <stddef.h>

/*
 * Decompresses one stream from in into out; what follows it is ignored. 0 with the number of bytes
 * in *produced, or *why says what is wrong: -EINVAL the data is damaged or truncated, -ENOSPC it
 * needs more than out_len, -EOPNOTSUPP the format is not one we read.
 */
int decompress(const void *in, size_t in_len, void *out, size_t out_len, size_t *produced,
	       const char **why);

/* The format's name ("gzip", "xz", ...), also of those we only recognise; NULL if none. */
const char *decompress_format(const void *in, size_t in_len);

/*
 * An upper bound of the output's size as the data itself states it, 0 when it does not. Untrusted:
 * only good for sizing a buffer.
 */
size_t decompress_bound(const void *in, size_t in_len);

#endif /* LIB_DECOMPRESS_H */
