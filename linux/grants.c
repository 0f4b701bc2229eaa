// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The outer Xen's grant table, version 1, in the frames that Poncho set aside for it; allocation of references; the end of access.
 *
 * A reference is free (on the list through next_free[], its entry 0), or belongs to who reserved it, or is deferred: its owner is done
 * but the peer has the page mapped. A deferred one keeps a count on its page, so the page is not used for anything else, and is
 * tried again each second. Entries that are in use when the module loads (an earlier load's, deferred for ever) stay untouched.
 *
 * `lock` guards the free list and the deferred list; entries themselves are changed by their owner only.
 */
#define pr_fmt(fmt) "poncho-blanket: " fmt
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/spinlock.h>
#include <xen/interface/xen.h>
#include <xen/interface/memory.h>
#include <xen/page.h>
#include "blanket.h"

#define ENTRIES_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define NONE		  0
#define CMPXCHG_TRIES	  16

struct deferred {
	struct list_head list;
	grant_ref_t ref;
	struct page *page;
};

static struct grant_entry_v1 *table;
static unsigned int nr_frames;
static grant_ref_t *next_free, first_free;
static unsigned int nr_free;
static LIST_HEAD(deferred);
static DEFINE_SPINLOCK(lock);

static void ref_put(grant_ref_t ref)
{
	next_free[ref] = first_free;
	first_free = ref;
	nr_free++;
}

int grant_reserve(grant_ref_t *refs, unsigned int nr)
{
	unsigned long flags;
	unsigned int i;
	int rc = -ENOSPC;

	spin_lock_irqsave(&lock, flags);
	if (nr <= nr_free) {
		for (i = 0; i < nr; i++) {
			refs[i] = first_free;
			first_free = next_free[first_free];
		}
		nr_free -= nr;
		rc = 0;
	}
	spin_unlock_irqrestore(&lock, flags);
	return rc;
}

void grant_give(grant_ref_t ref, domid_t peer, struct page *page, bool readonly)
{
	struct grant_entry_v1 *e = &table[ref];

	/* A machine frame of ours is a guest frame of the outer Xen. */
	e->frame = pfn_to_mfn(page_to_pfn(page));
	e->domid = peer;
	virt_wmb(); /* the peer may use it as soon as the flags say so */
	WRITE_ONCE(e->flags, GTF_permit_access | (readonly ? GTF_readonly : 0));
}

/* False: the peer has it mapped; a peer that changes it all the while counts as such. */
static bool entry_clear(grant_ref_t ref)
{
	uint16_t *flags = &table[ref].flags, seen = READ_ONCE(*flags);
	unsigned int tries;

	for (tries = 0; tries < CMPXCHG_TRIES; tries++) {
		if (seen & (GTF_reading | GTF_writing))
			return false;
		if (try_cmpxchg(flags, &seen, 0))
			return true;
	}
	return false;
}

static void deferred_retry(struct work_struct *work);
static DECLARE_DELAYED_WORK(deferred_work, deferred_retry);

static void deferred_retry(struct work_struct *work)
{
	struct deferred *d, *next;
	LIST_HEAD(done);
	bool more;

	spin_lock_irq(&lock);
	list_for_each_entry_safe (d, next, &deferred, list)
		if (entry_clear(d->ref)) {
			ref_put(d->ref);
			list_move(&d->list, &done);
		}
	more = !list_empty(&deferred);
	spin_unlock_irq(&lock);
	list_for_each_entry_safe (d, next, &done, list) {
		put_page(d->page);
		kfree(d);
	}
	if (more)
		schedule_delayed_work(&deferred_work, HZ);
}

static void grant_defer(grant_ref_t ref, struct page *page)
{
	struct deferred *d = kmalloc(sizeof(*d), GFP_ATOMIC);
	unsigned long flags;

	pr_warn_ratelimited("domain %u keeps a page of ours mapped\n", table[ref].domid);
	get_page(page);
	if (!d)
		return; /* page and reference are lost, which is safe */
	d->ref = ref;
	d->page = page;
	spin_lock_irqsave(&lock, flags);
	list_add(&d->list, &deferred);
	spin_unlock_irqrestore(&lock, flags);
	schedule_delayed_work(&deferred_work, HZ);
}

bool grant_end(grant_ref_t ref, struct page *page)
{
	unsigned long flags;

	if (!entry_clear(ref)) {
		grant_defer(ref, page);
		return false;
	}
	spin_lock_irqsave(&lock, flags);
	ref_put(ref);
	spin_unlock_irqrestore(&lock, flags);
	return true;
}

int shared_alloc(struct shared *s, domid_t peer, unsigned int nr)
{
	unsigned int i;
	int rc = grant_reserve(s->ref, nr);

	if (rc)
		return rc;
	s->nr = nr;
	s->va = alloc_pages_exact(nr * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	if (!s->va) {
		for (i = 0; i < nr; i++)
			grant_end(s->ref[i], NULL);
		return -ENOMEM;
	}
	for (i = 0; i < nr; i++)
		grant_give(s->ref[i], peer, virt_to_page(s->va + i * PAGE_SIZE), false);
	return 0;
}

void shared_free(struct shared *s)
{
	unsigned int i;

	if (!s->va)
		return;
	for (i = 0; i < s->nr; i++)
		grant_end(s->ref[i], virt_to_page(s->va + i * PAGE_SIZE));
	free_pages_exact(s->va, s->nr * PAGE_SIZE);
	s->va = NULL;
}

static void frames_take_back(unsigned int nr)
{
	while (nr--) {
		struct xen_remove_from_physmap op = {.domid = DOMID_SELF,
						     .gpfn = nested.grant_mfn + nr};

		nested_op(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &op);
	}
}

/* How many frames the table got. */
static unsigned int frames_place(void)
{
	struct gnttab_query_size size = {.dom = DOMID_SELF};
	unsigned int i, max;

	if (nested_op(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, &size) ||
	    size.status != GNTST_okay)
		return 0;
	max = min(size.max_nr_frames, nested.nr_grant_mfns);
	for (i = 0; i < max; i++) {
		struct xen_add_to_physmap op = {.domid = DOMID_SELF,
						.space = XENMAPSPACE_grant_table,
						.idx = i,
						.gpfn = nested.grant_mfn + i};

		if (nested_op(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &op))
			break;
	}
	return i;
}

int grants_init(void)
{
	unsigned int nr;
	grant_ref_t ref;

	nr_frames = frames_place();
	nr = nr_frames * ENTRIES_PER_FRAME;
	next_free = nr ? vzalloc(array_size(nr, sizeof(*next_free))) : NULL;
	table = next_free ? frames_map(nested.grant_mfn, nr_frames) : NULL;
	if (!table) {
		pr_err("cannot have the outer Xen's grant table (%u frames)\n", nr_frames);
		vfree(next_free);
		frames_take_back(nr_frames);
		return -ENODEV;
	}
	first_free = NONE;
	nr_free = 0;
	for (ref = nr - 1; ref >= GNTTAB_NR_RESERVED_ENTRIES; ref--)
		if (!READ_ONCE(table[ref].flags))
			ref_put(ref);
	return 0;
}

void grants_exit(void)
{
	struct deferred *d, *next;
	unsigned int lost = 0;

	cancel_delayed_work_sync(&deferred_work);
	list_for_each_entry_safe (d, next, &deferred, list) {
		kfree(d);
		lost++;
	}
	if (lost)
		pr_warn("%u pages stay with the outer domains that have them mapped\n", lost);
	INIT_LIST_HEAD(&deferred);
	frames_unmap(table, nr_frames);
	frames_take_back(nr_frames);
	vfree(next_free);
}
