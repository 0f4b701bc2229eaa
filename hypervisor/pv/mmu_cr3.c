/* SPDX-License-Identifier: MIT */
/*
 * Loading a guest's top-level table, and making sure that a table which goes away is loaded nowhere. An idle CPU may keep
 * the tables of the vCPU that ran last; a vCPU that is switched in always loads its own.
 */
#include "pv/mmu.h"

#include "x86/asm.h"

void pv_load_cr3(struct vcpu *v)
{
	tlb_note_flush();
	write_cr3(v->in_kernel ? v->pv.cr3_kernel : v->pv.cr3_user);
}

static void leave_roots(void *arg)
{
	const mfn_t *roots = arg, now = read_cr3() >> PAGE_SHIFT;

	if (now == roots[0] || now == roots[1]) {
		tlb_note_flush();
		write_cr3(virt_to_maddr(idle_l4));
	}
}

void pv_leave_roots(const struct vcpu *v, mfn_t kernel, mfn_t user)
{
	mfn_t roots[2] = {kernel, user};
	cpumask_t mask;

	cpumask_and(&mask, &v->domain->dirty_cpus, &cpu_online_map);
	if (!cpumask_empty(&mask))
		smp_call(&mask, leave_roots, roots);
}
