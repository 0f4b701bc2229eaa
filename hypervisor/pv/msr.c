/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers and CR4 as PV guests see them. An unknown register is a #GP, which kernels expect. Values
 * that live in hardware are those of the current vCPU.
 */
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/page.h"

#define MSR_IA32_UCODE_REV  0x8b
#define MSR_IA32_MCG_CAP    0x179
#define MSR_IA32_MCG_STATUS 0x17a
#define MSR_AMD_SYSCFG	    0xc0010010
#define MSR_AMD_HWCR	    0xc0010015
#define MSR_AMD_TOP_MEM	    0xc001001a
#define MSR_AMD_TOP_MEM2    0xc001001d
#define APIC_BASE_DEFAULT   0xfee00000UL
#define APIC_BASE_BSP	    0x100UL
#define APIC_BASE_ENABLE    0x800UL

/* What a guest may choose in CR4, and what it always sees set if the machine has it. */
#define CR4_GUEST   (CR4_TSD | CR4_DE | CR4_FSGSBASE | CR4_OSXSAVE)
#define CR4_VISIBLE (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT)

unsigned long pv_fixup_cr4(const struct vcpu *v, unsigned long guest_cr4)
{
	unsigned long cr4 = hyp_cr4 & ~(CR4_TSD | CR4_FSGSBASE);

	return cr4 | (guest_cr4 & CR4_TSD) | (guest_cr4 & hyp_cr4 & CR4_FSGSBASE);
}

unsigned long pv_cr4_visible(const struct vcpu *v)
{
	return v->pv.ctrlreg[4] | (hyp_cr4 & CR4_VISIBLE);
}

void pv_set_cr4(struct vcpu *v, unsigned long guest_cr4)
{
	v->pv.ctrlreg[4] = guest_cr4 & CR4_GUEST & (hyp_cr4 | CR4_TSD);
	v->pv.cr4 = pv_fixup_cr4(v, guest_cr4);
	if (v == current && read_cr4() != v->pv.cr4)
		write_cr4(v->pv.cr4);
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
		*val = APIC_BASE_DEFAULT | APIC_BASE_ENABLE | (v->vcpu_id ? 0 : APIC_BASE_BSP);
		return true;
	case MSR_IA32_MCG_CAP: /* no machine-check banks */
	case MSR_IA32_MCG_STATUS:
		*val = 0;
		return true;
	case MSR_IA32_UCODE_REV:
	case MSR_IA32_MISC_ENABLE:
		return rdmsr_safe(msr, val);
	case MSR_AMD_SYSCFG:
	case MSR_AMD_HWCR:
	case MSR_AMD_TOP_MEM:
	case MSR_AMD_TOP_MEM2:
		return v->domain->is_hardware && rdmsr_safe(msr, val);
	default:
		return false;
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
	case MSR_IA32_MCG_STATUS:
		return !val;
	default:
		return false;
	}
}
