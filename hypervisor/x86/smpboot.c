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

uint32_t smp_apic_id(unsigned int cpu)
{
	return cpu_apic_id[cpu];
}

uint32_t smp_acpi_id(unsigned int cpu)
{
	for (unsigned int i = 0; i < acpi_info.nr_cpus; i++)
		if (acpi_info.cpus[i].apic_id == cpu_apic_id[cpu])
			return acpi_info.cpus[i].acpi_id;
	return ~0u;
}

static int maxcpus_option(const char *v)
{
	uint64_t n;
	int rc = parse_u64(v, NULL, 0, &n);

	if (!rc)
		max_cpus = n < 1 ? 1 : n > NR_CPUS ? NR_CPUS : (unsigned int)n;
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

/* The two CPUs take turns; turn counts up, even: the boot CPU's. */
static volatile unsigned int sync_turn;
static volatile uint64_t sync_ap_tsc;
static volatile int64_t sync_offset; /* of the AP's TSC, as measured */
static volatile bool sync_adjust;

static void turn_wait(unsigned int turn)
{
	while (sync_turn != turn)
		cpu_pause();
}

static void sync_measure_ap(unsigned int *turn)
{
	for (unsigned int i = 0; i < SYNC_ROUNDS; i++, *turn += 2) {
		turn_wait(*turn + 1);
		sync_ap_tsc = rdtsc();
		smp_mb();
		sync_turn = *turn + 2;
	}
}

/*
 * The AP read its TSC between our two readings: each round bounds the difference from both sides.
 */
static int64_t __init sync_measure(unsigned int *turn)
{
	int64_t lo = INT64_MIN, hi = INT64_MAX;

	for (unsigned int i = 0; i < SYNC_ROUNDS; i++, *turn += 2) {
		uint64_t before = rdtsc(), after;

		smp_mb();
		sync_turn = *turn + 1;
		turn_wait(*turn + 2);
		after = rdtsc();
		lo = max(lo, (int64_t)(sync_ap_tsc - after));
		hi = min(hi, (int64_t)(sync_ap_tsc - before));
	}
	return lo <= 0 && hi >= 0 ? 0 : lo + (hi - lo) / 2;
}

static bool cpu_has_tsc_adjust(void)
{
	uint32_t a, b, c, d;

	cpuid_count(0, 0, &a, &b, &c, &d);
	if (a < 7)
		return false;
	cpuid_count(7, 0, &a, &b, &c, &d);
	return b >> 1 & 1;
}

static void tsc_move(int64_t by)
{
	if (cpu_has_tsc_adjust())
		wrmsr(MSR_IA32_TSC_ADJUST, rdmsr(MSR_IA32_TSC_ADJUST) + (uint64_t)by);
	else
		wrmsr(MSR_IA32_TSC, rdtsc() + (uint64_t)by);
}

static void sync_ap(void)
{
	unsigned int turn = 0;

	sync_measure_ap(&turn);
	turn_wait(turn + 1);
	if (!sync_adjust)
		return;
	tsc_move(-sync_offset);
	sync_turn = turn + 2;
	turn += 2;
	sync_measure_ap(&turn);
}

static void __init sync_bsp(unsigned int cpu)
{
	int64_t tolerance = (int64_t)(tsc_hz / 1000000 * TSC_TOLERANCE_NS / 1000);
	unsigned int turn = 0;
	int64_t offset = sync_measure(&turn);

	sync_offset = offset;
	sync_adjust = offset > tolerance || offset < -tolerance;
	smp_mb();
	sync_turn = turn + 1;
	if (!sync_adjust)
		return;
	turn_wait(turn + 2);
	turn += 2;
	sync_offset = sync_measure(&turn);
	printk(LOG_WARN "CPU %u: TSC was %ld ticks off, now %ld\n", cpu, offset, sync_offset);
}

/* --- the new CPU --- */

static void ap_main(void) __noreturn;
static void ap_main(void)
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

static int __init percpu_alloc(unsigned int cpu)
{
	size_t size = (size_t)(__percpu_end - __percpu_start);
	unsigned int order = 0;
	char *area;

	while ((PAGE_SIZE << order) < size)
		order++;
	area = pages_alloc(order);
	if (!area)
		return -ENOMEM;
	percpu_offsets[cpu] = (unsigned long)area - (unsigned long)__percpu_start;
	return 0;
}

static int __init cpu_prepare(unsigned int cpu)
{
	char *stack = pages_alloc(STACK_ORDER);
	struct cpu_info *ci;
	int rc;

	if (!stack)
		return -ENOMEM;
	rc = percpu_alloc(cpu);
	if (rc) {
		pages_free(stack, STACK_ORDER);
		return rc;
	}
	ci = (struct cpu_info *)(stack + STACK_SIZE) - 1;
	ci->cpu = cpu;
	ci->percpu_offset = percpu_offsets[cpu];
	smp_cpu_info[cpu] = ci;
	sched_init_cpu(cpu);
	ci->vcpu = idle_vcpu[cpu];
	args->stack = (uint64_t)(stack + STACK_SIZE - CPU_INFO_RESERVE);
	args->entry = (uint64_t)ap_main;
	return 0;
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
	lapic_send_init(apic_id);
	delay_us(10);
	lapic_send_startup(apic_id, TRAMPOLINE_PHYS >> PAGE_SHIFT);
	if (wait_state(AP_ALIVE, 10))
		return true;
	lapic_send_startup(apic_id, TRAMPOLINE_PHYS >> PAGE_SHIFT);
	return wait_state(AP_ALIVE, 500);
}

/*
 * It is late, or dead. INIT makes sure that it never comes, with a stack and a number that are the
 * next one's by then: it waits for a STARTUP again, wherever it was.
 */
static void __init cpu_give_up(unsigned int cpu, uint32_t apic_id)
{
	lapic_send_init(apic_id);
	delay_us(10000);
	if (cpumask_test(cpu, &cpu_online_map)) {
		cpumask_unset(cpu, &cpu_online_map);
		nr_cpus_online = cpumask_weight(&cpu_online_map);
	}
	printk(LOG_ERR "CPU %u (APIC ID %u) does not start\n", cpu, apic_id);
}

static bool __init cpu_start(unsigned int cpu, uint32_t apic_id)
{
	if (cpu_prepare(cpu)) {
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

void __init smp_start_cpus(void)
{
	char *page;
	unsigned int next = 1;

	if (acpi_info.nr_cpus <= 1 || max_cpus == 1)
		return;
	page = maddr_to_virt(TRAMPOLINE_PHYS);
	memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	args = (struct trampoline_args *)(page +
					  ((const char *)&trampoline_args - trampoline_start));
	args->cr3 = virt_to_maddr(idle_l4);
	for (unsigned int i = 0; i < acpi_info.nr_cpus && next < max_cpus; i++) {
		uint32_t id = acpi_info.cpus[i].apic_id;

		if (id == cpu_apic_id[0] || !acpi_info.cpus[i].enabled)
			continue;
		if (cpu_start(next, id))
			next++;
	}
	printk(LOG_INFO "%u CPUs online\n", nr_cpus_online);
}
