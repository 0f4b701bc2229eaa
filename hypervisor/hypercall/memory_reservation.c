/* SPDX-License-Identifier: MIT */
/*
 * Giving frames to a domain and taking them back: increase_reservation, decrease_reservation, populate_physmap.
 *
 * The answer is the number of extents done, also when nothing could be done or was allowed: callers compare it with what they asked
 * for. Each extent is complete or untouched. Preempted between extents; the count so far goes into the command word.
 * Frames are counted and linked by mm/ under d->page_lock.
 */
#include "hypercall/memory.h"
#include "mm/heap.h"

#define DOMU_MAX_ORDER 9
/* The largest count that the command word can hold. */
#define MAX_EXTENTS (UINT32_MAX >> MEMOP_EXTENT_SHIFT)
/* How often a run of single frames looks for interrupts, and how often one extent does. */
#define PREEMPT_EVERY 16
#define WINDOW_EVERY  64

struct reservation {
	struct domain *d;
	unsigned long list; /* guest array of frame numbers, 0: none */
	unsigned int order, memflags;
	bool populate, on_demand;
};

unsigned int memory_max_order(const struct domain *d)
{
	return d->is_privileged ? MAX_ORDER : DOMU_MAX_ORDER;
}

bool memory_flags(const struct domain *d, unsigned int mem_flags, unsigned int *memflags)
{
	unsigned int bits = XENMEMF_get_address_bits(mem_flags);
	unsigned int node = XENMEMF_get_node(mem_flags);

	*memflags = 0;
	if (bits && bits < fls64(max_page) + 1 + PAGE_SHIFT) {
		if (bits <= PAGE_SHIFT)
			return false;
		*memflags = MEMF_bits(bits);
	}
	/* There is one node, number 0; 0xff says "any". */
	if ((mem_flags & XENMEMF_vnode) || node == 0xff)
		return true;
	if (!d->is_privileged && !d->is_hardware)
		return !(mem_flags & XENMEMF_exact_node_request);
	return node < 64 && (node == 0 || !(mem_flags & XENMEMF_exact_node_request));
}

static unsigned long entry_va(const struct reservation *r, unsigned long i)
{
	return r->list + i * sizeof(xen_pfn_t);
}

/* Both that give frames: populate_physmap also says what the domain calls them. */
static bool add_one(struct reservation *r, unsigned long i)
{
	struct page_info *pg = NULL;
	uint64_t gpfn = 0;
	mfn_t mfn;

	if (r->populate && !get_guest_u64(&gpfn, entry_va(r, i)))
		return false;
	if (r->on_demand) /* nothing to mark in a paravirtual domain */
		return r->d != current->domain;
	if (memory_claim_allows(r->d, 1UL << r->order))
		pg = domain_page_alloc(r->d, r->order, r->memflags);
	if (!pg)
		return false;
	memory_claim_consume(r->d, 1UL << r->order);
	mfn = page_to_mfn(pg);
	for (unsigned long j = 0; r->populate && j < 1UL << r->order; j++)
		m2p_set(mfn + j, gpfn + j);
	if (!(r->list || r->populate) || put_guest_u64(entry_va(r, i), mfn))
		return true;
	for (unsigned long j = 0; j < 1UL << r->order; j++)
		domain_page_release(r->d, pg + j);
	return false;
}

static bool frame_remove(struct domain *d, mfn_t mfn)
{
	struct page_info *pg = get_page_from_mfn(mfn, d);
	bool done;

	if (!pg)
		return false;
	done = domain_page_release(d, pg);
	if (done)
		m2p_set(mfn,
			INVALID_M2P_ENTRY); /* our reference keeps it from being reused before */
	put_page(pg);
	return done;
}

static bool decrease_one(struct reservation *r, unsigned long i)
{
	uint64_t mfn;

	if (!get_guest_u64(&mfn, entry_va(r, i)))
		return false;
	for (unsigned long j = 0; j < 1UL << r->order; j++) {
		if (!frame_remove(r->d, mfn + j))
			return false;
		/* The control domain's extents may be large, and cannot be given up by half. */
		if (j % WINDOW_EVERY == WINDOW_EVERY - 1)
			(void)irq_window();
	}
	return true;
}

static unsigned long extents_run(struct reservation *r, unsigned int op, unsigned long i,
				 unsigned long nr, bool *preempted)
{
	unsigned long first = i;

	for (; i < nr; i++) {
		if (i != first && (r->order || i % PREEMPT_EVERY == 0) && irq_window()) {
			*preempted = true;
			break;
		}
		if (!(op == XENMEM_decrease_reservation ? decrease_one(r, i) : add_one(r, i)))
			break;
	}
	return i;
}

static bool reservation_prepare(struct reservation *r, struct hc *hc, unsigned int op,
				const struct xen_memory_reservation *x)
{
	r->d = hc->target;
	r->list = (unsigned long)x->extent_start.p;
	r->order = x->extent_order;
	r->populate = op == XENMEM_populate_physmap;
	r->on_demand = r->populate && (x->mem_flags & XENMEMF_populate_on_demand);
	if (r->order > (r->on_demand ? MAX_ORDER : memory_max_order(hc->d)))
		return false;
	if ((r->list || op != XENMEM_increase_reservation) &&
	    !guest_handle_okay(x->extent_start, x->nr_extents))
		return false;
	return memory_flags(hc->d, x->mem_flags, &r->memflags);
}

long memory_reservation(unsigned int op, unsigned long start, unsigned long arg_va)
{
	struct hc hc = {.d = current->domain, .target = current->domain};
	struct xen_memory_reservation x;
	struct reservation r;
	bool preempted = false;
	unsigned long done = start;

	if (copy_from_guest_va(&x, arg_va, sizeof(x)) || x.nr_extents > MAX_EXTENTS ||
	    start >= x.nr_extents || hc_target(&hc, x.domid, WHO_SELF_OR_CONTROL))
		return start;
	if (reservation_prepare(&r, &hc, op, &x))
		done = extents_run(&r, op, start, x.nr_extents, &preempted);
	if (hc.target != hc.d)
		domain_put(hc.target);
	if (preempted)
		return hypercall_continue_with(__HYPERVISOR_memory_op,
					       op | done << MEMOP_EXTENT_SHIFT, arg_va);
	return done;
}
