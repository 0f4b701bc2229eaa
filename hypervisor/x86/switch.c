/* SPDX-License-Identifier: MIT */
/*
 * Changing the vCPU on a CPU. The hypervisor has one stack per CPU, so a switch stores the guest's registers, loads the
 * next guest's into the same place and leaves by the common exit; the C stack below is forgotten.
 */
#include "core/domain.h"
#include "lib/log.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/page.h"
#include "x86/smp.h"

void stack_reset_and_exit(struct cpu_user_regs *regs) __noreturn;
void stack_reset_and_jump(struct cpu_user_regs *regs, void (*fn)(void)) __noreturn;

static void vcpu_save(struct vcpu *v)
{
	v->regs = *guest_regs();
	vtime_switch_out(v);
	pv_context_save(v);
}

static bool vcpu_load(struct vcpu *v)
{
	bool ok;

	*guest_regs() = v->regs;
	ok = pv_context_load(v);
	vtime_switch_in(v);
	return ok;
}

void context_switch(struct vcpu *prev, struct vcpu *next)
{
	struct cpu_info *ci = cpu_info();
	bool ok = true;

	ASSERT(prev != next);
	if (!prev->is_idle)
		vcpu_save(prev);
	ci->vcpu = next;
	if (next->is_idle) {
		load_gdt_default();
		load_ldt(ci->cpu, 0, 0);
		write_cr3(virt_to_maddr(idle_l4));
	} else {
		cpumask_set(ci->cpu, &next->domain->dirty_cpus);
		ok = vcpu_load(next);
	}
	/* CR3 has been written: nothing of the former guest is in this TLB. */
	if (!prev->is_idle && prev->domain != next->domain)
		cpumask_unset(ci->cpu, &prev->domain->dirty_cpus);
	sched_context_saved(prev);
	if (next->is_idle)
		stack_reset_and_jump(&ci->guest_regs, idle_loop);
	if (unlikely(!ok))
		pv_inject_failsafe(
			(uint16_t[4]){next->pv.ds, next->pv.es, next->pv.fs, next->pv.gs});
	stack_reset_and_exit(&ci->guest_regs);
}
