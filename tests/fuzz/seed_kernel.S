/* SPDX-License-Identifier: MIT */
/* The smallest kernel that fuzz_kernel_image accepts: what the fuzzer starts from. */
#include <xen/elfnote.h>

	.section .text, "ax"
	.globl _start
_start:
	hlt
	.balign 4096
hypercall_page:
	.skip 4096

	.section .note.Xen, "a", @note
	.macro xen_note type, value:vararg
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\value
2:	.balign 4
	.endm
	xen_note XEN_ELFNOTE_GUEST_OS, .asciz "seed"
	xen_note XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
	xen_note XEN_ELFNOTE_VIRT_BASE, .quad 0
	xen_note XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
	xen_note XEN_ELFNOTE_FEATURES, .asciz "!writable_page_tables|pae_pgdir_above_4gb"
	xen_note XEN_ELFNOTE_L1_MFN_VALID, .quad 1, 1

	.section __xen_guest, "a"
	.asciz "GUEST_OS=seed,VIRT_BASE=0x0,HYPERCALL_PAGE=0x401,XEN_VER=xen-3.0,PAE=yes"

	.section .note.GNU-stack, "", @progbits
