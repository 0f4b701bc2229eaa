/* SPDX-License-Identifier: MIT */
/*
 * A kernel as the boot loader left it, validated: where its parts go, and what it says about
 * itself in its Xen notes.
 *
 * Accepts an ELF-64 image, plain or compressed (see lib/decompress.h), and a bzImage that holds
 * one. Invariant after kernel_image_open() returned 0: every pointer and range in struct
 * kernel_image lies inside the ELF image, segments ascend and do not overlap, and entry lies in
 * one of them. Decides nothing about domains: whether a feature suits is the builder's business.
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
	uint32_t flags;	   /* PF_* */
};

enum kernel_pae { KERNEL_PAE_NO, KERNEL_PAE_YES, KERNEL_PAE_EXTENDED, KERNEL_PAE_BIMODAL };

struct kernel_image {
	const uint8_t *elf; /* in the module, or in memory from alloc() */
	size_t elf_size;
	bool bzimage;
	const char *compression; /* NULL: none */

	unsigned int nr_segments;
	struct kernel_segment segment[KERNEL_SEGMENTS_MAX];
	uint64_t virt_start,
		virt_end; /* first byte, and the one after the last; not page aligned */

	uint32_t notes;	    /* bit XEN_ELFNOTE_x: that note is present */
	uint64_t entry;	    /* ENTRY, or ELF's own */
	uint64_t virt_base; /* VIRT_BASE, 0 by default */
	uint64_t paddr_offset;
	uint64_t hypercall_page; /* these four: KERNEL_NO_ADDRESS by default */
	uint64_t init_p2m;
	uint64_t hv_start_low;
	uint64_t phys32_entry;
	uint64_t l1_mfn_mask, l1_mfn_value; /* the first pair of L1_MFN_VALID */
	uint32_t features_supported;	    /* bit XENFEAT_x; includes the required ones */
	uint32_t features_required;
	enum kernel_pae pae;
	bool suspend_cancel;
	bool mod_start_pfn; /* the initial ramdisk need not be mapped */
	bool bsd_symtab;
	char guest_os[KERNEL_TEXT_MAX], guest_version[KERNEL_TEXT_MAX];
	char loader[KERNEL_TEXT_MAX], xen_version[KERNEL_TEXT_MAX];
	char linux_release[2 * KERNEL_TEXT_MAX]; /* of Linux' own note: "6.1.0-56-cloud-amd64" */

	char why[128]; /* after a failure: a sentence without a full stop */
};

/*
 * Fills *img from the module. alloc provides memory for a compressed kernel's image, which
 * belongs to img from then on, also after a failure; it may return NULL. 0, or a negative errno
 * with img->why set: -EINVAL damaged, -EOPNOTSUPP not a kind we run, -ENOMEM.
 */
int kernel_image_open(struct kernel_image *img, const void *module, size_t size,
		      void *(*alloc)(size_t bytes));

/*
 * Hands every segment to the callbacks, ascending: copy for its file bytes, zero for the rest. A
 * return other than 0 stops and is passed on.
 */
int kernel_image_load(const struct kernel_image *img,
		      int (*copy)(void *ctx, uint64_t virt, const void *data, size_t len),
		      int (*zero)(void *ctx, uint64_t virt, size_t len), void *ctx);

static inline bool kernel_image_has_note(const struct kernel_image *img, unsigned int note)
{
	return img->notes >> note & 1;
}

static inline bool kernel_image_supports(const struct kernel_image *img, unsigned int xenfeat)
{
	return img->features_supported >> xenfeat & 1;
}

#endif /* BOOT_KERNEL_IMAGE_H */
