/* SPDX-License-Identifier: MIT */
/*
 * HYPERVISOR_grant_table_op: every operation works on an array. Here the elements are copied,
 * results written back, and long arrays interrupted; core/grant_*.c does one element at a time.
 *
 * Continuation, as Xen encodes it: the pointer moves past the finished elements and the count
 * shrinks. cache_flush alone keeps more, where its search through a table stands, in the command's
 * upper 20 bits.
 */
#include "core/grant.h"
#include "hypercall/dispatch.h"
#include "x86/smp.h"

#define CMD_BITS    12
#define CMD_MASK    ((1u << CMD_BITS) - 1)
#define UNMAP_BATCH 32 /* unmappings a TLB flush */

struct grant_batch {
	unsigned long va;     /* of the array */
	unsigned int count;   /* its elements */
	unsigned int done;    /* of which finished */
	grant_ref_t progress; /* cache_flush */
};

static bool batch_yields(const struct grant_batch *b)
{
	return b->done && hypercall_preempt_check();
}

#define element_va(b, type) ((b)->va + (unsigned long)(b)->done * sizeof(type))
#define element_get(b, op)  (!copy_from_guest_va(op, element_va(b, *(op)), sizeof(*(op))))
#define element_put(b, op)  (!copy_to_guest_va(element_va(b, *(op)), op, sizeof(*(op))))
#define element_put_field(b, op, field)                                               \
	(!copy_to_guest_va(element_va(b, *(op)) + offsetof(__typeof__(*(op)), field), \
			   &(op)->field, sizeof((op)->field)))

static long op_map(struct grant_batch *b)
{
	struct gnttab_map_grant_ref op;

	for (; b->done < b->count; b->done++) {
		if (batch_yields(b))
			return -ERESTART;
		if (!element_get(b, &op))
			return -EFAULT;
		grant_map(&op);
		if (!element_put(b, &op))
			return -EFAULT;
	}
	return 0;
}

static bool unmap_one(struct grant_batch *b, struct grant_unmap *u)
{
	struct gnttab_unmap_grant_ref op;

	if (!element_get(b, &op))
		return false;
	*u = (struct grant_unmap){
		.host_addr = op.host_addr,
		.dev_bus_addr = op.dev_bus_addr,
		.handle = op.handle,
	};
	op.status = grant_unmap_begin(u);
	return element_put_field(b, &op, status);
}

static bool unmap_and_replace_one(struct grant_batch *b, struct grant_unmap *u)
{
	struct gnttab_unmap_and_replace op;

	if (!element_get(b, &op))
		return false;
	*u = (struct grant_unmap){
		.host_addr = op.host_addr,
		.new_addr = op.new_addr,
		.handle = op.handle,
	};
	op.status = grant_unmap_begin(u);
	return element_put_field(b, &op, status);
}

/* Nobody gets the frames back before every CPU has forgotten the mappings. */
static void unmap_flush(const struct grant_unmap *u, unsigned int n)
{
	unsigned int done = 0;

	for (unsigned int i = 0; i < n; i++)
		done |= u[i].done;
	if (!done)
		return;
	tlb_flush_mask(&current->domain->dirty_cpus, FLUSH_TLB, 0);
	for (unsigned int i = 0; i < n; i++)
		grant_unmap_end(&u[i]);
}

static long unmap_all(struct grant_batch *b,
		      bool (*one)(struct grant_batch *, struct grant_unmap *))
{
	struct grant_unmap u[UNMAP_BATCH];
	unsigned int n;
	bool ok = true;

	while (ok && b->done < b->count) {
		if (batch_yields(b))
			return -ERESTART;
		for (n = 0; ok && n < UNMAP_BATCH && b->done < b->count; n++) {
			u[n].done = 0;
			ok = one(b, &u[n]);
			b->done += ok;
		}
		unmap_flush(u, n);
	}
	return ok ? 0 : -EFAULT;
}

static long op_unmap(struct grant_batch *b)
{
	return unmap_all(b, unmap_one);
}

static long op_unmap_and_replace(struct grant_batch *b)
{
	return unmap_all(b, unmap_and_replace_one);
}

