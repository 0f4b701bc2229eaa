/* SPDX-License-Identifier: MIT */
/*
 * Hypervisor time. Owns the scale that turns the TSC into nanoseconds and the wall clock's base;
 * both are written during boot (the wall clock again by domain 0) and only read afterwards.
 *
 * Invariant: time_now() never goes backwards on a CPU, and CPUs agree as far as their TSCs do:
 * smp.c brings those of other CPUs in line when it starts them.
 */
#include "x86/time.h"
#include "lib/bitops.h"
#include "x86/irq.h"
#include "x86/outer.h"
#include "lib/log.h"

struct time_scale time_scale;
uint32_t cpu_khz;
uint64_t tsc_hz;
bool tsc_invariant;
uint64_t wallclock_base_ns;

/*
 * mul_frac has its top bit set for the best precision: bring the frequency into (1 GHz, 2 GHz] by
 * the shift, then 10^9 / hz lies in [1, 2) and half of it fits the 32-bit fraction.
 */
static void time_scale_set(uint64_t hz)
{
	uint64_t scaled = hz;
	int shift = 0;

	while (scaled > 2000000000) {
		scaled >>= 1;
		shift--;
	}
	while (scaled <= 1000000000) {
		scaled <<= 1;
		shift++;
	}
	/* Divide by the frequency itself, not by the truncated one. */
	time_scale.mul_frac = shift < 0 ? (uint32_t)mul_div(1000000000, BIT(32 - shift), hz)
					: (uint32_t)((((uint64_t)1000000000 << 32) / hz) >> shift);
	time_scale.shift = (int8_t)shift;
}

void delay_us(unsigned int us)
{
	uint64_t end = rdtsc() + us * (tsc_hz / 1000000);

	while ((int64_t)(rdtsc() - end) < 0)
		cpu_pause();
}

void __init time_init(void)
{
	uint64_t wall;

	time_scale.tsc_base = rdtsc();
	tsc_invariant = cpuid_reg(0x80000007, CPUID_D) >> 8 & 1;
	tsc_hz = tsc_find_hz();
	cpu_khz = (uint32_t)((tsc_hz + 500) / 1000);
	time_scale_set(tsc_hz);
	lapic_timer_init();
	wall = outer.wallclock_ns ? outer.wallclock_ns() : 0;
	if (!wall)
		wall = cmos_read_seconds() * 1000000000;
	if (wall)
		wallclock_base_ns = wall - (uint64_t)time_now();
	printk(LOG_INFO "TSC: %u.%03u MHz%s\n", cpu_khz / 1000, cpu_khz % 1000,
	       tsc_invariant ? ", invariant" : "");
}
