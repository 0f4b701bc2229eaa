/* SPDX-License-Identifier: MIT */
/*
 * Other CPUs: starting them, asking them to do things, flushing their TLBs. Requests go through a
 * per-CPU mailbox and an IPI; a CPU that spins on a lock answers its mailbox too (spin_wait), so
 * waiting for an answer while holding locks is allowed.
 */
#ifndef X86_SMP_H
#define X86_SMP_H

#include "x86/cpu.h"

extern struct cpu_info *smp_cpu_info[NR_CPUS]; /* NULL for a CPU never started */

/* The id by which the firmware knows a CPU; ~0 where it does not tell. */
uint32_t smp_acpi_id(unsigned int cpu);

void smp_init(void); /* x86/smpboot.c: starts the CPUs that ACPI lists, up to maxcpus */
/*
 * Run fn(arg) on every CPU of @mask (this one included if set); returns when all have finished. fn
 * takes no lock.
 */
void smp_call(const cpumask_t *mask, void (*fn)(void *), void *arg);
/*
 * Before a reboot, power-off or crash dump: the others halt for good. Only one CPU ever returns from
 * it, any number of times.
 */
void smp_stop_others(void);
void nmi_handle(void);
void smp_call_answer(void); /* serve this CPU's mailbox; called by the IPI and by spin_wait */

/*
 * TLB flushing (x86/tlb.c). FLUSH_TLB_VA flushes one page, @va; else everything that is not global.
 * FLUSH_GLOBAL: that too.
 */
#define FLUSH_TLB	 1u
#define FLUSH_TLB_VA	 2u
#define FLUSH_TLB_GLOBAL 4u
#define FLUSH_CACHE	 8u
void tlb_flush_local(unsigned int flags, unsigned long va);
void tlb_flush_mask(const cpumask_t *mask, unsigned int flags, unsigned long va);

/*
 * TLB clock: counts flushes, so that a frame that changes use is flushed only where a stale entry
 * can still be. Stamp a frame when its last use as writable ends; before a new use, remove from the
 * mask the CPUs that have flushed since.
 */
extern uint64_t tlb_clock;
DECLARE_PER_CPU(uint64_t, tlb_time);
void tlb_filter(cpumask_t *mask, uint32_t stamp);

#endif
