/* SPDX-License-Identifier: MIT */
/* XXH32 and XXH64 with seed 0: the checksums of the LZ4 and Zstandard frame formats. */
#ifndef LIB_XXHASH_H
#define LIB_XXHASH_H

#include <stddef.h>
#include <stdint.h>

uint32_t xxh32(const void *data, size_t len);
uint64_t xxh64(const void *data, size_t len);

#endif /* LIB_XXHASH_H */
