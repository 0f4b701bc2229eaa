/* SPDX-License-Identifier: MIT */
/*
 * Where a further CPU starts (x86/trampoline.S): one page below 1 MiB, which never belongs to
 * anyone else.
 */
#ifndef X86_TRAMPOLINE_H
#define X86_TRAMPOLINE_H

#define TRAMPOLINE_PHYS 0x8000

#ifndef __ASSEMBLER__
#include "lib/types.h"

extern const char trampoline_start[], trampoline_end[];

/* Filled in before each start, at the copy's offset trampoline_args - trampoline_start. */
struct trampoline_args {
	uint64_t cr3;	/* below 4 GiB; maps the page at its own address */
	uint64_t stack; /* as RSP is to be */
	uint64_t entry;
};
extern const struct trampoline_args trampoline_args;
#endif
#endif
