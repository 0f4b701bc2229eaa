/* SPDX-License-Identifier: MIT */
/* The descriptor tables of the CPUs (x86/desc.c). */
#ifndef X86_DESC_H
#define X86_DESC_H

#include "x86/asm.h"
#include "x86/cpu.h"

#define GDT_RESERVED_ENTRIES 1024 /* two pages: selectors 0xe000-0xffff */

extern uint64_t
	hyp_gdt[GDT_RESERVED_ENTRIES]; /* page-aligned; shown as pages 14 and 15 of every GDT */

struct desc_ptr {
	uint16_t limit;
	uint64_t base;
} __packed;

/* GDT, IDT, TSS, system-call registers, control registers of the calling CPU, whose stack top is @stack_top. */
void cpu_setup(unsigned int cpu);
void load_gdt_default(void);	   /* no guest: only our own pages */
void load_gdt(unsigned long base); /* a vCPU's window */
void load_ldt(unsigned int cpu, unsigned long base, unsigned int entries); /* 0 entries: none */
void desc_probe_features(void); /* boot CPU: which CR4 bits there are */
extern unsigned long hyp_cr4;	/* CR4 outside of any guest's wishes */

/* Only a change: below a hypervisor a write, and on AMD a read, makes it step in. */
static inline void cr4_load(unsigned long cr4)
{
	struct cpu_info *ci = cpu_info();

	if (ci->cr4 == cr4)
		return;
	ci->cr4 = cr4;
	write_cr4(cr4);
}

#endif
