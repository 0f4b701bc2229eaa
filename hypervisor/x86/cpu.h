/* SPDX-License-Identifier: MIT */
/*
 * What a CPU knows about itself: its number, the vCPU it runs, its per-CPU variables. All is found from the stack
 * pointer: each CPU has one stack of STACK_SIZE bytes, aligned to its size, with a struct cpu_info at the top.
 * The guest's GS is therefore never disturbed.
 *
 * The hypervisor runs with interrupts off, on this one stack. Interrupts are taken in a guest, in the idle loop, and in
 * irq_window(), nowhere else.
 */
#ifndef X86_CPU_H
#define X86_CPU_H

#include "lib/bitops.h"
#include "lib/types.h"
#include "x86/layout.h"
#include <xen/xen.h>

struct vcpu;

/* The guest's (or interrupted code's) registers, in the ABI's layout, as the entry code pushes them. */
struct cpu_info {
	struct cpu_user_regs guest_regs; /* TSS.rsp0 points just past .ss */
	struct vcpu *vcpu;		 /* the one that runs; "current" in C */
	unsigned long percpu_offset;	 /* add to the address of a per-CPU variable */
	unsigned int cpu;
	uint32_t
		softirq_pending; /* bits of enum softirq; set by anyone (atomic), cleared by this CPU */
	unsigned long cr4;	 /* as loaded: below a hypervisor reading the register is costly */
};

static always_inline struct cpu_info *cpu_info(void)
{
	unsigned long sp;

	__asm__("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu_info *)((sp | (STACK_SIZE - 1)) + 1) - 1;
}

static always_inline struct cpu_user_regs *guest_regs(void)
{
	return &cpu_info()->guest_regs;
}

#ifndef HOST_BUILD
#define current (cpu_info()->vcpu)
static always_inline unsigned int this_cpu_id(void)
{
	return cpu_info()->cpu;
}
#else
extern __thread struct vcpu *current;
extern __thread unsigned int fake_cpu_id;
static inline unsigned int this_cpu_id(void)
{
	return fake_cpu_id;
}
#endif

/* Per-CPU variables: one copy in the image (CPU 0's), one zeroed area per further CPU, so an initializer would reach CPU 0 only. */
#ifndef HOST_BUILD
#define DEFINE_PER_CPU(type, name)  __section(".percpu") __typeof__(type) percpu_##name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) percpu_##name
extern unsigned long percpu_offsets[NR_CPUS];
#define per_cpu_ptr_(name, off) ((__typeof__(percpu_##name) *)((char *)&percpu_##name + (off)))
#define this_cpu(name)		(*per_cpu_ptr_(name, cpu_info()->percpu_offset))
#define per_cpu(name, cpu)	(*per_cpu_ptr_(name, percpu_offsets[cpu]))
#else
#define DEFINE_PER_CPU(type, name)  __typeof__(type) percpu_##name[NR_CPUS]
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) percpu_##name[NR_CPUS]
#define this_cpu(name)		    (percpu_##name[this_cpu_id()])
#define per_cpu(name, cpu)	    (percpu_##name[cpu])
#endif

void cpu_halt(void); /* x86/entry.S: until an interrupt has been taken */

/* A set of CPUs. */
typedef struct cpumask {
	uint64_t bits[NR_CPUS / 64];
} cpumask_t;

extern cpumask_t cpu_online_map; /* CPUs that run; set during boot */
extern unsigned int nr_cpus_online;

static inline void cpumask_clear(cpumask_t *m)
{
	for (unsigned int i = 0; i < NR_CPUS / 64; i++)
		m->bits[i] = 0;
}

static inline void cpumask_setall(cpumask_t *m)
{
	for (unsigned int i = 0; i < NR_CPUS / 64; i++)
		m->bits[i] = ~0UL;
}

static inline bool cpumask_test(unsigned int cpu, const cpumask_t *m)
{
	return m->bits[cpu / 64] >> (cpu % 64) & 1;
}

static inline void cpumask_set(unsigned int cpu, cpumask_t *m) /* atomic */
{
	set_bit(cpu, m->bits);
}

static inline void cpumask_unset(unsigned int cpu, cpumask_t *m) /* atomic */
{
	clear_bit(cpu, m->bits);
}

static inline bool cpumask_empty(const cpumask_t *m)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < NR_CPUS / 64; i++)
		any |= m->bits[i];
	return !any;
}

static inline void cpumask_and(cpumask_t *r, const cpumask_t *a, const cpumask_t *b)
{
	for (unsigned int i = 0; i < NR_CPUS / 64; i++)
		r->bits[i] = a->bits[i] & b->bits[i];
}

static inline bool cpumask_intersects(const cpumask_t *a, const cpumask_t *b)
{
	cpumask_t r;

	cpumask_and(&r, a, b);
	return !cpumask_empty(&r);
}

/* The first CPU at or after @cpu in @m, NR_CPUS if none. */
static inline unsigned int cpumask_next(unsigned int cpu, const cpumask_t *m)
{
	for (; cpu < NR_CPUS; cpu = (cpu | 63) + 1) {
		uint64_t w = m->bits[cpu / 64] >> (cpu % 64);

		if (w)
			return cpu + ffs64(w);
	}
	return NR_CPUS;
}

static inline unsigned int cpumask_weight(const cpumask_t *m)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < NR_CPUS / 64; i++)
		n += hweight64(m->bits[i]);
	return n;
}

#define cpumask_first(m) cpumask_next(0, m)
#define for_each_cpu(cpu, m) \
	for ((cpu) = cpumask_first(m); (cpu) < NR_CPUS; (cpu) = cpumask_next((cpu) + 1, m))
#define for_each_online_cpu(cpu) for_each_cpu (cpu, &cpu_online_map)

#endif
