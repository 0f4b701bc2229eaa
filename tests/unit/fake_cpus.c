/* SPDX-License-Identifier: MIT */
/* See fake_cpus.h. Owns what x86/ would: pending softirqs, timer deadlines, who is current on each CPU. */
#include "unit.h"

#include <stdlib.h>

#include "fake_cpus.h"

#include "lib/log.h"
#include "x86/irq.h"
#include "x86/outer.h"
#include "x86/softirq.h"
#include "x86/time.h"

s_time_t fake_now, fake_deadline[NR_CPUS];
unsigned int fake_ipis, fake_programmed;
void (*fake_time_hook)(void);
__thread struct vcpu *current;
__thread unsigned int fake_cpu_id;
cpumask_t cpu_online_map;
unsigned int nr_cpus_online;
struct outer outer;

static uint32_t pending[NR_CPUS];
static struct vcpu *running[NR_CPUS];
static void (*handlers[NR_SOFTIRQS])(void);
static void (*timer_handler)(struct cpu_user_regs *regs);

void softirq_register(enum softirq nr, void (*handler)(void))
{
	handlers[nr] = handler;
}

void softirq_raise(enum softirq nr)
{
	pending[fake_cpu_id] |= 1u << nr;
}

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	fake_ipis += cpu != fake_cpu_id && !pending[cpu];
	pending[cpu] |= 1u << nr;
}

void irq_set_handler(unsigned int vector, void (*handler)(struct cpu_user_regs *regs))
{
	assert_int_equal(vector, VECTOR_TIMER);
	timer_handler = handler;
}

void lapic_timer_set(s_time_t deadline)
{
	fake_deadline[fake_cpu_id] = deadline;
	fake_programmed++;
}

void lapic_send_ipi(unsigned int cpu, unsigned int vector)
{
	fake_ipis++;
}

s_time_t time_now(void)
{
	if (fake_time_hook)
		fake_time_hook();
	return fake_now;
}

void spin_wait(void)
{
	fail_msg("a lock is held, or a wait has no end, with one thread");
}

void printk(const char *fmt, ...)
{
}

void panic(const char *fmt, ...)
{
	print_error("panic: %s\n", fmt);
	abort();
}

void assert_failed(const char *expr, const char *file, int line)
{
	print_error("%s:%d: %s\n", file, line, expr);
	abort();
}

void fake_enter(unsigned int cpu)
{
	fake_cpu_id = cpu;
	current = running[cpu];
}

struct vcpu *fake_running(unsigned int cpu)
{
	return running[cpu];
}

static bool cpu_settle(unsigned int cpu)
{
	bool any = false;

	fake_enter(cpu);
	for (unsigned int rounds = 0; pending[cpu]; rounds++) {
		uint32_t urgent = pending[cpu] & ~(1u << SOFTIRQ_SCHEDULE);
		unsigned int nr = urgent ? ffs64(urgent) : SOFTIRQ_SCHEDULE;

		assert_true(rounds < 1000);
		pending[cpu] &= ~(1u << nr);
		handlers[nr]();
		any = true;
	}
	return any;
}

void fake_settle(void)
{
	unsigned int here = fake_cpu_id, rounds = 0;
	bool again = true;

	while (again) {
		again = false;
		assert_true(rounds++ < 1000);
		for (unsigned int cpu = 0; cpu < nr_cpus_online; cpu++)
			again |= cpu_settle(cpu);
	}
	fake_enter(here);
}

void fake_run_until(s_time_t end)
{
	for (;;) {
		unsigned int first = 0;

		fake_settle();
		for (unsigned int cpu = 1; cpu < nr_cpus_online; cpu++)
			if (fake_deadline[cpu] < fake_deadline[first])
				first = cpu;
		if (fake_deadline[first] > end)
			break;
		if (fake_deadline[first] > fake_now)
			fake_now = fake_deadline[first];
		fake_deadline[first] = TIME_NEVER;
		fake_enter(first);
		timer_handler(NULL);
	}
	fake_now = end;
}

void fake_cpus_reset(unsigned int nr)
{
	cpumask_clear(&cpu_online_map);
	nr_cpus_online = nr;
	fake_now = 0;
	fake_ipis = fake_programmed = 0;
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		pending[cpu] = 0;
		running[cpu] = NULL;
		fake_deadline[cpu] = TIME_NEVER;
		if (cpu < nr)
			cpumask_set(cpu, &cpu_online_map);
	}
	fake_enter(0);
	timer_subsys_init();
	for (unsigned int cpu = 1; cpu < nr; cpu++)
		timer_init_cpu(cpu);
}

void fake_set_running(unsigned int cpu, struct vcpu *v)
{
	running[cpu] = v;
	fake_enter(fake_cpu_id);
}
