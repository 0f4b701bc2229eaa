/* SPDX-License-Identifier: MIT */
/*
 * The paravirtual part of a domain's and a vCPU's life, and of a context switch: the per-domain tables, segments, bases.
 */
#include "core/domain.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/entry_macros.h"
#include "x86/page.h"
#include "x86/tlb.h"

#define VCPUS_PER_L1 8 /* 64 window entries each */

/* --- domain --- */

/* What has been made when something fails is freed with the domain. */
int arch_domain_create(struct domain *d)
{
	pte_t *l3 = page_alloc(), *l2;

	d->pv.perdomain_l3 = l3;
	d->pv.gdt_l1 = kzalloc(sizeof(*d->pv.gdt_l1) * d->max_vcpus);
	d->shared_info = page_alloc();
	if (!l3 || !d->pv.gdt_l1 || !d->shared_info)
		return -ENOMEM;
	l2 = page_alloc();
	if (!l2)
		return -ENOMEM;
	l3[0] = pte_make(virt_to_mfn(l2), PTE_HYP_TABLE);
	share_page_with_guest(d->shared_info, d, true);
	return pv_cpuid_init_domain(d);
}

void arch_domain_free(struct domain *d)
{
	pte_t *l3 = d->pv.perdomain_l3;

	if (l3 && (l3[0] & PTE_P)) {
		pte_t *l2 = mfn_to_virt(pte_mfn(l3[0]));

		for (unsigned int i = 0; i < PTES_PER_TABLE; i++)
			if (l2[i] & PTE_P)
				page_free(mfn_to_virt(pte_mfn(l2[i])));
		page_free(l2);
	}
	if (l3)
		page_free(l3);
	kfree(d->pv.gdt_l1);
	if (d->shared_info)
		page_free(d->shared_info);
	pv_cpuid_free_domain(d);
}

/* Page tables, then what holds frames by other ways. */
static int tables_drop(struct vcpu *v)
{
	int rc = pv_drop_guest_tables(v);

	if (rc)
		return rc;
	pv_ldt_unmap(v);
	pv_gdt_clear(v);
	return 0;
}

