/* SPDX-License-Identifier: MIT */
/*
 * How fast does the TSC tick? Asked of those who know, in this order: an outer hypervisor (its
 * CPUID leaves, KVM's clock page), the CPU (CPUID 15h, 16h); only then measured, once, against the
 * finest clock there is: HPET, ACPI PM timer, PIT. The local APIC's timer is measured in the same
 * window where it will be used.
 *
 * Runs during boot on one CPU; nothing else may use the PIT's channel 2 meanwhile.
 */
#include "x86/time.h"
#include "x86/irq.h"
#include "x86/page.h"
#include "acpi/acpi.h"
#include "lib/log.h"
#include "lib/string.h"

#define HZ_MIN 10000000UL
#define HZ_MAX 20000000000UL

/* A clock of known frequency that counts up within @mask. */
struct ref_clock {
	const char *name;
	uint32_t (*read)(void);
	uint64_t hz;
	uint32_t mask;
	unsigned int window_us; /* how long to measure: some 20 ppm by the clock's resolution */
};

/* One reading of the reference and the TSC at the same moment. */
struct ref_sample {
	uint32_t ref;
	uint64_t tsc;
	uint32_t lapic;
};

static volatile uint8_t *hpet __initdata;

static uint32_t __init hpet_read(void)
{
	return mmio_read32(hpet + 0xf0); /* main counter */
}

static uint32_t __init pmtimer_read(void)
{
	return inl((uint16_t)acpi_info.pmtimer_port);
}

/* Channel 2 counts down from 65535; latched before it is read (Intel 8254 data sheet). */
static uint32_t __init pit_read(void)
{
	uint32_t count;

	outb(0x43, 0x80);
	count = inb(0x42);
	count |= (uint32_t)inb(0x42) << 8;
	return 0xffff - count;
}

static bool __init hpet_probe(struct ref_clock *c)
{
	uint32_t period_fs;

	if (!acpi_info.hpet_base)
		return false;
	hpet = ioremap(acpi_info.hpet_base, 1024);
	if (!hpet)
		return false;
	period_fs = mmio_read32(hpet + 4); /* HPET specification 2.3.4: at most 100 ns */
	if (mmio_read32(hpet) == ~0u || !period_fs || period_fs > 100000000)
		return false;
	mmio_write32(hpet + 0x10, mmio_read32(hpet + 0x10) | 1); /* let it count */
	*c = (struct ref_clock){"HPET", hpet_read, 1000000000000000UL / period_fs, ~0u, 2000};
	return true;
}

static bool __init pmtimer_probe(struct ref_clock *c)
{
	if (!acpi_info.pmtimer_port)
		return false;
	*c = (struct ref_clock){"ACPI PM timer", pmtimer_read, 3579545, 0xffffff, 4000};
	return true;
}

static void __init pit_probe(struct ref_clock *c)
{
	outb(0x61, (inb(0x61) & ~2) | 1); /* speaker off, gate of channel 2 open */
	outb(0x43, 0xb0);		  /* channel 2, both bytes, mode 0: count down once */
	outb(0x42, 0xff);
	outb(0x42, 0xff);
	*c = (struct ref_clock){"PIT", pit_read, 1193182, 0xffff, 10000};
}

/*
 * Read right after the reference ticked. An outer hypervisor or an SMI may step in between the two
 * reads: of a few tries the one that took least is kept.
 */
static void __init ref_take(const struct ref_clock *c, struct ref_sample *s)
{
	uint64_t best = ~0UL;

	for (unsigned int i = 0; i < 4; i++) {
		uint32_t first = c->read(), ref, lapic;
		uint64_t before, after;

		do {
			before = rdtsc();
			ref = c->read();
			after = rdtsc();
		} while (ref == first);
		lapic = lapic_timer_count();
		if (after - before < best) {
			best = after - before;
			*s = (struct ref_sample){ref, before + (after - before) / 2, lapic};
		}
	}
}

static uint64_t __init calibrate(uint64_t *lapic_hz)
{
	struct ref_sample a, b;
	struct ref_clock c;
	uint64_t ticks, tsc;

	if (!hpet_probe(&c) && !pmtimer_probe(&c))
		pit_probe(&c);
	lapic_timer_count_start();
	ref_take(&c, &a);
	ticks = c.hz * c.window_us / 1000000;
	while (((c.read() - a.ref) & c.mask) < ticks)
		cpu_pause();
	ref_take(&c, &b);
	ticks = (b.ref - a.ref) & c.mask;
	tsc = b.tsc - a.tsc;
	*lapic_hz = (uint64_t)(a.lapic - b.lapic) * c.hz / ticks;
	lapic_timer_count_stop();
	printk(LOG_INFO "TSC measured against the %s\n", c.name);
	return mul_div(tsc, c.hz, ticks);
}

