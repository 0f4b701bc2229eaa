/* SPDX-License-Identifier: MIT */
/*
 * A guest while it is being built: where its parts go in its memory, numbered by its own page frames ("pfn") from 0 on. Follows the PV
 * boot contract of xen/xen.h (struct start_info and the text above it). Private to this folder.
 */
#pragma once

#include "lib/builder/builder.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1ull << PAGE_SHIFT)
/* Right for every number: sizes come from the kernel file. */
#define PFN_UP(x) (((x) >> PAGE_SHIFT) + (((x) & (PAGE_SIZE - 1)) != 0))

/* Page table pages, consecutive. */
struct guest_tables {
	uint64_t pfn, nr;
};

struct guest_layout {
	uint64_t ramdisk_bytes, ramdisk_pfn;
	uint64_t p2m_pfn, p2m_pages, p2m_va;
	uint64_t info_pfn; /* start info, store ring, console ring */
	uint64_t stack_pfn;
	/* The first region, [virt_base, end), and the list of frames where it has a place of its own. */
	struct guest_tables tables, p2m_tables;
	uint64_t linear_pages;
};

enum { INFO_START, INFO_STORE, INFO_CONSOLE, INFO_PAGES };

/* Finds places for everything; @nr_pages is what the guest has. */
int layout_make(struct guest_layout *l, const struct image *img, uint64_t nr_pages,
		struct error *e);

static inline uint64_t layout_va(const struct image *img, uint64_t pfn)
{
	return img->virt_base + (pfn << PAGE_SHIFT);
}

/*
 * Fills the page tables: @tables are those of the layout as we see them, zeroed, the frame list's behind the first region's; @frames says
 * which machine frame each pfn is.
 */
void layout_map(const struct guest_layout *l, const struct image *img, const xen_pfn_t *frames,
		uint64_t *tables);
