/* SPDX-License-Identifier: MIT */
/*
 * Claims: the tools set memory aside for a domain before they build it, so that two builds at once do not both fail halfway.
 *
 * Invariant: memory_claims is the sum of all d->outstanding_pages. What domains get by memory_op leaves others' claims untouched; the
 * hypervisor's own allocations do not look at them. Lock: claim_lock, innermost.
 */
#include "hypercall/memory.h"
#include "lib/spinlock.h"
#include "mm/heap.h"

static spinlock_t claim_lock = SPIN_LOCK_UNLOCKED;
unsigned long memory_claims;

static void claim_drop(struct domain *d, unsigned long pages)
{
	pages = min(pages, (unsigned long)d->outstanding_pages);
	d->outstanding_pages -= pages;
	memory_claims -= pages;
}

static int claim_set(struct domain *d, unsigned long pages)
{
	unsigned long have = d->tot_pages, free = heap_free_pages();

	if (pages == 0) {
		claim_drop(d, d->outstanding_pages);
		return 0;
	}
	if (d->outstanding_pages || pages <= have || pages > d->max_pages)
		return -EINVAL;
	if (free < memory_claims || pages - have > free - memory_claims)
		return -ENOMEM;
	d->outstanding_pages = pages - have;
	memory_claims += d->outstanding_pages;
	return 0;
}

SUBOP_HANDLER(memory_claim_pages, const struct xen_memory_reservation *r)
{
	struct domain *d;
	int rc = -EINVAL;

	if (!guest_handle_null(r->extent_start) || r->extent_order || r->mem_flags)
		return -EINVAL;
	d = domain_get(r->domid);
	if (!d)
		return -EINVAL;
	if (!hc->d->is_privileged) {
		rc = -EPERM;
	} else if (d->dying == DOMDYING_alive) {
		spin_lock(&claim_lock);
		rc = claim_set(d, r->nr_extents);
		spin_unlock(&claim_lock);
	}
	domain_put(d);
	return rc;
}

bool memory_claim_allows(const struct domain *d, unsigned long pages)
{
	unsigned long others = READ_ONCE(memory_claims);

	if (!others)
		return true;
	others -= min(others, (unsigned long)d->outstanding_pages);
	return heap_free_pages() >= others + pages;
}

void memory_claim_consume(struct domain *d, unsigned long pages)
{
	if (!READ_ONCE(d->outstanding_pages))
		return;
	spin_lock(&claim_lock);
	claim_drop(d, pages);
	spin_unlock(&claim_lock);
}
