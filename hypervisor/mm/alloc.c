/* SPDX-License-Identifier: MIT */
/*
 * Memory for the hypervisor itself: whole pages, and small objects cut from pages of one size class each. All of it
 * comes zeroed. A page of small objects keeps its state in its own record (slab: class, objects in use, offset of the first free
 * one); free objects are chained by 16-bit offsets, pages with room are in their class's list.
 *
 * Hypervisor pages carry PGC_xen_heap and no count, unless they are shared with a guest (mm/domain_pages.c).
 * Lock: slab_lock, above the heap's.
 */
#include "mm/heap.h"

#include "lib/log.h"
#include "lib/spinlock.h"
#include "lib/string.h"

void *pages_alloc(unsigned int order)
{
	struct page_info *pg = heap_alloc(order, 0);

	if (!pg)
		return NULL;
	pg->count_info = PGC_xen_heap;
	return page_to_virt(pg);
}

void *page_alloc(void)
{
	return pages_alloc(0);
}

/* True if a guest still holds it: then the last put_page frees it. */
static bool doom_shared_page(struct page_info *pg)
{
	uint32_t x, nx;

	do {
		x = READ_ONCE(pg->count_info);
		if (!(x & PGC_count)) {
			/* The last holder may still be taking it from the domain's list. */
			while (READ_ONCE(pg->owner))
				spin_wait();
			return false;
		}
		nx = (x | PGC_doomed) & ~PGC_allocated;
	} while (cmpxchg(&pg->count_info, x, nx) != x);
	if (x & PGC_allocated)
		put_page(pg);
	return true;
}

void pages_free(void *va, unsigned int order)
{
	struct page_info *pg;

	if (!va)
		return;
	pg = virt_to_page(va);
	ASSERT(pg->count_info & PGC_xen_heap);
	if (order || !doom_shared_page(pg))
		heap_free(pg, order, true);
}

void page_free(void *va)
{
	pages_free(va, 0);
}

/* Size classes. 16-byte alignment; what exceeds the last is whole pages. */
static const uint16_t class_size[] = {16,  32,	48,  64,  96,  128,  192,
				      256, 320, 448, 576, 800, 1344, 2032};
#define NR_CLASSES  ARRAY_SIZE(class_size)
#define CLASS_PAGES 0x100 /* + order: a run of whole pages */
#define NO_OBJECT   0xffff
#define MAX_OBJECT  KB(64)

static spinlock_t slab_lock;
static uint32_t slab_partial[NR_CLASSES]; /* frame number of the first page with room */

/* Cut a fresh page into objects, chained by their first two bytes. */
static bool slab_new(unsigned int class)
{
	char *page = page_alloc();
	unsigned int size = class_size[class], off;
	struct page_info *pg;

	if (!page)
		return false;
	for (off = 0; off + 2 * size <= PAGE_SIZE; off += size)
		*(uint16_t *)(page + off) = (uint16_t)(off + size);
	*(uint16_t *)(page + off) = NO_OBJECT;
	pg = virt_to_page(page);
	pg->slab.class = (uint16_t) class;
	pg->slab.in_use = 0;
	pg->slab.first_free = 0;
	frame_list_add(&slab_partial[class], pg, pg);
	return true;
}

static void *slab_take(struct page_info *pg, uint32_t *partial)
{
	uint16_t *obj = (uint16_t *)((char *)page_to_virt(pg) + pg->slab.first_free);

	pg->slab.first_free = *obj;
	pg->slab.in_use++;
	if (pg->slab.first_free == NO_OBJECT)
		frame_list_remove(partial, pg);
	return obj;
}

static void *slab_alloc(unsigned int class)
{
	uint32_t *partial = &slab_partial[class];
	void *obj = NULL;

	spin_lock(&slab_lock);
	if (*partial || slab_new(class))
		obj = slab_take(mfn_to_page(*partial), partial);
	spin_unlock(&slab_lock);
	return obj ? memset(obj, 0, class_size[class]) : NULL;
}

static void slab_free(struct page_info *pg, void *p)
{
	uint32_t *partial = &slab_partial[pg->slab.class];
	char *page = page_to_virt(pg);
	bool empty;

	spin_lock(&slab_lock);
	ASSERT(pg->slab.in_use);
	if (pg->slab.first_free == NO_OBJECT)
		frame_list_add(partial, pg, pg);
	*(uint16_t *)p = pg->slab.first_free;
	pg->slab.first_free = (uint16_t)((char *)p - page);
	empty = !--pg->slab.in_use;
	if (empty)
		frame_list_remove(partial, pg);
	spin_unlock(&slab_lock);
	if (empty)
		page_free(page);
}

static void *run_alloc(size_t bytes)
{
	unsigned int order = order_of(PFN_UP(bytes));
	void *p = pages_alloc(order);

	if (p)
		virt_to_page(p)->slab.class = (uint16_t)(CLASS_PAGES + order);
	return p;
}

void *kzalloc(size_t bytes)
{
	unsigned int class = 0;

	if (bytes > MAX_OBJECT)
		return NULL;
	while (class < NR_CLASSES && class_size[class] < bytes)
		class ++;
	return class < NR_CLASSES ? slab_alloc(class) : run_alloc(bytes);
}

void kfree(void *p)
{
	struct page_info *pg;

	if (!p)
		return;
	pg = virt_to_page(p);
	if (pg->slab.class >= CLASS_PAGES)
		pages_free(p, pg->slab.class - CLASS_PAGES);
	else
		slab_free(pg, p);
}
