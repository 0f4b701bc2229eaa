/* SPDX-License-Identifier: MIT */
/* What the three files behind kernel_image.h share. Private to them. */
#ifndef BOOT_KERNEL_ELF_H
#define BOOT_KERNEL_ELF_H

#include "boot/elf.h"
#include "boot/kernel_image.h"

/* Sets img->why and returns false. */
bool kernel_refuse(struct kernel_image *img, const char *fmt, ...) __printf_like(2, 3);

/* The file's bytes from offset on, or NULL when len of them reach beyond its end. */
const void *kernel_bytes(const struct kernel_image *img, uint64_t offset, uint64_t len);

/* Validates img->elf and fills everything else in. */
bool kernel_elf_parse(struct kernel_image *img);

/* Finds the Xen notes, or the older __xen_guest section, and takes them over. */
bool kernel_notes_parse(struct kernel_image *img, const struct elf64_ehdr *eh,
			const struct elf64_phdr *ph);

#endif /* BOOT_KERNEL_ELF_H */
