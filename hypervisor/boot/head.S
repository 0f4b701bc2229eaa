/* SPDX-License-Identifier: MIT */
/*
 * The first instructions: entered in 32-bit protected mode without paging by a Multiboot 1 or 2 loader (GRUB, QEMU) or
 * through the PVH entry (Xen, Firecracker, QEMU). Builds the first page tables, enters 64-bit mode at the image's
 * linked address, and calls boot_main(kind, info) on CPU 0's stack.
 *
 * The tables built here map, with 2 MiB pages: the first 4 GiB at their own address (dropped later), the same in the
 * direct map, and the image. x86/paging.c takes over from there.
 */
#include "boot/boot_info.h"
#include "x86/layout.h"

#define PHYS(sym) ((sym) - IMAGE_VIRT_START)

#define MULTIBOOT1_MAGIC 0x1badb002
#define MULTIBOOT1_FLAGS 0x00000003 /* modules page-aligned; memory map wanted */
#define MULTIBOOT2_MAGIC 0xe85250d6

/* @nr entries of a table: @first, and @step more each. */
	.macro table_fill table, first, step, nr
	mov $PHYS(\table), %ebx
	mov $(\first), %eax
1:	mov %eax, (%ebx)
	add $\step, %eax
	add $8, %ebx
	cmp $(PHYS(\table) + 8 * \nr), %ebx
	jne 1b
	.endm

	.section .head, "ax"
	.code32

/* Multiboot 1, section 3.1: anywhere in the first 8 KiB. */
	.balign 4
multiboot1_header:
	.long MULTIBOOT1_MAGIC
	.long MULTIBOOT1_FLAGS
	.long -(MULTIBOOT1_MAGIC + MULTIBOOT1_FLAGS)

/* Multiboot 2, section 3.1: 8-aligned in the first 32 KiB. */
	.balign 8
multiboot2_header:
	.long MULTIBOOT2_MAGIC
	.long 0
	.long multiboot2_end - multiboot2_header
	.long -(MULTIBOOT2_MAGIC + (multiboot2_end - multiboot2_header))
	/* what we ask for: command line and memory map (1, 6), modules aligned (tag 6) */
	.word 1, 1
	.long 16
	.long 1, 6
	.balign 8
	.word 6, 1
	.long 8
	.balign 8
	.word 0, 0
	.long 8
multiboot2_end:

	.globl start_multiboot, start_pvh
start_multiboot:
	cli
	cld
	cmp $0x2badb002, %eax
	je 1f
	cmp $0x36d76289, %eax
	je 2f
	mov $PHYS(msg_not_multiboot), %esi
	jmp early_fail
1:	mov $BOOT_MULTIBOOT1, %ebp
	jmp common
2:	mov $BOOT_MULTIBOOT2, %ebp
	jmp common

start_pvh:
	cli
	cld
	mov $BOOT_PVH, %ebp

common:
	mov $PHYS(cpu0_stack + STACK_SIZE), %esp
	mov %ebx, %edi			/* the loader's information */

	/* A 64-bit CPU with NX and 2 MiB pages? (APM vol. 3, CPUID 8000_0001h: EDX bits 29 and 20.) */
	mov $0x80000000, %eax
	cpuid
	cmp $0x80000001, %eax
	mov $PHYS(msg_no_longmode), %esi
	jb early_fail
	mov $0x80000001, %eax
	cpuid
	bt $29, %edx
	jnc early_fail
	bt $20, %edx
	mov $PHYS(msg_no_nx), %esi
	jnc early_fail

	/*
	 * Present, writable, accessed; pages of 2 MiB also dirty and large, the image's global. The first 4 GiB take four
	 * tables that lie one after another; of the image's place, the first 32 MiB of memory are mapped.
	 */
	table_fill boot_l2_low, 0xe3, 0x200000, 2048
	table_fill boot_l2_image, 0x1e3, 0x200000, 16
	table_fill boot_l3_low, PHYS(boot_l2_low) + 0x23, 0x1000, 4
	movl $(PHYS(boot_l2_image) + 0x23), PHYS(boot_l3_image) + 8 * ((IMAGE_VIRT_START >> 30) & 511)
	movl $(PHYS(boot_l3_low) + 0x23), PHYS(idle_l4)
	movl $(PHYS(boot_l3_low) + 0x23), PHYS(idle_l4) + 8 * ((DIRECTMAP_START >> 39) & 511)
	movl $(PHYS(boot_l3_image) + 0x23), PHYS(idle_l4) + 8 * ((IMAGE_VIRT_START >> 39) & 511)

	mov $(1 << 5), %eax		/* CR4.PAE */
	mov %eax, %cr4
	mov $PHYS(idle_l4), %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx		/* EFER: SCE, LME, NXE */
	rdmsr
	or $0x901, %eax
	wrmsr
	mov $0x80010033, %eax		/* CR0: PG, WP, NE, ET, MP, PE */
	mov %eax, %cr0
	lgdt PHYS(boot_gdt_ptr)
	ljmp $8, $PHYS(long_mode)

/* No way to go on: say why on the screen and the first serial port, and halt. */
early_fail:
	mov $0xb8000, %ebx
1:	lodsb
	test %al, %al
	jz 2f
	mov $0x0f, %ah
	mov %ax, (%ebx)
	add $2, %ebx
	mov $0x3f8, %dx
	out %al, %dx
	jmp 1b
2:	hlt
	jmp 2b

	.code64
long_mode:
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	movabs $1f, %rax
	jmp *%rax
1:	lea cpu0_stack + STACK_SIZE - CPU_INFO_RESERVE(%rip), %rsp
	mov %edi, %esi
	mov %ebp, %edi
	xor %ebp, %ebp
	call boot_main
	ud2

	.section .head.data, "aw"
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9a000000ffff	/* 64-bit code, ring 0 */
boot_gdt_ptr:
	.word . - boot_gdt - 1
	.long PHYS(boot_gdt)
msg_not_multiboot:
	.asciz "Poncho: not started by a Multiboot loader. Use GRUB's multiboot or multiboot2 command.\r\n"
msg_no_longmode:
	.asciz "Poncho: this CPU has no 64-bit mode.\r\n"
msg_no_nx:
	.asciz "Poncho: this CPU has no NX bit, or the firmware has switched it off.\r\n"

	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
	.globl idle_l4, boot_l3_low, boot_l2_low, boot_l3_image, boot_l2_image
idle_l4:	.skip 4096
boot_l3_low:	.skip 4096
boot_l3_image:	.skip 4096
boot_l2_low:	.skip 4 * 4096
boot_l2_image:	.skip 4096

	.section .bss.stack_aligned, "aw", @nobits
	.balign STACK_SIZE
	.globl cpu0_stack
cpu0_stack:	.skip STACK_SIZE

	.section .note.GNU-stack, "", @progbits
