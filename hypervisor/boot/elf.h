/* SPDX-License-Identifier: MIT */
/*
 * The parts of the ELF-64 format that a kernel image uses (System V ABI, chapters 4 and 5), under
 * their usual names. Files are little-endian, as we are; nothing in them need be aligned, hence
 * the packed structures.
 */
#ifndef BOOT_ELF_H
#define BOOT_ELF_H

#include "lib/types.h"

#define EI_CLASS     4
#define EI_DATA	     5
#define EI_VERSION   6
#define ELFCLASS32   1
#define ELFCLASS64   2
#define ELFDATA2LSB  1
#define EV_CURRENT   1
#define ET_EXEC	     2
#define ET_DYN	     3
#define EM_386	     3
#define EM_X86_64    62
#define PT_LOAD	     1
#define PT_NOTE	     4
#define SHT_PROGBITS 1
#define SHT_NOTE     7

struct elf64_ehdr {
	uint8_t e_ident[16];
	uint16_t e_type, e_machine;
	uint32_t e_version;
	uint64_t e_entry, e_phoff, e_shoff;
	uint32_t e_flags;
	uint16_t e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
} __packed;
_Static_assert(sizeof(struct elf64_ehdr) == 64, "ELF header");

struct elf64_phdr {
	uint32_t p_type, p_flags;
	uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
} __packed;
_Static_assert(sizeof(struct elf64_phdr) == 56, "ELF program header");

struct elf64_shdr {
	uint32_t sh_name, sh_type;
	uint64_t sh_flags, sh_addr, sh_offset, sh_size;
	uint32_t sh_link, sh_info;
	uint64_t sh_addralign, sh_entsize;
} __packed;
_Static_assert(sizeof(struct elf64_shdr) == 64, "ELF section header");

struct elf64_nhdr {
	uint32_t n_namesz, n_descsz, n_type;
} __packed;
_Static_assert(sizeof(struct elf64_nhdr) == 12, "ELF note header");

#endif /* BOOT_ELF_H */
