/* SPDX-License-Identifier: MIT */
/*
 * Work put off until a CPU is about to enter a guest or to idle: nothing is locked then, so the handlers may take any lock
 * and the scheduler may switch. Raised by interrupt handlers and by anyone else; run by the exit path (x86/entry.S) and
 * the idle loop through softirq_run().
 */
#ifndef X86_SOFTIRQ_H
#define X86_SOFTIRQ_H

#include "x86/cpu.h"

enum softirq {
	SOFTIRQ_KICK,	  /* x86/softirq.c: CPUs on which something was raised must be told */
	SOFTIRQ_TIMER,	  /* core/timer.c: a deadline has passed */
	SOFTIRQ_SCHEDULE, /* core/sched.c: choose again who runs; always last: it may not return */
	SOFTIRQ_WORK, /* core/work.c: deferred jobs (domain destruction, console input, key handlers) */
	NR_SOFTIRQS,
};

/* Handlers are registered once, at boot, by their owners. */
void softirq_register(enum softirq nr, void (*handler)(void));

/* Raise on this CPU: a plain or, as interrupts are off. */
#ifndef HOST_BUILD
static always_inline void softirq_raise(enum softirq nr)
{
	__atomic_fetch_or(&cpu_info()->softirq_pending, 1u << nr, __ATOMIC_RELAXED);
}
#else
void softirq_raise(enum softirq nr);
#endif

/*
 * Raise on @cpu and make sure it notices soon: an IPI, unless it is this CPU, when this one leaves the hypervisor or waits. Not at
 * once: below a hypervisor that makes the other one run in this one's place, and what it does first is to want the caller's lock.
 */
void softirq_raise_on(unsigned int cpu, enum softirq nr);
void softirq_kick(void); /* such IPIs now; called by spin_wait */

/* Run all that is pending on this CPU. May switch stacks: does not return when the scheduler chose another vCPU. */
void softirq_run(void);

/*
 * Takes whatever interrupts wait (sti; nop; cli). Call with no lock held, at points of a long operation where
 * nothing is half done. Returns true when something now wants this CPU: the caller should make its continuation.
 */
bool irq_window(void);

#endif
