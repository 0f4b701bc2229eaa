/* SPDX-License-Identifier: MIT */
/*
 * XENMEM_exchange: a domain gives frames and gets as many others, contiguous or below an address. Domain 0 makes its DMA buffers so.
 *
 * Works in chunks of the larger of the two extent sizes. For each chunk everything that can fail comes first: the frames given are
 * referenced and seen to be used nowhere, new ones are allocated, the places they go to are read. Then the chunk is swapped. A
 * vCPU of the same domain that maps a frame in between loses only what its domain gave away: the frame stays until that mapping goes.
 */
#include "hypercall/memory.h"
#include "lib/string.h"
#include "mm/heap.h"

/* What one chunk needs to remember: limited by what the small-object allocator gives. */
#define MAX_CHUNK_ORDER 12

struct chunk {
	struct domain *d;
	unsigned long in_list, out_list; /* guest addresses of this chunk's entries */
	unsigned int in_order, out_order, nr_in, nr_out, memflags;
	unsigned int taken, made; /* how many of the arrays below are filled */
	struct page_info **in;	  /* every frame given, referenced */
	struct {
		struct page_info *pg;
		uint64_t gpfn;
	} * out; /* every new extent */
};

/* In use by nobody: our reference and the domain's own are all there is. */
static bool frame_is_idle(const struct page_info *pg)
{
	uint32_t c = READ_ONCE(pg->count_info);

	return (c & (PGC_count | PGC_allocated | PGC_xen_heap)) == (2 | PGC_allocated);
}

static int chunk_take_frame(struct chunk *c, mfn_t mfn)
{
	struct page_info *pg = get_page_from_mfn(mfn, c->d);

	if (!pg)
		return -EINVAL;
	c->in[c->taken++] = pg;
	return frame_is_idle(pg) ? 0 : -EINVAL;
}

static int chunk_take(struct chunk *c)
{
	for (unsigned int i = 0; i < c->nr_in; i++) {
		uint64_t mfn;
		int rc;

		if (!get_guest_u64(&mfn, c->in_list + i * sizeof(mfn)))
			return -EFAULT;
		for (unsigned long j = 0; j < 1UL << c->in_order; j++) {
			rc = chunk_take_frame(c, mfn + j);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int chunk_make(struct chunk *c)
{
	for (unsigned int i = 0; i < c->nr_out; i++) {
		if (!get_guest_u64(&c->out[i].gpfn, c->out_list + i * sizeof(uint64_t)))
			return -EFAULT;
		c->out[i].pg = heap_alloc(c->out_order, c->memflags);
		if (!c->out[i].pg)
			return -ENOMEM;
		c->made++;
	}
	return 0;
}

static void chunk_undo(struct chunk *c)
{
	while (c->taken)
		put_page(c->in[--c->taken]);
	while (c->made)
		heap_free(c->out[--c->made].pg, c->out_order, false);
}

static int chunk_commit(struct chunk *c)
{
	int rc = 0;

	for (unsigned int i = 0; i < c->taken; i++) {
		domain_page_release(c->d, c->in[i]);
		m2p_set(page_to_mfn(c->in[i]), INVALID_M2P_ENTRY);
		put_page(c->in[i]);
	}
	for (unsigned int i = 0; i < c->made; i++) {
		mfn_t mfn = page_to_mfn(c->out[i].pg);

		/* Fails if the domain began to die, or spent its allowance, since its frames went. */
		if (domain_page_assign(c->d, c->out[i].pg, c->out_order)) {
			heap_free(c->out[i].pg, c->out_order, false);
			rc = -ENOMEM;
			continue;
		}
		for (unsigned long j = 0; j < 1UL << c->out_order; j++)
			m2p_set(mfn + j, c->out[i].gpfn + j);
		if (!put_guest_u64(c->out_list + i * sizeof(uint64_t), mfn))
			rc = -EFAULT;
	}
	return rc;
}

static int chunk_exchange(struct chunk *c)
{
	int rc;

	c->taken = c->made = 0;
	rc = chunk_take(c);
	if (!rc)
		rc = chunk_make(c);
	if (!rc)
		return chunk_commit(c);
	chunk_undo(c);
	return rc;
}

static int exchange_check(const struct domain *caller, const struct xen_memory_exchange *x)
{
	unsigned int in = x->in.extent_order, out = x->out.extent_order;

	if (max(in, out) > memory_max_order(caller))
		return -EPERM;
	if (x->nr_exchanged > x->in.nr_extents || x->in.domid != x->out.domid ||
	    ~0UL >> in < x->in.nr_extents || ~0UL >> out < x->out.nr_extents ||
	    x->in.nr_extents << in != x->out.nr_extents << out)
		return -EINVAL;
	if (!guest_handle_okay(x->in.extent_start, x->in.nr_extents) ||
	    !guest_handle_okay(x->out.extent_start, x->out.nr_extents))
		return -EFAULT;
	return max(in, out) > MAX_CHUNK_ORDER ? -ENOMEM : 0;
}

static int exchange_run(struct chunk *c, struct xen_memory_exchange *x)
{
	unsigned long in_done = x->nr_exchanged - x->nr_exchanged % c->nr_in, first = in_done;
	int rc;

	for (; in_done < x->in.nr_extents; in_done += c->nr_in) {
		x->nr_exchanged = in_done;
		if (in_done != first && irq_window())
			return -ERESTART;
		c->in_list = (unsigned long)(x->in.extent_start.p + in_done);
		c->out_list = (unsigned long)(x->out.extent_start.p +
					      (in_done << c->in_order >> c->out_order));
		rc = chunk_exchange(c);
		if (rc)
			return rc;
	}
	x->nr_exchanged = x->in.nr_extents;
	return 0;
}

SUBOP_HANDLER(memory_exchange, struct xen_memory_exchange *x)
{
	unsigned int order = max(x->in.extent_order, x->out.extent_order);
	struct chunk c = {
		.d = hc->target, .in_order = x->in.extent_order, .out_order = x->out.extent_order};
	int rc = exchange_check(hc->d, x);

	hc->copy_out = true; /* how far we came */
	if (rc)
		return rc;
	if (!memory_flags(hc->d, x->out.mem_flags, &c.memflags))
		return -EINVAL;
	c.nr_in = 1u << (order - c.in_order);
	c.nr_out = 1u << (order - c.out_order);
	c.in = kzalloc(sizeof(*c.in) << order);
	c.out = kzalloc(sizeof(*c.out) * c.nr_out);
	rc = c.in && c.out ? exchange_run(&c, x) : -ENOMEM;
	kfree(c.in);
	kfree(c.out);
	return rc;
}
