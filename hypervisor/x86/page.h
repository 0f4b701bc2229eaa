/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries of the 4-level format and the translations between machine addresses and the direct map.
 * Entries are plain uint64_t: read once with READ_ONCE, written whole with WRITE_ONCE.
 */
#ifndef X86_PAGE_H
#define X86_PAGE_H

#include "lib/types.h"
#include "x86/layout.h"

typedef uint64_t pte_t; /* an entry of any level */

#define PTE_P	  0x001UL
#define PTE_RW	  0x002UL
#define PTE_US	  0x004UL
#define PTE_PWT	  0x008UL
#define PTE_PCD	  0x010UL
#define PTE_A	  0x020UL
#define PTE_D	  0x040UL
#define PTE_PSE	  0x080UL /* levels 2 and 3; PAT in level 1 */
#define PTE_PAT	  0x080UL
#define PTE_G	  0x100UL
#define PTE_AVAIL 0xe00UL
#define PTE_NX	  (1UL << 63)
#define PTE_ADDR  0x000ffffffffff000UL

#define PTES_PER_TABLE 512
#define L1_SHIFT       12
#define L2_SHIFT       21
#define L3_SHIFT       30
#define L4_SHIFT       39

#define pte_mfn(e)	     (((e)&PTE_ADDR) >> PAGE_SHIFT)
#define pte_make(mfn, fl)    (((pte_t)(mfn) << PAGE_SHIFT) | (fl))
#define pte_index(va, shift) (((va) >> (shift)) & 511)

/* Hypervisor mappings are global: guest entries never are, so a plain CR3 write flushes the guest alone. */
#define PTE_HYP_RW    (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_G | PTE_NX)
#define PTE_HYP_RO    (PTE_P | PTE_A | PTE_G | PTE_NX)
#define PTE_HYP_TABLE (PTE_P | PTE_RW | PTE_A)
#define PTE_UC	      (PTE_PCD | PTE_PWT)

#ifndef HOST_BUILD
static inline void *maddr_to_virt(paddr_t ma)
{
	return (void *)(DIRECTMAP_START + ma);
}

/* For direct-map and image addresses. */
static inline paddr_t virt_to_maddr(const void *va)
{
	unsigned long a = (unsigned long)va;

	return a >= DIRECTMAP_START ? a - DIRECTMAP_START : a - IMAGE_VIRT_START;
}
#else
void *maddr_to_virt(paddr_t ma);
paddr_t virt_to_maddr(const void *va);
#endif

#define mfn_to_virt(mfn) maddr_to_virt((paddr_t)(mfn) << PAGE_SHIFT)
#define virt_to_mfn(va)	 (virt_to_maddr(va) >> PAGE_SHIFT)

static inline bool addr_is_canonical(unsigned long va)
{
	return (unsigned long)((long)(va << 16) >> 16) == va;
}

/*
 * x86/paging.c: the hypervisor's own tables. Locked inside. All CPUs share them: slots 256-271 of every top-level table
 * point to the same level-3 tables, which boot allocates, so a later change is seen everywhere.
 */
extern unsigned int
	paddr_bits; /* physical address width, CPUID 8000_0008h: bits above it are reserved in entries */
extern pte_t
	idle_l4[PTES_PER_TABLE]; /* the table of idle CPUs, and the template of slots 256-271 */

/* Map device memory uncached or with the given PTE cache bits, for good; any length and alignment; NULL without room. */
void *ioremap(paddr_t pa, size_t len);
void *ioremap_flags(paddr_t pa, size_t len, uint64_t cache_flags);
/* Fill slots 256-271 of a guest's top-level table; @perdomain_l3: the domain's table for slot 257. */
void paging_fill_l4(pte_t *l4, mfn_t perdomain_l3);

#endif
