/* SPDX-License-Identifier: MIT */
/*
 * What outer.c, which finds the hypervisors below us, and the kinds share. A kind is one row of the table in outer.c and one
 * function that fills what it can of `outer`; several kinds may stand below us at once, a later one leaves what is filled.
 */
#ifndef OUTER_INTERNAL_H
#define OUTER_INTERNAL_H

#include "x86/outer.h"

struct outer_kind {
	const char *name;
	const char *signature; /* of the CPUID leaf, 12 bytes; "" pads */
	const char *product;   /* how an SMBIOS that names it begins, where CPUID is silent */
	/* @leaf: its first CPUID leaf, 0: found by other means. False: there is nothing to use. */
	bool (*init)(uint32_t leaf);
};

bool kvm_outer_init(uint32_t leaf);
bool hyperv_outer_init(uint32_t leaf);
bool vmware_outer_init(uint32_t leaf);
bool xen_outer_init(uint32_t leaf);

/* As cpuid_count() with sub-leaf 0; the tests have their own. */
void outer_cpuid_regs(uint32_t leaf, uint32_t r[4]);
static inline uint32_t outer_cpu_features(void) /* CPUID 1, ECX */
{
	uint32_t r[4];

	outer_cpuid_regs(1, r);
	return r[2];
}
#define FEATURE_X2APIC	     (1u << 21)
#define FEATURE_TSC_DEADLINE (1u << 24)
#define FEATURE_HYPERVISOR   (1u << 31)
/* AMD's and its kin's, which enter a hypervisor by VMMCALL instead of VMCALL. */
bool outer_cpu_is_amd(void);
/* A register of leaf @base + @n, 0 where the hypervisor has no such leaf. */
uint32_t outer_cpuid(uint32_t base, unsigned int n, unsigned int reg);
/* smbios.c: does the machine's maker or product begin so? Legacy BIOS only. */
bool smbios_system_is(const char *text);

#endif
