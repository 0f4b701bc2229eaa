/* SPDX-License-Identifier: MIT */
/*
 * HYPERVISOR_grant_table_op: every operation works on an array. Here the elements are copied,
 * results written back, and long arrays interrupted; the handlers do one element at a time. Mapping
 * and copying are in core/grant_*.c; what only looks at a table, or moves its entries, is here.
 *
 * Continuation, as Xen encodes it: the pointer moves past the finished elements and the count
 * shrinks. cache_flush alone keeps more, where its search through a table stands, in the command's
 * upper 20 bits.
 *
 * Lock: the table's gt->lock for each step.
 */
#include "core/grant_table.h"
#include "hypercall/dispatch.h"
#include "lib/string.h"

#define CMD_BITS   12
#define CMD_MASK   ((1u << CMD_BITS) - 1)
#define CACHE_LINE 64

struct grant_batch {
	unsigned long va;     /* of what is left of the array */
	unsigned int count;   /* its elements */
	grant_ref_t progress; /* cache_flush */
	struct grant_unmaps unmaps;
	struct grant_copy_state copy;
};

static int op_map(struct grant_batch *b, void *arg)
{
	struct gnttab_map_grant_ref *op = arg;

	op->status = grant_map(op);
	return 0;
}

static int op_unmap(struct grant_batch *b, void *arg)
{
	struct gnttab_unmap_grant_ref *op = arg;

	op->status = grant_unmap(&b->unmaps, op->handle, op->host_addr, op->dev_bus_addr, 0);
	return 0;
}

static int op_unmap_and_replace(struct grant_batch *b, void *arg)
{
	struct gnttab_unmap_and_replace *op = arg;

	op->status = grant_unmap(&b->unmaps, op->handle, op->host_addr, 0, op->new_addr);
	return 0;
}

/* By the ABI a frame leaves its owner even when a transfer fails, unless the status is this one. */
static int refuse_transfer(struct grant_batch *b, void *arg)
{
	struct gnttab_transfer *op = arg;

	op->status = GNTST_bad_page;
	return 0;
}

static int op_copy(struct grant_batch *b, void *arg)
{
	struct gnttab_copy *op = arg;

	op->status = grant_copy(&b->copy, op);
	return 0;
}

static void bytes_swap(void *a, void *b, size_t n)
{
	char t[sizeof(grant_entry_v2_t)];

	memcpy(t, a, n);
	memcpy(a, b, n);
	memcpy(b, t, n);
}

static int16_t entries_swap(struct grant_table *gt, grant_ref_t a, grant_ref_t b)
{
	unsigned int entries = grant_entries(gt);

	if (a >= entries || b >= entries)
		return GNTST_bad_gntref;
	a = (grant_ref_t)array_index_nospec(a, entries);
	b = (grant_ref_t)array_index_nospec(b, entries);
	if (a == b)
		return GNTST_okay;
	if (grant_active(gt, a)->pin || grant_active(gt, b)->pin)
		return GNTST_eagain;
	if (gt->version == 1) {
		bytes_swap(grant_v1(gt, a), grant_v1(gt, b), sizeof(grant_entry_v1_t));
	} else {
		bytes_swap(grant_v2(gt, a), grant_v2(gt, b), sizeof(grant_entry_v2_t));
		bytes_swap(grant_status_v2(gt, a), grant_status_v2(gt, b), sizeof(grant_status_t));
	}
	return GNTST_okay;
}

static int op_swap(struct grant_batch *b, void *arg)
{
	struct grant_table *gt = current->domain->grant;
	struct gnttab_swap_grant_ref *op = arg;

	spin_lock(&gt->lock);
	op->status = entries_swap(gt, op->ref_a, op->ref_b);
	spin_unlock(&gt->lock);
	return 0;
}

/* Has the caller the frame in use by a grant of this table? Looks from @ref on. */
static int cache_flush_allowed(struct grant_table *gt, mfn_t mfn, grant_ref_t *ref)
{
	int rc = -EINVAL;

	spin_lock(&gt->lock);
	while (rc == -EINVAL && *ref < grant_entries(gt)) {
		const struct grant_active *act = grant_active(gt, (*ref)++);

		if (act->pin && act->user == current->domain->domain_id && act->mfn == mfn)
			rc = 0;
		else if (!(*ref & CMD_MASK))
			rc = -ERESTART;
	}
	spin_unlock(&gt->lock);
	return rc;
}

