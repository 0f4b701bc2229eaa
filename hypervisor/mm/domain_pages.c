/* SPDX-License-Identifier: MIT */
/*
 * Which frames a domain owns. Each is in one list of its domain (page_list, or xen_page_list for hypervisor memory
 * shared with it) from assignment until its last reference goes, and the domain lives as long as it owns any. The
 * domain's own reference is PGC_allocated; releasing it does not take the frame from the list, so that tearing the domain
 * down finds frames that are held by a pin or by others only.
 *
 * Lock: d->page_lock for lists, counts and d->dying against assignment. put_page is never called under it.
 */
#include "lib/log.h"
#include "mm/heap.h"
#include "x86/tlb.h"

#include "core/domain.h"
#include "lib/errno.h"
#include "x86/softirq.h"

#define RELINQUISH_BATCH 64 /* frames between looks at the interrupts */

/* Out of whichever of the domain's lists it is in. */
static void list_remove(struct domain *d, struct page_info *pg)
{
	uint32_t mfn = (uint32_t)page_to_mfn(pg);

	frame_list_remove(d->page_list == mfn	    ? &d->page_list
			  : d->xen_page_list == mfn ? &d->xen_page_list
						    : &d->pv.relinquished_list,
			  pg);
}

static bool owns_any(const struct domain *d)
{
	return d->tot_pages || d->xen_pages;
}

/* The records of a run, linked among themselves in rising order. */
static void run_init(struct domain *d, struct page_info *pg, unsigned long nr)
{
	uint32_t mfn = (uint32_t)page_to_mfn(pg);

	for (unsigned long i = 0; i < nr; i++, pg++, mfn++) {
		pg->next = mfn + 1;
		pg->prev = mfn - 1;
		pg->type_info = 0;
		pg->owner = d;
		/* Last: from here on references can be taken. */
		WRITE_ONCE(pg->count_info, PGC_allocated | 1);
	}
}

int domain_page_assign(struct domain *d, struct page_info *pg, unsigned int order)
{
	unsigned long nr = 1UL << order;
	int rc = 0;

	spin_lock(&d->page_lock);
	if (d->dying != DOMDYING_alive)
		rc = -EINVAL;
	else if (d->tot_pages + nr > d->max_pages)
		rc = -E2BIG;
	if (!rc) {
		if (!owns_any(d))
			domain_hold(d);
		d->tot_pages += nr;
		run_init(d, pg, nr);
		frame_list_add(&d->page_list, pg, pg + nr - 1);
	}
	spin_unlock(&d->page_lock);
	return rc;
}

struct page_info *domain_page_alloc(struct domain *d, unsigned int order, unsigned int memflags)
{
	struct page_info *pg;

	/* Checked again under the lock; here it keeps a domain that has all it may have from churning the heap. */
	if (READ_ONCE(d->tot_pages) + (1UL << order) > READ_ONCE(d->max_pages))
		return NULL;
	pg = heap_alloc(order, memflags);
	if (pg && domain_page_assign(d, pg, order)) {
		heap_free(pg, order, true);
		pg = NULL;
	}
	return pg;
}

void domain_page_free(struct page_info *pg)
{
	struct domain *d = pg->owner;
	bool last, ours = pg->count_info & PGC_xen_heap, doomed = pg->count_info & PGC_doomed;

	ASSERT(!(pg->count_info & (PGC_count | PGC_allocated)));
	/* What is shared with a guest has one type count of its own: see share_page_with_guest. */
	BUG_ON((pg->type_info & (PGT_count_mask | PGT_pinned | PGT_partial | PGT_locked)) != ours);
	/* Back to the idle state, out of the domain's list. */
	spin_lock(&d->page_lock);
	list_remove(d, pg);
	if (ours)
		d->xen_pages--;
	else
		d->tot_pages--;
	pg->owner = NULL;
	pg->type_info = 0;
	pg->tlb_stamp = tlb_stamp_now();
	last = !owns_any(d);
	spin_unlock(&d->page_lock);
	if (!ours)
		m2p_set(page_to_mfn(pg), INVALID_M2P_ENTRY);
	/* Memory that was shared is still its user's, unless that gave it up meanwhile. */
	if (!ours || doomed)
		heap_free(pg, 0, true);
	if (last)
		domain_put(d);
}

