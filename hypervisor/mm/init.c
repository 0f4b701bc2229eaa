/* SPDX-License-Identifier: MIT */
/*
 * Taking the machine's memory over at boot: what is free is kept as a list of extents, from which page tables, the frame
 * table and the machine-to-physical tables are carved before the rest goes to the heap.
 *
 * Both tables are arrays over all frame numbers up to max_page, mapped in 2 MiB pieces where there is RAM; in the holes
 * between, one shared read-only page says "device" (or "invalid") for every frame, so that reading a record needs no
 * test beyond max_page. Runs once, on one CPU; no lock.
 */
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/paging.h"
#include "x86/smp.h"

#define MAX_EXTENTS 192
#define CHUNK	    (1UL << L2_SHIFT)
#define MAX_RAM	    (1UL << 44) /* record links are 32-bit frame numbers */
#define LOW_LIMIT   GB(4)	/* reachable before the direct map is built */

static struct mem_range extents[MAX_EXTENTS] __initdata;
static unsigned int nr_extents __initdata;

static void __init extent_add(paddr_t start, paddr_t end)
{
	if (start >= end)
		return;
	if (nr_extents == MAX_EXTENTS) {
		printk(LOG_WARN "memory map too fragmented: %#lx-%#lx not used\n", start, end);
		return;
	}
	extents[nr_extents++] = (struct mem_range){start, end};
}

/* RAM without what is kept and without the first MiB. */
static void __init extents_init(const struct mem_range *ram, unsigned int nr_ram,
				const struct mem_range *keep, unsigned int nr_keep)
{
	for (unsigned int i = 0; i < nr_ram; i++) {
		paddr_t at = max(ram[i].start, (paddr_t)MB(1));

		for (unsigned int k = 0; k < nr_keep; k++) {
			if (keep[k].end <= at || keep[k].start >= ram[i].end)
				continue;
			extent_add(at, keep[k].start & PAGE_MASK);
			at = max(at, ROUND_UP(keep[k].end, PAGE_SIZE));
		}
		extent_add(at, ram[i].end);
	}
}

/* Cut @size bytes, aligned to it, from the top of the highest extent below @limit that has them. */
static paddr_t __init carve(unsigned long size, paddr_t limit)
{
	for (unsigned int i = nr_extents; i-- > 0;) {
		struct mem_range *e = &extents[i];
		paddr_t at = ROUND_DOWN(min(e->end, limit), size), end = e->end;

		if (e->start >= limit || at < size || at - size < e->start)
			continue;
		at -= size;
		e->end = at;
		extent_add(at + size, end);
		return at;
	}
	panic("too little memory: %lu KiB wanted", size >> 10);
}

static void *__init table_page(void)
{
	return memset(maddr_to_virt(carve(PAGE_SIZE, LOW_LIMIT)), 0, PAGE_SIZE);
}

/* Where tables may lie once the direct map is complete. */
static void *__init any_page(void)
{
	return memset(maddr_to_virt(carve(PAGE_SIZE, MAX_RAM)), 0, PAGE_SIZE);
}

static bool __init holds_ram(const struct mem_range *ram, unsigned int nr, paddr_t start,
			     paddr_t end)
{
	for (unsigned int i = 0; i < nr; i++)
		if (ram[i].start < end && ram[i].end > start)
			return true;
	return false;
}

/* An array over all frames: @size bytes each, at @va. */
struct frame_array {
	unsigned long va, guest_va; /* guest_va: a second, user-readable mapping, or 0 */
	unsigned int size;
	uint64_t fill; /* of each 64-bit word where there is RAM */
	paddr_t hole;  /* what holes show, a page */
};

static void __init map_at(unsigned long va, paddr_t pa, unsigned long len, uint64_t flags)
{
	if (paging_map(idle_l4, va, pa, len, flags))
		panic("no memory for the frame table");
}

static void __init array_map_piece(const struct frame_array *a, unsigned long off, paddr_t pa,
				   unsigned long len, uint64_t flags)
{
	map_at(a->va + off, pa, len, flags);
	if (a->guest_va)
		map_at(a->guest_va + off, pa, len, PTE_HYP_RO | PTE_US);
}

static void __init fill_words(void *p, unsigned long bytes, uint64_t v)
{
	unsigned long n = bytes / 8;

	__asm__ __volatile__("rep stosq" : "+D"(p), "+c"(n) : "a"(v) : "memory");
}

