/* SPDX-License-Identifier: MIT */
/*
 * Running deferred work (see x86/softirq.h). The pending bits stand in each CPU's cpu_info; only
 * their CPU clears them. Nothing is locked: raising is one atomic or.
 */
#include "x86/softirq.h"
#include "x86/irq.h"
#include "x86/smp.h"
#include "lib/log.h"

static void (*handlers[NR_SOFTIRQS])(void);

void softirq_register(enum softirq nr, void (*handler)(void))
{
	handlers[nr] = handler;
}

static DEFINE_PER_CPU(cpumask_t, to_kick);

/*
 * Whoever set the first bit makes sure that the CPU looks: an IPI is needed only when none was
 * set. One that arrives while the CPU is in the hypervisor waits there until the CPU is about to
 * leave it.
 */
void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	struct cpu_info *ci = smp_cpu_info[cpu];

	if (atomic_or(&ci->softirq_pending, 1u << nr) || cpu == this_cpu_id())
		return;
	cpumask_set(cpu, &this_cpu(to_kick));
	softirq_raise(SOFTIRQ_KICK);
}

void softirq_kick(void)
{
	cpumask_t *mask = &this_cpu(to_kick);

	if (likely(cpumask_empty(mask)))
		return;
	lapic_send_mask(mask, VECTOR_IPI_EVENT);
	cpumask_clear(mask);
}

/*
 * Scheduling comes last: it may switch stacks, and what the others woke should take part in the
 * choice.
 */
void softirq_run(void)
{
	uint32_t *pending = &cpu_info()->softirq_pending;
	uint32_t bits;

	while ((bits = READ_ONCE(*pending))) {
		uint32_t urgent = bits & ~(1u << SOFTIRQ_SCHEDULE);
		unsigned int nr = urgent ? ffs64(urgent) : SOFTIRQ_SCHEDULE;

		atomic_and(pending, ~(1u << nr));
		if (handlers[nr])
			handlers[nr]();
	}
}

bool irq_window(void)
{
	/* STI lets interrupts in only after the instruction that follows it. */
	__asm__ __volatile__("sti; nop; cli" ::: "memory");
	return READ_ONCE(cpu_info()->softirq_pending) != 0;
}
