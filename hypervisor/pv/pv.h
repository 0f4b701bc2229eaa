/* SPDX-License-Identifier: MIT */
/*
 * Running a paravirtual guest: what the trap code, the scheduler and the hypercall layer call. The guest's kernel and user
 * mode both run in ring 3; v->in_kernel says which of the two it is in.
 */
#ifndef PV_PV_H
#define PV_PV_H

#include "core/domain.h"
#include "x86/page.h"

/* Trap numbers (SDM vol. 3 table 6-1). */
enum {
	X86_DE,
	X86_DB,
	X86_NMI,
	X86_BP,
	X86_OF,
	X86_BR,
	X86_UD,
	X86_NM,
	X86_DF,
	X86_09,
	X86_TS,
	X86_NP,
	X86_SS,
	X86_GP,
	X86_PF,
	X86_MF = 16,
	X86_AC,
	X86_MC,
	X86_XM,
	X86_VE,
	X86_CP,
};
#define PF_P   1u
#define PF_W   2u
#define PF_U   4u
#define PF_RSV 8u
#define PF_I   16u

/*
 * pv/bounce.c: hand control to the guest's kernel. Each writes a frame to the guest's kernel stack and changes guest_regs(); the guest sees it when
 * it resumes. A guest whose stack cannot take the frame is crashed.
 */
void pv_inject_trap(unsigned int vector,
		    uint32_t error_code); /* error code ignored where the trap has none */
void pv_inject_page_fault(unsigned long cr2, uint32_t error_code);
void pv_inject_software_interrupt(
	unsigned int vector,
	unsigned int insn_len); /* INT n: the table's DPL is checked by the caller */
void pv_inject_failsafe(const uint16_t selectors[4]); /* DS, ES, FS, GS as the guest had them */
void pv_inject_bad_iret(struct cpu_user_regs *regs, unsigned int vector, uint32_t error_code);
void pv_deliver_events(void); /* event callback; masks upcalls */
void pv_deliver_nmi(void);
void pv_toggle_mode(struct vcpu *v); /* current only: kernel <-> user: GS base and CR3 */

/* pv/emulate.c: the #GP of a privileged instruction. True: done (regs advanced), false: it is the guest's own #GP. */
bool pv_emulate_privileged(struct cpu_user_regs *regs);
/* The #GP of an INT n: done through the guest's own gate, or false if it was no such instruction. */
bool pv_software_interrupt(struct cpu_user_regs *regs);
/* The forced-emulation prefix (ud2a "xen" cpuid). */
bool pv_emulate_forced(struct cpu_user_regs *regs);
/* pv/ptwr.c: a guest's write to one of its own page tables. True: done. */
bool pv_ptwr_fault(struct cpu_user_regs *regs, unsigned long addr, uint32_t error_code);
/* pv/descriptor.c: map a page of the guest's LDT on first use. True: mapped, run again. */
bool pv_ldt_map(struct vcpu *v, unsigned long offset);
unsigned long pv_ldt_address(const struct vcpu *v, unsigned long offset, unsigned long fallback);
void pv_ldt_unmap(struct vcpu *v); /* drop all mapped LDT pages */
void pv_gdt_clear(struct vcpu *v);
int pv_gdt_set(struct vcpu *v, const uint64_t *frames, unsigned int entries);
void pv_load_descriptors(struct vcpu *v); /* LGDT/LLDT for the vCPU being switched to */

/* pv/fpu.c */
extern uint64_t xcr0_host; /* 0: no XSAVE */
int pv_fpu_init(struct vcpu *v);
void pv_fpu_save(struct vcpu *v);
void pv_fpu_load(struct vcpu *v);
void pv_fpu_device_not_available(struct cpu_user_regs *regs); /* #NM in a guest */
void pv_fpu_cpu_init(void);
bool pv_fpu_xsetbv(struct vcpu *v, uint64_t xcr0);
void pv_fpu_set(struct vcpu *v, const void *image);
/*
 * For XEN_DOMCTL_{get,set}vcpuextstate: the XSAVE area v->pv.fpu, in the standard format, and every component of it that may
 * have state. @v is off its CPU.
 */
uint64_t pv_fpu_xstate_mask(const struct vcpu *v);
int pv_fpu_set_xstate(struct vcpu *v, uint64_t xcr0, uint64_t mask, const void *area,
		      unsigned int size) __must_check;

/* pv/debugreg.c */
long pv_set_debugreg(struct vcpu *v, unsigned int reg, unsigned long value);
int pv_get_debugreg(const struct vcpu *v, unsigned int reg, unsigned long *value);
unsigned int pv_debug_io_match(const struct vcpu *v, unsigned int port, unsigned int bytes);
void pv_debug_save(struct vcpu *v);
void pv_debug_load(struct vcpu *v);

/* pv/cpuid.c, pv/msr.c: the policy. */
void pv_cpuid(struct cpu_user_regs *regs);
int pv_cpuid_init_domain(struct domain *d);
void pv_cpuid_free_domain(struct domain *d);
bool pv_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *val); /* false: #GP */
bool pv_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val);
unsigned long pv_cr4_visible(const struct vcpu *v);
void pv_set_cr4(struct vcpu *v,
		unsigned long guest_cr4); /* both views; loads it if @v is current */

/*
 * pv/mmu*.c: page tables. What changes a vCPU's tables may return -ERESTART: call again after a preemption point. Frame 0
 * means no table.
 */
void pv_mmu_init(void); /* registers validation with mm/ */
/* Takes new type references on @mfn as the kernel L4 of current's or another paused @v; drops the old. */
int pv_new_cr3(struct vcpu *v, mfn_t mfn) __must_check;
int pv_set_guest_table(struct vcpu *v, mfn_t kernel,
		       mfn_t user) __must_check; /* for setvcpucontext and domain 0 */
int pv_drop_guest_tables(struct vcpu *v) __must_check;
void pv_load_cr3(struct vcpu *v); /* CR3 for the mode it is in, with TLB bookkeeping */
/* The guest kernel's own translation of @va (also while the guest is in user mode): the level-1 entry, or 0. */
pte_t pv_guest_l1e(unsigned long va);
/* The frame behind a guest address, referenced; NULL if it is not mapped. */
struct page_info *pv_guest_frame(unsigned long va);
void pv_context_save(struct vcpu *v); /* x86/switch.c: segments, bases, debug, FPU */
bool pv_context_load(struct vcpu *v);

/* pv/descriptor.c */
void pv_window_init(struct vcpu *v);
int pv_validate_descriptors(
	struct page_info *pg); /* 0 or -EINVAL; makes what can be made harmless so */
/* pv/mmu*.c: as MMUEXT_PIN_*_TABLE does, for domain building. */
int pv_pin_table(struct domain *d, mfn_t mfn, uint64_t type) __must_check;
/* entry code */
void pv_user_syscall(void);
void pv_user_syscall32(void);
void pv_user_sysenter(void);

#endif
