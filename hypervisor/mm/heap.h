/* SPDX-License-Identifier: MIT */
/*
 * The memory allocators. One buddy heap of all RAM (orders 0 to 18) under one lock; a small-object allocator above it.
 * Frames leave the heap scrubbed when they go to a domain other than the one whose content they hold: freed frames of a
 * dead or giving-up domain are marked dirty and cleaned by idle CPUs, or at allocation at the latest. Frames also leave it
 * flushed: no CPU's TLB can still reach them by a former mapping.
 */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include "mm/frame.h"
#include "x86/cpu.h"

#define MAX_ORDER 18

/* Allocation flags. */
#define MEMF_no_scrub \
	1u /* content does not matter, and its former content may be seen (domain 0's own memory at boot, hypervisor-internal) */
#define MEMF_bits(n)	 ((n) << 8) /* the machine address must fit in n bits (0 = any) */
#define MEMF_bits_get(f) ((f) >> 8)

/* The order of the smallest run of frames that holds @pages. */
static inline unsigned int order_of(unsigned long pages)
{
	return pages > 1 ? fls64(pages - 1) + 1 : 0;
}

/*
 * Boot. mm_init takes the machine's memory over: @ram lists usable RAM, @keep what of it is in use (image, modules, the
 * loader's data still wanted); both sorted, page aligned, ranges neither overlapping nor touching. It
 * builds the direct map of exactly this RAM (kept parts included), the frame table and the machine-to-physical tables,
 * drops the identity map above 2 MiB, and gives the rest to the heap. The first MiB stays mapped but is never the
 * heap's: its frames count as device space.
 * Until then the first 4 GiB are reachable through the direct map; afterwards other memory (firmware tables, devices)
 * through ioremap only.
 */
struct mem_range {
	paddr_t start, end;
};
void mm_init(const struct mem_range *ram, unsigned int nr_ram, const struct mem_range *keep,
	     unsigned int nr_keep);
/* A kept range that is no longer needed (modules, init code). Whole pages inside it go to the heap. */
void mm_release(paddr_t start, paddr_t end);
/* SMP is up: the identity map of the first 2 MiB, which starting CPUs run in, goes too. */
void mm_drop_identity(void);

/* Give RAM [start, end) to the heap; ranges never overlap. */
void heap_add(paddr_t start, paddr_t end);

/* Lists of frames by their records; @head: a frame number, 0: empty. @first and what follows it to @last are linked already. */
static inline void frame_list_add(uint32_t *head, struct page_info *first, struct page_info *last)
{
	last->next = *head;
	if (*head)
		mfn_to_page(*head)->prev = (uint32_t)page_to_mfn(last);
	first->prev = 0;
	*head = (uint32_t)page_to_mfn(first);
}
static inline void frame_list_remove(uint32_t *head, struct page_info *pg)
{
	if (pg->next)
		mfn_to_page(pg->next)->prev = pg->prev;
	if (pg->prev)
		mfn_to_page(pg->prev)->next = pg->next;
	else
		*head = pg->next;
	pg->next = pg->prev = 0;
}

/* 2^order contiguous frames with no owner and no reference, or NULL. */
struct page_info *heap_alloc(unsigned int order, unsigned int memflags);
/* None of @cpus may reach frames stamped so by what it has cached from their former use. */
void frames_flush(const cpumask_t *cpus, uint32_t stamp);
/* @dirty: must be scrubbed before a guest gets it. Every record must be idle: no references, no type, no owner. */
void heap_free(struct page_info *pg, unsigned int order, bool dirty);

/* Pages for the hypervisor itself, zeroed, by their direct-map address. */
void *page_alloc(void);
void *pages_alloc(unsigned int order);
/*
 * Memory that is shared with a guest (share_page_with_guest) may be freed at any time: it is given to the heap when
 * the guest's last mapping of it has gone.
 */
void page_free(void *va);
void pages_free(void *va, unsigned int order);

/* Objects of any size up to 64 KiB, zeroed, 16-byte aligned. kfree(NULL) is harmless. */
void *kzalloc(size_t bytes);
void kfree(void *p);
#define knew(type) ((type *)kzalloc(sizeof(type)))

/*
 * Frames of a domain: counted in d->tot_pages, in d->page_list, with the PGC_allocated reference. A frame stays in the
 * list, and keeps the domain referenced, until its last reference goes.
 * domain_page_assign: -E2BIG over d->max_pages, -EINVAL when dying.
 */
struct page_info *domain_page_alloc(struct domain *d, unsigned int order, unsigned int memflags);
int domain_page_assign(struct domain *d, struct page_info *pg, unsigned int order) __must_check;
/* Takes the domain's own reference away; the frame is freed when the last reference goes. False if it was not the domain's any more. */
bool domain_page_release(struct domain *d, struct page_info *pg);
/* Share hypervisor memory with a domain (shared_info, grant frames ...). @writable: by the guest. */
void share_page_with_guest(void *va, struct domain *d, bool writable);
/* Ends that if no guest maps it now: true, and it is the hypervisor's alone again. */
bool unshare_page_with_guest(void *va) __must_check;
/*
 * Dying domain, its vCPUs down and their page tables dropped: unpins and releases every frame it owns. -ERESTART when
 * interrupted: call again. Frames that others still map stay until they let go.
 */
int domain_relinquish_pages(struct domain *d) __must_check;

/* Free frames: those whose address fits in @bits bits, and all. */
unsigned long heap_free_pages_below(unsigned int bits);
static inline unsigned long heap_free_pages(void)
{
	return heap_free_pages_below(64);
}
/* Clean one buddy; false when there is nothing worth cleaning. For the idle loop. */
bool heap_scrub_one(void);

#endif