static void cache_flush_range(const char *va, unsigned int len)
{
	const char *end = va + len;

	for (va -= (unsigned long)va % CACHE_LINE; va < end; va += CACHE_LINE)
		__asm__ __volatile__("clflush %0" ::"m"(*va) : "memory");
}

static int op_cache_flush(struct grant_batch *b, void *arg)
{
	const struct gnttab_cache_flush *op = arg;
	mfn_t mfn = op->a.dev_bus_addr >> PAGE_SHIFT;
	struct domain *owner;
	struct page_info *pg;
	int rc = 0;

	if (op->offset >= PAGE_SIZE || op->length > PAGE_SIZE ||
	    (unsigned int)op->offset + op->length > PAGE_SIZE ||
	    (op->op & ~(GNTTAB_CACHE_INVAL | GNTTAB_CACHE_CLEAN)))
		return -EINVAL;
	if (!op->length || !op->op)
		return b->progress ? -EILSEQ : 0;
	if (!mfn_valid(mfn))
		return -EINVAL;
	pg = mfn_to_page(array_index_nospec(mfn, max_page));
	owner = get_page_owner(pg);
	if (!owner)
		return -EPERM;
	if (!owner->grant)
		rc = -EPERM;
	else if (owner != current->domain)
		rc = cache_flush_allowed(owner->grant, mfn, &b->progress);
	if (!rc && op->op == GNTTAB_CACHE_INVAL) /* alone it would let stale data show through */
		rc = -EOPNOTSUPP;
	if (!rc) {
		cache_flush_range((const char *)mfn_to_virt(mfn) + op->offset, op->length);
		b->progress = 0;
	}
	put_page(pg);
	return rc;
}

/* The domain whose table is meant, referenced; else *status says what is wrong. */
static struct domain *table_of(domid_t id, int16_t *status)
{
	struct domain *d = domain_get_any(id);

	*status = d ? GNTST_okay : GNTST_bad_domain;
	if (d && d != current->domain && !domain_controls(current->domain, d)) {
		*status = GNTST_permission_denied;
		domain_put(d);
		d = NULL;
	}
	return d;
}

/* The numbers of the first @nr pages to the guest's array. (L: lock) */
static int16_t frames_list(const struct grant_pages *pages, unsigned int nr, unsigned long va)
{
	if (nr > pages->nr)
		return GNTST_general_error;
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t mfn = virt_to_mfn(pages->page[array_index_nospec(i, pages->nr)]);

		if (copy_to_guest_va(va + i * sizeof(mfn), &mfn, sizeof(mfn)))
			return GNTST_bad_virt_addr;
	}
	return GNTST_okay;
}

static int op_setup_table(struct grant_batch *b, void *arg)
{
	struct gnttab_setup_table *op = arg;
	struct grant_table *gt;
	struct domain *d;

	if (!guest_handle_okay(op->frame_list, op->nr_frames))
		return -EFAULT;
	d = table_of(op->dom, &op->status);
	if (!d)
		return 0;
	gt = d->grant;
	spin_lock(&gt->lock);
	if (op->nr_frames <= gt->shared.max)
		(void)grant_grow(gt, op->nr_frames);
	op->status = frames_list(&gt->shared, op->nr_frames, (unsigned long)op->frame_list.p);
	spin_unlock(&gt->lock);
	domain_put(d);
	return 0;
}

static int op_get_status_frames(struct grant_batch *b, void *arg)
{
	struct gnttab_get_status_frames *op = arg;
	struct domain *d;

	if (!guest_handle_okay(op->frame_list, op->nr_frames))
		return -EFAULT;
	d = table_of(op->dom, &op->status);
	if (!d)
		return 0;
	spin_lock(&d->grant->lock);
	op->status = frames_list(&d->grant->status, op->nr_frames, (unsigned long)op->frame_list.p);
	spin_unlock(&d->grant->lock);
	domain_put(d);
	return 0;
}

static int op_query_size(struct grant_batch *b, void *arg)
{
	struct gnttab_query_size *op = arg;
	struct domain *d = table_of(op->dom, &op->status);

	if (!d)
		return 0;
	op->nr_frames = READ_ONCE(d->grant->shared.nr);
	op->max_nr_frames = d->grant->shared.max;
	domain_put(d);
	return 0;
}

static int op_set_version(struct grant_batch *b, void *arg)
{
	struct gnttab_set_version *op = arg;

	return grant_set_version(current->domain, &op->version);
}

static int op_get_version(struct grant_batch *b, void *arg)
{
	struct gnttab_get_version *op = arg;
	int16_t status;
	struct domain *d = table_of(op->dom, &status);

	if (!d)
		return status == GNTST_bad_domain ? -ESRCH : -EPERM;
	op->version = READ_ONCE(d->grant->version);
	domain_put(d);
	return 0;
}

