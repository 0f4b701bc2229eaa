/* SPDX-License-Identifier: MIT */
/*
 * Domain 0's memory: how much, where each part goes, its first page tables, start info. Follows the PV boot contract of
 * xen/xen.h (struct start_info and the comment above it).
 */
#include "boot/boot.h"
#include "boot/dom0.h"
#include "hypercall/dispatch.h"
#include "drivers/vga.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "pv/pv.h"
#include "x86/page.h"

#define GUEST_RO (PTE_P | PTE_US | PTE_A)
#define GUEST_RW (GUEST_RO | PTE_RW | PTE_D)

/* Tables below the top needed to map [start, end): at each level, how many ranges of 2^shift bytes it touches. */
static unsigned long __init tables_for(unsigned long start, unsigned long end)
{
	unsigned long n = 0;

	for (unsigned int shift = L2_SHIFT; shift <= L4_SHIFT; shift += 9)
		n += ((end - 1) >> shift) - (start >> shift) + 1;
	return n;
}

static bool __init p2m_elsewhere(const struct dom0_layout *l)
{
	return l->img.init_p2m != KERNEL_NO_ADDRESS;
}

static unsigned long __init p2m_va(const struct dom0_layout *l)
{
	return p2m_elsewhere(l) ? l->img.init_p2m : dom0_va(l, l->p2m_pfn);
}

static unsigned long __init take(unsigned long *pfn, unsigned long nr)
{
	*pfn += nr;
	return *pfn - nr;
}

/* The linear region; its page tables are part of it, so their number is found by trying. */
static unsigned long __init layout_linear(struct dom0_layout *l)
{
	unsigned long base = l->img.virt_base, pfn = PFN_UP(l->img.virt_end - base), end;

	if (!l->img.mod_start_pfn)
		l->initrd_pfn = take(&pfn, l->initrd_pages);
	if (!p2m_elsewhere(l))
		l->p2m_pfn = take(&pfn, l->p2m_pages);
	l->start_info_pfn = take(&pfn, 1);
	l->tables.pfn = pfn;
	do {
		l->tables.nr++;
		l->stack_pfn = pfn + l->tables.nr;
		/* 512 KiB are mapped behind the stack, and the end is on a 4 MiB boundary, as the contract promises. */
		end = ROUND_UP(dom0_va(l, l->stack_pfn + 1) + KB(512), MB(4));
	} while (l->tables.nr < 1 + tables_for(base, end));
	l->linear_pages = PFN_DOWN(end - base);
	return l->linear_pages;
}

static void __init layout(struct dom0_layout *l)
{
	unsigned long pfn;

	if (l->initrd)
		l->initrd_pages = PFN_UP(l->initrd->end - l->initrd->start);
	l->p2m_pages = PFN_UP(l->nr_pages * sizeof(uint64_t));
	pfn = layout_linear(l);
	if (l->img.mod_start_pfn)
		l->initrd_pfn = take(&pfn, l->initrd_pages);
	if (p2m_elsewhere(l)) {
		l->p2m_pfn = take(&pfn, l->p2m_pages);
		l->p2m_tables.nr = tables_for(p2m_va(l), p2m_va(l) + (l->p2m_pages << PAGE_SHIFT));
		l->p2m_tables.pfn = take(&pfn, l->p2m_tables.nr);
	}
	l->boot_pages = pfn;
	if (l->boot_pages > l->nr_pages)
		panic("Too little memory for domain 0: %lu MiB, its kernel and RAM disk need %lu MiB (see dom0_mem=)",
		      l->nr_pages >> 8, (l->boot_pages >> 8) + 1);
}

static void *__init pfn_virt(const struct dom0_layout *l, unsigned long pfn)
{
	return mfn_to_virt(l->base_mfn + pfn);
}

/* Where a guest address of the kernel is. */
static void *__init kernel_virt(const struct dom0_layout *l, unsigned long va)
{
	return (char *)pfn_virt(l, 0) + (va - l->img.virt_base);
}

static void __init frames_record(const struct dom0_layout *l, unsigned long pfn, mfn_t mfn,
				 unsigned long nr)
{
	uint64_t *p2m = pfn_virt(l, l->p2m_pfn);

	for (unsigned long i = 0; i < nr; i++) {
		p2m[pfn + i] = mfn + i;
		m2p_set(mfn + i, pfn + i);
	}
}

