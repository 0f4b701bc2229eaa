/* SPDX-License-Identifier: MIT */
/*
 * Everything a test kernel needs in assembly: the ELF notes read by the domain builder, the entry
 * point, the page that the hypervisor fills with hypercall stubs, one trap stub per vector, the event,
 * failsafe and system call callbacks, and the switch to user mode and back.
 *
 * Frames built by the hypervisor for a 64-bit PV kernel begin with %rcx and %r11, because it enters
 * the kernel by SYSRET; every stub pops those two first.  The common path then builds struct regs.
 */
#include <xen/xen.h>
#include <xen/elfnote.h>

#define GUEST_BASE 0xffffffff80000000

.macro NOTE type, desc:vararg
	.pushsection .note.Xen, "a", @note
	.balign 4
	.long 4, 9f - 8f, \type
	.asciz "Xen"
8:	\desc
9:	.balign 4
	.popsection
.endm

	NOTE XEN_ELFNOTE_GUEST_OS, .asciz "Guest test"
	NOTE XEN_ELFNOTE_GUEST_VERSION, .asciz "1"
	NOTE XEN_ELFNOTE_LOADER, .asciz "generic"
	NOTE XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
	NOTE XEN_ELFNOTE_VIRT_BASE, .quad GUEST_BASE
	NOTE XEN_ELFNOTE_PADDR_OFFSET, .quad 0
	NOTE XEN_ELFNOTE_ENTRY, .quad guest_entry
	NOTE XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
	NOTE XEN_ELFNOTE_FEATURES, .asciz "pae_pgdir_above_4gb"
	NOTE XEN_ELFNOTE_PAE_MODE, .asciz "yes"

/* A kernel that wants to run something before _start defines guest_entry itself. */
.weak guest_entry
.set guest_entry, _start

.section .text.entry, "ax"
.globl _start
_start:
	cld
	mov %rsi, start_info(%rip)
	lea boot_stack_top(%rip), %rsp
	xor %ebp, %ebp
	call guest_main
1:	ud2
	jmp 1b

.text
.balign 4096
.globl hypercall_page
hypercall_page:
	.skip 4096

/* Vectors that push an error code: Intel SDM vol. 3, table 6-1, and AMD APM vol. 2, 8.2. */
#define ERROR_CODE_VECTORS 0x60227d00

.balign 16
.globl trap_stubs
trap_stubs:
.set vec, 0
.rept 256
	.balign 16
	pop %rcx
	pop %r11
	.if (vec >= 32) || (((ERROR_CODE_VECTORS >> (vec & 31)) & 1) == 0)
	push $0
	.endif
	pushq $vec
	jmp trap_common
	.set vec, vec + 1
.endr

.balign 16
.globl event_entry
event_entry:
	pop %rcx
	pop %r11
	push $0
	pushq $0x100
	jmp trap_common

/* The failsafe frame adds %ds %es %fs %gs between %r11 and %rip: keep them for the test to see. */
.balign 16
.globl failsafe_entry
failsafe_entry:
	pop %rcx
	pop %r11
	popq failsafe_selectors + 0(%rip)
	popq failsafe_selectors + 8(%rip)
	popq failsafe_selectors + 16(%rip)
	popq failsafe_selectors + 24(%rip)
	push $0
	pushq $0x101
	jmp trap_common

.balign 16
.globl syscall_entry
syscall_entry:
	pop %rcx
	pop %r11
	push $0
	pushq $0x102
	jmp trap_common

.balign 16
trap_common:
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	mov %rsp, %rbp
	and $-16, %rsp
	cld
	call trap_dispatch
	mov %rbp, %rsp
.globl regs_return
regs_return:
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $8, %rsp
	movq $0, (%rsp)
	jmp hypercall_page + __HYPERVISOR_iret * 32

/* void iret_raw(const struct iret_frame *f): leave through the iret hypercall with this frame. */
.globl iret_raw
iret_raw:
	mov %rdi, %rsp
	mov 0(%rsp), %rax
	mov 8(%rsp), %r11
	mov 16(%rsp), %rcx
	mov $__HYPERVISOR_iret, %eax
	syscall
	ud2

/*
 * unsigned long user_enter(struct iret_frame *f, unsigned long arg): save this context and go to user
 * mode.  user_leave(value), called in a trap handler, makes user_enter() return value.
 */
.globl user_enter
user_enter:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, user_saved_rsp(%rip)
	mov %rdi, %rsp
	mov %rsi, %rdi
	mov $__HYPERVISOR_iret, %eax
	syscall
	ud2

.globl user_leave
user_leave:
	mov %rdi, %rax
	mov user_saved_rsp(%rip), %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/* Where a user function returns to: hand its result to the kernel by a system call. */
.balign 16
.globl user_exit
user_exit:
	mov %rax, %rdi
	mov $0x55534552, %eax
	syscall
	ud2

/* First instruction of a second vCPU: the stack and the function come from its initial context. */
.globl vcpu_entry
vcpu_entry:
	cld
	xor %ebp, %ebp
	call *%rdi
1:	ud2
	jmp 1b

.bss
.balign 4096
.skip 32768
.globl boot_stack_top
boot_stack_top:
.globl failsafe_selectors
failsafe_selectors:
	.skip 32
user_saved_rsp:
	.skip 8

.section .note.GNU-stack, "", @progbits
