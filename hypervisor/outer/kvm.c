/* SPDX-License-Identifier: MIT */
/*
 * Linux's KVM below us (Documentation/virt/kvm/x86/{cpuid,msr,hypercalls}.rst): the TSC's frequency and the wall clock from its clock page, ends of
 * interrupt by a bit in memory, interrupts to many CPUs by one hypercall, and a TLB flush that spares CPUs which do not run.
 *
 * What the host writes to is per CPU and registered by its CPU; it must be unregistered before the memory is another system's.
 */
#include "outer/internal.h"
#include "lib/bitops.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/page.h"
#include "x86/time.h"

#define MSR_KVM_WALL_CLOCK_NEW	0x4b564d00
#define MSR_KVM_SYSTEM_TIME_NEW 0x4b564d01
#define MSR_KVM_STEAL_TIME	0x4b564d03
#define MSR_KVM_PV_EOI_EN	0x4b564d04
#define MSR_KVM_POLL_CONTROL	0x4b564d05
#define MSR_ENABLED		1UL

/* EAX of the second leaf; the hint is in EDX. */
#define FEATURE_CLOCKSOURCE2 (1u << 3)
#define FEATURE_STEAL_TIME   (1u << 5)
#define FEATURE_PV_EOI	     (1u << 6)
#define FEATURE_TLB_FLUSH    (1u << 9)
#define FEATURE_SEND_IPI     (1u << 11)
#define FEATURE_POLL_CONTROL (1u << 12)
#define HINT_REALTIME	     (1u << 0)

#define KVM_HC_SEND_IPI 10
#define IPI_SPAN	128 /* APIC IDs in one call, from the lowest on */

struct kvm_clock {
	uint32_t version, pad;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, pad2[2];
} __aligned(64);

struct kvm_wall_clock {
	uint32_t version, sec, nsec;
};

struct kvm_steal_time {
	uint64_t steal;
	uint32_t version, flags;
	uint8_t preempted, pad[47];
} __aligned(64);
_Static_assert(sizeof(struct kvm_steal_time) == 64, "KVM's steal time area");
#define PREEMPTED_NOW	1
#define PREEMPTED_FLUSH 2 /* set by us: flush before it runs again */

static uint32_t features __ro_after_init;
static bool is_amd __ro_after_init;
static DEFINE_PER_CPU(struct kvm_steal_time, steal_time);
static DEFINE_PER_CPU(uint32_t, eoi_done); /* bit 0, set by the host */

static uint64_t area(const void *where)
{
	return virt_to_maddr(where) | MSR_ENABLED;
}

/* --- clock --- */

/* The page's content while it is registered, once. */
static bool __init clock_read(struct kvm_clock *c)
{
	static struct kvm_clock page;

	if (!(features & FEATURE_CLOCKSOURCE2) || !wrmsr_safe(MSR_KVM_SYSTEM_TIME_NEW, area(&page)))
		return false;
	barrier();
	*c = page;
	wrmsr_safe(MSR_KVM_SYSTEM_TIME_NEW, 0);
	return c->tsc_to_system_mul && c->tsc_shift >= -31 && c->tsc_shift <= 31;
}

static uint64_t __init kvm_tsc_hz(void)
{
	struct kvm_clock c;
	uint64_t hz;

	if (!clock_read(&c))
		return 0;
	hz = ((uint64_t)1000000000 << 32) / c.tsc_to_system_mul;
	return c.tsc_shift < 0 ? hz << -c.tsc_shift : hz >> c.tsc_shift;
}

/* The wall clock is that of the host's time 0; the clock page was written when we asked for it. */
static uint64_t __init kvm_wallclock_ns(void)
{
	static struct kvm_wall_clock wall;
	struct kvm_clock c;

	if (!clock_read(&c) || !wrmsr_safe(MSR_KVM_WALL_CLOCK_NEW, virt_to_maddr(&wall)))
		return 0;
	barrier();
	return wall.sec ? wall.sec * 1000000000UL + wall.nsec + c.system_time : 0;
}

/* --- interrupts --- */

