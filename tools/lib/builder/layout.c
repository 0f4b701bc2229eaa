/* SPDX-License-Identifier: MIT */
/*
 * Where things go in a new guest's memory, and its first page tables. From virt_base on, mapped: the kernel, the RAM disk unless it may
 * stay unmapped, the list of frames unless it has a place of its own, start info and rings, the page tables (read-only), a stack, at
 * least 512 KiB more, up to a multiple of 4 MiB. Behind that what is mapped elsewhere or not at all.
 */
#include "lib/builder/guest.h"

#include <inttypes.h>

enum { L1_SHIFT = 12, L2_SHIFT = 21, L4_SHIFT = 39, LEVEL_BITS = 9, ENTRIES = 512 };

/* SDM 3A 4.5: present, writable, user, accessed, dirty. */
#define PTE_RO (1 | 4 | 0x20)
#define PTE_RW (PTE_RO | 2 | 0x40)

/* From where addresses are not canonical to where the hypervisor's end. */
#define HOLE_START 0x0000800000000000ull
#define HOLE_END   0xffff880000000000ull

static bool range_usable(uint64_t start, uint64_t end)
{
	return start < end && (end <= HOLE_START || start >= HOLE_END);
}

/* Tables below the top needed for [start, end): at each level, how many ranges of 2^shift bytes it touches. */
static uint64_t tables_for(uint64_t start, uint64_t end)
{
	uint64_t n = 0;

	for (int shift = L2_SHIFT; shift <= L4_SHIFT; shift += LEVEL_BITS)
		n += ((end - 1) >> shift) - (start >> shift) + 1;
	return n;
}

static uint64_t take(uint64_t *pfn, uint64_t nr)
{
	*pfn += nr;
	return *pfn - nr;
}

static bool p2m_elsewhere(const struct image *img)
{
	return img->init_p2m != IMAGE_NO_ADDRESS;
}

/* The tables are part of what they map, so their number is found by trying. The end, or 0 where it wraps. */
static uint64_t place_tables(struct guest_layout *l, const struct image *img, uint64_t pfn)
{
	uint64_t bytes, end;

	l->tables.pfn = pfn;
	do {
		l->tables.nr++;
		l->stack_pfn = pfn + l->tables.nr;
		bytes = (l->stack_pfn + 1) << PAGE_SHIFT;
		if (__builtin_add_overflow(img->virt_base, bytes + (512 << 10) + (4 << 20) - 1,
					   &end))
			return 0;
		end &= ~((4ull << 20) - 1);
	} while (l->tables.nr < 1 + tables_for(img->virt_base, end));
	return end;
}

static int too_small(uint64_t nr_pages, uint64_t need, struct error *e)
{
	return error_set(e, ERROR_CONFIG,
			 "its memory of %" PRIu64
			 " MiB is too small: kernel and RAM disk need %" PRIu64 " MiB",
			 nr_pages >> 8, (need >> 8) + 1);
}

