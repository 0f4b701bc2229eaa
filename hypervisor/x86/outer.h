/* SPDX-License-Identifier: MIT */
/*
 * What a hypervisor below us offers in the place of hardware that it would have to emulate. The table is filled once, before the
 * local APIC is set up, by outer/ (which finds out what is there), and constant afterwards; on bare metal it stays empty, and
 * every use here costs one test.
 *
 * Whatever a function declines is done the hardware's way, so a kind fills in as much as it has. Also here: the count of what
 * makes a hypervisor below us step in.
 */
#ifndef X86_OUTER_H
#define X86_OUTER_H

#include "x86/cpu.h"

struct outer {
	char name[40];			/* "none", "kvm", "hyperv+kvm": what is used */
	uint64_t (*tsc_hz)(void);	/* 0: it does not tell */
	uint64_t (*wallclock_ns)(void); /* since 1970, now; 0: it does not tell */
	/* On each CPU when its local APIC has been set up; and before it is given to another system. */
	void (*cpu_start)(void);
	void (*cpu_stop)(void);
	/* False: the local APIC must be told. */
	bool (*eoi)(void);
	/* A fixed interrupt to all of @mask; false: one by one, by the local APIC. */
	bool (*ipi)(const cpumask_t *mask, unsigned int vector);
	/* xAPIC mode only: the interrupt command register. */
	void (*icr)(uint32_t apic_id, uint32_t icr);
	/* An interrupt at VECTOR_TIMER when the TSC reaches @deadline; only without a TSC deadline of the APIC's. */
	void (*timer)(uint64_t deadline);
	/* Flushes guests' translations of CPUs in @mask, at the latest before they run again, and takes those out of it. */
	void (*tlb_flush)(cpumask_t *mask);
	/* Ends the machine's run, for SHUTDOWN_*; returns only if it cannot. */
	void (*shutdown)(unsigned int reason);
};
extern struct outer outer;

void outer_init(void); /* after the command line, ACPI and the heap, before the local APIC */

/* --- what makes a hypervisor below us step in --- */

enum outer_exit { EXIT_TIMER, EXIT_EOI, EXIT_IPI, EXIT_HALT, EXIT_FLUSH, NR_OUTER_EXITS };
struct outer_exits {
	unsigned long n[NR_OUTER_EXITS];
};
DECLARE_PER_CPU(struct outer_exits, outer_exits);
extern const char *const outer_exit_names[NR_OUTER_EXITS];

static inline void outer_exit_count(enum outer_exit what)
{
	this_cpu(outer_exits).n[what]++;
}
void outer_dump(char key); /* 'x' */

#endif
