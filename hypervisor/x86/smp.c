/* SPDX-License-Identifier: MIT */
/*
 * Cross-CPU requests. Each CPU has one request of its own (what it wants done) and one set of
 * callers (who wants something of it). A caller puts itself into the sets of the CPUs concerned and
 * waits until all have answered; meanwhile it answers its own set, as does every CPU that spins on
 * a lock. Thus no cycle of waiting CPUs can form, and no lock is needed.
 *
 * Invariant: a CPU makes one request at a time: a request's function neither locks nor makes
 * requests itself.
 */
#include "x86/smp.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "mm/heap.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/outer.h"
#include "x86/softirq.h"
#include "x86/time.h"

#define STOP_TIMEOUT_US 100000

cpumask_t cpu_online_map = {{1}};
unsigned int nr_cpus_online = 1;
unsigned long percpu_offsets[NR_CPUS];

extern char cpu0_stack[STACK_SIZE];
struct cpu_info *smp_cpu_info[NR_CPUS] = {(struct cpu_info *)(cpu0_stack + STACK_SIZE) - 1};

struct smp_request {
	void (*fn)(void *);
	void *arg;
	unsigned int waiting; /* CPUs that have not finished (atomic) */
} __aligned(64);
static struct smp_request requests[NR_CPUS];

/*
 * Callers of each CPU: a bit is set by the caller, cleared by the CPU when it begins to serve it.
 */
static struct callers {
	uint64_t bits[NR_CPUS / 64];
} __aligned(64) callers[NR_CPUS];

void smp_call_answer(void)
{
	struct callers *mine = &callers[this_cpu_id()];

	for (unsigned int w = 0; w < NR_CPUS / 64; w++) {
		uint64_t from;

		if (likely(!READ_ONCE(mine->bits[w])))
			continue;
		for (from = xchg(&mine->bits[w], 0); from; from &= from - 1) {
			struct smp_request *rq = &requests[w * 64 + ffs64(from)];

			rq->fn(rq->arg);
			atomic_sub(&rq->waiting, 1);
		}
	}
}

void spin_wait(void)
{
	cpu_pause();
	softirq_kick();
	smp_call_answer();
}

bool spin_unfair;

void spin_lock_wait(spinlock_t *l)
{
	spin_queue(l, spin_unfair);
}

/*
 * An IPI is needed only by the first of a word's callers: who comes before the CPU has looked is
 * found with it.
 */
static void request_send(const cpumask_t *to, unsigned int self)
{
	cpumask_t wake = *to;
	unsigned int cpu;

	for_each_cpu (cpu, to)
		if (atomic_or(&callers[cpu].bits[self / 64], BIT(self % 64)))
			wake.bits[cpu / 64] &= ~BIT(cpu % 64);
	lapic_send_mask(&wake, VECTOR_IPI_CALL);
}

void smp_call(const cpumask_t *mask, void (*fn)(void *), void *arg)
{
	unsigned int self = this_cpu_id(), n = 0;
	struct smp_request *rq = &requests[self];
	cpumask_t others;

	cpumask_and(&others, mask, &cpu_online_map);
	others.bits[self / 64] &= ~BIT(self % 64);
	n = cpumask_weight(&others);
	if (n) {
		ASSERT(!rq->waiting);
		rq->fn = fn;
		rq->arg = arg;
		rq->waiting = n;
		request_send(&others, self);
	}
	if (cpumask_test(self, mask))
		fn(arg);
	while (n && __atomic_load_n(&rq->waiting, __ATOMIC_ACQUIRE))
		spin_wait();
}

static unsigned int stopper;	/* the CPU that stops the others, + 1 */
static unsigned int nr_stopped; /* (atomic) */

static void __noreturn stop_self(void)
{
	if (outer.cpu_stop)
		outer.cpu_stop();
	atomic_add(&nr_stopped, 1);
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

/* One in normal running is the hardware's complaint, or a debugger's: it is ignored. */
void nmi_handle(void)
{
	unsigned int by = READ_ONCE(stopper);

	if (by && by != this_cpu_id() + 1)
		stop_self();
}

/*
 * By NMI: it is taken also by those that answer no interrupt. What they were writing is written
 * when they have stopped, so that the console's locks can be made anew; one that is stuck beyond
 * NMIs is not waited for long.
 */
void smp_stop_others(void)
{
	unsigned int cpu, self = this_cpu_id(), first = cmpxchg(&stopper, 0, self + 1);

	if (first == self + 1)
		return;
	if (first)
		stop_self();
	for_each_online_cpu(cpu) if (cpu != self) lapic_send(cpu_apic_id[cpu], ICR_NMI);
	for (unsigned int us = 0;
	     us < STOP_TIMEOUT_US && READ_ONCE(nr_stopped) < nr_cpus_online - 1; us += 10)
		delay_us(10);
	/* Nobody waits for them any more. */
	cpumask_clear(&cpu_online_map);
	cpumask_set(self, &cpu_online_map);
}
