/* SPDX-License-Identifier: MIT */
/*
 * Each CPU's local APIC (SDM vol. 3, chapter 11; APM vol. 2, chapter 16): end of interrupt, IPIs,
 * the one-shot timer. x2APIC mode where it is on already or an outer hypervisor offers it (one MSR
 * access, no MMIO exit), xAPIC otherwise; the timer as TSC deadline where the CPU has that.
 *
 * Every CPU touches only its own; there is no lock. All destinations are physical.
 */
#include "x86/irq.h"
#include "x86/outer.h"
#include "x86/page.h"
#include "x86/time.h"
#include "acpi/acpi.h"
#include "boot/cmdline.h"
#include "lib/log.h"
#include "lib/parse.h"

#define APIC_ID	     0x020
#define APIC_TPR     0x080
#define APIC_EOI     0x0b0
#define APIC_SVR     0x0f0
#define APIC_ISR     0x100
#define APIC_ESR     0x280
#define APIC_ICR     0x300
#define APIC_ICR2    0x310
#define APIC_LVTT    0x320
#define APIC_LVTPC   0x340
#define APIC_LVT0    0x350
#define APIC_LVT1    0x360
#define APIC_LVTERR  0x370
#define APIC_TMICT   0x380
#define APIC_TMCCT   0x390
#define APIC_TDCR    0x3e0
#define APIC_VERSION 0x030

#define SVR_ENABLE	 0x100
#define LVT_MASKED	 0x10000
#define LVT_NMI		 0x400
#define LVT_TSC_DEADLINE 0x40000
#define TDCR_BY_1	 0xb
#define ICR_BUSY	 0x1000
#define ICR_ASSERT	 0x4000
#define APICBASE_X2APIC	 0x400
#define APICBASE_ENABLE	 0x800
#define TIMER_LONGEST	 SECONDS(3600)

uint32_t cpu_apic_id[NR_CPUS];
static volatile uint8_t *lapic_regs; /* xAPIC mode only */
static bool x2apic, tsc_deadline;
static uint64_t timer_ticks_per_ns; /* the counter's, or the TSC's; 32 fractional bits */

static inline uint32_t lapic_read(unsigned int reg)
{
	return x2apic ? (uint32_t)rdmsr(MSR_X2APIC_BASE + (reg >> 4))
		      : mmio_read32(lapic_regs + reg);
}

static inline void lapic_write(unsigned int reg, uint32_t v)
{
	if (x2apic)
		wrmsr(MSR_X2APIC_BASE + (reg >> 4), v);
	else
		mmio_write32(lapic_regs + reg, v);
}

void lapic_eoi(void)
{
	if (unlikely(outer.eoi) && outer.eoi())
		return;
	outer_exit_count(EXIT_EOI);
	lapic_write(APIC_EOI, 0);
}

void lapic_send(uint32_t apic_id, uint32_t icr)
{
	icr |= ICR_ASSERT;
	outer_exit_count(EXIT_IPI);
	if (x2apic) {
		/*
		 * Unlike MMIO stores this MSR write waits for no earlier store (SDM vol. 3,
		 * 11.12.3).
		 */
		__asm__ __volatile__("mfence; lfence" ::: "memory");
		wrmsr(MSR_X2APIC_BASE + (APIC_ICR >> 4), (uint64_t)apic_id << 32 | icr);
		return;
	}
	if (unlikely(outer.icr)) {
		outer.icr(apic_id, icr);
		return;
	}
	while (lapic_read(APIC_ICR) & ICR_BUSY)
		cpu_pause();
	lapic_write(APIC_ICR2, apic_id << 24);
	lapic_write(APIC_ICR, icr);
}

void lapic_send_ipi(unsigned int cpu, unsigned int vector)
{
	lapic_send(cpu_apic_id[cpu], vector);
}

void lapic_send_mask(const cpumask_t *mask, unsigned int vector)
{
	unsigned int cpu = cpumask_first(mask);

	/* Below a hypervisor each is costly; but one alone is as cheap the plain way. */
	if (unlikely(outer.ipi) && cpumask_next(cpu + 1, mask) < NR_CPUS &&
	    outer.ipi(mask, vector)) {
		outer_exit_count(EXIT_IPI);
		return;
	}
	for_each_cpu (cpu, mask)
		lapic_send_ipi(cpu, vector);
}

/*
 * Counted from now on, not from the start of time: the two scales' rounding would add up with it.
 */
void lapic_timer_set(s_time_t deadline)
{
	uint64_t tsc = rdtsc(), count;
	s_time_t now = tsc_to_time(tsc), left;

	/* Far deadlines, and those the counter is too short for, fire early: core/timer.c sets them again. */
	left = deadline <= now ? 0 : min(deadline - now, TIMER_LONGEST);
	count = (uint64_t)(((unsigned __int128)(uint64_t)left * timer_ticks_per_ns) >> 32) + 1;
	outer_exit_count(EXIT_TIMER);
	if (unlikely(outer.timer))
		outer.timer(tsc + count);
	else if (tsc_deadline)
		wrmsr(MSR_IA32_TSC_DEADLINE, tsc + count);
	else
		lapic_write(APIC_TMICT, (uint32_t)min(count, (uint64_t)UINT32_MAX));
}

