/* SPDX-License-Identifier: MIT */
/*
 * The buddy heap of machine frames. A free buddy of 2^order frames is named by the record of its first frame (PGC_free,
 * order, tlb_stamp: the newest of the buddy); the records of the others are idle (no count, no type, no owner).
 * Lists are kept per zone (the highest bit of the frame number, so that a buddy lies in one zone), per order, and per kind:
 * clean, dirty, and raw (RAM that was never used since boot: idle CPUs clean only as much of it as the next guest may want, so that an
 * outer hypervisor is not made to back all of it). Kinds never merge, else a cleaned piece would become dirty again beside its neighbour.
 * Frames are handed out from the highest zone that has some: low memory stays for devices that need it.
 *
 * Lock: heap_lock, a leaf; scrubbing and TLB flushing happen outside of it. `scrubbing` is taken before it, and never waited for.
 */
#include "mm/heap.h"

#include "lib/log.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "x86/tlb.h"

#define NR_ZONES     32 /* record links are 32-bit frame numbers */
#define SCRUB_ORDER  6	/* cleaned at a time by the idle loop */
#define CLEAN_WANTED (MB(32) >> PAGE_SHIFT)

enum kind { CLEAN, DIRTY, RAW, NR_KINDS };
static const uint32_t kind_flags[NR_KINDS] = {
	[CLEAN] = PGC_free,
	[DIRTY] = PGC_free | PGC_dirty,
	[RAW] = PGC_free | PGC_raw,
};

static spinlock_t heap_lock;
static struct {
	uint32_t head[MAX_ORDER + 1][NR_KINDS];
	uint32_t orders[NR_KINDS]; /* bit per order with a buddy */
	unsigned long pages;
} zones[NR_ZONES];
static unsigned long frames[NR_KINDS];

mfn_t max_page;
unsigned long total_pages;

static inline unsigned int zone_of(mfn_t mfn)
{
	return fls64(mfn);
}

static inline enum kind kind_of(const struct page_info *pg)
{
	return pg->count_info & PGC_dirty ? DIRTY : pg->count_info & PGC_raw ? RAW : CLEAN;
}

static void buddy_link(mfn_t mfn, struct page_info *pg, unsigned int order, enum kind kind)
{
	unsigned int z = zone_of(mfn);

	pg->count_info = kind_flags[kind];
	pg->type_info = 0;
	pg->order = order;
	frame_list_add(&zones[z].head[order][kind], pg, pg);
	zones[z].orders[kind] |= 1u << order;
	frames[kind] += 1UL << order;
}

/* Leaves the record idle. */
static void buddy_unlink(mfn_t mfn, struct page_info *pg)
{
	enum kind kind = kind_of(pg);
	unsigned int z = zone_of(mfn);
	uint32_t *head = &zones[z].head[pg->order][kind];

	frame_list_remove(head, pg);
	if (!*head)
		zones[z].orders[kind] &= ~(1u << pg->order);
	frames[kind] -= 1UL << pg->order;
	pg->count_info = 0;
	pg->type_info = 0;
}

/* The later of two stamps, by their age. */
static uint32_t newer_stamp(uint32_t a, uint32_t b)
{
	uint32_t now = (uint32_t)READ_ONCE(tlb_clock);

	return now - a < now - b ? a : b;
}

static void buddy_add(mfn_t mfn, unsigned int order, enum kind kind)
{
	struct page_info *pg = mfn_to_page(mfn), *other;
	mfn_t twin;

	for (; order < MAX_ORDER; order++) {
		twin = mfn ^ (1UL << order);
		if (!twin || zone_of(twin) != zone_of(mfn) || !mfn_valid(twin))
			break;
		other = mfn_to_page(twin);
		if (other->count_info != kind_flags[kind] || other->order != order)
			break;
		buddy_unlink(twin, other);
		if (twin < mfn) {
			other->tlb_stamp = newer_stamp(pg->tlb_stamp, other->tlb_stamp);
			mfn = twin;
			pg = other;
		} else {
			pg->tlb_stamp = newer_stamp(pg->tlb_stamp, other->tlb_stamp);
		}
	}
	buddy_link(mfn, pg, order, kind);
}

static void frames_add(mfn_t mfn, unsigned int order, enum kind kind)
{
	spin_lock(&heap_lock);
	zones[zone_of(mfn)].pages += 1UL << order;
	buddy_add(mfn, order, kind);
	spin_unlock(&heap_lock);
}

void heap_free(struct page_info *pg, unsigned int order, bool dirty)
{
	mfn_t mfn = page_to_mfn(pg);

	ASSERT(order <= MAX_ORDER && !(mfn & ((1UL << order) - 1)));
	ASSERT(!(pg->count_info & (PGC_count | PGC_free | PGC_allocated)) && !pg->owner);
	pg->count_info = 0;
	pg->type_info = 0;
	frames_add(mfn, order, dirty ? DIRTY : CLEAN);
}

void heap_add(paddr_t start, paddr_t end)
{
	mfn_t mfn = PFN_UP(start), last = PFN_DOWN(end);
	unsigned int order;

	for (; mfn < last; mfn += 1UL << order) {
		order = min(ffs64(mfn), (unsigned int)MAX_ORDER);
		while (mfn + (1UL << order) > last)
			order--;
		frames_add(mfn, order, RAW);
	}
}

