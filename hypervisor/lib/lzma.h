/* SPDX-License-Identifier: MIT */
/* The two filters of xz data: LZMA2 and the x86 branch converter. Private to lib/. */
#ifndef LIB_LZMA_H
#define LIB_LZMA_H

#include "lib/unpack.h"

/* Decodes LZMA2 chunks up to their end mark. */
int unpack_lzma2(struct unpack *u);

/* Undoes the x86 filter in place. start is the address that the encoder gave the first byte. */
void bcj_x86_decode(uint8_t *buf, size_t size, uint32_t start);

#endif /* LIB_LZMA_H */