static void timer_setup(void)
{
	lapic_write(APIC_TMICT, 0);
	if (outer.timer)
		return;
	lapic_write(APIC_LVTT, VECTOR_TIMER | (tsc_deadline ? LVT_TSC_DEADLINE : 0));
	/*
	 * The mode must have changed before the first deadline is written (SDM vol. 3, 11.5.4.1).
	 */
	__asm__ __volatile__("mfence" ::: "memory");
}

static uint32_t __init timer_read(void)
{
	return UINT32_MAX - lapic_read(APIC_TMCCT);
}

void __init lapic_timer_init(void)
{
	bool by_tsc = tsc_deadline || outer.timer;
	uint64_t hz;

	lapic_write(APIC_TMICT, UINT32_MAX);
	hz = by_tsc ? tsc_hz : clock_measure(timer_read);
	if (hz < 100000)
		panic("The local APIC's timer does not count");
	printk(LOG_INFO "Timer: %s, %lu kHz\n",
	       outer.timer ? "the outer hypervisor's"
	       : by_tsc	   ? "TSC deadline"
			   : "local APIC",
	       hz / 1000);
	timer_ticks_per_ns = mul_div(hz, (uint64_t)1 << 32, 1000000000);
	timer_setup();
}

/*
 * What was in service when firmware or a former kernel handed over would block its priority class
 * for ever.
 */
static void eoi_leftovers(void)
{
	for (unsigned int i = 0; i < 8; i++)
		for (uint32_t isr = lapic_read(APIC_ISR + i * 16); isr; isr &= isr - 1)
			lapic_write(APIC_EOI, 0);
}

static void lapic_setup(unsigned int cpu)
{
	uint64_t base = rdmsr(MSR_IA32_APICBASE) | APICBASE_ENABLE;

	/* From off there is no direct way to x2APIC mode: two steps. */
	wrmsr(MSR_IA32_APICBASE, base);
	if (x2apic)
		wrmsr(MSR_IA32_APICBASE, base | APICBASE_X2APIC);
	cpu_apic_id[cpu] = lapic_read(APIC_ID) >> (x2apic ? 0 : 24);
	lapic_write(APIC_TPR, 0);
	lapic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	eoi_leftovers();
	lapic_write(APIC_LVTT, LVT_MASKED | VECTOR_TIMER);
	lapic_write(APIC_TDCR, TDCR_BY_1);
	lapic_write(APIC_LVT0, LVT_MASKED);
	lapic_write(APIC_LVT1, LVT_NMI | (cpu ? LVT_MASKED : 0));
	if ((lapic_read(APIC_VERSION) >> 16 & 0xff) >= 4)
		lapic_write(APIC_LVTPC, LVT_MASKED);
	lapic_write(APIC_ESR, 0);
	lapic_write(APIC_LVTERR, VECTOR_ERROR);
	if (outer.cpu_start)
		outer.cpu_start();
}

static void lapic_error(struct cpu_user_regs *regs)
{
	lapic_write(APIC_ESR, 0); /* a write latches the errors for the read */
	printk(LOG_WARN "CPU %u: local APIC error %#x\n", this_cpu_id(), lapic_read(APIC_ESR));
}

static void ignore(struct cpu_user_regs *regs)
{
}

static int opt_x2apic = -1; /* -1: as below */

static int x2apic_option(const char *v)
{
	opt_x2apic = *v ? parse_bool(v, NULL) : 1;
	return opt_x2apic < 0 ? opt_x2apic : 0;
}
CMDLINE(x2apic, x2apic_option, "<bool>: use x2APIC mode; by default below a hypervisor only");

/*
 * On bare metal x2APIC without interrupt remapping is nowhere promised to work; below a hypervisor
 * it is. What the firmware has switched on cannot be switched back while CPUs have wide IDs.
 */
static bool __init want_x2apic(uint64_t base, uint32_t cpuid1_ecx)
{
	bool wanted = opt_x2apic < 0 ? cpuid1_ecx >> 31 & 1 : opt_x2apic;

	return (cpuid1_ecx >> 21 & 1) && (wanted || (base & APICBASE_X2APIC));
}

void __init lapic_init_bsp(void)
{
	uint32_t features = cpuid_reg(1, CPUID_C);

	if (!(cpuid_reg(1, CPUID_D) >> 9 & 1))
		panic("This CPU has no local APIC");
	x2apic = want_x2apic(rdmsr(MSR_IA32_APICBASE), features);
	tsc_deadline = features >> 24 & 1;
	if (!x2apic) {
		lapic_regs = ioremap(acpi_info.lapic_base, PAGE_SIZE);
		if (!lapic_regs)
			panic("No memory to map the local APIC");
	}
	lapic_setup(0);
	irq_set_handler(VECTOR_ERROR, lapic_error);
	irq_set_handler(VECTOR_SPURIOUS, ignore);
	irq_set_handler(VECTOR_IPI_EVENT, ignore);
	printk(LOG_INFO "Local APIC: %s mode, boot CPU has ID %u\n", x2apic ? "x2APIC" : "xAPIC",
	       cpu_apic_id[0]);
}

void lapic_init_ap(void)
{
	lapic_setup(this_cpu_id());
	timer_setup();
}

void lapic_shutdown(void)
{
	if (!x2apic && !lapic_regs)
		return;
	if (tsc_deadline)
		wrmsr(MSR_IA32_TSC_DEADLINE, 0);
	lapic_write(APIC_LVTT, LVT_MASKED);
	lapic_write(APIC_LVT1, LVT_MASKED);
	if (outer.cpu_stop)
		outer.cpu_stop();
}
