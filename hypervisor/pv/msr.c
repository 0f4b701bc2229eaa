/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers and CR4 as PV guests see them. An unknown register is a #GP, which kernels expect. Values
 * that live in hardware are those of the current vCPU.
 */
#include "pv/cpuid.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/page.h"

/* What a guest always sees set in CR4 if the machine has it. */
#define CR4_VISIBLE (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT)

unsigned long pv_cr4_visible(const struct vcpu *v)
{
	return v->pv.ctrlreg[4] | (hyp_cr4 & CR4_VISIBLE);
}

/* What a guest may choose in CR4, as far as its CPUID shows it. */
static unsigned long cr4_allowed(const struct domain *d)
{
	const struct pv_cpuid *p = d->pv.cpuid;
	unsigned long mask = CR4_TSD | CR4_DE;

	if (p->feat[0].b & BIT32(0))
		mask |= hyp_cr4 & CR4_FSGSBASE;
	if (p->basic[1].c & BIT32(26))
		mask |= hyp_cr4 & CR4_OSXSAVE;
	return mask;
}

void pv_set_cr4(struct vcpu *v, unsigned long guest_cr4)
{
	guest_cr4 &= cr4_allowed(v->domain);
	v->pv.ctrlreg[4] = guest_cr4;
	v->pv.cr4 = (hyp_cr4 & ~(CR4_TSD | CR4_FSGSBASE)) | (guest_cr4 & (CR4_TSD | CR4_FSGSBASE));
	if (v == current)
		cr4_load(v->pv.cr4);
}

/* A kernel too young to have a #GP handler reads 0 where the machine has such a register. */
static bool rdmsr_early(const struct vcpu *v, uint32_t msr, uint64_t *val)
{
	uint64_t ignored;

	*val = 0;
	return !v->pv.traps[X86_GP].address && msr >> 16 != 0x4000 && rdmsr_safe(msr, &ignored);
}

bool pv_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	switch (msr) {
	case MSR_EFER:
		*val = rdmsr(MSR_EFER) & ~EFER_SVME;
		return true;
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
	case MSR_IA32_TSC:
	case MSR_IA32_PAT:
		*val = rdmsr(msr);
		return true;
	case MSR_IA32_APICBASE:
		*val = 0xfee00800 | (v->vcpu_id ? 0 : 0x100); /* its default place, enabled; BSP */
		return true;
	case 0x179:		/* MCG_CAP: no machine-check banks */
	case 0x17a:		/* MCG_STATUS */
	case MSR_IA32_DEBUGCTL: /* nothing of it is offered */
	case 0x345:		/* PERF_CAPABILITIES */
		*val = 0;
		return true;
	case 0x8b: /* revision of the microcode */
	case MSR_IA32_MISC_ENABLE:
		return rdmsr_safe(msr, val);
	case 0xc0010010: /* AMD: SYSCFG */
	case 0xc0010015: /* HWCR */
	case 0xc001001a: /* TOP_MEM */
	case 0xc001001d: /* TOP_MEM2 */
		return v->domain->is_hardware && rdmsr_safe(msr, val);
	default:
		return rdmsr_early(v, msr, val);
	}
}

bool pv_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val)
{
	uint64_t now;

	switch (msr) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		if (!addr_is_canonical(val))
			return false;
		wrmsr(msr, val);
		return true;
	case MSR_EFER: /* to what it is */
	case MSR_IA32_PAT:
	case MSR_IA32_MISC_ENABLE:
	case MSR_IA32_APICBASE:
		return pv_rdmsr(v, msr, &now) && now == val;
	case 0x17a: /* MCG_STATUS */
	case MSR_IA32_DEBUGCTL:
		return !val;
	default:
		return false;
	}
}
