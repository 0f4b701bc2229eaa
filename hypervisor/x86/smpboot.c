/* SPDX-License-Identifier: MIT */
/*
 * Starting the further CPUs that ACPI lists: INIT, then STARTUP (SDM vol. 3, 9.4), one after
 * another, each with its own stack, per-CPU variables (which start as zero) and idle vCPU; and
 * bringing its TSC in line with the boot CPU's.
 *
 * Runs during boot on the boot CPU; the starting CPU and it talk through the variables here.
 */
#include "acpi/acpi.h"
#include "boot/boot_info.h"
#include "boot/cmdline.h"
#include "core/domain.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/irq.h"
#include "x86/page.h"
#include "x86/smp.h"
#include "x86/softirq.h"
#include "x86/time.h"
#include "x86/trampoline.h"

#define SYNC_ROUNDS	    3
#define TSC_TOLERANCE_NS    500 /* less than two CPUs can notice */
#define MSR_IA32_TSC_ADJUST 0x3b

extern char __percpu_start[], __percpu_end[];

static unsigned int max_cpus = NR_CPUS;
static struct trampoline_args *args;

/* The starting CPU's progress. */
enum { AP_WAITED_FOR, AP_ALIVE, AP_ONLINE };
static volatile unsigned int ap_state;

uint32_t smp_acpi_id(unsigned int cpu)
{
	for (unsigned int i = 0; i < acpi_info.nr_cpus; i++)
		if (acpi_info.cpus[i].apic_id == cpu_apic_id[cpu])
			return acpi_info.cpus[i].acpi_id;
	return ~0u;
}

static int maxcpus_option(const char *v)
{
	uint64_t n = 0;
	int rc = parse_u64(v, NULL, 0, &n);

	if (!rc)
		max_cpus = (unsigned int)min(n, (uint64_t)NR_CPUS);
	return rc;
}
CMDLINE(maxcpus, maxcpus_option, "<n>: use no more CPUs than this");

static int nosmp_option(const char *v)
{
	max_cpus = 1;
	return 0;
}
CMDLINE(nosmp, nosmp_option, "use the boot CPU only");

/* --- TSC --- */

/*
 * The two CPUs take turns; sync_turn counts up, odd: the AP's. In each it moves its TSC as it is told
 * and reads it.
 */
#define SYNC_OVER ~0u
static volatile unsigned int sync_turn;
static volatile int64_t sync_move;
static volatile uint64_t sync_ap_tsc;

static void tsc_move(int64_t by)
{
	if (cpuid_reg(7, CPUID_B) >> 1 & 1)
		wrmsr(MSR_IA32_TSC_ADJUST, rdmsr(MSR_IA32_TSC_ADJUST) + (uint64_t)by);
	else
		wrmsr(MSR_IA32_TSC, rdtsc() + (uint64_t)by);
}

static void sync_ap(void)
{
	for (unsigned int turn = sync_turn; turn != SYNC_OVER; turn = sync_turn) {
		if (!(turn & 1)) {
			cpu_pause();
			continue;
		}
		if (sync_move)
			tsc_move(sync_move);
		sync_ap_tsc = rdtsc();
		smp_mb();
		sync_turn = turn + 1;
	}
}

/*
 * The AP reads its TSC between our two readings: each round bounds the difference from both sides.
 */
static int64_t __init sync_measure(void)
{
	int64_t lo = INT64_MIN, hi = INT64_MAX;

	for (unsigned int i = 0; i < SYNC_ROUNDS; i++) {
		uint64_t before = rdtsc(), after;

		smp_mb();
		sync_turn++;
		while (sync_turn & 1)
			cpu_pause();
		after = rdtsc();
		lo = max(lo, (int64_t)(sync_ap_tsc - after));
		hi = min(hi, (int64_t)(sync_ap_tsc - before));
		sync_move = 0;
	}
	return lo <= 0 && hi >= 0 ? 0 : lo + (hi - lo) / 2;
}

static void __init sync_bsp(unsigned int cpu)
{
	int64_t tolerance = (int64_t)(tsc_hz / 1000000 * TSC_TOLERANCE_NS / 1000);
	int64_t offset = sync_measure();

	if (offset > tolerance || offset < -tolerance) {
		sync_move = -offset;
		printk(LOG_WARN "CPU %u: TSC was %ld ticks off, now %ld\n", cpu, offset,
		       sync_measure());
	}
	sync_turn = SYNC_OVER;
}