/* All holes share one table, whose entries all show the same page. */
static void __init array_map_hole(const struct frame_array *a, unsigned long off,
				  unsigned long *first)
{
	if (*first == ~0UL) {
		for (unsigned long i = 0; i < CHUNK; i += PAGE_SIZE)
			array_map_piece(a, off + i, a->hole, PAGE_SIZE, PTE_HYP_RO);
		*first = off;
		return;
	}
	if (paging_map_like(a->va + off, a->va + *first) ||
	    (a->guest_va && paging_map_like(a->guest_va + off, a->guest_va + *first)))
		panic("no memory for the frame table");
}

static void __init array_build(const struct frame_array *a, const struct mem_range *ram,
			       unsigned int nr)
{
	unsigned long end = max_page * a->size, off, first_hole = ~0UL;
	paddr_t per_chunk = CHUNK / a->size * PAGE_SIZE, at = 0, pa;

	for (off = 0; off < end; off += CHUNK, at += per_chunk) {
		if (!holds_ram(ram, nr, at, at + per_chunk)) {
			array_map_hole(a, off, &first_hole);
			continue;
		}
		pa = carve(CHUNK, MAX_RAM);
		fill_words(maddr_to_virt(pa), CHUNK, a->fill);
		array_map_piece(a, off, pa, CHUNK, PTE_HYP_RW);
	}
}

/* Frames that have a record of their own but are no RAM. */
static void __init mark_devices(const struct mem_range *ram, unsigned int nr, mfn_t from, mfn_t to)
{
	const mfn_t per_chunk = CHUNK / sizeof(struct page_info);

	for (mfn_t mfn = from; mfn < to; mfn++) {
		paddr_t chunk = ROUND_DOWN(mfn, per_chunk) << PAGE_SHIFT;

		if (holds_ram(ram, nr, chunk, chunk + (per_chunk << PAGE_SHIFT)))
			for (; mfn < to && mfn << PAGE_SHIFT < chunk + (per_chunk << PAGE_SHIFT);
			     mfn++)
				mfn_to_page(mfn)->count_info = PGC_device;
		else
			mfn = (chunk >> PAGE_SHIFT) + per_chunk;
		mfn--;
	}
}

static void __init frame_table_init(const struct mem_range *ram, unsigned int nr)
{
	struct page_info *hole = any_page();
	struct frame_array frames = {FRAME_TABLE_START, 0, sizeof(*hole), 0, virt_to_maddr(hole)};
	struct frame_array m2p = {RW_MPT_VIRT_START, RO_MPT_VIRT_START, 8, INVALID_M2P_ENTRY};
	mfn_t past = 0;
	void *page = any_page();

	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*hole); i++)
		hole[i].count_info = PGC_device;
	array_build(&frames, ram, nr);
	for (unsigned int i = 0; i < nr; i++) {
		mark_devices(ram, nr, past, ram[i].start >> PAGE_SHIFT);
		past = ram[i].end >> PAGE_SHIFT;
	}
	mark_devices(ram, nr, 0, MB(1) >> PAGE_SHIFT);
	fill_words(page, PAGE_SIZE, INVALID_M2P_ENTRY);
	m2p.hole = virt_to_maddr(page);
	array_build(&m2p, ram, nr);
}

void __init mm_init(const struct mem_range *ram, unsigned int nr_ram, const struct mem_range *keep,
		    unsigned int nr_keep)
{
	unsigned int i;

	if (!nr_ram)
		panic("the memory map shows no usable RAM");
	while (nr_ram > 1 && ram[nr_ram - 1].end > MAX_RAM)
		nr_ram--;
	max_page = ram[nr_ram - 1].end >> PAGE_SHIFT;
	for (i = 0; i < nr_ram; i++)
		total_pages += (ram[i].end - ram[i].start) >> PAGE_SHIFT;
	extents_init(ram, nr_ram, keep, nr_keep);
	paging_set_source(table_page);
	paging_init(ram, nr_ram);
	paging_set_source(any_page);
	frame_table_init(ram, nr_ram);
	for (i = 0; i < nr_extents; i++)
		heap_add(extents[i].start, extents[i].end);
	nr_extents = 0;
	paging_set_source(page_alloc);
	tlb_flush_local(FLUSH_TLB_GLOBAL, 0);
}

void mm_release(paddr_t start, paddr_t end)
{
	heap_add(max(start, (paddr_t)MB(1)), end);
}