bool domain_page_release(struct domain *d, struct page_info *pg)
{
	bool had;

	if (!get_page(pg, d))
		return false;
	had = atomic_and(&pg->count_info, ~PGC_allocated) & PGC_allocated;
	if (had)
		put_page(pg);
	put_page(pg);
	return had;
}

void share_page_with_guest(void *va, struct domain *d, bool writable)
{
	struct page_info *pg = virt_to_page(va);

	ASSERT((pg->count_info & PGC_xen_heap) && !(pg->count_info & PGC_count));
	spin_lock(&d->page_lock);
	if (!owns_any(d))
		domain_hold(d);
	d->xen_pages++;
	/* The type's count never falls to zero: nobody can give the frame another type. */
	pg->type_info = (writable ? PGT_writable_page : PGT_shared_page) | PGT_validated | 1;
	pg->owner = d;
	m2p_set(page_to_mfn(pg), INVALID_M2P_ENTRY);
	frame_list_add(&d->xen_page_list, pg, pg);
	WRITE_ONCE(pg->count_info, PGC_xen_heap | PGC_allocated | 1);
	spin_unlock(&d->page_lock);
}

bool unshare_page_with_guest(void *va)
{
	struct page_info *pg = virt_to_page(va);
	uint32_t x = READ_ONCE(pg->count_info);

	/* The share's own reference must be the only one. */
	if ((x & (PGC_count | PGC_allocated)) != (PGC_allocated | 1) ||
	    cmpxchg(&pg->count_info, x, x & ~(PGC_count | PGC_allocated)) != x)
		return false;
	domain_page_free(pg);
	return true;
}

/* Everything but references of others goes: pin, interrupted validation, the domain's own reference. Caller holds one. */
static int page_relinquish(struct page_info *pg)
{
	int rc = 0;

	if (atomic_and(&pg->type_info, ~PGT_pinned) & PGT_pinned) {
		rc = put_page_type_preemptible(pg);
		put_page(pg); /* the pin's; we hold another */
	}
	if (!rc)
		rc = page_type_finish(pg);
	if (rc)
		return rc;
	if (atomic_and(&pg->count_info, ~PGC_allocated) & PGC_allocated)
		put_page(pg);
	return 0;
}

/* The next frame of the list, with a reference; it moves to the relinquished ones. NULL: none is left. */
static struct page_info *relinquish_next(struct domain *d, uint32_t *list)
{
	struct page_info *pg;

	spin_lock(&d->page_lock);
	while (*list) {
		pg = mfn_to_page(*list);
		list_remove(d, pg);
		frame_list_add(&d->pv.relinquished_list, pg, pg);
		/* A frame whose count is zero already is about to leave the list by itself. */
		if (get_page_any(pg)) {
			spin_unlock(&d->page_lock);
			return pg;
		}
	}
	spin_unlock(&d->page_lock);
	return NULL;
}

static void relinquish_again(struct domain *d, uint32_t *list, struct page_info *pg)
{
	spin_lock(&d->page_lock);
	list_remove(d, pg);
	frame_list_add(list, pg, pg);
	spin_unlock(&d->page_lock);
}

static int relinquish_list(struct domain *d, uint32_t *list)
{
	struct page_info *pg;
	unsigned int n = 0;
	int rc;

	while ((pg = relinquish_next(d, list)) != NULL) {
		rc = page_relinquish(pg);
		if (rc)
			relinquish_again(d, list, pg);
		put_page(pg);
		if (rc || (++n % RELINQUISH_BATCH == 0 && irq_window()))
			return -ERESTART;
	}
	return 0;
}

int domain_relinquish_pages(struct domain *d)
{
	int rc = relinquish_list(d, &d->xen_page_list);

	return rc ? rc : relinquish_list(d, &d->page_list);
}
