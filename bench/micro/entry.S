/* SPDX-License-Identifier: MIT */
/*
 * The two pieces of the bench that must not be C: the entry, whose first instruction reads the time
 * stamp counter, and the shortest handler that steps over UD2.
 */
#include <xen/xen.h>

.section .text.entry, "ax"
.globl guest_entry
guest_entry:
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, boot_tsc(%rip)
	jmp _start

.text
.globl ud2_entry
ud2_entry:
	pop %rcx
	pop %r11
	addq $2, (%rsp)
	push $0
	jmp hypercall_page + __HYPERVISOR_iret * 32

.data
.globl boot_tsc
boot_tsc:
	.quad 0

.section .note.GNU-stack, "", @progbits
