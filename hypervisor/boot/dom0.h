/* SPDX-License-Identifier: MIT */
/* Domain 0 while it is being built: where everything goes. */
#ifndef BOOT_DOM0_H
#define BOOT_DOM0_H

#include "boot/boot_info.h"
#include "boot/kernel_image.h"
#include "core/domain.h"

/* Frames for page tables: @nr from @pfn on, @used of them handed out. */
struct dom0_tables {
	unsigned long pfn, nr, used;
};

/*
 * Guest-physical layout, from frame 0: the linear region of linear_pages at img.virt_base with kernel, (RAM disk, frame list,) start
 * info, page tables, stack; then what the kernel takes unmapped or elsewhere: RAM disk, frame list with the tables that map it;
 * then the rest. All frames below boot_pages are machine-contiguous from base_mfn.
 */
struct dom0_layout {
	struct kernel_image img;
	const struct boot_module *kernel, *initrd; /* initrd may be NULL */
	unsigned long nr_pages, boot_pages, linear_pages;
	mfn_t base_mfn, l4_mfn;
	unsigned long initrd_pfn, initrd_pages, p2m_pfn, p2m_pages, start_info_pfn, stack_pfn;
	struct dom0_tables tables, p2m_tables; /* p2m_tables: of a list outside the linear region */
};

/* Where the guest finds a frame of the linear region. */
static inline unsigned long dom0_va(const struct dom0_layout *l, unsigned long pfn)
{
	return l->img.virt_base + (pfn << PAGE_SHIFT);
}

void dom0_memory_build(struct domain *d, struct dom0_layout *l);

#endif
