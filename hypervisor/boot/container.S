/* SPDX-License-Identifier: MIT */
/*
 * The file that loaders see: a 32-bit ELF with the raw image as its one segment, because Multiboot 1 loaders refuse
 * 64-bit ones, and with the note that names the PVH entry (xen/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY).
 * Built alone by build.mk: not part of the image itself.
 */
	.section .image, "awx"
	.incbin IMAGE_FILE
	.section .image_bss, "aw", @nobits
	.skip IMAGE_MEM_SIZE - IMAGE_FILE_SIZE

	.section .note.xen, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long PVH_ENTRY