/* The page a KVM guest finds its clock in (Linux: Documentation/virt/kvm/x86/msr.rst). */
struct kvm_clock {
	uint32_t version, pad;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, pad2[2];
} __aligned(64);
#define MSR_KVM_SYSTEM_TIME_NEW	 0x4b564d01
#define KVM_FEATURE_CLOCKSOURCE2 BIT(3)

static uint64_t __init kvm_tsc_hz(uint32_t base)
{
	static volatile struct kvm_clock page;
	uint32_t a, b, c, d;
	uint64_t hz;

	cpuid_count(base + 1, 0, &a, &b, &c, &d);
	if (!(a & KVM_FEATURE_CLOCKSOURCE2) ||
	    !wrmsr_safe(MSR_KVM_SYSTEM_TIME_NEW, virt_to_maddr((const void *)&page) | 1))
		return 0;
	wrmsr_safe(MSR_KVM_SYSTEM_TIME_NEW, 0);
	if (!page.tsc_to_system_mul || page.tsc_shift < -31 || page.tsc_shift > 31)
		return 0;
	hz = ((uint64_t)1000000000 << 32) / page.tsc_to_system_mul;
	return page.tsc_shift < 0 ? hz << -page.tsc_shift : hz >> page.tsc_shift;
}

/* Xen's time leaf: kHz of the TSC as the guest sees it (<xen/arch-x86/cpuid.h>, leaf 4). */
static uint64_t __init xen_tsc_hz(uint32_t base, uint32_t max)
{
	uint32_t a, b, c, d;

	if (max < base + 3)
		return 0;
	cpuid_count(base + 3, 0, &a, &b, &c, &d);
	return (uint64_t)c * 1000;
}

static uint64_t __init outer_tsc_hz(uint64_t *lapic_hz)
{
	uint32_t max, sig[3], a, b, c, d;
	uint64_t hz = 0;

	cpuid_count(1, 0, &a, &b, &c, &d);
	if (!(c >> 31 & 1)) /* no hypervisor below */
		return 0;
	cpuid_count(0x40000000, 0, &max, &sig[0], &sig[1], &sig[2]);
	if (max >= 0x40000010 && max < 0x40010000) {
		cpuid_count(0x40000010, 0, &a, &b, &c, &d);
		hz = (uint64_t)a * 1000;
		*lapic_hz = (uint64_t)b * 1000;
	}
	if (!hz && !memcmp(sig, "KVMKVMKVM\0\0\0", 12))
		hz = kvm_tsc_hz(0x40000000);
	if (!hz && !memcmp(sig, "XenVMMXenVMM", 12))
		hz = xen_tsc_hz(0x40000000, max);
	return hz;
}

/*
 * SDM vol. 3, 19.7.3: 15h gives the ratio to the crystal; 16h the base frequency where the crystal
 * is not told.
 */
static uint64_t __init cpu_tsc_hz(uint64_t *lapic_hz)
{
	uint32_t max, a, b, c, d, mhz = 0;

	cpuid_count(0, 0, &max, &b, &c, &d);
	if (b != 0x756e6547 || max < 0x15) /* "Genu": others give these leaves no such meaning */
		return 0;
	if (max >= 0x16) {
		cpuid_count(0x16, 0, &mhz, &b, &c, &d);
		mhz &= 0xffff;
	}
	cpuid_count(0x15, 0, &a, &b, &c, &d);
	if (!a || !b)
		return 0;
	if (!c)
		return (uint64_t)mhz * 1000000;
	*lapic_hz = c;
	return (uint64_t)c * b / a;
}

uint64_t __init tsc_find_hz(uint64_t *lapic_hz)
{
	uint64_t hz = outer_tsc_hz(lapic_hz);

	if (hz < HZ_MIN || hz > HZ_MAX)
		hz = cpu_tsc_hz(lapic_hz);
	if (hz < HZ_MIN || hz > HZ_MAX)
		hz = calibrate(lapic_hz);
	if (hz < HZ_MIN || hz > HZ_MAX)
		panic("The TSC's frequency cannot be found: %lu Hz is not plausible", hz);
	return hz;
}