/* By the ABI a frame leaves its owner even when a transfer fails, unless the status is this one. */
static long refuse_transfer(struct grant_batch *b)
{
	struct gnttab_transfer op = {.status = GNTST_bad_page};

	for (; b->done < b->count; b->done++) {
		if (batch_yields(b))
			return -ERESTART;
		if (!element_put_field(b, &op, status))
			return -EFAULT;
	}
	return 0;
}

static long copy_all(struct grant_batch *b, struct grant_copy_state *s)
{
	struct gnttab_copy op;

	for (; b->done < b->count; b->done++) {
		if (batch_yields(b))
			return -ERESTART;
		if (!element_get(b, &op))
			return -EFAULT;
		op.status = grant_copy(s, &op);
		if (!element_put_field(b, &op, status))
			return -EFAULT;
	}
	return 0;
}

static long op_copy(struct grant_batch *b)
{
	struct grant_copy_state s = {};
	long rc = copy_all(b, &s);

	grant_copy_finish(&s);
	return rc;
}

static long op_swap(struct grant_batch *b)
{
	struct gnttab_swap_grant_ref op;

	for (; b->done < b->count; b->done++) {
		if (batch_yields(b))
			return -ERESTART;
		if (!element_get(b, &op))
			return -EFAULT;
		op.status = grant_swap(current->domain, op.ref_a, op.ref_b);
		if (!element_put_field(b, &op, status))
			return -EFAULT;
	}
	return 0;
}

static long op_cache_flush(struct grant_batch *b)
{
	struct gnttab_cache_flush op;
	int rc;

	for (; b->done < b->count; b->done++) {
		if (batch_yields(b))
			return -ERESTART;
		if (!element_get(b, &op))
			return -EFAULT;
		while ((rc = grant_cache_flush(current->domain, &op, &b->progress)) > 0)
			if (hypercall_preempt_check())
				return -ERESTART;
		if (rc)
			return rc;
		b->progress = 0;
	}
	return 0;
}

/* The domain whose table is meant, referenced; else *status says what is wrong. */
static struct domain *table_of(domid_t id, int16_t *status)
{
	struct domain *d = domain_get_any(id);

	*status = GNTST_okay;
	if (!d || !d->grant) {
		*status = GNTST_bad_domain;
	} else if (d != current->domain && !domain_controls(current->domain, d)) {
		*status = GNTST_permission_denied;
	}
	if (*status == GNTST_okay || !d)
		return d;
	domain_put(d);
	return NULL;
}

static int16_t list_frames(struct domain *d, mfn_t (*frame)(struct domain *, unsigned int),
			   unsigned long va, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t mfn = frame(d, i);

		if (copy_to_guest_va(va + i * sizeof(mfn), &mfn, sizeof(mfn)))
			return GNTST_bad_virt_addr;
	}
	return GNTST_okay;
}

static long op_setup_table(struct grant_batch *b)
{
	struct gnttab_setup_table op;
	struct domain *d;

	if (b->count != 1)
		return -EINVAL;
	if (!element_get(b, &op))
		return -EFAULT;
	if (!guest_handle_okay(op.frame_list, op.nr_frames))
		return -EFAULT;
	d = table_of(op.dom, &op.status);
	if (d) {
		op.status = grant_setup(d, op.nr_frames);
		if (op.status == GNTST_okay)
			op.status = list_frames(d, grant_shared_mfn, (unsigned long)op.frame_list.p,
						op.nr_frames);
		domain_put(d);
	}
	return element_put_field(b, &op, status) ? 0 : -EFAULT;
}

static long op_get_status_frames(struct grant_batch *b)
{
	struct gnttab_get_status_frames op;
	struct domain *d;

	if (b->count != 1)
		return -EINVAL;
	if (!element_get(b, &op))
		return -EFAULT;
	if (!guest_handle_okay(op.frame_list, op.nr_frames))
		return -EFAULT;
	d = table_of(op.dom, &op.status);
	if (d) {
		if (op.nr_frames > grant_nr_status_frames(d))
			op.status = GNTST_general_error;
		else
			op.status = list_frames(d, grant_status_mfn, (unsigned long)op.frame_list.p,
						op.nr_frames);
		domain_put(d);
	}
	return element_put_field(b, &op, status) ? 0 : -EFAULT;
}

