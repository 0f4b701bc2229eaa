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
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "pv/pv.h"
#include "x86/page.h"

#define GUEST_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define GUEST_RW    (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define GUEST_RO    (PTE_P | PTE_US | PTE_A)

#define SPARE	     KB(512) /* mapped behind the stack, as the contract promises */
#define LINEAR_ALIGN MB(4)

/* Tables of one level needed to map [start, end): how many ranges of 2^shift bytes it touches. */
static unsigned long __init spans(unsigned long start, unsigned long end, unsigned int shift)
{
	return end > start ? ((end - 1) >> shift) - (start >> shift) + 1 : 0;
}

static unsigned long __init tables_for(unsigned long start, unsigned long end)
{
	return spans(start, end, L2_SHIFT) + spans(start, end, L3_SHIFT) +
	       spans(start, end, L4_SHIFT);
}

static bool __init p2m_elsewhere(const struct dom0_layout *l)
{
	return l->img.init_p2m != KERNEL_NO_ADDRESS;
}

/* The linear region; its page tables are part of it, so their number is found by trying. */
static void __init layout_linear(struct dom0_layout *l)
{
	unsigned long v = ROUND_UP(l->img.virt_end, PAGE_SIZE), end;

	l->v_base = l->img.virt_base;
	if (l->initrd && !l->img.mod_start_pfn) {
		l->v_initrd = v;
		l->initrd_pfn = (v - l->v_base) >> PAGE_SHIFT;
		v += l->initrd_pages << PAGE_SHIFT;
	}
	if (!p2m_elsewhere(l)) {
		l->v_p2m = v;
		v += l->p2m_list_pages << PAGE_SHIFT;
	}
	l->v_start_info = v;
	l->v_tables = v + PAGE_SIZE;
	for (l->nr_tables = 4;; l->nr_tables++) {
		l->v_stack_end = l->v_tables + (l->nr_tables << PAGE_SHIFT) + PAGE_SIZE;
		end = ROUND_UP(l->v_stack_end + SPARE, LINEAR_ALIGN);
		if (l->nr_tables >= 1 + tables_for(l->v_base, end))
			break;
	}
	l->v_end = end;
}

static void __init layout_rest(struct dom0_layout *l)
{
	unsigned long pfn = (l->v_end - l->v_base) >> PAGE_SHIFT;

	if (l->initrd && l->img.mod_start_pfn) {
		l->initrd_pfn = pfn;
		pfn += l->initrd_pages;
	}
	if (p2m_elsewhere(l)) {
		l->v_p2m = l->img.init_p2m;
		l->p2m_pfn = pfn;
		l->p2m_table_pages =
			tables_for(l->v_p2m, l->v_p2m + (l->p2m_list_pages << PAGE_SHIFT));
		pfn += l->p2m_list_pages + l->p2m_table_pages;
	} else {
		l->p2m_pfn = (l->v_p2m - l->v_base) >> PAGE_SHIFT;
	}
	l->boot_pages = pfn;
}

static void __init layout(struct dom0_layout *l)
{
	if (l->initrd)
		l->initrd_pages = PFN_UP(l->initrd->end - l->initrd->start);
	l->p2m_list_pages = PFN_UP(l->nr_pages * sizeof(uint64_t));
	if (l->img.virt_start < l->img.virt_base)
		panic("Domain 0's kernel starts at %#lx, below its own base %#lx",
		      l->img.virt_start, l->img.virt_base);
	layout_linear(l);
	layout_rest(l);
	if (l->boot_pages > l->nr_pages)
		panic("Too little memory for domain 0: %lu MiB, its kernel and RAM disk need %lu MiB (see dom0_mem=)",
		      l->nr_pages >> 8, (l->boot_pages >> 8) + 1);
}

static void *__init pfn_virt(const struct dom0_layout *l, unsigned long pfn)
{
	return mfn_to_virt(l->base_mfn + pfn);
}

static void *__init va_virt(const struct dom0_layout *l, unsigned long va)
{
	return (char *)mfn_to_virt(l->base_mfn) + (va - l->v_base);
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
	unsigned int order = 0;
	unsigned long pfn;
	struct page_info *pg;

	while ((1UL << order) < l->boot_pages)
		order++;
	pg = order <= MAX_ORDER ? heap_alloc(order, MEMF_no_scrub) : NULL;
	if (!pg)
		panic("No %lu MiB of contiguous memory for domain 0's kernel and RAM disk",
		      1UL << order >> 8);
	/* What the start does not need goes back. */
	for (unsigned long i = 1UL << order; i > l->boot_pages; i--)
		heap_free(pg + i - 1, 0, true);
	for (unsigned long i = 0; i < l->boot_pages; i++)
		if (domain_page_assign(d, pg + i, 0))
			panic("Cannot give memory to domain 0");
	l->base_mfn = page_to_mfn(pg);
	frames_record(l, 0, l->base_mfn, l->boot_pages);
	order = MAX_ORDER;
	for (pfn = l->boot_pages; pfn < l->nr_pages;) {
		while ((1UL << order) > l->nr_pages - pfn)
			order--;
		pg = domain_page_alloc(d, order, MEMF_no_scrub);
		if (!pg && !order--)
			panic("Out of memory while building domain 0: %lu of %lu pages", pfn,
			      l->nr_pages);
		if (!pg)
			continue;
		frames_record(l, pfn, page_to_mfn(pg), 1UL << order);
		pfn += 1UL << order;
	}
}

static int __init segment_copy(void *ctx, uint64_t virt, const void *data, size_t len)
{
	memcpy(va_virt(ctx, virt), data, len);
	return 0;
}

