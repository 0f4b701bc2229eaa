/* SPDX-License-Identifier: MIT */
/* What the three files behind kernel_image.h share. Private to them. */
#ifndef BOOT_KERNEL_ELF_H
#define BOOT_KERNEL_ELF_H

#include "boot/elf.h"
#include "boot/kernel_image.h"

/* Sets img->why and returns rc. */
int kernel_refuse(struct kernel_image *img, int rc, const char *fmt, ...) __printf_like(3, 4);

/* The file's bytes from offset on, or NULL when len of them reach beyond its end. */
const uint8_t *kernel_bytes(const struct kernel_image *img, uint64_t offset, uint64_t len);

/* Validates img->elf and fills everything else in. */
int kernel_elf_parse(struct kernel_image *img);

/* Header number i; false when it is not in the file. */
bool kernel_phdr(const struct kernel_image *img, const struct elf64_ehdr *eh, unsigned int i,
		 struct elf64_phdr *ph);
bool kernel_shdr(const struct kernel_image *img, const struct elf64_ehdr *eh, unsigned int i,
		 struct elf64_shdr *sh);

/* Finds the Xen notes, or the older __xen_guest section, and takes them over. */
int kernel_notes_parse(struct kernel_image *img, const struct elf64_ehdr *eh);

#endif /* BOOT_KERNEL_ELF_H */
