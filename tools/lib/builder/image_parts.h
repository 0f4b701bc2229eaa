/* SPDX-License-Identifier: MIT */
/*
 * The parts of image.c, private to it and its tests: the ELF half of a kernel; what unpacks one (gzip, xz, lzma, bzip2, lz4 in Linux' legacy
 * framing, zstd; the work is done by their libraries); the cache of unpacked kernels: one file an entry, a page of header and the ELF
 * image behind it. Entries appear complete or not at all (rename), belong to one device, inode, size and times of a source, and carry a
 * checksum. Failures of the cache are nobody's error: without its entry a kernel is unpacked again.
 */
#pragma once

#include "lib/builder/image.h"

#include <sys/stat.h>
#include <sys/types.h>

/* Validates img->elf and fills in everything but what holds it. */
int elf_parse(struct image *img, struct error *e);

/* The file's bytes from @offset on, or NULL when @len of them reach beyond its end. */
const uint8_t *elf_bytes(const struct image *img, uint64_t offset, uint64_t len);

/* Takes the Xen notes in the @len bytes at @offset over. */
int elf_read_notes(struct image *img, uint64_t offset, uint64_t len, struct error *e);
/* Whether the notes make sense together. */
int elf_check_notes(const struct image *img, struct error *e);

/* Whether the bytes at @in are packed in a way known here, by their first few. */
bool unpack_knows(const uint8_t *in, size_t len);

/*
 * Unpacks the stream at the start of @in, which must be such; what follows it is ignored. Returns how many bytes, at most @size; -1 when it is damaged,
 * cut short, or longer than that.
 */
ssize_t unpack(const uint8_t *in, size_t len, uint8_t *out, size_t size, struct error *e);

enum { CACHE_HEADER = 4096 };

/* The entry for the source that @st describes, mapped; its image is behind CACHE_HEADER bytes. */
bool cache_get(const char *folder, const struct stat *st, void **map, size_t *size);

/* @map: CACHE_HEADER bytes for the header and the image; makes room by removing the entries not used for longest. */
void cache_put(const char *folder, const struct stat *st, void *map, size_t size);
