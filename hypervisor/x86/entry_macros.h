/* SPDX-License-Identifier: MIT */
/* Assembly helpers of the entry code: frames in the layout of struct cpu_user_regs. */
#ifndef X86_ENTRY_MACROS_H
#define X86_ENTRY_MACROS_H

/* In entry_vector: the frame was made by SYSCALL (or RCX and R11 need not survive): leave by SYSRET. */
#define TRAP_SYSCALL 0x100

#ifdef __ASSEMBLER__
/* clang-format off */
#define ENTRY(name) .globl name; name:

.macro SAVE_GPRS
	.irp r, rdi, rsi, rdx, rcx, rax, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15
	push %\r
	.endr
.endm

.macro RESTORE_GPRS
	.irp r, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi
	pop %\r
	.endr
.endm

/* As above, but RCX and R11 already hold what SYSRET wants. */
.macro RESTORE_GPRS_SYSRET
	.irp r, r15, r14, r13, r12, rbp, rbx
	pop %\r
	.endr
	add $8, %rsp
	.irp r, r10, r9, r8, rax
	pop %\r
	.endr
	add $8, %rsp
	.irp r, rdx, rsi, rdi
	pop %\r
	.endr
.endm

/* A fault at @from continues at @to. */
.macro EX_TABLE from:req, to:req
	.pushsection .ex_table, "a"
	.balign 8
	.quad \from, \to
	.popsection
.endm
/* clang-format on */
#else
#define EX_TABLE(from, to) \
	".pushsection .ex_table, \"a\"\n\t.balign 8\n\t.quad " from ", " to "\n\t.popsection\n\t"
#endif
#endif