static long op_query_size(struct grant_batch *b)
{
	struct gnttab_query_size op;
	struct domain *d;

	if (b->count != 1)
		return -EINVAL;
	if (!element_get(b, &op))
		return -EFAULT;
	d = table_of(op.dom, &op.status);
	if (d) {
		grant_query_size(d, &op.nr_frames, &op.max_nr_frames);
		domain_put(d);
	}
	return element_put(b, &op) ? 0 : -EFAULT;
}

static long op_set_version(struct grant_batch *b)
{
	struct gnttab_set_version op;
	int rc;

	if (!element_get(b, &op))
		return -EFAULT;
	rc = grant_set_version(current->domain, &op.version);
	return element_put(b, &op) ? rc : -EFAULT;
}

static long op_get_version(struct grant_batch *b)
{
	struct gnttab_get_version op;
	struct domain *d;
	int16_t status;

	if (!element_get(b, &op))
		return -EFAULT;
	d = table_of(op.dom, &status);
	if (!d)
		return status == GNTST_bad_domain ? -ESRCH : -EPERM;
	op.version = grant_get_version(d);
	domain_put(d);
	return element_put_field(b, &op, version) ? 0 : -EFAULT;
}

/* One row an operation. @vector: the array's whole range is checked before the first element. */
struct grant_op {
	const char *name;
	uint16_t size;
	bool vector;
	long (*fn)(struct grant_batch *b); /* NULL: -ENOSYS, as on Xen */
};
#define GRANT_VECTOR(cmd, type, f) [cmd] = {#cmd, sizeof(type), true, (f)}
#define GRANT_SINGLE(cmd, type, f) [cmd] = {#cmd, sizeof(type), false, (f)}

static const struct grant_op grant_ops[] = {
	GRANT_VECTOR(GNTTABOP_map_grant_ref, struct gnttab_map_grant_ref, op_map),
	GRANT_VECTOR(GNTTABOP_unmap_grant_ref, struct gnttab_unmap_grant_ref, op_unmap),
	GRANT_SINGLE(GNTTABOP_setup_table, struct gnttab_setup_table, op_setup_table),
	GRANT_SINGLE(GNTTABOP_dump_table, struct gnttab_dump_table, NULL),
	GRANT_VECTOR(GNTTABOP_transfer, struct gnttab_transfer, refuse_transfer),
	GRANT_VECTOR(GNTTABOP_copy, struct gnttab_copy, op_copy),
	GRANT_SINGLE(GNTTABOP_query_size, struct gnttab_query_size, op_query_size),
	GRANT_VECTOR(GNTTABOP_unmap_and_replace, struct gnttab_unmap_and_replace,
		     op_unmap_and_replace),
	GRANT_SINGLE(GNTTABOP_set_version, struct gnttab_set_version, op_set_version),
	GRANT_SINGLE(GNTTABOP_get_status_frames, struct gnttab_get_status_frames,
		     op_get_status_frames),
	GRANT_SINGLE(GNTTABOP_get_version, struct gnttab_get_version, op_get_version),
	GRANT_VECTOR(GNTTABOP_swap_grant_ref, struct gnttab_swap_grant_ref, op_swap),
	GRANT_VECTOR(GNTTABOP_cache_flush, struct gnttab_cache_flush, op_cache_flush),
};

HYPERCALL_FN(grant_table_op)
{
	uint32_t cmd = (uint32_t)a1 & CMD_MASK;
	struct grant_batch b = {
		.va = a2,
		.count = (unsigned int)a3,
		.progress = (uint32_t)a1 & ~CMD_MASK,
	};
	const struct grant_op *op;
	long rc;

	if ((int32_t)b.count < 0 || (b.progress && cmd != GNTTABOP_cache_flush))
		return -EINVAL;
	if (cmd >= ARRAY_SIZE(grant_ops))
		return -ENOSYS;
	op = &grant_ops[array_index_nospec(cmd, ARRAY_SIZE(grant_ops))];
	if (!op->fn)
		return -ENOSYS;
	if (op->vector && !guest_access_ok(b.va, (unsigned long)op->size * b.count))
		return -EFAULT;
	rc = op->fn(&b);
	if (rc != -ERESTART)
		return rc;
	return hypercall_continue_with(__HYPERVISOR_grant_table_op, cmd | b.progress,
				       b.va + (unsigned long)b.done * op->size, b.count - b.done);
}
