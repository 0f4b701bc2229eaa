/* SPDX-License-Identifier: MIT */
/*
 * Every way into the hypervisor and the one way out.
 *
 * All entries build a struct cpu_user_regs at the top of this CPU's stack (struct cpu_info, x86/cpu.h) when they come from
 * a guest, and further down when they interrupt the hypervisor itself (idle loop, irq_window, a fault
 * with an exception-table entry). Interrupts are off from here to the way out.
 *
 * exit_to_guest is the only place where softirqs run, where events and NMIs are handed to the guest, and where guest
 * registers are loaded: the scheduler and the boot code jump to it too.
 */
#include "asm_offsets.h"
#include "x86/entry_macros.h"
#include "x86/layout.h"

	.section .text.entry, "ax"
	.code64

/*
 * System call entry points, one per CPU, so that the stack is found without touching GS (the inactive GS base of the guest
 * stays in MSR_KERNEL_GS_BASE). syscall_stubs[n] is CPU n's LSTAR, syscall32_stubs[n] its CSTAR.
 */
.macro SYSCALL_STUBS name:req, entry:req
	.balign 64
	.globl \name
\name:
	.set cpu, 0
	.rept NR_CPUS
	.balign 64
	mov %rsp, syscall_scratch + cpu * 16(%rip)
	mov syscall_scratch + cpu * 16 + 8(%rip), %rsp
	pushq $SEL_RING3_DS
	pushq syscall_scratch + cpu * 16(%rip)
	jmp \entry
	.set cpu, cpu + 1
	.endr
.endm
	SYSCALL_STUBS syscall_stubs, syscall_entry
	SYSCALL_STUBS syscall32_stubs, syscall32_entry

/*
 * SYSCALL in 64-bit mode (APM vol. 2 section 6.1.1): RCX holds the return address, R11 the flags; SYSCALL_MASK has
 * cleared IF, TF, DF, AC, NT, RF, IOPL.
 */
	.balign 16
ENTRY(syscall_entry)
	push %r11
	pushq $SEL_RING3_CS64
	push %rcx
	pushq $0
	movl $TRAP_SYSCALL, 4(%rsp)
	SAVE_GPRS
	mov CPUINFO_vcpu(%rsp), %rbx
	cmpb $0, VCPU_in_kernel(%rbx)
	je .Luser_syscall

	/* From the guest's kernel: a hypercall. Number in RAX; RDI, RSI, RDX, R10, R8 are the arguments. */
	cmp $64, %rax
	jae .Lbad_hypercall
	sbb %rcx, %rcx			/* all ones: a mispredicted branch above reads entry 0 */
	and %rcx, %rax
	mov %r10, %rcx
	lea hypercall_table(%rip), %r11
	call *(%r11, %rax, 8)
.Lhypercall_done:
	mov %rax, UREGS_rax(%rsp)

/* The way out. RSP = &guest_regs, nothing else is expected in registers. */
	.balign 16
ENTRY(exit_to_guest)
	cmpl $0, CPUINFO_softirq(%rsp)
	jne .Lsoftirq
.Lcheck_events:
	mov CPUINFO_vcpu(%rsp), %rbx
	mov VCPU_vcpu_info(%rbx), %rax
	cmpb $0, VCPUINFO_upcall_pending(%rax)
	jne .Levents
.Lcheck_nmi:
	cmpw $1, VCPU_nmi_pending(%rbx)	/* pending and not masked: two adjacent bytes */
	je .Lnmi
.Lrestore:
	testl $TRAP_SYSCALL, UREGS_entry_vector(%rsp)
	jz .Liret
	/* SYSRET to a non-canonical address faults in ring 0 on Intel CPUs, with the guest's stack pointer. */
	mov UREGS_rip(%rsp), %rcx
	mov %rcx, %r11
	shl $16, %r11
	sar $16, %r11
	cmp %rcx, %r11
	jne .Liret
	mov UREGS_rflags(%rsp), %r11
	cmpl $SEL_RING3_CS64, UREGS_cs(%rsp)
	jne .Liret
	RESTORE_GPRS_SYSRET
	mov UREGS_rsp - UREGS_error_code(%rsp), %rsp
	sysretq

.Liret:
	RESTORE_GPRS
	add $8, %rsp			/* error code and vector */
	.globl guest_iret
guest_iret:
	iretq

.Lsoftirq:
	call softirq_run
	jmp exit_to_guest
.Levents:
	cmpb $0, VCPUINFO_upcall_mask(%rax)
	jne .Lcheck_nmi
	call pv_deliver_events
	cmpl $0, CPUINFO_softirq(%rsp)	/* a guest whose stack took no frame is crashed: do not go there */
	je .Lcheck_nmi
	jmp .Lsoftirq
.Lnmi:
	call pv_deliver_nmi
	cmpl $0, CPUINFO_softirq(%rsp)
	je .Lrestore
	jmp .Lsoftirq

.Lbad_hypercall:
	call hypercall_enosys
	jmp .Lhypercall_done

.Luser_syscall:
	call pv_user_syscall
	jmp exit_to_guest

/* SYSCALL in compatibility mode (AMD only). */
	.balign 16
ENTRY(syscall32_entry)
	push %r11
	pushq $SEL_RING3_CS32
	push %rcx
	pushq $0
	SAVE_GPRS
	call pv_user_syscall32
	jmp exit_to_guest