static int __init segment_zero(void *ctx, uint64_t virt, size_t len)
{
	memset(va_virt(ctx, virt), 0, len);
	return 0;
}

/* --- page tables --- */

static mfn_t __init table_new(struct dom0_layout *l, bool for_p2m)
{
	unsigned long pfn = for_p2m ? l->p2m_pfn + l->p2m_list_pages + l->next_p2m_table++
				    : ((l->v_tables - l->v_base) >> PAGE_SHIFT) + l->next_table++;

	if (for_p2m ? l->next_p2m_table > l->p2m_table_pages : l->next_table > l->nr_tables)
		panic("Domain 0's page tables were counted wrongly");
	memset(pfn_virt(l, pfn), 0, PAGE_SIZE);
	return l->base_mfn + pfn;
}

static pte_t *__init table_entry(struct dom0_layout *l, mfn_t table, unsigned long va,
				 unsigned int shift, bool for_p2m)
{
	pte_t *e = (pte_t *)mfn_to_virt(table) + pte_index(va, shift);

	if (shift > L1_SHIFT && !(*e & PTE_P))
		*e = pte_make(table_new(l, for_p2m), GUEST_TABLE);
	return e;
}

static void __init map_range(struct dom0_layout *l, unsigned long va, unsigned long pfn,
			     unsigned long nr, bool for_p2m)
{
	pte_t *e = NULL;
	unsigned long tables = (l->v_tables - l->v_base) >> PAGE_SHIFT;

	for (unsigned long i = 0; i < nr; i++, va += PAGE_SIZE, pfn++) {
		if (!e || !pte_index(va, L1_SHIFT)) {
			mfn_t t = l->l4_mfn;

			for (unsigned int shift = L4_SHIFT; shift > L1_SHIFT; shift -= 9)
				t = pte_mfn(*table_entry(l, t, va, shift, for_p2m));
			e = table_entry(l, t, va, L1_SHIFT, for_p2m);
		}
		*e++ = pte_make(l->base_mfn + pfn,
				pfn >= tables && pfn < tables + l->nr_tables ? GUEST_RO : GUEST_RW);
	}
}

static void __init tables_build(struct dom0_layout *l)
{
	/* Unused ones among the counted are plain zeroed frames. */
	memset(va_virt(l, l->v_tables), 0, l->nr_tables << PAGE_SHIFT);
	l->l4_mfn = table_new(l, false);
	map_range(l, l->v_base, 0, (l->v_end - l->v_base) >> PAGE_SHIFT, false);
	if (p2m_elsewhere(l)) {
		memset(pfn_virt(l, l->p2m_pfn + l->p2m_list_pages), 0,
		       l->p2m_table_pages << PAGE_SHIFT);
		map_range(l, l->v_p2m, l->p2m_pfn, l->p2m_list_pages, true);
	}
}

static void __init video_describe(struct start_info *si)
{
	struct dom0_vga_console_info *vga = (void *)(si + 1);

	unsigned int columns, rows, x, y;

	if (!vga_text_state(&columns, &rows, &x, &y))
		return;
	vga->video_type = XEN_VGATYPE_TEXT_MODE_3;
	vga->u.text_mode_3.font_height = 16;
	vga->u.text_mode_3.rows = (uint16_t)rows;
	vga->u.text_mode_3.columns = (uint16_t)columns;
	vga->u.text_mode_3.cursor_x = (uint16_t)x;
	vga->u.text_mode_3.cursor_y = (uint16_t)y;
	si->console.dom0.info_off = sizeof(*si);
	si->console.dom0.info_size = sizeof(*vga);
}

static void __init start_info_fill(struct domain *d, const struct dom0_layout *l)
{
	struct start_info *si = va_virt(l, l->v_start_info);

	memset(si, 0, PAGE_SIZE);
	snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_64");
	si->nr_pages = l->nr_pages;
	si->shared_info = virt_to_maddr(d->shared_info);
	si->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
	si->pt_base = l->v_tables;
	si->nr_pt_frames = l->nr_tables;
	si->mfn_list = l->v_p2m;
	if (p2m_elsewhere(l)) {
		si->first_p2m_pfn = l->p2m_pfn;
		si->nr_p2m_frames = l->p2m_list_pages + l->p2m_table_pages;
	}
	if (l->initrd) {
		si->mod_start = l->img.mod_start_pfn ? l->initrd_pfn : l->v_initrd;
		si->mod_len = l->initrd->end - l->initrd->start;
		if (l->img.mod_start_pfn)
			si->flags |= SIF_MOD_START_PFN;
	}
	strlcpy((char *)si->cmd_line, l->kernel->cmdline, sizeof(si->cmd_line));
	video_describe(si);
}

void __init dom0_memory_build(struct domain *d, struct dom0_layout *l)
{
	unsigned long max_pages;

	l->nr_pages = dom0_pages(heap_free_pages(), &max_pages);
	d->max_pages = (unsigned int)min(max_pages, 0xffffffffUL);
	if (l->nr_pages > d->max_pages)
		l->nr_pages = d->max_pages;
	layout(l);
	memory_allocate(d, l);
	kernel_image_load(&l->img, segment_copy, segment_zero, l);
	if (l->initrd) {
		memcpy(pfn_virt(l, l->initrd_pfn), maddr_to_virt(l->initrd->start),
		       l->initrd->end - l->initrd->start);
	}
	tables_build(l);
	start_info_fill(d, l);
	if (l->img.hypercall_page != KERNEL_NO_ADDRESS)
		hypercall_page_fill(va_virt(l, l->img.hypercall_page));
}
