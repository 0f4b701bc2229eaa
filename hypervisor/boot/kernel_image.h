/* SPDX-License-Identifier: MIT */
/*
 * A kernel as the boot loader left it, validated: where its parts go, and what it says about
 * itself in its Xen notes.
 *
 * Accepts an ELF-64 image, plain or compressed (see lib/decompress.h), and a bzImage that holds
 * one. Invariant after kernel_image_open() returned true: every pointer and range in struct
 * kernel_image lies inside the ELF image, segments ascend and do not overlap, and entry lies in
 * one of them. Decides nothing about domains: whether a kernel suits is the builder's business.
 */
#ifndef BOOT_KERNEL_IMAGE_H
#define BOOT_KERNEL_IMAGE_H

#include <xen/elfnote.h>
#include <xen/features.h>

#include "lib/types.h"

#define KERNEL_SEGMENTS_MAX 16
#define KERNEL_TEXT_MAX	    32

#define KERNEL_NO_ADDRESS (~0ul) /* the note is absent */

struct kernel_segment {
	uint64_t virt;	     /* where the guest sees it */
	const uint8_t *data; /* its file bytes, file_size of them */
	uint64_t file_size;
	uint64_t mem_size; /* what lies beyond file_size is zero */
};

struct kernel_image {
	const uint8_t *elf; /* in the module, or in memory from alloc() */
	size_t elf_size;
	bool bzimage;
	const char *compression; /* NULL: none */

	unsigned int nr_segments;
	struct kernel_segment segment[KERNEL_SEGMENTS_MAX];
	/* First byte, and the one after the last; not page aligned. */
	uint64_t virt_start, virt_end;

	uint32_t notes;	    /* bit XEN_ELFNOTE_x: that note is one of these, and present */
	uint64_t entry;	    /* ENTRY, or ELF's own */
	uint64_t virt_base; /* VIRT_BASE, 0 by default */
	uint64_t paddr_offset;
	uint64_t hypercall_page, init_p2m; /* KERNEL_NO_ADDRESS by default */
	uint64_t supported_features;	   /* bit XENFEAT_x */
	uint64_t mod_start_pfn;		   /* not 0: the initial ramdisk need not be mapped */
	char guest_os[KERNEL_TEXT_MAX], guest_version[KERNEL_TEXT_MAX];
	char loader[KERNEL_TEXT_MAX], xen_version[KERNEL_TEXT_MAX];
	char features[512];
	char linux_release[2 * KERNEL_TEXT_MAX]; /* of Linux' own note: "6.1.0-56-cloud-amd64" */

	char why[128]; /* after a failure: a sentence without a full stop */
};

/*
 * Fills *img from the module. alloc provides memory for a compressed kernel's image, which
 * belongs to img from then on, also after a failure; it may return NULL. False, with img->why
 * set, if it is damaged or not of a kind we run.
 */
bool kernel_image_open(struct kernel_image *img, const void *module, size_t size,
		       void *(*alloc)(size_t bytes));

static inline bool kernel_image_has_note(const struct kernel_image *img, unsigned int note)
{
	return img->notes >> note & 1;
}

#endif /* BOOT_KERNEL_IMAGE_H */
