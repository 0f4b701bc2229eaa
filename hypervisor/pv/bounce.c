/* SPDX-License-Identifier: MIT */
/*
 * Handing control to the guest's kernel: exceptions, system calls, events, NMIs. The frame that a 64-bit PV kernel expects
 * on its stack is, from low to high address: RCX, R11, [error code], RIP, CS with the saved upcall mask in bits 32-39,
 * RFLAGS, RSP, SS. RFLAGS.IF shows whether upcalls were enabled. CS has RPL 0 if the kernel itself was interrupted.
 *
 * The guest continues by SYSRET: RCX and R11 are in the frame.
 */
#include "lib/log.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/entry_macros.h"
#include "hypercall/dispatch.h"

/* Exceptions that push an error code: #DF #TS #NP #SS #GP #PF #AC #CP. */
#define HAS_ERROR_CODE 0x00227d00u

#define TRAP_IF_CLEAR 4 /* trap_info.flags: mask upcalls on entry */

void pv_toggle_mode(struct vcpu *v)
{
	v->in_kernel = !v->in_kernel;
	__asm__ __volatile__("swapgs");
	write_cr3(v->in_kernel ? v->pv.cr3_kernel : v->pv.cr3_user);
}

/* One word of guest memory, already known to be in the guest's part. */
#define GUEST_PUT(va, val, fault)                                             \
	__asm__ goto("1: movq %1, %0\n" EX_TABLE("1b", "%l[" #fault "]")      \
		     : /* no outputs */                                       \
		     : "m"(*(unsigned long *)(va)), "r"((unsigned long)(val)) \
		     : "memory"                                               \
		     : fault)

/* A fault leaves the guest crashed, so a half-written frame harms nobody. */
static always_inline bool frame_store(unsigned long sp, const struct cpu_user_regs *regs,
				      unsigned long rip_at, unsigned long cs, unsigned long rflags)
{
	if (unlikely(!guest_access_ok(sp, rip_at + 40 - sp)))
		return false;
	GUEST_PUT(sp, regs->rcx, fault);
	GUEST_PUT(sp + 8, regs->r11, fault);
	GUEST_PUT(rip_at, regs->rip, fault);
	GUEST_PUT(rip_at + 8, cs, fault);
	GUEST_PUT(rip_at + 16, rflags, fault);
	GUEST_PUT(rip_at + 24, regs->rsp, fault);
	GUEST_PUT(rip_at + 32, regs->ss, fault);
	return true;
fault:
	return false;
}

static always_inline void bounce(struct vcpu *v, unsigned long rip, bool mask_events,
				 bool has_error, uint32_t error_code)
{
	struct cpu_user_regs *regs = guest_regs();
	struct vcpu_info *vi = v->vcpu_info;
	uint8_t masked = READ_ONCE(vi->evtchn_upcall_mask);
	unsigned long cs = regs->cs, sp, rflags;

	if (unlikely(!rip)) {
		domain_crash(v->domain,
			     "no handler registered for what would be bounced from %04x:%016lx",
			     regs->cs, regs->rip);
		return;
	}
	if (v->in_kernel) {
		cs &= ~3UL;
		sp = regs->rsp & ~15UL;
	} else {
		pv_toggle_mode(v);
		sp = v->pv.kernel_sp & ~15UL;
	}
	sp -= has_error ? 64 : 56;
	rflags = regs->rflags & ~(RFLAGS_IF | RFLAGS_IOPL);
	if (!masked)
		rflags |= RFLAGS_IF;
	if (v->domain->vm_assist & BIT(VMASST_TYPE_architectural_iopl))
		rflags |= (unsigned long)v->pv.iopl << 12;
	if (unlikely(!frame_store(sp, regs, has_error ? sp + 24 : sp + 16,
				  cs | (unsigned long)masked << 32, rflags)) ||
	    (has_error && unlikely(!put_guest_u64(sp + 16, error_code)))) {
		domain_crash(v->domain,
			     "kernel stack %016lx cannot take an exception frame (rip %04x:%016lx)",
			     sp, regs->cs, regs->rip);
		return;
	}
	if (mask_events)
		vi->evtchn_upcall_mask = 1;
	regs->entry_vector |= TRAP_SYSCALL;
	regs->rflags &= ~(RFLAGS_AC | RFLAGS_VM | RFLAGS_RF | RFLAGS_NT | RFLAGS_TF);
	regs->ss = FLAT_KERNEL_SS;
	regs->rsp = sp;
	regs->cs = FLAT_KERNEL_CS;
	regs->rip = rip;
}

void pv_inject_trap(unsigned int vector, uint32_t error_code)
{
	struct vcpu *v = current;
	const struct trap_info *ti = &v->pv.traps[vector];

	if (unlikely(!ti->address)) {
		domain_crash(
			v->domain, "unhandled trap %u, error code %#x, CR2 %016lx, at %04x:%016lx",
			vector, error_code, v->pv.ctrlreg[2], guest_regs()->cs, guest_regs()->rip);
		return;
	}
	bounce(v, ti->address, ti->flags & TRAP_IF_CLEAR, HAS_ERROR_CODE >> vector & 1, error_code);
}

void pv_inject_page_fault(unsigned long cr2, uint32_t error_code)
{
	struct vcpu *v = current;

	v->pv.ctrlreg[2] = cr2;
	v->vcpu_info->arch.cr2 = cr2;
	/* Both guest modes run in ring 3: tell the guest which it was. */
	pv_inject_trap(X86_PF, v->in_kernel ? error_code & ~PF_U : error_code | PF_U);
}

void pv_inject_software_interrupt(unsigned int vector, unsigned int insn_len)
{
	struct vcpu *v = current;
	struct cpu_user_regs *regs = guest_regs();
	const struct trap_info *ti = &v->pv.traps[vector];

	/* The gate's DPL: the guest's kernel counts as ring 1, as the ABI has it from 32-bit days, its user as 3. */
	if (!ti->address || (ti->flags & 3) < (v->in_kernel ? 1 : 3)) {
		if (!insn_len) /* trapped past INT: #GP points at the instruction */
			regs->rip -= 2;
		pv_inject_trap(X86_GP, vector << 3 | 2);
		return;
	}
	regs->rip += insn_len;
	bounce(v, ti->address, ti->flags & TRAP_IF_CLEAR, false, 0);
}

void pv_deliver_events(void)
{
	struct vcpu *v = current;

	if (unlikely(!v->pv.event_callback))
		return; /* not registered yet: stays pending */
	bounce(v, v->pv.event_callback, true, false, 0);
}

void pv_deliver_nmi(void)
{
	struct vcpu *v = current;

	if (!v->pv.traps[X86_NMI].address)
		return;
	v->nmi_pending = false;
	v->nmi_masked = true;
	pv_inject_trap(X86_NMI, 0);
}

/*
 * A system call of guest user mode. There is no virtual SYSCALL_MASK: the ABI's kernel finds DF clear, beside what every
 * bounce clears. Without a callback the instruction, of @len bytes, does not exist.
 */
static void bounce_syscall(unsigned long callback, uint8_t flag, unsigned int len)
{
	struct cpu_user_regs *regs = guest_regs();
	struct vcpu *v = current;

	if (unlikely(!callback)) {
		regs->rip -= len;
		pv_inject_trap(X86_UD, 0);
		return;
	}
	bounce(v, callback, v->pv.bounce_flags & flag, false, 0);
	regs->rflags &= ~RFLAGS_DF;
}

/* Entry code: SYSCALL from guest user mode. */
void pv_user_syscall(void)
{
	bounce_syscall(current->pv.syscall_callback, PVBF_syscall_disables_events, 2);
}

void pv_user_syscall32(void)
{
	bounce_syscall(current->pv.syscall32_callback, PVBF_syscall32_disables_events, 2);
}

void pv_user_sysenter(void)
{
	struct vcpu *v = current;
	struct cpu_user_regs *regs = guest_regs();

	regs->rflags |= RFLAGS_IF; /* SYSENTER cleared it */
	regs->cs = SEL_RING3_CS32;
	if (!v->pv.sysenter_callback || v->in_kernel) {
		pv_inject_trap(X86_GP, 0);
		return;
	}
	bounce_syscall(v->pv.sysenter_callback, PVBF_sysenter_disables_events, 0);
}

/* IRET to what the guest asked for has faulted. The guest sees the fault at its target, as if it had got there. */
void pv_inject_bad_iret(struct cpu_user_regs *regs, unsigned int vector, uint32_t error_code)
{
	struct vcpu *v = current;
	unsigned long cr2 = read_cr2();

	if (vector == X86_PF) /* only a descriptor table of the guest's can be missing */
		pv_inject_page_fault(pv_ldt_address(v, cr2 - LDT_VIRT_START(v->vcpu_id), cr2),
				     error_code);
	else
		pv_inject_trap(vector, error_code);
}

/*
 * A segment of the guest's could not be loaded and is null now. Its failsafe callback gets the plain frame with the data
 * segment selectors in it: RCX, R11, DS, ES, FS, GS, RIP, CS and so on (Linux: xen_failsafe_callback).
 */
void pv_inject_failsafe(const uint16_t selectors[4])
{
	struct vcpu *v = current;
	struct cpu_user_regs *regs = guest_regs();
	unsigned long words[6] = {regs->rcx,	regs->r11,    selectors[0],
				  selectors[1], selectors[2], selectors[3]};

	if (!v->pv.failsafe_callback)
		return;
	bounce(v, v->pv.failsafe_callback, v->pv.bounce_flags & PVBF_failsafe_disables_events,
	       false, 0);
	if (v->domain->is_shut_down)
		return;
	regs->rsp -= 4 * sizeof(words[0]);
	if (copy_to_guest_va(regs->rsp, words, sizeof(words)))
		domain_crash(v->domain, "kernel stack %016lx cannot take a failsafe frame",
			     regs->rsp);
}

/* HYPERVISOR_iret: the guest's kernel returns from a frame it built on its stack (struct iret_context). */
HYPERCALL_FN(iret)
{
	struct vcpu *v = current;
	struct cpu_user_regs *regs = guest_regs();
	struct iret_context f;

	if (copy_from_guest_va(&f, regs->rsp, sizeof(f))) {
		domain_crash(v->domain, "iret: cannot read the frame at %016lx", regs->rsp);
		return 0;
	}
	if ((f.cs & 3) == 3) {
		if (unlikely(!v->pv.cr3_user)) {
			domain_crash(v->domain, "iret to user mode without a user page table");
			return 0;
		}
		pv_toggle_mode(v);
	}
	if (v->domain->vm_assist & BIT(VMASST_TYPE_architectural_iopl))
		v->pv.iopl = f.rflags >> 12 & 3;
	regs->rip = f.rip;
	regs->cs = (uint16_t)(f.cs | 3);
	regs->rflags = (f.rflags & 0x00250fd5UL & ~RFLAGS_IOPL) | RFLAGS_IF | RFLAGS_MBS;
	regs->rsp = f.rsp;
	regs->ss = (uint16_t)(f.ss | 3);
	if (!(f.flags & VGCF_in_syscall)) {
		regs->entry_vector &= ~TRAP_SYSCALL;
		regs->r11 = f.r11;
		regs->rcx = f.rcx;
	}
	v->vcpu_info->evtchn_upcall_mask = !(f.rflags & RFLAGS_IF);
	v->nmi_masked = false;
	return (long)f.rax;
}