/* A buddy of at least @order in zone @z: its order, or -1. */
static int zone_find(unsigned int z, unsigned int order, enum kind kind)
{
	uint32_t orders = zones[z].orders[kind] >> order;

	return orders ? (int)(order + ffs64(orders)) : -1;
}

/* Take the first buddy of the list and hand out its first 2^order frames. */
static struct page_info *buddy_take(unsigned int z, unsigned int have, unsigned int order,
				    enum kind kind)
{
	mfn_t mfn = zones[z].head[have][kind], half;
	struct page_info *pg = mfn_to_page(mfn);

	buddy_unlink(mfn, pg);
	while (have > order) {
		have--;
		half = mfn + (1UL << have);
		mfn_to_page(half)->tlb_stamp = pg->tlb_stamp;
		buddy_link(half, mfn_to_page(half), have, kind);
	}
	return pg;
}

/* The highest zone whose frames have addresses of @bits bits; 0: of any. May be -1. */
static int zone_top(unsigned int bits)
{
	int z = max_page ? (int)zone_of(max_page) : 0;

	return bits && bits < 64 ? min(z, (int)bits - PAGE_SHIFT - 1) : z;
}

/* Clean frames first, unless the caller does not care: then those that need work otherwise. */
static struct page_info *heap_take(unsigned int order, unsigned int memflags, bool *dirty)
{
	static const enum kind prefer[2][NR_KINDS] = {{CLEAN, RAW, DIRTY}, {RAW, DIRTY, CLEAN}};
	const enum kind *kinds = prefer[memflags & MEMF_no_scrub ? 1 : 0];
	int o;

	for (int z = zone_top(MEMF_bits_get(memflags)); z >= 0; z--) {
		for (unsigned int i = 0; i < NR_KINDS; i++) {
			o = zone_find(z, order, kinds[i]);
			if (o < 0)
				continue;
			zones[z].pages -= 1UL << order;
			*dirty = kinds[i] != CLEAN;
			return buddy_take(z, o, order, kinds[i]);
		}
	}
	return NULL;
}

void frames_flush(const cpumask_t *cpus, uint32_t stamp)
{
	cpumask_t mask = *cpus;

	tlb_filter(&mask, stamp);
	if (!cpumask_empty(&mask))
		tlb_flush_mask(&mask, FLUSH_TLB, 0);
}

/* From the zones that the next allocation looks at first. */
static struct page_info *kind_take(enum kind kind, unsigned int bits, unsigned int *order)
{
	int o;

	for (int z = zone_top(bits); z >= 0; z--) {
		o = zone_find(z, 0, kind);
		if (o < 0)
			continue;
		*order = min(o, SCRUB_ORDER);
		return buddy_take(z, o, *order, kind);
	}
	return NULL;
}

static bool scrub_one(enum kind kind, unsigned int bits)
{
	struct page_info *pg;
	unsigned int order;

	if (!READ_ONCE(frames[kind]))
		return false;
	/* The frames stay counted as free meanwhile: to everybody else nothing happens. */
	spin_lock(&heap_lock);
	pg = kind_take(kind, bits, &order);
	spin_unlock(&heap_lock);
	if (!pg)
		return false;
	memset(page_to_virt(pg), 0, PAGE_SIZE << order);
	spin_lock(&heap_lock);
	buddy_add(page_to_mfn(pg), order, CLEAN);
	spin_unlock(&heap_lock);
	return true;
}

/* One CPU at a time: it is the memory that takes long, and who allocates or frees wants the lock as well. */
bool heap_scrub_one(void)
{
	static spinlock_t scrubbing;
	bool did;

	if (!spin_trylock(&scrubbing))
		return false;
	did = scrub_one(DIRTY, 0) || (READ_ONCE(frames[CLEAN]) < CLEAN_WANTED && scrub_one(RAW, 0));
	spin_unlock(&scrubbing);
	return did;
}

#define SCRUB_TRIES 16 /* buddies cleaned at most for one allocation: 4 MiB */

struct page_info *heap_alloc(unsigned int order, unsigned int memflags)
{
	unsigned int bits = MEMF_bits_get(memflags), tries = SCRUB_TRIES;
	struct page_info *pg;
	bool dirty = false;

	if (order > MAX_ORDER)
		return NULL;
	do {
		spin_lock(&heap_lock);
		pg = heap_take(order, memflags, &dirty);
		spin_unlock(&heap_lock);
		/*
		 * Cleaning lets neighbours of different kinds merge. Only some of it, with interrupts off; and not for those
		 * who can do with dirty memory.
		 */
	} while (!pg && order && !(memflags & MEMF_no_scrub) && tries-- &&
		 heap_free_pages_below(bits ? bits : 64) >= 1UL << order &&
		 (scrub_one(DIRTY, bits) || scrub_one(RAW, bits)));
	if (!pg)
		return NULL;
	frames_flush(&cpu_online_map, pg->tlb_stamp);
	if (dirty && !(memflags & MEMF_no_scrub))
		memset(page_to_virt(pg), 0, PAGE_SIZE << order);
	return pg;
}

unsigned long heap_free_pages_below(unsigned int bits)
{
	unsigned long n = 0;

	for (unsigned int z = 0; z < NR_ZONES && z + PAGE_SHIFT < bits; z++)
		n += zones[z].pages;
	return n;
}
