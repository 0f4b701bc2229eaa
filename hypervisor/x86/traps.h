/* SPDX-License-Identifier: MIT */
/* Exceptions and crashes: the interface between entry.S, traps.c and crash.c. */
#ifndef X86_TRAPS_H
#define X86_TRAPS_H

#include "x86/cpu.h"

/* Called by entry.S only. */
void trap_in_hypervisor(struct cpu_user_regs *regs);
void trap_ist(struct cpu_user_regs *regs);
void guest_debug_trap(struct cpu_user_regs *regs);
extern void (*const guest_trap_table[256])(struct cpu_user_regs *);

/* crash.c */
void crash_with_regs(const struct cpu_user_regs *regs, const char *fmt, ...)
	__printf_like(2, 3) __noreturn;
void show_regs(const struct cpu_user_regs *regs);
void show_control_regs(void); /* of this CPU */
extern bool opt_noreboot;

#endif
