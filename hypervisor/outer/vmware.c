/* SPDX-License-Identifier: MIT */
/*
 * VMware below us: the TSC's frequency, by its CPUID timing leaf (40000010h, kHz in EAX) or by its backdoor port, which answers
 * an IN with the magic number in EAX and the command in ECX. The port is touched only when its SMBIOS or CPUID has said
 * that it is VMware: elsewhere it may be anything.
 */
#include "outer/internal.h"
#include "x86/asm.h"

#define BACKDOOR_PORT	 0x5658
#define BACKDOOR_MAGIC	 0x564d5868
#define BACKDOOR_VERSION 10
#define BACKDOOR_HZ	 45 /* EBX:EAX */

static uint32_t leaf_base __ro_after_init;

#ifndef HOST_BUILD
static uint32_t backdoor(unsigned int command, uint32_t *b)
{
	uint32_t a = BACKDOOR_MAGIC, c = command, d = BACKDOOR_PORT;

	*b = ~0u;
	__asm__ __volatile__("inl %%dx, %%eax" : "+a"(a), "+b"(*b), "+c"(c), "+d"(d)::"memory");
	return a;
}
#else
uint32_t backdoor(unsigned int command, uint32_t *b);
#endif

static uint64_t __init vmware_tsc_hz(void)
{
	uint32_t khz = outer_cpuid(leaf_base, 0x10, CPUID_A), lo, hi;

	if (khz)
		return khz * 1000UL;
	lo = backdoor(BACKDOOR_HZ, &hi);
	return hi == ~0u ? 0 : (uint64_t)hi << 32 | lo;
}

bool __init vmware_outer_init(uint32_t leaf)
{
	uint32_t magic;

	leaf_base = leaf;
	if (!leaf && (backdoor(BACKDOOR_VERSION, &magic) == ~0u || magic != BACKDOOR_MAGIC))
		return false;
	outer.tsc_hz = vmware_tsc_hz;
	return true;
}
