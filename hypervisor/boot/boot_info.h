/* SPDX-License-Identifier: MIT */
/*
 * What the loader told us, in one form for all loaders. Filled once by boot/loader_info.c; everything it points to is
 * copied out of the loader's memory, except the modules' contents.
 */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

/* How we were entered (head.S). */
#define BOOT_MULTIBOOT1 1
#define BOOT_MULTIBOOT2 2
#define BOOT_PVH	3

/* Kept free at the top of a CPU's stack: sizeof(struct cpu_info), checked in desc.c. */
#define CPU_INFO_RESERVE 256

#ifndef __ASSEMBLER__
#include "lib/types.h"

#define MAX_MODULES 16
#define MAX_E820    128
#define MAX_CMDLINE 2048
#define E820_RAM    1

struct boot_module {
	paddr_t start, end;
	char cmdline[MAX_CMDLINE];
};

struct e820_range {
	paddr_t start, end;
	uint32_t type;
};

struct boot_info {
	const char *protocol;
	char loader[64];
	char cmdline[MAX_CMDLINE];
	unsigned int nr_modules, nr_e820;
	struct boot_module modules[MAX_MODULES];
	struct e820_range e820[MAX_E820]; /* sorted, not overlapping */
	paddr_t rsdp;			  /* perhaps a copy; 0: search the BIOS area */
	uint8_t rsdp_copy[36];		  /* of the loader's, which lies in memory to be reused */
	paddr_t efi_system;		  /* EFI's system table, of 64 bits; 0: none */
	paddr_t dom0_rsdp;		  /* where domain 0 does not look by itself; 0: nowhere */
	bool efi;			  /* EFI firmware handed over (no legacy video) */
};

extern struct boot_info boot_info;

/* Reads the loader's structures at physical address @info. Returns NULL, or what is wrong with them. */
const char *loader_info_read(int kind, paddr_t info);
/* boot/bundle.c: an only module that is an archive becomes the modules in it. Returns NULL, or what is wrong with it. */
const char *bundle_open(struct boot_info *bi);
/* boot/efi.c, with the heap up: finds the firmware's own ACPI root pointer below UEFI; tells domain 0's kernel of it, in @line. */
void efi_init(struct boot_info *bi);
void efi_dom0_cmdline(const struct boot_info *bi, char *line, size_t size);
#endif
#endif
