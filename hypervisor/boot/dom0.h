/* SPDX-License-Identifier: MIT */
/* Domain 0 while it is being built: where everything goes. */
#ifndef BOOT_DOM0_H
#define BOOT_DOM0_H

#include "boot/boot_info.h"
#include "boot/kernel_image.h"
#include "core/domain.h"

/*
 * Guest-physical layout, from frame 0: the linear region [v_base, v_end) with kernel, (RAM disk, frame list,) start info, page tables,
 * stack; then what the kernel takes unmapped or elsewhere: RAM disk, frame list with the tables that map it; then the rest.
 * All frames below boot_pages are machine-contiguous from base_mfn.
 */
struct dom0_layout {
	struct kernel_image img;
	const struct boot_module *kernel, *initrd; /* initrd may be NULL */
	unsigned long nr_pages, boot_pages;
	mfn_t base_mfn, l4_mfn;

	unsigned long v_base, v_end, v_start_info, v_tables, v_stack_end, v_p2m, v_initrd;
	unsigned long nr_tables; /* frames from v_tables on */
	unsigned long p2m_pfn, p2m_list_pages,
		p2m_table_pages; /* when the list is outside the linear region */
	unsigned long initrd_pfn, initrd_pages;
	unsigned long next_table; /* while building: frames of tables handed out */
	unsigned long next_p2m_table;
};

void dom0_memory_build(struct domain *d, struct dom0_layout *l);

#endif
