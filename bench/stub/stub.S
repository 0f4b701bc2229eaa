/* SPDX-License-Identifier: MIT */
/*
 * The least Multiboot kernel: reads the time stamp counter in its first instruction and prints it on
 * the first serial port as "STUB <hex>".  What firmware and loader need before any hypervisor's first
 * instruction is then known, and bench/run subtracts it.
 */
.code32
.section .text, "ax"
.balign 4
	.long 0x1badb002, 0, -0x1badb002

.globl _start
_start:
	rdtsc
	mov %edx, %esi
	mov %eax, %edi
	mov $stack_top, %esp
	mov $'S', %al
	call put
	mov $'T', %al
	call put
	mov $'U', %al
	call put
	mov $'B', %al
	call put
	mov $' ', %al
	call put
	mov %esi, %ebx
	call put_hex
	mov %edi, %ebx
	call put_hex
	mov $'\n', %al
	call put
1:	hlt
	jmp 1b

put:
	mov $0x3f8, %dx
	outb %al, %dx
	ret

put_hex:
	mov $8, %ecx
1:	rol $4, %ebx
	mov %bl, %al
	and $15, %al
	add $'0', %al
	cmp $'9', %al
	jbe 2f
	add $('a' - '9' - 1), %al
2:	call put
	dec %ecx
	jnz 1b
	ret

.bss
	.skip 256
stack_top:

.section .note.GNU-stack, "", @progbits
