/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own page tables: slots 256-271 of every top-level table lead to the same level-3 tables, which
 * paging_init allocates, so that a mapping made later is seen by all CPUs and in all guests' tables at once.
 * Here are the mapper, the window for device memory (vmap), and the filling of guests' top-level tables.
 *
 * Lock: paging_lock for tables and for the vmap's end. Nothing is unmapped once domain 0 runs.
 */
#include "x86/paging.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/asm.h"
#include "x86/smp.h"

static spinlock_t paging_lock;
static unsigned long vmap_next = VMAP_START;
static bool have_1g_pages;
unsigned int paddr_bits = 36;

/* Until the heap exists, tables come from what mm/init.c carves. */
static void *(*table_alloc)(void) = page_alloc;

static pte_t *table_of(pte_t e)
{
	return maddr_to_virt(e & PTE_ADDR);
}

/*
 * The entry of level @shift for @va; tables above it are made as needed. NULL without memory. What is mapped is mapped
 * once: a large page never stands in the way.
 */
static pte_t *entry_get(pte_t *l4, unsigned long va, unsigned int shift, uint64_t user)
{
	pte_t *e = &l4[pte_index(va, L4_SHIFT)];

	for (unsigned int s = L3_SHIFT; s >= shift; s -= 9) {
		if (!(*e & PTE_P)) {
			pte_t *table = table_alloc();

			if (!table)
				return NULL;
			WRITE_ONCE(*e, virt_to_maddr(table) | PTE_HYP_TABLE | user);
		}
		e = &table_of(*e)[pte_index(va, s)];
	}
	return e;
}

/* The largest page that fits here. */
static unsigned int page_shift(unsigned long va, paddr_t pa, unsigned long len, uint64_t flags)
{
	unsigned long align = va | pa;

	if (flags & PTE_PAT) /* stands elsewhere in large entries */
		return L1_SHIFT;
	if (have_1g_pages && !(align & ((1UL << L3_SHIFT) - 1)) && len >= 1UL << L3_SHIFT)
		return L3_SHIFT;
	return align & ((1UL << L2_SHIFT) - 1) || len < 1UL << L2_SHIFT ? L1_SHIFT : L2_SHIFT;
}

int paging_map(pte_t *l4, unsigned long va, paddr_t pa, unsigned long len, uint64_t flags)
{
	unsigned int shift;
	pte_t *e;

	for (; len; va += 1UL << shift, pa += 1UL << shift, len -= 1UL << shift) {
		shift = page_shift(va, pa, len, flags);
		e = entry_get(l4, va, shift, flags & PTE_US);
		if (!e)
			return -ENOMEM;
		WRITE_ONCE(*e, pa | flags | (shift > L1_SHIFT ? PTE_PSE : 0));
	}
	return 0;
}

/* Address space for device memory is handed out upwards, with a hole between. */
void *ioremap_flags(paddr_t pa, size_t len, uint64_t cache_flags)
{
	unsigned long off = pa & ~PAGE_MASK, size = ROUND_UP(off + len, PAGE_SIZE), va;
	bool ok;

	spin_lock(&paging_lock);
	va = vmap_next;
	/* Large windows (frame buffers) get the alignment that allows large pages. */
	if (size >= 1UL << L2_SHIFT)
		va = ROUND_UP(va, 1UL << L2_SHIFT) + (pa & ((1UL << L2_SHIFT) - 1) & PAGE_MASK);
	ok = len && size <= VMAP_END - va - PAGE_SIZE;
	if (ok) {
		vmap_next = va + size + PAGE_SIZE;
		ok = !paging_map(idle_l4, va, pa & PAGE_MASK, size, PTE_HYP_RW | cache_flags);
	}
	spin_unlock(&paging_lock);
	return ok ? (void *)(va + off) : NULL;
}

void *ioremap(paddr_t pa, size_t len)
{
	return ioremap_flags(pa, len, PTE_UC);
}

void paging_fill_l4(pte_t *l4, mfn_t perdomain_l3)
{
	memcpy(&l4[HYPERVISOR_SLOT_FIRST], &idle_l4[HYPERVISOR_SLOT_FIRST],
	       (HYPERVISOR_SLOT_LAST - HYPERVISOR_SLOT_FIRST + 1) * sizeof(*l4));
	l4[PERDOMAIN_SLOT] = pte_make(perdomain_l3, PTE_HYP_TABLE);
}

