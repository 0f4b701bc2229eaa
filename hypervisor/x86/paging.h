/* SPDX-License-Identifier: MIT */
/* x86/paging.c towards mm/init.c: taking over the page tables at boot. Everybody else uses x86/page.h. */
#ifndef X86_PAGING_H
#define X86_PAGING_H

#include "mm/heap.h"
#include "x86/page.h"

/* Map [pa, pa+len) at @va in @l4's tree with the largest pages that fit. 0 or -ENOMEM. */
int paging_map(pte_t *l4, unsigned long va, paddr_t pa, unsigned long len,
	       uint64_t flags) __must_check;
/* Show at @va, for 2 MiB, what the table behind @like shows. */
int paging_map_like(unsigned long va, unsigned long like) __must_check;
/* Where page tables come from while there is no heap: zeroed pages. */
void paging_set_source(void *(*alloc)(void));
/* Builds what all later mappings hang from, and the direct map of @ram. */
void paging_init(const struct mem_range *ram, unsigned int nr);

#endif
