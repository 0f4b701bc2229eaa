/* SPDX-License-Identifier: MIT */
/*
 * Hyper-V's interface below us, its own or as KVM and Xen offer it beside theirs (Hypervisor Top Level Functional Specification 6.0: 2.4
 * CPUID, 3 hypercalls, 9.4 TLB, 10.3 APIC, 12 time). Used where it is recommended and nothing better is in the table: the TSC's
 * frequency, a timer for CPUs without TSC deadline, ends of interrupt by a bit in memory, the APIC's registers as MSRs where it
 * has no x2APIC mode, interrupts to many CPUs and remote TLB flushes by one hypercall each.
 *
 * On KVM, once a hypercall page is asked for, all hypercalls are Hyper-V's: then none of KVM's own may be left in the table.
 */
#include "outer/internal.h"
#include "lib/bitops.h"
#include "lib/log.h"
#include "mm/heap.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/page.h"
#include "x86/time.h"

#define MSR_GUEST_OS_ID	  0x40000000
#define MSR_HYPERCALL	  0x40000001
#define MSR_VP_INDEX	  0x40000002
#define MSR_REFERENCE_TSC 0x40000021
#define MSR_TSC_FREQUENCY 0x40000022
#define MSR_EOI		  0x40000070
#define MSR_ICR		  0x40000071
#define MSR_VP_ASSIST	  0x40000073
#define MSR_STIMER0	  0x400000b0 /* configuration; the next is its count */
#define MSR_ENABLED	  1UL

/* The fourth leaf: EAX what we may use, EDX more of it. The fifth: EAX what is recommended. */
#define MAY_STIMER	  (1u << 3)
#define MAY_APIC_MSRS	  (1u << 4)
#define MAY_HYPERCALL	  (1u << 5)
#define MAY_VP_INDEX	  (1u << 6)
#define MAY_REFERENCE_TSC (1u << 9)
#define MAY_FREQUENCIES	  (1u << 11)
#define HAS_DIRECT_STIMER (1u << 19)
#define HINT_REMOTE_FLUSH (1u << 2)
#define HINT_APIC_MSRS	  (1u << 3)
#define HINT_CLUSTER_IPI  (1u << 10)

#define OS_ID		 (1UL << 63 | 3UL << 56) /* open source, of Xen's kind */
#define HVCALL_FLUSH	 2
#define HVCALL_SEND_IPI	 0xb
#define HVCALL_FAST	 (1UL << 16) /* its input is in registers */
#define FLUSH_ALL_SPACES 2
#define VP_NONE		 64 /* masks of CPUs are of the first 64 */

#define STIMER_AUTO_ENABLE (1UL << 3)
#define STIMER_DIRECT(v)   (1UL << 12 | (uint64_t)(v) << 4)

struct reference_tsc {
	uint32_t sequence, reserved;
	uint64_t scale;
	int64_t offset;
};

struct flush_input {
	uint64_t space, flags, cpus;
} __aligned(32);

static uint32_t may __ro_after_init, hints __ro_after_init;
static bool apic_by_msr __ro_after_init;
static const volatile struct reference_tsc *reference __ro_after_init;
static uint8_t vp_index[NR_CPUS]; /* VP_NONE: beyond the masks */
static DEFINE_PER_CPU(uint32_t *, vp_assist);
static DEFINE_PER_CPU(struct flush_input, flush_input);
static void (*flush_before)(cpumask_t *mask) __ro_after_init;
static void (*cpu_start_before)(void) __ro_after_init;
static void (*cpu_stop_before)(void) __ro_after_init;

/* --- hypercalls --- */

/* The host fills the page with code. */
__asm__(".pushsection .text, \"ax\"\n"
	"\t.balign 4096\n"
	"hyperv_page:\n"
	"\t.skip 4096, 0xcc\n"
	"\t.popsection\n");
extern const char hyperv_page[];

static bool hypercall(uint64_t control, uint64_t in, uint64_t out)
{
	register uint64_t r8 __asm__("r8") = out;
	uint64_t status;

	__asm__ __volatile__("call hyperv_page"
			     : "=a"(status), "+c"(control), "+d"(in), "+r"(r8)
			     :
			     : "r9", "r10", "r11", "memory", "cc");
	return !(status & 0xffff);
}

static bool __init hypercalls_start(void)
{
	uint64_t is;

	return wrmsr_safe(MSR_GUEST_OS_ID, OS_ID) &&
	       wrmsr_safe(MSR_HYPERCALL, virt_to_maddr(hyperv_page) | MSR_ENABLED) &&
	       rdmsr_safe(MSR_HYPERCALL, &is) && (is & MSR_ENABLED);
}

/* Those of @mask that fit, as Hyper-V numbers them. */
static uint64_t vp_mask(const cpumask_t *mask)
{
	uint64_t bits = 0;
	unsigned int cpu;

	for_each_cpu (cpu, mask)
		if (vp_index[cpu] < VP_NONE)
			bits |= BIT(vp_index[cpu]);
	return bits;
}

static bool hyperv_ipi(const cpumask_t *mask, unsigned int vector)
{
	uint64_t bits = vp_mask(mask);

	return hweight64(bits) == cpumask_weight(mask) &&
	       hypercall(HVCALL_SEND_IPI | HVCALL_FAST, vector, bits);
}

