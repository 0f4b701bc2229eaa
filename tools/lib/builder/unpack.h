/* SPDX-License-Identifier: MIT */
/* Packed kernels: gzip, xz, lzma, bzip2, lz4 in Linux' legacy framing, zstd; the work is done by their libraries. */
#pragma once

#include "lib/base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What packs the bytes at @in, by their first few; NULL: nothing known. */
const char *unpack_name(const uint8_t *in, size_t len);

/*
 * Unpacks the stream at the start of @in; what follows it is ignored. Returns how many bytes, at most @size; -1 when it is damaged,
 * cut short, or longer than that.
 */
ssize_t unpack(const uint8_t *in, size_t len, uint8_t *out, size_t size, struct error *e);