/* The contiguous start, then the rest in pieces as large as the heap has. */
static void __init memory_allocate(struct domain *d, struct dom0_layout *l)
{
	unsigned int order = order_of(l->boot_pages);
	struct page_info *pg = heap_alloc(order, MEMF_no_scrub);

	if (!pg)
		panic("No %lu MiB of contiguous memory for domain 0's kernel and RAM disk",
		      1UL << order >> 8);
	for (unsigned long i = 0; i < 1UL << order; i++)
		if (i >= l->boot_pages) /* not needed: goes back */
			heap_free(pg + i, 0, true);
		else if (domain_page_assign(d, pg + i, 0))
			panic("Cannot give memory to domain 0");
	l->base_mfn = page_to_mfn(pg);
	frames_record(l, 0, l->base_mfn, l->boot_pages);
	order = MAX_ORDER;
	for (unsigned long pfn = l->boot_pages; pfn < l->nr_pages; pfn += 1UL << order) {
		while (1UL << order > l->nr_pages - pfn ||
		       !(pg = domain_page_alloc(d, order, MEMF_no_scrub)))
			if (!order--)
				panic("Out of memory while building domain 0: %lu of %lu pages",
				      pfn, l->nr_pages);
		frames_record(l, pfn, page_to_mfn(pg), 1UL << order);
	}
}

static void __init contents_load(const struct dom0_layout *l)
{
	for (unsigned int i = 0; i < l->img.nr_segments; i++) {
		const struct kernel_segment *s = &l->img.segment[i];

		memcpy(kernel_virt(l, s->virt), s->data, s->file_size);
		memset(kernel_virt(l, s->virt + s->file_size), 0, s->mem_size - s->file_size);
	}
	if (l->initrd)
		memcpy(pfn_virt(l, l->initrd_pfn), maddr_to_virt(l->initrd->start),
		       l->initrd->end - l->initrd->start);
	if (l->img.hypercall_page != KERNEL_NO_ADDRESS)
		hypercall_page_fill(kernel_virt(l, l->img.hypercall_page));
}

/* --- page tables --- */

static mfn_t __init table_new(const struct dom0_layout *l, struct dom0_tables *t)
{
	if (t->used == t->nr)
		panic("Domain 0's page tables were counted wrongly");
	return l->base_mfn + t->pfn + t->used++;
}

static void __init map_range(struct dom0_layout *l, unsigned long va, unsigned long pfn,
			     unsigned long nr, struct dom0_tables *t)
{
	for (; nr--; va += PAGE_SIZE, pfn++) {
		pte_t *e = mfn_to_virt(l->l4_mfn);

		for (unsigned int shift = L4_SHIFT; shift > L1_SHIFT; shift -= 9) {
			e += pte_index(va, shift);
			if (!*e)
				*e = pte_make(table_new(l, t), GUEST_RW);
			e = mfn_to_virt(pte_mfn(*e));
		}
		e[pte_index(va, L1_SHIFT)] =
			pte_make(l->base_mfn + pfn,
				 pfn - l->tables.pfn < l->tables.nr ? GUEST_RO : GUEST_RW);
	}
}

static void __init tables_build(struct dom0_layout *l)
{
	/* Unused ones among the counted are plain zeroed frames. */
	memset(pfn_virt(l, l->tables.pfn), 0, l->tables.nr << PAGE_SHIFT);
	memset(pfn_virt(l, l->p2m_tables.pfn), 0, l->p2m_tables.nr << PAGE_SHIFT);
	l->l4_mfn = table_new(l, &l->tables);
	map_range(l, l->img.virt_base, 0, l->linear_pages, &l->tables);
	if (p2m_elsewhere(l))
		map_range(l, p2m_va(l), l->p2m_pfn, l->p2m_pages, &l->p2m_tables);
}

static void __init start_info_fill(struct domain *d, const struct dom0_layout *l)
{
	struct start_info *si = pfn_virt(l, l->start_info_pfn);

	memset(si, 0, PAGE_SIZE);
	strlcpy(si->magic, "xen-3.0-x86_64", sizeof(si->magic));
	si->nr_pages = l->nr_pages;
	si->shared_info = virt_to_maddr(d->shared_info);
	si->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
	si->pt_base = dom0_va(l, l->tables.pfn);
	si->nr_pt_frames = l->tables.nr;
	si->mfn_list = p2m_va(l);
	if (p2m_elsewhere(l)) {
		si->first_p2m_pfn = l->p2m_pfn;
		si->nr_p2m_frames = l->p2m_pages + l->p2m_tables.nr;
	}
	if (l->initrd) {
		si->mod_start = dom0_va(l, l->initrd_pfn);
		si->mod_len = l->initrd->end - l->initrd->start;
		if (l->img.mod_start_pfn) {
			si->mod_start = l->initrd_pfn;
			si->flags |= SIF_MOD_START_PFN;
		}
	}
	strlcpy((char *)si->cmd_line, l->kernel->cmdline, sizeof(si->cmd_line));
	efi_dom0_cmdline(&boot_info, (char *)si->cmd_line, sizeof(si->cmd_line));
	if (vga_describe((void *)(si + 1))) {
		si->console.dom0.info_off = sizeof(*si);
		si->console.dom0.info_size = sizeof(struct dom0_vga_console_info);
	}
}

void __init dom0_memory_build(struct domain *d, struct dom0_layout *l)
{
	l->nr_pages = dom0_pages(heap_free_pages(), &d->max_pages);
	layout(l);
	memory_allocate(d, l);
	contents_load(l);
	tables_build(l);
	start_info_fill(d, l);
}
