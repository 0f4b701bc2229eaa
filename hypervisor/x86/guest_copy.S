/* SPDX-License-Identifier: MIT */
/*
 * Copies that may fault on guest addresses. Both return the bytes not copied (or cleared). The bulk goes by 8-byte words; a fault in
 * the middle of it counts whole words, which errs to the safe side.
 */
#include "x86/entry_macros.h"

	.section .text, "ax"

/* unsigned long guest_copy_raw(void *dst, const void *src, unsigned long len) */
	.balign 16
ENTRY(guest_copy_raw)
	mov %rdx, %rcx
	and $7, %edx
	shr $3, %rcx
	jz 2f
1:	rep movsq
2:	mov %edx, %ecx
	test %edx, %edx
	jz 4f
3:	rep movsb
4:	mov %rcx, %rax
	ret
5:	lea (%rdx, %rcx, 8), %rcx
	jmp 4b
	EX_TABLE 1b, 5b
	EX_TABLE 3b, 4b

/* unsigned long guest_clear_raw(void *dst, unsigned long len) */
	.balign 16
ENTRY(guest_clear_raw)
	mov %rsi, %rcx
	mov %esi, %edx
	and $7, %edx
	shr $3, %rcx
	xor %eax, %eax
1:	rep stosq
	mov %edx, %ecx
3:	rep stosb
4:	mov %rcx, %rax
	ret
5:	lea (%rdx, %rcx, 8), %rcx
	jmp 4b
	EX_TABLE 1b, 5b
	EX_TABLE 3b, 4b

	.section .note.GNU-stack, "", @progbits
