/* SPDX-License-Identifier: MIT */
/* Exceptions and crashes: the interface between entry.S, traps.c and crash.c. */
#ifndef X86_TRAPS_H
#define X86_TRAPS_H

#include "x86/cpu.h"

const char *trap_name(unsigned int vector);

/* Called by entry.S only. */
void trap_in_hypervisor(struct cpu_user_regs *regs);
void trap_ist(struct cpu_user_regs *regs);
void guest_debug_trap(struct cpu_user_regs *regs);
extern void (*const guest_trap_table[256])(struct cpu_user_regs *);

/* crash.c */
void crash_with_regs(const struct cpu_user_regs *regs, const char *fmt, ...)
	__printf_like(2, 3) __noreturn;
void show_regs(const struct cpu_user_regs *regs);
void nmi_handle(struct cpu_user_regs *regs);
/* Name of the function that holds @addr, and how far into it; NULL if it is not in the image's code. */
const char *symbol_find(unsigned long addr, unsigned long *offset);
extern bool opt_noreboot;

#endif