static void hyperv_tlb_flush(cpumask_t *mask)
{
	struct flush_input *in = &this_cpu(flush_input);
	unsigned int cpu;

	if (flush_before)
		flush_before(mask);
	*in = (struct flush_input){.flags = FLUSH_ALL_SPACES, .cpus = vp_mask(mask)};
	/* No CPU means all. */
	if (!in->cpus || !hypercall(HVCALL_FLUSH, virt_to_maddr(in), 0))
		return;
	outer_exit_count(EXIT_FLUSH);
	for_each_cpu (cpu, mask)
		if (vp_index[cpu] < VP_NONE)
			mask->bits[cpu / 64] &= ~BIT(cpu % 64);
}

/* --- clock and timer --- */

static bool __init reference_start(void)
{
	static struct reference_tsc page __aligned(4096);

	if (!(may & MAY_REFERENCE_TSC) ||
	    !wrmsr_safe(MSR_REFERENCE_TSC, virt_to_maddr(&page) | MSR_ENABLED))
		return false;
	reference = &page;
	return reference->sequence && reference->scale > 20000000;
}

/* The reference counts 100 ns as (TSC * scale >> 64) + offset. */
static uint64_t __init hyperv_tsc_hz(void)
{
	uint64_t hz;

	if ((may & MAY_FREQUENCIES) && rdmsr_safe(MSR_TSC_FREQUENCY, &hz) && hz)
		return hz;
	return reference ? mul_div(BIT(63), 20000000, reference->scale) : 0;
}

static void hyperv_timer(uint64_t deadline)
{
	uint64_t count = (uint64_t)((unsigned __int128)deadline * reference->scale >> 64) +
			 (uint64_t)reference->offset + 1;

	wrmsr(MSR_STIMER0 + 1, count);
}

/* --- the APIC --- */

static bool hyperv_eoi(void)
{
	bool done;

	__asm__ __volatile__("btrl $0, %0" : "+m"(*this_cpu(vp_assist)), "=@ccc"(done));
	if (done || !apic_by_msr)
		return done;
	outer_exit_count(EXIT_EOI);
	wrmsr(MSR_EOI, 0);
	return true;
}

static void hyperv_icr(uint32_t apic_id, uint32_t icr)
{
	wrmsr(MSR_ICR, (uint64_t)apic_id << 56 | icr);
}

static void assist_start(void)
{
	uint32_t **page = &this_cpu(vp_assist);

	if (!*page)
		*page = page_alloc();
	if (!*page)
		panic("No memory for Hyper-V's page of a CPU");
	**page = 0;
	wrmsr_safe(MSR_VP_ASSIST, virt_to_maddr(*page) | MSR_ENABLED);
}

/* --- each CPU --- */

static void hyperv_cpu_start(void)
{
	uint64_t vp;

	if (cpu_start_before)
		cpu_start_before();
	if (!(may & MAY_VP_INDEX) || !rdmsr_safe(MSR_VP_INDEX, &vp))
		vp = VP_NONE;
	vp_index[this_cpu_id()] = (uint8_t)min(vp, (uint64_t)VP_NONE);
	if (outer.eoi == hyperv_eoi)
		assist_start();
	if (outer.timer == hyperv_timer &&
	    !wrmsr_safe(MSR_STIMER0, STIMER_AUTO_ENABLE | STIMER_DIRECT(VECTOR_TIMER)))
		panic("Hyper-V's timer is announced, but not there; outer=none does without");
}

static void hyperv_cpu_stop(void)
{
	if (outer.timer == hyperv_timer)
		wrmsr_safe(MSR_STIMER0, 0);
	if (outer.eoi == hyperv_eoi)
		wrmsr_safe(MSR_VP_ASSIST, 0);
	if (cpu_stop_before)
		cpu_stop_before();
}

static void __init hypercalls_use(void)
{
	const uint32_t need = MAY_HYPERCALL | MAY_VP_INDEX;

	if ((may & need) != need || !(hints & (HINT_REMOTE_FLUSH | HINT_CLUSTER_IPI)) ||
	    !hypercalls_start())
		return;
	outer.ipi = hints & HINT_CLUSTER_IPI ? hyperv_ipi : NULL;
	if (hints & HINT_REMOTE_FLUSH) {
		flush_before = outer.tlb_flush;
		outer.tlb_flush = hyperv_tlb_flush;
	}
}

static void __init apic_use(void)
{
	if (!(may & MAY_APIC_MSRS) || !(hints & HINT_APIC_MSRS))
		return;
	if (!outer.eoi)
		outer.eoi = hyperv_eoi;
	apic_by_msr = !(outer_cpu_features() & FEATURE_X2APIC);
	if (apic_by_msr)
		outer.icr = hyperv_icr;
}

bool __init hyperv_outer_init(uint32_t leaf)
{
	/* "Hv#1": it keeps to this specification. */
	if (!leaf || outer_cpuid(leaf, 1, CPUID_A) != 0x31237648)
		return false;
	may = outer_cpuid(leaf, 3, CPUID_A);
	hints = outer_cpuid(leaf, 4, CPUID_A);
	if (!reference_start())
		reference = NULL;
	if (!outer.tsc_hz)
		outer.tsc_hz = hyperv_tsc_hz;
	if (!(outer_cpu_features() & FEATURE_TSC_DEADLINE) && reference && (may & MAY_STIMER) &&
	    (outer_cpuid(leaf, 3, CPUID_D) & HAS_DIRECT_STIMER))
		outer.timer = hyperv_timer;
	apic_use();
	hypercalls_use();
	cpu_start_before = outer.cpu_start;
	cpu_stop_before = outer.cpu_stop;
	outer.cpu_start = hyperv_cpu_start;
	outer.cpu_stop = hyperv_cpu_stop;
	return true;
}
