/* SPDX-License-Identifier: MIT */
/* The paravirtual part of a vCPU and of a domain: plain data, embedded in core/domain.h's structures. */
#ifndef PV_PV_TYPES_H
#define PV_PV_TYPES_H

#include "lib/spinlock.h"
#include "lib/types.h"
#include <xen/xen.h>

struct page_info;

struct pv_vcpu {
	/* assembly reads these */
	unsigned long kernel_sp; /* stack for bounces from user mode (HYPERVISOR_stack_switch) */
	unsigned long syscall_callback; /* CALLBACKTYPE_syscall, 0 if none */
	unsigned long event_callback;	/* CALLBACKTYPE_event */
	unsigned long failsafe_callback;
	/* Values for CR3, references held (pv/mmu.c); 0 if none. */
	unsigned long cr3_kernel, cr3_user;
	unsigned long syscall32_callback, sysenter_callback;
	uint16_t syscall32_cs, sysenter_cs;
	uint8_t bounce_flags; /* PVBF_*: which callbacks mask events */
	uint8_t iopl;	      /* virtual IOPL << 0 */
	uint16_t kernel_ss;
	struct trap_info *traps; /* 256 entries; address 0 = none */

	struct page_info
		*old_table; /* a table half let go, reference held: pv_finish_old_table() */

	unsigned long
		ctrlreg[8]; /* guest's view: cr0, cr2 (unused: it is in vcpu_info.arch), cr4 */
	unsigned long cr4;  /* real CR4 to run with */
	unsigned long fs_base, gs_base_kernel, gs_base_user; /* saved while not on a CPU */
	uint16_t ds, es, fs, gs; /* selectors, saved while not on a CPU */

	unsigned long dr[4], dr6,
		dr7; /* guest debug registers; dr7_emul: bits the guest sees but hardware does not */
	unsigned long dr7_emul;

	mfn_t gdt_frames[14]; /* type references held (PGT_seg_desc_page) */
	unsigned int gdt_ents;
	unsigned long ldt_base; /* guest address; pages are mapped on first use */
	unsigned int ldt_ents;
	unsigned int ldt_mapped; /* how many LDT pages are mapped now (L: ldt_lock) */
	spinlock_t ldt_lock;

	void *fpu; /* XSAVE area: a page */
	uint64_t xcr0;

	unsigned long iobmp_guest; /* PHYSDEVOP_set_iobitmap: address and limit */
	unsigned int iobmp_limit;
};

#define PVBF_failsafe_disables_events  1u
#define PVBF_syscall_disables_events   2u
#define PVBF_sysenter_disables_events  4u
#define PVBF_syscall32_disables_events 8u

struct pv_domain {
	uint64_t *perdomain_l3; /* slot 257: page tables of the GDT/LDT windows */
	uint64_t **gdt_l1;	/* per vCPU: its 64 window entries */
	struct pv_cpuid *cpuid; /* policy: pv/cpuid.c */
	uint32_t
		relinquished_list; /* (L: page_lock) frames of a dying domain that others still hold */
};

#endif
