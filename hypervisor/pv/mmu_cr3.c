/* SPDX-License-Identifier: MIT */
/*
 * Loading a guest's top-level table. A CPU has the tables of its current vCPU loaded, or the hypervisor's own while it idles:
 * every switch writes CR3 (x86/switch.c). So the tables of a vCPU that is off its CPU may go away, unless another vCPU, with
 * references of its own, has the same.
 */
#include "pv/mmu.h"

#include "x86/asm.h"

void pv_load_cr3(struct vcpu *v)
{
	tlb_note_flush();
	write_cr3(v->in_kernel ? v->pv.cr3_kernel : v->pv.cr3_user);
}
