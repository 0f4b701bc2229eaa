/* SPDX-License-Identifier: MIT */
/* Structure offsets for assembly: compiled to text only; build.mk turns the "->NAME value" strings into a header. */
#include "core/domain.h"
#include "x86/cpu.h"

#define DEFINE(name, value)	   __asm__ __volatile__(".ascii \"->" #name " %c0\"" ::"i"((long)(value)))
#define OFFSET(name, type, member) DEFINE(name, offsetof(type, member))

void asm_offsets(void);
void asm_offsets(void)
{
	OFFSET(UREGS_rax, struct cpu_user_regs, rax);
	OFFSET(UREGS_error_code, struct cpu_user_regs, error_code);
	OFFSET(UREGS_entry_vector, struct cpu_user_regs, entry_vector);
	OFFSET(UREGS_rip, struct cpu_user_regs, rip);
	OFFSET(UREGS_cs, struct cpu_user_regs, cs);
	OFFSET(UREGS_rflags, struct cpu_user_regs, eflags);
	OFFSET(UREGS_rsp, struct cpu_user_regs, rsp);
	OFFSET(UREGS_es, struct cpu_user_regs, es);

	OFFSET(CPUINFO_vcpu, struct cpu_info, vcpu);
	OFFSET(CPUINFO_softirq, struct cpu_info, softirq_pending);
	DEFINE(CPUINFO_size, sizeof(struct cpu_info));

	OFFSET(VCPU_vcpu_info, struct vcpu, vcpu_info);
	OFFSET(VCPU_in_kernel, struct vcpu, in_kernel);
	OFFSET(VCPU_nmi_pending, struct vcpu, nmi_pending);
	OFFSET(VCPUINFO_upcall_pending, struct vcpu_info, evtchn_upcall_pending);
	OFFSET(VCPUINFO_upcall_mask, struct vcpu_info, evtchn_upcall_mask);
}