/* --- the new CPU --- */

static void __noreturn ap_main(void)
{
	unsigned int cpu = this_cpu_id();

	cpu_setup(cpu);
	lapic_init_ap();
	ap_state = AP_ALIVE;
	sync_ap();
	pv_fpu_cpu_init();
	cpumask_set(cpu, &cpu_online_map);
	atomic_add(&nr_cpus_online, 1);
	smp_mb();
	ap_state = AP_ONLINE;
	idle_loop();
}

/* --- starting it --- */

static bool __init cpu_prepare(unsigned int cpu)
{
	char *stack = pages_alloc(STACK_ORDER);
	char *area = pages_alloc(order_of(PFN_UP((size_t)(__percpu_end - __percpu_start))));
	struct cpu_info *ci = (struct cpu_info *)(stack + STACK_SIZE) - 1;

	if (!stack || !area)
		return false;
	percpu_offsets[cpu] = (unsigned long)area - (unsigned long)__percpu_start;
	ci->cpu = cpu;
	ci->percpu_offset = percpu_offsets[cpu];
	smp_cpu_info[cpu] = ci;
	sched_init_cpu(cpu);
	ci->vcpu = idle_vcpu[cpu];
	args->stack = (uint64_t)(stack + STACK_SIZE - CPU_INFO_RESERVE);
	args->entry = (uint64_t)ap_main;
	return true;
}

static bool __init wait_state(unsigned int state, unsigned int ms)
{
	uint64_t end = rdtsc() + ms * (tsc_hz / 1000);

	while (ap_state < state)
		if ((int64_t)(rdtsc() - end) > 0)
			return false;
		else
			cpu_pause();
	return true;
}

/* Modern CPUs need no pause after INIT and take the first STARTUP; the second is for the others. */
static bool __init cpu_wake(uint32_t apic_id)
{
	ap_state = AP_WAITED_FOR;
	sync_turn = 0;
	smp_mb();
	lapic_send(apic_id, ICR_INIT);
	delay_us(10);
	lapic_send(apic_id, ICR_STARTUP | TRAMPOLINE_PHYS >> PAGE_SHIFT);
	if (wait_state(AP_ALIVE, 10))
		return true;
	lapic_send(apic_id, ICR_STARTUP | TRAMPOLINE_PHYS >> PAGE_SHIFT);
	return wait_state(AP_ALIVE, 500);
}

/*
 * It is late, or dead. INIT makes sure that it never comes, with a stack and a number that are the
 * next one's by then: it waits for a STARTUP again, wherever it was.
 */
static void __init cpu_give_up(unsigned int cpu, uint32_t apic_id)
{
	lapic_send(apic_id, ICR_INIT);
	delay_us(10000);
	if (cpumask_test(cpu, &cpu_online_map)) {
		cpumask_unset(cpu, &cpu_online_map);
		nr_cpus_online = cpumask_weight(&cpu_online_map);
	}
	printk(LOG_ERR "CPU %u (APIC ID %u) does not start\n", cpu, apic_id);
}

static bool __init cpu_start(unsigned int cpu, uint32_t apic_id)
{
	if (!cpu_prepare(cpu)) {
		printk(LOG_ERR "CPU %u: no memory to start it\n", cpu);
		return false;
	}
	if (cpu_wake(apic_id)) {
		sync_bsp(cpu);
		if (wait_state(AP_ONLINE, 1000))
			return true;
	}
	cpu_give_up(cpu, apic_id);
	return false;
}

static void answer_ipi(struct cpu_user_regs *regs)
{
	smp_call_answer();
}

void __init smp_init(void)
{
	char *page = maddr_to_virt(TRAMPOLINE_PHYS);
	unsigned int next = 1;

	irq_set_handler(VECTOR_IPI_CALL, answer_ipi);
	softirq_register(SOFTIRQ_KICK, softirq_kick);
	memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	args = (struct trampoline_args *)(page +
					  ((const char *)&trampoline_args - trampoline_start));
	args->cr3 = virt_to_maddr(idle_l4);
	for (unsigned int i = 0; i < acpi_info.nr_cpus && next < max_cpus; i++) {
		uint32_t id = acpi_info.cpus[i].apic_id;

		if (id == cpu_apic_id[0])
			continue;
		if (cpu_start(next, id))
			next++;
	}
	printk(LOG_INFO "%u CPUs online\n", nr_cpus_online);
}