int arch_domain_relinquish(struct domain *d)
{
	struct vcpu *v;
	unsigned int i;
	int rc;

	for_each_vcpu (d, v, i) {
		rc = tables_drop(v);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- vCPU --- */

static int window_create(struct domain *d, unsigned int id)
{
	pte_t *l2 = mfn_to_virt(pte_mfn(d->pv.perdomain_l3[0]));
	pte_t *l1;

	if (!(l2[id / VCPUS_PER_L1] & PTE_P)) {
		l1 = page_alloc();
		if (!l1)
			return -ENOMEM;
		l2[id / VCPUS_PER_L1] = pte_make(virt_to_mfn(l1), PTE_HYP_TABLE);
	}
	l1 = mfn_to_virt(pte_mfn(l2[id / VCPUS_PER_L1]));
	d->pv.gdt_l1[id] = l1 + id % VCPUS_PER_L1 * 64;
	return 0;
}

static void vcpu_registers_reset(struct vcpu *v)
{
	pv_set_cr4(v, 0);
	v->pv.ctrlreg[0] = CR0_PG | CR0_WP | CR0_PE | CR0_NE | CR0_ET;
	v->pv.dr6 = 0xffff0ff0;
	v->pv.dr7 = 0x400;
	v->in_kernel = true;
}

int arch_vcpu_create(struct vcpu *v)
{
	v->pv.traps = kzalloc(256 * sizeof(*v->pv.traps));
	if (!v->pv.traps || window_create(v->domain, v->vcpu_id) || pv_fpu_init(v))
		return -ENOMEM;
	spin_lock_init(&v->pv.ldt_lock);
	pv_window_init(v);
	vcpu_registers_reset(v);
	return 0;
}

void arch_vcpu_free(struct vcpu *v)
{
	if (v->pv.fpu)
		page_free(v->pv.fpu);
	kfree(v->pv.traps);
}

int arch_vcpu_reset(struct vcpu *v)
{
	int rc = tables_drop(v);

	if (rc)
		return rc;
	memset(v->pv.traps, 0, 256 * sizeof(*v->pv.traps));
	vcpu_registers_reset(v);
	return 0;
}

/* --- context switch --- */

/*
 * A CPU has the tables of its current vCPU loaded, or the hypervisor's own while it idles: every switch writes CR3
 * (x86/switch.c). So the tables of a vCPU that is off its CPU may go away, unless another vCPU, with references of
 * its own, has the same.
 */
void pv_load_cr3(struct vcpu *v)
{
	tlb_note_flush();
	write_cr3(v->in_kernel ? v->pv.cr3_kernel : v->pv.cr3_user);
}

/* MSR_KERNEL_GS_BASE holds the base of the mode the guest is not in (pv_toggle_mode swaps). */
static void segments_save(struct vcpu *v)
{
	unsigned long gs, gs_other = rdmsr(MSR_KERNEL_GS_BASE);

	__asm__ __volatile__("mov %%ds, %0" : "=m"(v->pv.ds));
	__asm__ __volatile__("mov %%es, %0" : "=m"(v->pv.es));
	__asm__ __volatile__("mov %%fs, %0" : "=m"(v->pv.fs));
	__asm__ __volatile__("mov %%gs, %0" : "=m"(v->pv.gs));
	if (v->pv.cr4 & CR4_FSGSBASE) {
		v->pv.fs_base = rdfsbase();
		gs = rdgsbase();
	} else {
		v->pv.fs_base = rdmsr(MSR_FS_BASE);
		gs = rdmsr(MSR_GS_BASE);
	}
	v->pv.gs_base_kernel = v->in_kernel ? gs : gs_other;
	v->pv.gs_base_user = v->in_kernel ? gs_other : gs;
}

/*
 * A selector the guest's tables no longer allow loads as null, and @ok says so. Null over null is not loaded: that is what
 * most guests have in DS and ES.
 */
#define LOAD_SEGMENT(reg, sel, ok)                                 \
	do {                                                       \
		unsigned int s_;                                   \
		__asm__ __volatile__("mov %%" reg ", %k0\n\t"      \
				     "or %k2, %k0\n\t"             \
				     "jz 3f\n"                     \
				     "1: mov %k2, %%" reg "\n\t"   \
				     "jmp 3f\n"                    \
				     "2: xor %k0, %k0\n\t"         \
				     "mov %k0, %%" reg "\n\t"      \
				     "movb $0, %1\n"               \
				     "3:\n\t" EX_TABLE("1b", "2b") \
				     : "=&r"(s_), "+m"(ok)         \
				     : "r"((unsigned int)(sel))    \
				     : "cc");                      \
	} while (0)

/* False if one of them could not be loaded. */
static bool segments_load(struct vcpu *v)
{
	bool ok = true;

	LOAD_SEGMENT("ds", v->pv.ds, ok);
	LOAD_SEGMENT("es", v->pv.es, ok);
	LOAD_SEGMENT("fs", v->pv.fs, ok);
	LOAD_SEGMENT("gs", v->pv.gs, ok);
	/* Bases after selectors: a load replaces the base. */
	wrmsr(MSR_FS_BASE, v->pv.fs_base);
	wrmsr(MSR_GS_BASE, v->in_kernel ? v->pv.gs_base_kernel : v->pv.gs_base_user);
	wrmsr(MSR_KERNEL_GS_BASE, v->in_kernel ? v->pv.gs_base_user : v->pv.gs_base_kernel);
	return ok;
}

void pv_context_save(struct vcpu *v)
{
	segments_save(v);
	pv_debug_save(v);
	pv_fpu_save(v);
}

/* False if a segment of the guest's could not be loaded: its failsafe callback is due. */
bool pv_context_load(struct vcpu *v)
{
	bool ok;

	cr4_load(v->pv.cr4);
	pv_load_cr3(v);
	pv_load_descriptors(v);
	ok = segments_load(v);
	pv_debug_load(v);
	pv_fpu_load(v);
	return ok;
}
