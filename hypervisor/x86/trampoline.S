/* SPDX-License-Identifier: MIT */
/*
 * A further CPU's first instructions. It wakes in real mode at TRAMPOLINE_PHYS, where smp.c has copied this; goes through 32-bit
 * protected mode to 64-bit mode on the page table it is given, and calls the entry point on its own stack.
 *
 * All addresses are those of the copy. Nothing is left set up that cpu_setup() does not set up properly.
 */
#include "x86/trampoline.h"

#define AT(sym) ((sym) - trampoline_start + TRAMPOLINE_PHYS)
#define ARG_CR3	  (AT(trampoline_args) + 0)
#define ARG_STACK (AT(trampoline_args) + 8)
#define ARG_ENTRY (AT(trampoline_args) + 16)

	.section .rodata.trampoline, "a"
	.balign 16
	.globl trampoline_start, trampoline_end, trampoline_args
	.code16
trampoline_start:
	cli
	cld
	xor %ax, %ax
	mov %ax, %ds
	lgdtl AT(gdt_ptr)
	mov $0x11, %eax			/* CR0: ET, PE */
	mov %eax, %cr0
	ljmpl $8, $AT(in_protected)

	.code32
in_protected:
	mov $0x18, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov $0x20, %eax			/* CR4: PAE */
	mov %eax, %cr4
	mov ARG_CR3, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx		/* EFER: SCE, LME, NXE */
	rdmsr
	or $0x901, %eax
	wrmsr
	mov $0x80010033, %eax		/* CR0: PG, WP, NE, ET, MP, PE */
	mov %eax, %cr0
	ljmpl $0x10, $AT(in_long)

	.code64
in_long:
	mov ARG_STACK, %rsp
	mov ARG_ENTRY, %rax
	xor %ebp, %ebp
	call *%rax
	ud2

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* 32-bit code */
	.quad 0x00af9b000000ffff	/* 64-bit code */
	.quad 0x00cf93000000ffff	/* data */
gdt_ptr:
	.word gdt_ptr - gdt - 1
	.long AT(gdt)
	.balign 8
trampoline_args:
	.quad 0, 0, 0
trampoline_end:

	.section .note.GNU-stack, "", @progbits
