/* SPDX-License-Identifier: MIT */
/* The tiny guest's entry, its event entry, its Xen notes, and the two pages that are not code: hypercalls and shared info. */
#define NOTE(type, value)		\
	.long	2f - 1f, 4f - 3f, type;	\
1:	.asciz	"Xen";			\
2:	.balign	4;			\
3:	value;				\
4:	.balign	4

	.section .notes, "a", @note
	NOTE(1, .quad start)		/* ENTRY */
	NOTE(2, .quad hypercall_page)	/* HYPERCALL_PAGE */
	NOTE(3, .quad base)		/* VIRT_BASE */
	NOTE(4, .quad base)		/* PADDR_OFFSET */
	NOTE(5, .asciz "xen-3.0")	/* XEN_VERSION */
	NOTE(6, .asciz "tiny")		/* GUEST_OS */
	NOTE(8, .asciz "generic")	/* LOADER */

	.text
	.globl start, event
start:
	lea	stack_top(%rip), %rsp
	mov	%rsi, %rdi
	call	tiny_start
	/* Events are handled from the top of the stack, and the frame that the hypervisor pushed is forgotten: nobody returns. */
event:
	lea	stack_top(%rip), %rsp
	call	tiny_run
	ud2

	.bss
	.balign	4096
	.globl	hypercall_page, shared_info
hypercall_page:
	.skip	4096
shared_info:
	.skip	4096
	.skip	4096
stack_top:
