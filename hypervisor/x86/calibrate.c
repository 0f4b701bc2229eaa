/* SPDX-License-Identifier: MIT */
/*
 * How fast does the TSC tick? Asked of those who know, in this order: an outer hypervisor, the CPU
 * (CPUID 15h, 16h); only then measured, once, against the finest clock there is: HPET, ACPI PM
 * timer, PIT.
 *
 * Runs during boot on one CPU; nothing else may use the PIT's channel 2 meanwhile.
 */
#include "x86/time.h"
#include "x86/outer.h"
#include "x86/page.h"
#include "acpi/acpi.h"
#include "lib/log.h"

#define HZ_MIN 10000000UL
#define HZ_MAX 20000000000UL

/* A clock of known frequency that counts up within @mask. */
struct ref_clock {
	const char *name;
	uint64_t (*start)(void); /* its frequency in Hz, 0 if it is not there */
	uint32_t (*read)(void);
	uint32_t mask;
	unsigned int window_us; /* how long to measure: some 20 ppm by the clock's resolution */
};

/* One reading of the reference and the TSC at the same moment. */
struct ref_sample {
	uint32_t ref;
	uint64_t tsc;
};

static volatile uint8_t *hpet __initdata;

static uint32_t __init hpet_read(void)
{
	return mmio_read32(hpet + 0xf0); /* main counter */
}

static uint64_t __init hpet_start(void)
{
	uint32_t period_fs;

	if (!acpi_info.hpet_base)
		return 0;
	hpet = ioremap(acpi_info.hpet_base, 1024);
	if (!hpet)
		return 0;
	period_fs = mmio_read32(hpet + 4); /* HPET specification 2.3.4: at most 100 ns */
	if (mmio_read32(hpet) == ~0u || !period_fs || period_fs > 100000000)
		return 0;
	mmio_write32(hpet + 0x10, mmio_read32(hpet + 0x10) | 1); /* let it count */
	return 1000000000000000UL / period_fs;
}

static uint32_t __init pmtimer_read(void)
{
	return inl((uint16_t)acpi_info.pmtimer_port);
}

static uint64_t __init pmtimer_start(void)
{
	return acpi_info.pmtimer_port ? 3579545 : 0;
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

static uint64_t __init pit_start(void)
{
	outb(0x61, (inb(0x61) & ~2) | 1); /* speaker off, gate of channel 2 open */
	outb(0x43, 0xb0);		  /* channel 2, both bytes, mode 0: count down once */
	outb(0x42, 0xff);
	outb(0x42, 0xff);
	return 1193182;
}

/* The finest first; the last is always there. */
static const struct ref_clock clocks[] = {
	{"HPET", hpet_start, hpet_read, ~0u, 2000},
	{"ACPI PM timer", pmtimer_start, pmtimer_read, 0xffffff, 4000},
	{"PIT", pit_start, pit_read, 0xffff, 10000},
};

/*
 * Read right after the reference ticked. An outer hypervisor or an SMI may step in between the two
 * reads: of a few tries the one that took least is kept. A reference that stands still is not waited for.
 */
static void __init ref_take(uint32_t (*read)(void), struct ref_sample *s)
{
	uint64_t best = ~0UL;

	for (unsigned int i = 0; i < 4; i++) {
		uint32_t first = read(), ref, tries = 1000;
		uint64_t before, after;

		do {
			before = rdtsc();
			ref = read();
			after = rdtsc();
		} while (ref == first && --tries);
		if (after - before < best) {
			best = after - before;
			*s = (struct ref_sample){ref, before + (after - before) / 2};
		}
	}
}

static uint64_t __init calibrate(void)
{
	const struct ref_clock *c = clocks;
	struct ref_sample a, b;
	uint64_t hz, ticks;

	while (!(hz = c->start()))
		c++;
	ref_take(c->read, &a);
	ticks = hz * c->window_us / 1000000;
	while (((c->read() - a.ref) & c->mask) < ticks)
		cpu_pause();
	ref_take(c->read, &b);
	printk(LOG_INFO "TSC measured against the %s\n", c->name);
	return mul_div(b.tsc - a.tsc, hz, (b.ref - a.ref) & c->mask);
}

static uint64_t __init outer_tsc_hz(void)
{
	return outer.tsc_hz ? outer.tsc_hz() : 0;
}

/*
 * SDM vol. 3, 19.7.3: 15h gives the ratio to the crystal; 16h the base frequency where the crystal
 * is not told.
 */
static uint64_t __init cpu_tsc_hz(void)
{
	uint64_t by = cpuid_reg(0x15, CPUID_A), times = cpuid_reg(0x15, CPUID_B);
	uint64_t crystal = cpuid_reg(0x15, CPUID_C);

	/* "Genu": others give these leaves no such meaning */
	if (cpuid_reg(0, CPUID_B) != 0x756e6547 || !by || !times)
		return 0;
	return crystal ? crystal * times / by : (cpuid_reg(0x16, CPUID_A) & 0xffff) * 1000000UL;
}

uint64_t __init tsc_find_hz(void)
{
	static uint64_t (*const ways[])(void) = {outer_tsc_hz, cpu_tsc_hz, calibrate};
	uint64_t hz = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(ways) && (hz < HZ_MIN || hz > HZ_MAX); i++)
		hz = ways[i]();
	if (hz < HZ_MIN || hz > HZ_MAX)
		panic("The TSC's frequency cannot be found: %lu Hz is not plausible", hz);
	return hz;
}

uint64_t __init clock_measure(uint32_t (*read)(void))
{
	struct ref_sample a, b;

	ref_take(read, &a);
	delay_us(1000);
	ref_take(read, &b);
	return mul_div(b.ref - a.ref, tsc_hz, b.tsc - a.tsc);
}
