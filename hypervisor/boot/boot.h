/* SPDX-License-Identifier: MIT */
/* The boot sequence's own interfaces (boot/init.c, dom0.c, dom0_options.c). */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "x86/cpu.h"

#define PONCHO_VERSION "0.1"
#define MAX_DOM0_VCPUS 32

extern uint64_t opt_mem_limit; /* `mem=`: bytes of RAM to use at most, by address */

/* Builds domain 0 from the first module (kernel) and the second (initrd); panics with the reason if it cannot. */
void dom0_build(void);

/* x86/entry.S */
void stack_reset_and_jump(struct cpu_user_regs *regs, void (*fn)(void)) __noreturn;

/* `dom0_mem=` and `dom0_max_vcpus=` applied to this machine. */
unsigned long dom0_pages(unsigned long available, unsigned int *max_pages);
unsigned int dom0_vcpus(unsigned int cpus);
extern bool opt_dom0_vcpus_pin;
extern uint32_t opt_dom0_watchdog; /* seconds, 0 for none */

#endif
