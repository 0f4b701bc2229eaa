/* SPDX-License-Identifier: MIT */
/*
 * Xen below us (<xen/arch-x86/cpuid.h>): the TSC's frequency from its time leaf. Nothing else is used of it yet: we look like
 * an HVM guest that knows no event channels.
 */
#include "outer/internal.h"
#include "x86/asm.h"

static uint32_t leaf_base __ro_after_init;

/* Its fourth leaf, sub-leaf 0: kHz of the TSC as we see it. */
static uint64_t __init xen_tsc_hz(void)
{
	return outer_cpuid(leaf_base, 3, CPUID_C) * 1000UL;
}

bool __init xen_outer_init(uint32_t leaf)
{
	leaf_base = leaf;
	if (!leaf)
		return false;
	outer.tsc_hz = xen_tsc_hz;
	return true;
}