enum grant_count {
	COUNT_any,    /* an array; its whole range is checked before the first element */
	COUNT_one,    /* other numbers are refused */
	COUNT_ignored /* one element */
};

/* One row an operation. The element from @out on is written back. */
struct grant_op {
	uint8_t size, out, count;
	int (*fn)(struct grant_batch *b, void *element); /* NULL: -ENOSYS, as on Xen */
};
#define GRANT_OP(type, field, c, f)                                                               \
	{                                                                                         \
		.size = sizeof(type), .out = offsetof(type, field), .count = COUNT_##c, .fn = (f) \
	}

static const struct grant_op grant_ops[] = {
	[GNTTABOP_map_grant_ref] = GRANT_OP(struct gnttab_map_grant_ref, status, any, op_map),
	[GNTTABOP_unmap_grant_ref] = GRANT_OP(struct gnttab_unmap_grant_ref, status, any, op_unmap),
	[GNTTABOP_setup_table] = GRANT_OP(struct gnttab_setup_table, status, one, op_setup_table),
	[GNTTABOP_transfer] = GRANT_OP(struct gnttab_transfer, status, any, refuse_transfer),
	[GNTTABOP_copy] = GRANT_OP(struct gnttab_copy, status, any, op_copy),
	[GNTTABOP_query_size] = GRANT_OP(struct gnttab_query_size, nr_frames, one, op_query_size),
	[GNTTABOP_unmap_and_replace] =
		GRANT_OP(struct gnttab_unmap_and_replace, status, any, op_unmap_and_replace),
	[GNTTABOP_set_version] =
		GRANT_OP(struct gnttab_set_version, version, ignored, op_set_version),
	[GNTTABOP_get_status_frames] =
		GRANT_OP(struct gnttab_get_status_frames, status, one, op_get_status_frames),
	[GNTTABOP_get_version] =
		GRANT_OP(struct gnttab_get_version, version, ignored, op_get_version),
	[GNTTABOP_swap_grant_ref] = GRANT_OP(struct gnttab_swap_grant_ref, status, any, op_swap),
	[GNTTABOP_cache_flush] = {.size = sizeof(struct gnttab_cache_flush),
				  .out = sizeof(struct gnttab_cache_flush),
				  .fn = op_cache_flush},
};

/* The range of the array has been checked. */
static int batch_run(struct grant_batch *b, const struct grant_op *op)
{
	uint64_t element[8];
	unsigned int size = op->size, out = op->out;

	for (bool first = true; b->count; b->count--, b->va += size, first = false) {
		int rc;

		/* A preemption point is no place for mappings half undone. */
		if (!first && !b->unmaps.nr && irq_window())
			return -ERESTART;
		if (guest_copy_raw(element, (const void *)b->va, size))
			return -EFAULT;
		rc = op->fn(b, element);
		if (guest_copy_raw((char *)b->va + out, (char *)element + out, size - out))
			return -EFAULT;
		if (rc)
			return rc;
	}
	return 0;
}

HYPERCALL_FN(grant_table_op)
{
	uint32_t cmd = (uint32_t)a1 & CMD_MASK;
	const struct grant_op *op;
	struct grant_batch b;
	int rc;

	b.va = a2;
	b.count = (unsigned int)a3;
	b.progress = (uint32_t)a1 & ~CMD_MASK;
	b.unmaps.nr = 0;
	b.copy.source.d = b.copy.dest.d = NULL;
	if ((int32_t)b.count < 0 || (b.progress && cmd != GNTTABOP_cache_flush))
		return -EINVAL;
	if (cmd >= ARRAY_SIZE(grant_ops))
		return -ENOSYS;
	op = &grant_ops[array_index_nospec(cmd, ARRAY_SIZE(grant_ops))];
	if (!op->fn)
		return -ENOSYS;
	if (op->count == COUNT_one && b.count != 1)
		return -EINVAL;
	if (op->count == COUNT_ignored)
		b.count = 1;
	if (!guest_access_ok(b.va, (unsigned long)op->size * b.count))
		return -EFAULT;
	rc = batch_run(&b, op);
	grant_unmap_flush(&b.unmaps);
	grant_copy_finish(&b.copy);
	if (rc != -ERESTART)
		return rc;
	return hypercall_continue_with(__HYPERVISOR_grant_table_op, cmd | b.progress, b.va,
				       b.count);
}