int layout_make(struct guest_layout *l, const struct image *img, uint64_t nr_pages, struct error *e)
{
	uint64_t pfn = PFN_UP(img->virt_end - img->virt_base), end, p2m_end = 0;
	uint64_t ramdisk_pages = PFN_UP(l->ramdisk_bytes);

	if (pfn + ramdisk_pages > nr_pages)
		return too_small(nr_pages, pfn + ramdisk_pages, e);
	l->p2m_pages = PFN_UP(nr_pages * sizeof(xen_pfn_t));
	if (!img->mod_start_pfn)
		l->ramdisk_pfn = take(&pfn, ramdisk_pages);
	if (!p2m_elsewhere(img))
		l->p2m_pfn = take(&pfn, l->p2m_pages);
	l->info_pfn = take(&pfn, INFO_PAGES);
	end = place_tables(l, img, pfn);
	l->linear_pages = pfn = (end - img->virt_base) >> PAGE_SHIFT;
	if (img->mod_start_pfn)
		l->ramdisk_pfn = take(&pfn, ramdisk_pages);
	l->p2m_va = layout_va(img, l->p2m_pfn);
	if (p2m_elsewhere(img)) {
		l->p2m_va = img->init_p2m;
		p2m_end = l->p2m_va + (l->p2m_pages << PAGE_SHIFT);
		l->p2m_pfn = take(&pfn, l->p2m_pages);
		if (!range_usable(l->p2m_va, p2m_end))
			return error_set(e, ERROR_CONFIG,
					 "the kernel wants its frame list at %#" PRIx64
					 ", which is no guest's address",
					 l->p2m_va);
		l->p2m_tables.nr = tables_for(l->p2m_va, p2m_end);
		l->p2m_tables.pfn = take(&pfn, l->p2m_tables.nr);
	}
	if (!range_usable(img->virt_base, end) ||
	    (l->p2m_va < img->virt_base ? p2m_end > img->virt_base : p2m_end && l->p2m_va < end))
		return error_set(e, ERROR_CONFIG,
				 "the kernel wants addresses from %#" PRIx64
				 " on, which are not free",
				 img->virt_base);
	return pfn > nr_pages ? too_small(nr_pages, pfn, e) : 0;
}

/* --- Page tables --- */

struct mapper {
	const struct guest_layout *l;
	const xen_pfn_t *frames;
	uint64_t (*table)[ENTRIES]; /* those of the first region, then those of the frame list */
	uint64_t used;
};

static uint64_t table_frame(const struct mapper *m, uint64_t i)
{
	const struct guest_layout *l = m->l;

	return m->frames[i < l->tables.nr ? l->tables.pfn + i
					  : l->p2m_tables.pfn + i - l->tables.nr];
}

/* The last-level table for @va, made where it is not there. While building, an upper entry holds its table's number, not its frame. */
static uint64_t *leaf_table(struct mapper *m, uint64_t va)
{
	uint64_t *t = m->table[0];

	for (int shift = L4_SHIFT; shift > L1_SHIFT; shift -= LEVEL_BITS) {
		uint64_t *entry = &t[va >> shift & (ENTRIES - 1)];

		if (!*entry)
			*entry = m->used++ << PAGE_SHIFT | PTE_RW;
		t = m->table[*entry >> PAGE_SHIFT];
	}
	return t;
}

static void map_range(struct mapper *m, uint64_t va, uint64_t pfn, uint64_t nr)
{
	const struct guest_tables *ro = &m->l->tables;

	while (nr) {
		uint64_t *t = leaf_table(m, va), i = va >> L1_SHIFT & (ENTRIES - 1);

		for (; nr && i < ENTRIES; i++, nr--, pfn++, va += PAGE_SIZE)
			t[i] = m->frames[pfn] << PAGE_SHIFT |
			       (pfn - ro->pfn < ro->nr ? PTE_RO : PTE_RW);
	}
}

/* Numbers become frames, in every table above the last level. */
static void tables_finish(const struct mapper *m, uint64_t *t, int shift)
{
	for (int i = 0; i < ENTRIES; i++) {
		uint64_t nr = t[i] >> PAGE_SHIFT;

		if (!t[i])
			continue;
		if (shift > L2_SHIFT)
			tables_finish(m, m->table[nr], shift - LEVEL_BITS);
		t[i] = table_frame(m, nr) << PAGE_SHIFT | PTE_RW;
	}
}

void layout_map(const struct guest_layout *l, const struct image *img, const xen_pfn_t *frames,
		uint64_t *tables)
{
	struct mapper m = {l, frames, (void *)tables, .used = 1}; /* the top */

	map_range(&m, img->virt_base, 0, l->linear_pages);
	m.used = l->tables.nr;
	if (p2m_elsewhere(img))
		map_range(&m, l->p2m_va, l->p2m_pfn, l->p2m_pages);
	tables_finish(&m, tables, L4_SHIFT);
}
