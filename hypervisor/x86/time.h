/* SPDX-License-Identifier: MIT */
/*
 * Hypervisor time: nanoseconds since start, from the TSC scaled by mul/shift as pvclock defines it
 * (vcpu_time_info in <xen/xen.h>), and the wall clock. The scale is found once, from CPUID, from an
 * outer hypervisor, or by one calibration.
 */
#ifndef X86_TIME_H
#define X86_TIME_H

#include "lib/types.h"
#include "x86/asm.h"

/*
 * a * b / c with a 128-bit product; the quotient must fit. (The compiler's own division of that
 * width needs its library.)
 */
static inline uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t hi;

	__asm__("mulq %2\n\tdivq %3" : "+a"(a), "=&d"(hi) : "r"(b), "r"(c) : "cc");
	return a;
}

struct time_scale {
	uint64_t tsc_base; /* TSC at system time 0 */
	uint32_t mul_frac; /* ns = ((tsc << shift) * mul_frac) >> 32 */
	int8_t shift;
};
extern struct time_scale time_scale;
extern uint32_t cpu_khz;
extern uint64_t tsc_hz;	   /* exact as known; cpu_khz is it rounded */
extern bool tsc_invariant; /* runs at one rate in all power states (CPUID 8000_0007h) */

void time_init(void); /* after acpi_init and lapic_init_bsp */
void delay_us(unsigned int us);

#ifndef HOST_BUILD
/*
 * The formula guests use (pvclock), bit by bit, so that no guest ever sees our clock and its own
 * disagree.
 */
static inline uint64_t tsc_delta_to_ns(uint64_t delta)
{
	if (time_scale.shift >= 0)
		delta <<= time_scale.shift;
	else
		delta >>= -time_scale.shift;
	return (uint64_t)(((unsigned __int128)delta * time_scale.mul_frac) >> 32);
}

static inline s_time_t tsc_to_time(uint64_t tsc)
{
	return (s_time_t)tsc_delta_to_ns(tsc - time_scale.tsc_base);
}

static inline s_time_t time_now(void)
{
	return tsc_to_time(rdtsc());
}
#else
s_time_t time_now(void);
s_time_t tsc_to_time(uint64_t tsc);
#endif

/*
 * Wall clock at system time 0, in ns since 1970; set by the CMOS clock at boot and by domain 0
 * (XENPF_settime).
 */
extern uint64_t wallclock_base_ns;

/* x86/calibrate.c: the TSC's frequency in Hz; that of another counter, against the TSC in 1 ms. */
uint64_t tsc_find_hz(void);
uint64_t clock_measure(uint32_t (*read)(void));
/* x86/rtc.c: CMOS clock in seconds since 1970, 0 if there is none to read. */
uint64_t cmos_read_seconds(void);

#endif
