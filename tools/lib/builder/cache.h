/* SPDX-License-Identifier: MIT */
/*
 * The cache of unpacked kernels: one file an entry, a page of header and the ELF image behind it. Entries appear complete or not at all
 * (rename), belong to one device, inode, size and times of a source, and carry a checksum. Failures are nobody's error: without its
 * entry a kernel is unpacked again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { CACHE_HEADER = 4096 };

/* The entry for the source that @st describes, mapped; its image is behind CACHE_HEADER bytes. */
bool cache_get(const char *folder, const struct stat *st, void **map, size_t *size);

/* @map: CACHE_HEADER bytes for the header and the image; makes room by removing the entries not used for longest. */
void cache_put(const char *folder, const struct stat *st, void *map, size_t size);