/* SYSENTER: saves nothing at all; the guest's library keeps what it needs on its stack. ESP is TSS.rsp0 by MSR. */
	.balign 16
ENTRY(sysenter_entry)
	pushq $SEL_RING3_DS
	pushq $0
	pushfq
	/* TF, NT, DF and AC are still the guest's (SDM vol. 2, SYSENTER): trap_ist lets single steps go on up to here. */
	.globl sysenter_flags_saved
sysenter_flags_saved:
	pushq $2
	popfq
	pushq $3
	pushq $0
	pushq $0
	SAVE_GPRS
	call pv_user_sysenter
	jmp exit_to_guest

/*
 * Exceptions and interrupts. Each IDT vector has a stub of 16 bytes which leaves the error code (or 0) and the vector on the
 * stack. Vectors 8, 10-14, 17, 21, 29, 30 carry an error code (SDM vol. 3 table 6-1).
 */
	.balign 16
	.globl idt_stubs
idt_stubs:
	.set vec, 0
	.rept 256
	.balign 16
	.if !((vec == 8) || ((vec >= 10) && (vec <= 14)) || (vec == 17) || (vec == 21) || (vec == 29) || (vec == 30))
	pushq $0
	.endif
	movl $vec, 4(%rsp)
	.if (vec == 1) || (vec == 2) || (vec == 8) || (vec == 18)
	jmp ist_entry
	.elseif (vec < 32) || (vec == 0x80)
	jmp exception_entry
	.else
	jmp interrupt_entry
	.endif
	.set vec, vec + 1
	.endr

	.balign 16
exception_entry:
	cld
	SAVE_GPRS
	mov %rsp, %rdi
	testb $3, UREGS_cs(%rsp)
	jz .Lhypervisor_trap
	movzbl UREGS_entry_vector(%rsp), %eax
	lea guest_trap_table(%rip), %rcx
	call *(%rcx, %rax, 8)
	jmp exit_to_guest
.Lhypervisor_trap:
	call trap_in_hypervisor
.Lreturn_to_hypervisor:
	RESTORE_GPRS
	add $8, %rsp
	iretq

	.balign 16
interrupt_entry:
	cld
	SAVE_GPRS
	mov %rsp, %rdi
	call irq_dispatch
	testb $3, UREGS_cs(%rsp)
	jnz exit_to_guest
	/* See cpu_halt. */
	lea .Lhlt(%rip), %rax
	cmp %rax, UREGS_rip(%rsp)
	jne .Lreturn_to_hypervisor
	incq UREGS_rip(%rsp)
	jmp .Lreturn_to_hypervisor

/*
 * void cpu_halt(void): sleeps until an interrupt has been taken. STI takes effect after the next instruction (SDM vol. 2, STI), so none
 * comes before HLT, unless a hypervisor below us loses that when it steps in between the two, as one on QEMU's emulation of SVM
 * seems to. Such an interrupt does not return to HLT either, which would sleep on what it has raised.
 */
ENTRY(cpu_halt)
	sti
.Lhlt:	hlt
	cli
	ret

/*
 * #DB, NMI, #DF and #MC have stacks of their own (IST), because they can come between SYSCALL and the stack switch. Those
 * stacks are pages of this CPU's stack, so cpu_info() works on them. What comes from a guest goes on like
 * any exception: its frame moves to the top of the stack, so that the way out is the one whose IRET may fault.
 */
	.balign 16
ist_entry:
	cld
	SAVE_GPRS
	testb $3, UREGS_cs(%rsp)
	jz 2f
	mov %rsp, %rsi
	mov %rsp, %rdi
	or $(STACK_SIZE - 1), %rdi
	sub $(CPUINFO_size - 1), %rdi
	mov %rdi, %rbx
	mov $(UREGS_es / 8), %ecx
	rep movsq
	mov %rbx, %rsp
	mov %rsp, %rdi
	cmpb $1, UREGS_entry_vector(%rsp)
	jne 1f
	call guest_debug_trap
	jmp exit_to_guest
1:	call trap_ist
	jmp exit_to_guest
2:	mov %rsp, %rdi
	call trap_ist
	jmp .Lreturn_to_hypervisor

/* The IRET of the way out has faulted: bad_guest_iret has rebuilt guest_regs, RDI points to them, RSI is the vector. */
ENTRY(resume_after_bad_iret)
	mov %rdi, %rsp
	call pv_inject_bad_iret
	jmp exit_to_guest

/* void stack_reset_and_exit(struct cpu_user_regs *guest_regs): drop the C stack, leave through exit_to_guest. */
ENTRY(stack_reset_and_exit)
	mov %rdi, %rsp
	xor %ebp, %ebp
	jmp exit_to_guest

/* void stack_reset_and_jump(struct cpu_user_regs *guest_regs, void (*fn)(void)) */
ENTRY(stack_reset_and_jump)
	lea -8(%rdi), %rsp
	xor %ebp, %ebp
	jmp *%rsi

	.section .data, "aw"
	.balign 16
	.globl syscall_scratch
syscall_scratch: .skip NR_CPUS * 16	/* per CPU: the guest's RSP for two instructions; address of its frame's end */

	.section .note.GNU-stack, "", @progbits