/* The host sets the bit when nothing waits for this end of interrupt; only while it runs us not, so no lock is needed. */
static bool kvm_eoi(void)
{
	bool done;

	__asm__ __volatile__("btrl $0, %0" : "+m"(this_cpu(eoi_done)), "=@ccc"(done));
	return done;
}

static long hypercall4(unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	long rc = nr;

	/* The host would have to patch the other maker's instruction, and our code is not writable. */
	if (is_amd)
		__asm__ __volatile__("vmmcall"
				     : "+a"(rc)
				     : "b"(a0), "c"(a1), "d"(a2), "S"(a3)
				     : "memory");
	else
		__asm__ __volatile__("vmcall"
				     : "+a"(rc)
				     : "b"(a0), "c"(a1), "d"(a2), "S"(a3)
				     : "memory");
	return rc;
}

/* All in one call, as long as their APIC IDs lie close enough together. */
static bool kvm_ipi(const cpumask_t *mask, unsigned int vector)
{
	uint64_t bits[IPI_SPAN / 64] = {};
	uint32_t lowest = ~0u;
	unsigned int cpu;

	for_each_cpu (cpu, mask)
		lowest = min(lowest, cpu_apic_id[cpu]);
	for_each_cpu (cpu, mask) {
		uint32_t n = cpu_apic_id[cpu] - lowest;

		if (n >= IPI_SPAN)
			return false;
		bits[n / 64] |= BIT(n % 64);
	}
	return hypercall4(KVM_HC_SEND_IPI, bits[0], bits[1], lowest, vector) >= 0;
}

/* --- TLB --- */

/* A CPU that the host does not run is not disturbed: it flushes when it does. */
static void kvm_tlb_flush(cpumask_t *mask)
{
	unsigned int cpu;

	for_each_cpu (cpu, mask) {
		uint8_t *state = &per_cpu(steal_time, cpu).preempted, old = READ_ONCE(*state);

		if ((old & PREEMPTED_NOW) && cmpxchg(state, old, old | PREEMPTED_FLUSH) == old)
			mask->bits[cpu / 64] &= ~BIT(cpu % 64);
	}
}

/* --- each CPU --- */

static void kvm_cpu_start(void)
{
	if (outer.eoi == kvm_eoi)
		wrmsr_safe(MSR_KVM_PV_EOI_EN, area(&this_cpu(eoi_done)));
	if (outer.tlb_flush)
		wrmsr_safe(MSR_KVM_STEAL_TIME, area(&this_cpu(steal_time)));
	/* A Linux that ran here before may have polled itself and told the host not to. */
	if (features & FEATURE_POLL_CONTROL)
		wrmsr_safe(MSR_KVM_POLL_CONTROL, 1);
}

static void kvm_cpu_stop(void)
{
	if (features & FEATURE_PV_EOI)
		wrmsr_safe(MSR_KVM_PV_EOI_EN, 0);
	if (features & FEATURE_STEAL_TIME)
		wrmsr_safe(MSR_KVM_STEAL_TIME, 0);
}

bool __init kvm_outer_init(uint32_t leaf)
{
	const uint32_t flush = FEATURE_STEAL_TIME | FEATURE_TLB_FLUSH;

	if (!leaf)
		return false;
	features = outer_cpuid(leaf, 1, CPUID_A);
	is_amd = outer_cpu_is_amd();
	outer.tsc_hz = kvm_tsc_hz;
	outer.wallclock_ns = kvm_wallclock_ns;
	outer.cpu_start = kvm_cpu_start;
	outer.cpu_stop = kvm_cpu_stop;
	if (features & FEATURE_PV_EOI)
		outer.eoi = kvm_eoi;
	if (features & FEATURE_SEND_IPI)
		outer.ipi = kvm_ipi;
	/* Where each of our CPUs has one to itself none is ever found not running. */
	if ((features & flush) == flush && !(outer_cpuid(leaf, 1, CPUID_D) & HINT_REALTIME))
		outer.tlb_flush = kvm_tlb_flush;
	return true;
}
