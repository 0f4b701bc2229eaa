/* SPDX-License-Identifier: MIT */
/* The ELF half of a kernel image. Private to image.c and its tests. */
#pragma once

#include "lib/builder/image.h"

/* Validates img->elf and fills in everything but what holds it. */
int elf_parse(struct image *img, struct error *e);

/* The file's bytes from @offset on, or NULL when @len of them reach beyond its end. */
const uint8_t *elf_bytes(const struct image *img, uint64_t offset, uint64_t len);

/* Takes the Xen notes in the @len bytes at @offset over. */
int elf_read_notes(struct image *img, uint64_t offset, uint64_t len, struct error *e);
/* Whether the notes, or the older text in section __xen_guest (@text, NULL: none), make sense together. */
int elf_check_notes(const struct image *img, struct error *e);