/* --- boot --- */

extern pte_t boot_l3_low[PTES_PER_TABLE], boot_l2_low[4 * PTES_PER_TABLE];
extern pte_t boot_l2_image[PTES_PER_TABLE];
extern char _start[], _srodata[], _end[];

/* Code is not writable, everything else not executable; what lies behind the image is not mapped here. */
static void __init protect_image(void)
{
	unsigned int first = ((unsigned long)_start - IMAGE_VIRT_START) >> L2_SHIFT;
	unsigned int data = ((unsigned long)_srodata - IMAGE_VIRT_START) >> L2_SHIFT;
	unsigned int end = ((unsigned long)_end - 1 - IMAGE_VIRT_START) >> L2_SHIFT;

	for (unsigned int i = 0; i < PTES_PER_TABLE; i++) {
		if (i < first || i > end)
			boot_l2_image[i] = 0;
		else if (i < data)
			boot_l2_image[i] &= ~PTE_RW;
		else
			boot_l2_image[i] |= PTE_NX;
	}
}

void __init paging_set_source(void *(*alloc)(void))
{
	table_alloc = alloc;
}

int __init paging_map_like(unsigned long va, unsigned long like)
{
	pte_t *from = entry_get(idle_l4, like, L2_SHIFT, 0), *to;

	to = entry_get(idle_l4, va, L2_SHIFT, *from & PTE_US);
	if (!to)
		return -ENOMEM;
	WRITE_ONCE(*to, *from);
	return 0;
}

void __init paging_init(const struct mem_range *ram, unsigned int nr)
{
	static pte_t l4[PTES_PER_TABLE] __aligned(4096) __initdata;
	unsigned int slot, i, first_direct = pte_index(DIRECTMAP_START, L4_SHIFT);
	int rc;

	/* APM vol. 3, CPUID 8000_0001h: EDX bit 26, 1 GiB pages; 8000_0008h: EAX bits 7:0, physical address bits. */
	have_1g_pages = cpuid_reg(0x80000001, CPUID_D) >> 26 & 1;
	if (cpuid_reg(0x80000008, CPUID_A))
		paddr_bits = cpuid_reg(0x80000008, CPUID_A) & 0xff;
	for (slot = HYPERVISOR_SLOT_FIRST; slot <= HYPERVISOR_SLOT_LAST; slot++) {
		l4[slot] = slot < first_direct ? idle_l4[slot] : 0;
		if (!l4[slot])
			l4[slot] = virt_to_maddr(table_alloc()) | PTE_HYP_TABLE;
	}
	/* Guests read the machine-to-physical table there. */
	l4[HYPERVISOR_SLOT_FIRST] |= PTE_US;
	/* The new direct map is built beside the old, which is used meanwhile: the addresses are the same. */
	rc = paging_map(l4, DIRECTMAP_START, 0, MB(1), PTE_HYP_RW);
	for (i = 0; i < nr && !rc; i++)
		rc = paging_map(l4, DIRECTMAP_START + ram[i].start, ram[i].start,
				ram[i].end - ram[i].start, PTE_HYP_RW);
	if (rc)
		panic("no memory for the direct map");
	memcpy(&idle_l4[HYPERVISOR_SLOT_FIRST], &l4[HYPERVISOR_SLOT_FIRST],
	       (HYPERVISOR_SLOT_LAST - HYPERVISOR_SLOT_FIRST + 1) * sizeof(*l4));
	/* Of the identity map, starting CPUs need the first 2 MiB. */
	memset(&boot_l3_low[1], 0, sizeof(boot_l3_low) - sizeof(pte_t));
	memset(&boot_l2_low[1], 0, sizeof(boot_l2_low) - sizeof(pte_t));
	protect_image();
	tlb_flush_local(FLUSH_TLB_GLOBAL, 0);
}

void mm_drop_identity(void)
{
	WRITE_ONCE(idle_l4[0], 0);
	tlb_flush_mask(&cpu_online_map, FLUSH_TLB_GLOBAL, 0);
}
