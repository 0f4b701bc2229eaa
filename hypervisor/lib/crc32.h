/* SPDX-License-Identifier: MIT */
/*
 * CRC-32 as gzip, xz and GPT use it (ISO 3309, reflected polynomial 0xedb88320).
 *
 * Its tables are computed at first use; the first use must not race with another.
 */
#ifndef LIB_CRC32_H
#define LIB_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* crc is 0 to begin with, the previous result to go on. */
uint32_t crc32(uint32_t crc, const void *data, size_t len);

#endif /* LIB_CRC32_H */
