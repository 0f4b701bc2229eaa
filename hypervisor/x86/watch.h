/* SPDX-License-Identifier: MIT */
/* The watchdog over the hypervisor itself, while it and domain 0 start (x86/watch.c). */
#ifndef X86_WATCH_H
#define X86_WATCH_H

#include "lib/types.h"

struct cpu_user_regs;

/* Starts it, on a machine that has the devices: IO-APICs must be known, other CPUs not yet run. */
void watch_init(unsigned int seconds);
/* So much time from now on, and some grace; 0 ends it for good. Does nothing where it does not run. */
void watch_set(unsigned int seconds);
/* An NMI on this CPU that may be a tick. */
void watch_nmi(const struct cpu_user_regs *regs);

#endif
