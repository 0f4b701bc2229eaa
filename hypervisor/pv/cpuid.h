/* SPDX-License-Identifier: MIT */
/*
 * The machine a paravirtual domain is told it runs on: its CPUID policy, and beside it what else the tools configure about the
 * machine (memory map, TSC description). One per domain, in d->pv.cpuid.
 *
 * Written while the domain is being built, and by set_memory_map and settscinfo under `lock`; read by the domain's vCPUs. The
 * CPU cannot hide features from CPUID as user mode executes it natively, so the policy binds those who ask for it: kernels by the
 * forced-emulation prefix, and everyone on CPUs with CPUID faulting.
 */
#ifndef PV_CPUID_H
#define PV_CPUID_H

#include "core/domain.h"

struct cpuid_regs {
	uint32_t a, b, c, d;
};

/* How many (sub)leaves a policy describes; as the ABI serialises them (XEN_DOMCTL_get_cpu_policy). */
#define CPUID_NR_BASIC	14
#define CPUID_NR_CACHE	6
#define CPUID_NR_FEAT	3
#define CPUID_NR_TOPO	2
#define CPUID_NR_XSTATE 63
#define CPUID_NR_EXTD	0x22
#define CPUID_NR_INTEL	9 /* extended leaves outside AMD's family */

/* Words of a featureset, <xen/arch-x86/cpufeatureset.h>. */
#define CPUID_NR_FEATURE_WORDS 19

/* <xen/memory.h>: entries in the form of the BIOS's INT 0x15 AX=0xe820. */
struct guest_e820 {
	uint64_t addr, size;
	uint32_t type;
} __packed;

struct pv_cpuid {
	struct cpuid_regs basic[CPUID_NR_BASIC];   /* .a of leaf 0: the highest leaf */
	struct cpuid_regs cache[CPUID_NR_CACHE];   /* leaf 4 */
	struct cpuid_regs feat[CPUID_NR_FEAT];	   /* leaf 7; .a of 0: the highest subleaf */
	struct cpuid_regs topo[CPUID_NR_TOPO];	   /* leaf 0xb */
	struct cpuid_regs xstate[CPUID_NR_XSTATE]; /* leaf 0xd */
	struct cpuid_regs extd[CPUID_NR_EXTD];	   /* leaves from 0x80000000 */
	uint32_t hv_limit, hv2_limit;		   /* leaves 0x40000000 as the tools want them */
	uint32_t arch_caps[2];			   /* MSR 0x10a, feature words 16 and 17 */
	uint32_t platform_info;			   /* MSR 0xce: bit 31, CPUID faulting */

	uint32_t tsc_mode, tsc_khz, tsc_incarnation;
	uint32_t misc_flags; /* XEN_X86_MSR_RELAXED */

	spinlock_t lock;
	unsigned int nr_e820; /* (L: lock) */
	struct guest_e820 *e820;
};

enum cpuid_policy { CPUID_RAW, CPUID_HOST, CPUID_PV_MAX, CPUID_PV_DEFAULT };
const struct pv_cpuid *pv_cpuid_policy(enum cpuid_policy which);

/* Where word @w of the featureset is kept in @p. */
uint32_t *pv_cpuid_word(struct pv_cpuid *p, unsigned int w);
/* Bring a policy the tools wrote down to what the hypervisor can keep, and derive what follows from its features. */
void pv_cpuid_sanitise(struct pv_cpuid *p);
bool pv_cpuid_is_amd(const struct pv_cpuid *p);
/* XCR0 bits a guest may set: what its policy shows. */
uint64_t pv_cpuid_xcr0(const struct pv_cpuid *p);
/* Bytes of an XSAVE area with these components, in the standard or the compacted format. */
unsigned int pv_xstate_size(uint64_t xcr0, bool compacted);

#endif
