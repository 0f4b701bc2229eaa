/* SPDX-License-Identifier: MIT */
/*
 * The small operations on a grant table: its size and frames, swapping two entries, flushing caches
 * of a granted frame, and what the log shows of it.
 *
 * Lock: the table's gt->lock for each step. Nothing here changes what is mapped.
 */
#include "core/grant_table.h"

#define CACHE_LINE 64

uint32_t grant_get_version(const struct domain *d)
{
	return READ_ONCE(d->grant->version);
}

int16_t grant_setup(struct domain *d, unsigned int nr_frames)
{
	struct grant_table *gt = d->grant;
	int16_t rc = GNTST_okay;

	if (nr_frames > gt->max_frames)
		return GNTST_general_error;
	spin_lock(&gt->lock);
	if (nr_frames > gt->nr_frames && grant_grow(gt, nr_frames))
		rc = GNTST_general_error;
	spin_unlock(&gt->lock);
	return rc;
}

void grant_query_size(struct domain *d, unsigned int *nr, unsigned int *limit)
{
	*nr = READ_ONCE(d->grant->nr_frames);
	*limit = d->grant->max_frames;
}

unsigned int grant_nr_status_frames(struct domain *d)
{
	return READ_ONCE(d->grant->nr_status);
}

static mfn_t page_mfn(struct grant_table *gt, void **array, const unsigned int *nr, unsigned int i)
{
	mfn_t mfn = INVALID_MFN;

	spin_lock(&gt->lock);
	if (i < *nr)
		mfn = virt_to_mfn(array[array_index_nospec(i, *nr)]);
	spin_unlock(&gt->lock);
	return mfn;
}

mfn_t grant_shared_mfn(struct domain *d, unsigned int i)
{
	return page_mfn(d->grant, d->grant->shared, &d->grant->nr_frames, i);
}

mfn_t grant_status_mfn(struct domain *d, unsigned int i)
{
	return page_mfn(d->grant, d->grant->status, &d->grant->nr_status, i);
}

static void swap_entries(struct grant_table *gt, grant_ref_t a, grant_ref_t b)
{
	if (gt->version == 1) {
		grant_entry_v1_t e = *grant_v1(gt, a);

		*grant_v1(gt, a) = *grant_v1(gt, b);
		*grant_v1(gt, b) = e;
	} else {
		grant_entry_v2_t e = *grant_v2(gt, a);
		grant_status_t s = *grant_status_v2(gt, a);

		*grant_v2(gt, a) = *grant_v2(gt, b);
		*grant_status_v2(gt, a) = *grant_status_v2(gt, b);
		*grant_v2(gt, b) = e;
		*grant_status_v2(gt, b) = s;
	}
}

int16_t grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b)
{
	struct grant_table *gt = d->grant;
	unsigned int entries;
	int16_t rc = GNTST_okay;

	spin_lock(&gt->lock);
	entries = grant_entries(gt);
	if (a >= entries || b >= entries) {
		rc = GNTST_bad_gntref;
	} else {
		a = (grant_ref_t)array_index_nospec(a, entries);
		b = (grant_ref_t)array_index_nospec(b, entries);
		if (a != b && (grant_active(gt, a)->pin || grant_active(gt, b)->pin))
			rc = GNTST_eagain;
		else if (a != b)
			swap_entries(gt, a, b);
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

/*
 * Has @user the frame in use by a grant of this table? Looks at 4096 entries from *cur_ref: 0
 * found, 1 look further, -EINVAL not there.
 */
static int cache_flush_allowed(struct grant_table *gt, const struct domain *user, mfn_t mfn,
			       grant_ref_t *cur_ref)
{
	grant_ref_t ref, end;
	int rc = -EINVAL;

	spin_lock(&gt->lock);
	end = min(grant_entries(gt), (*cur_ref & ~0xfffu) + 0x1000);
	for (ref = *cur_ref; ref < end && rc; ref++) {
		const struct grant_active *act = grant_active(gt, ref);

		if (act->pin && act->user == user->domain_id && act->mfn == mfn)
			rc = 0;
	}
	if (rc && ref < grant_entries(gt)) {
		*cur_ref = ref;
		rc = 1;
	}
	spin_unlock(&gt->lock);
	return rc;
}

int grant_cache_flush(struct domain *d, const struct gnttab_cache_flush *op, grant_ref_t *cur_ref)
{
	mfn_t mfn = op->a.dev_bus_addr >> PAGE_SHIFT;
	struct domain *owner;
	struct page_info *pg;
	int rc = 0;

	if (op->offset >= PAGE_SIZE || op->length > PAGE_SIZE ||
	    (unsigned int)op->offset + op->length > PAGE_SIZE ||
	    (op->op & ~(GNTTAB_CACHE_INVAL | GNTTAB_CACHE_CLEAN)))
		return -EINVAL;
	if (!op->length || !op->op)
		return *cur_ref ? -EILSEQ : 0;
	if (!mfn_valid(mfn))
		return -EINVAL;
	pg = mfn_to_page(array_index_nospec(mfn, max_page));
	owner = get_page_owner(pg);
	if (!owner)
		return -EPERM;
	if (!owner->grant)
		rc = -EPERM;
	else if (owner != d)
		rc = cache_flush_allowed(owner->grant, d, mfn, cur_ref);
	if (!rc && op->op == GNTTAB_CACHE_INVAL) /* alone it would let stale data show through */
		rc = -EOPNOTSUPP;
	if (!rc)
		cache_flush_range((const char *)mfn_to_virt(mfn) + op->offset, op->length);
	put_page(pg);
	return rc;
}

unsigned int grant_table_active(struct domain *d)
{
	struct grant_table *gt = d->grant;
	unsigned int n = 0;

	spin_lock(&gt->lock);
	for (grant_ref_t ref = 0; ref < grant_entries(gt); ref++)
		n += grant_active(gt, ref)->pin != 0;
	spin_unlock(&gt->lock);
	return n;
}

unsigned int grant_table_mapped(struct domain *d)
{
	return READ_ONCE(d->grant->mapped);
}

/* Lines for at most @limit entries in use. */
static unsigned int print_active(struct grant_table *gt, unsigned int limit)
{
	unsigned int n = 0;

	spin_lock(&gt->lock);
	for (grant_ref_t ref = 0; ref < grant_entries(gt); ref++) {
		const struct grant_active *act = grant_active(gt, ref);

		if (!act->pin)
			continue;
		if (n++ < limit)
			printk("    [%#05x] d%u mfn %#lx pin %08x%s\n", ref, act->user, act->mfn,
			       act->pin, act->sub_page ? " part" : "");
	}
	spin_unlock(&gt->lock);
	return n;
}

void grant_table_warn_active(struct domain *d)
{
	unsigned int n = d->grant ? print_active(d->grant, 10) : 0;

	if (n)
		printk(LOG_WARN "d%u: %u grants still in use by others\n", d->domain_id, n);
}

void grant_dump(struct domain *d)
{
	struct grant_table *gt = d->grant;

	if (!gt)
		return;
	printk("Grant table of d%u (v%u): %u frames of %u, %u handles of %u in use\n", d->domain_id,
	       gt->version, gt->nr_frames, gt->max_frames, gt->mapped, gt->maptrack_limit);
	if (!print_active(gt, ~0u))
		printk("    no entry in use\n");
}
