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

/* Where tables may lie: anywhere once the direct map is complete. */
static paddr_t carve_limit __initdata = LOW_LIMIT;

/* Cut @size bytes, aligned to it, from the top of the highest extent that has them. */
static void *__init carve(unsigned long size)
{
	for (unsigned int i = nr_extents; i-- > 0;) {
		struct mem_range *e = &extents[i];
		paddr_t at = ROUND_DOWN(min(e->end, carve_limit), size), end = e->end;

		if (e->start >= carve_limit || at < size || at - size < e->start)
			continue;
		at -= size;
		e->end = at;
		extent_add(at + size, end);
		return maddr_to_virt(at);
	}
	panic("too little memory: %lu KiB wanted", size >> 10);
}

static void *__init table_page(void)
{
	return memset(carve(PAGE_SIZE), 0, PAGE_SIZE);
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
	int fill;     /* of each byte where there is RAM */
	paddr_t hole; /* what holes show, a page */
};

static void __init array_map_piece(const struct frame_array *a, unsigned long off, paddr_t pa,
				   unsigned long len, uint64_t flags)
{
	if (paging_map(idle_l4, a->va + off, pa, len, flags) ||
	    (a->guest_va && paging_map(idle_l4, a->guest_va + off, pa, len, PTE_HYP_RO | PTE_US)))
		panic("no memory for the frame table");
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
	paddr_t per_chunk = CHUNK / a->size * PAGE_SIZE, at = 0;
	void *chunk;

	for (off = 0; off < end; off += CHUNK, at += per_chunk) {
		if (!holds_ram(ram, nr, at, at + per_chunk)) {
			array_map_hole(a, off, &first_hole);
			continue;
		}
		chunk = memset(carve(CHUNK), a->fill, CHUNK);
		array_map_piece(a, off, virt_to_maddr(chunk), CHUNK, PTE_HYP_RW);
	}
}

/* Frames that have a record of their own but are no RAM. */
static void __init mark_devices(const struct mem_range *ram, unsigned int nr, mfn_t from, mfn_t to)
{
	const mfn_t per_chunk = CHUNK / sizeof(struct page_info);

	for (mfn_t mfn = from, chunk, end; mfn < to; mfn = end) {
		chunk = ROUND_DOWN(mfn, per_chunk);
		end = min(to, chunk + per_chunk);
		if (holds_ram(ram, nr, chunk << PAGE_SHIFT, (chunk + per_chunk) << PAGE_SHIFT))
			for (; mfn < end; mfn++)
				mfn_to_page(mfn)->count_info = PGC_device;
	}
}

static void __init frame_table_init(const struct mem_range *ram, unsigned int nr)
{
	struct page_info *hole = table_page();
	void *invalid = memset(table_page(), 0xff, PAGE_SIZE); /* INVALID_M2P_ENTRY */
	struct frame_array frames = {FRAME_TABLE_START, 0, sizeof(*hole), 0, virt_to_maddr(hole)};
	struct frame_array m2p = {RW_MPT_VIRT_START, RO_MPT_VIRT_START, 8, 0xff,
				  virt_to_maddr(invalid)};
	mfn_t past = 0;

	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*hole); i++)
		hole[i].count_info = PGC_device;
	array_build(&frames, ram, nr);
	for (unsigned int i = 0; i < nr; i++) {
		mark_devices(ram, nr, past, ram[i].start >> PAGE_SHIFT);
		past = ram[i].end >> PAGE_SHIFT;
	}
	mark_devices(ram, nr, 0, MB(1) >> PAGE_SHIFT);
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
	carve_limit = MAX_RAM;
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
