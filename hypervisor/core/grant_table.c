/* SPDX-License-Identifier: MIT */
/*
 * The life of a domain's grant table: creation with its limits, growth, the frames it shares with
 * the guest, the two entry formats and the switch between them, seeding by the tools.
 *
 * Invariant: `shared`, `active` and, in version 2, `status` cover the same entries at any time the
 * lock is free; every page in `shared` and `status` is shared with the domain. Growing reserves all
 * pages first and then publishes.
 */
#include "core/grant_table.h"

#include "lib/string.h"
#include <xen/memory.h>

#define MAX_ARRAY (1u << 20) /* pages a limit may ask for: far beyond use, small enough for sums */

unsigned int grant_opt_max_frames = 64;
unsigned int grant_opt_max_maptrack = 1024;
unsigned int grant_opt_max_version = 2;
bool grant_opt_transitive = true;

static unsigned int array_order(unsigned int entries)
{
	unsigned long pages = PFN_UP((unsigned long)entries * sizeof(void *));

	return pages > 1 ? fls64(pages - 1) + 1 : 0;
}

static void **array_alloc(unsigned int entries)
{
	return pages_alloc(array_order(entries));
}

static void array_free(void **array, unsigned int entries)
{
	if (array)
		pages_free(array, array_order(entries));
}

int grant_pages_alloc(void **array, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		array[i] = page_alloc();
		if (!array[i]) {
			grant_pages_free(array, from, i);
			return -ENOMEM;
		}
	}
	return 0;
}

void grant_pages_free(void **array, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		page_free(array[i]);
		array[i] = NULL;
	}
}

static void pages_share(struct domain *d, void **array, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		share_page_with_guest(array[i], d, true);
}

int grant_grow(struct grant_table *gt, unsigned int nr_frames)
{
	unsigned int frames = max(nr_frames, gt->nr_frames);
	unsigned int status = gt->version == 2 ? grant_status_frames(frames) : gt->nr_status;
	unsigned int active = grant_active_frames(frames);
	int rc;

	rc = grant_pages_alloc(gt->active, grant_active_frames(gt->nr_frames), active);
	if (rc)
		return rc;
	rc = grant_pages_alloc(gt->shared, gt->nr_frames, frames);
	if (rc)
		goto free_active;
	rc = grant_pages_alloc(gt->status, gt->nr_status, status);
	if (rc)
		goto free_shared;
	pages_share(gt->domain, gt->shared, gt->nr_frames, frames);
	pages_share(gt->domain, gt->status, gt->nr_status, status);
	gt->nr_frames = frames;
	gt->nr_status = status;
	return 0;

free_shared:
	grant_pages_free(gt->shared, gt->nr_frames, frames);
free_active:
	grant_pages_free(gt->active, grant_active_frames(gt->nr_frames), active);
	return rc;
}

static int grant_arrays_alloc(struct grant_table *gt)
{
	gt->shared = array_alloc(gt->max_frames);
	gt->status = array_alloc(grant_status_frames(gt->max_frames));
	gt->active = array_alloc(grant_active_frames(gt->max_frames));
	gt->maptrack = array_alloc(gt->max_maptrack);
	return gt->shared && gt->status && gt->active && gt->maptrack ? 0 : -ENOMEM;
}

int grant_table_init(struct domain *d, unsigned int max_grant_frames,
		     unsigned int max_maptrack_frames, unsigned int max_version)
{
	struct grant_table *gt;
	int rc;

	if ((int)max_grant_frames < 0)
		max_grant_frames = grant_opt_max_frames;
	if ((int)max_maptrack_frames < 0)
		max_maptrack_frames = grant_opt_max_maptrack;
	if (!max_version || max_version > grant_opt_max_version || !max_grant_frames ||
	    max_grant_frames > MAX_ARRAY || max_maptrack_frames > MAX_ARRAY)
		return -EINVAL;
	gt = knew(struct grant_table);
	if (!gt)
		return -ENOMEM;
	spin_lock_init(&gt->lock);
	spin_lock_init(&gt->maptrack_lock);
	gt->version = 1;
	gt->max_version = max_version;
	gt->max_frames = max_grant_frames;
	gt->max_maptrack = max_maptrack_frames;
	gt->free_handle = MAPTRACK_NONE;
	gt->domain = d;
	d->grant = gt;
	rc = grant_arrays_alloc(gt);
	if (!rc)
		rc = grant_grow(gt, 1);
	if (rc)
		grant_table_destroy(d);
	return rc;
}

void grant_table_destroy(struct domain *d)
{
	struct grant_table *gt = d->grant;

	if (!gt)
		return;
	ASSERT(!gt->mapped);
	d->grant = NULL;
	grant_pages_free(gt->shared, 0, gt->nr_frames);
	grant_pages_free(gt->status, 0, gt->nr_status);
	grant_pages_free(gt->active, 0, grant_active_frames(gt->nr_frames));
	grant_pages_free(gt->maptrack, 0, gt->maptrack_limit / MAPTRACK_PER_PAGE);
	array_free(gt->shared, gt->max_frames);
	array_free(gt->status, grant_status_frames(gt->max_frames));
	array_free(gt->active, grant_active_frames(gt->max_frames));
	array_free(gt->maptrack, gt->max_maptrack);
	kfree(gt);
}

/* The array that @idx means, and how many grant frames its page needs; 0 if there never is one. */
static unsigned int frame_kind(const struct grant_table *gt, unsigned long *idx, void ***array)
{
	unsigned long i = *idx;

	if (gt->version == 2 && (i & XENMAPIDX_grant_table_status)) {
		i &= ~(unsigned long)XENMAPIDX_grant_table_status;
		if (i >= grant_status_frames(gt->max_frames))
			return 0;
		*array = gt->status;
		*idx = i;
		return min((unsigned int)((i + 1) * STATUS_PER_PAGE / V2_PER_PAGE), gt->max_frames);
	}
	*array = gt->shared;
	return i < gt->max_frames ? (unsigned int)i + 1 : 0;
}

int grant_table_frame(struct domain *d, unsigned long idx, mfn_t *mfn)
{
	struct grant_table *gt = d->grant;
	unsigned int need;
	void **array;
	int rc = -EINVAL;

	spin_lock(&gt->lock);
	need = frame_kind(gt, &idx, &array);
	if (need) {
		rc = array[idx] || !grant_grow(gt, need) ? 0 : -EINVAL;
		if (!rc)
			*mfn = virt_to_mfn(array[idx]);
	}
	spin_unlock(&gt->lock);
	return rc;
}

unsigned int grant_table_max_frames(const struct domain *d, unsigned int id)
{
	if (id == XENMEM_resource_grant_table_id_shared)
		return d->grant->max_frames;
	if (id == XENMEM_resource_grant_table_id_status)
		return grant_status_frames(d->grant->max_frames);
	return 0;
}

void grant_table_seed(struct domain *d, grant_ref_t ref, domid_t to, unsigned long frame,
		      bool readonly)
{
	struct grant_table *gt = d->grant;

	spin_lock(&gt->lock);
	if (gt->version == 1 && ref < grant_entries(gt)) {
		grant_entry_v1_t *e = grant_v1(gt, ref);

		e->domid = to;
		e->frame = (uint32_t)frame;
		smp_wmb();
		WRITE_ONCE(e->flags, (uint16_t)(GTF_permit_access | (readonly ? GTF_readonly : 0)));
	}
	spin_unlock(&gt->lock);
}

/*
 * Changing the format. Entries of the old one are lost but for the reserved ones, which the tools'
 * grants of console and store rings are: those may stay in use throughout.
 */
static int version_refused(const struct grant_table *gt)
{
	for (grant_ref_t ref = GNTTAB_NR_RESERVED_ENTRIES; ref < grant_entries(gt); ref++)
		if (grant_active(gt, ref)->pin)
			return -EBUSY;
	if (gt->version == 1)
		return 0;
	for (grant_ref_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
		const struct grant_active *act = grant_active(gt, ref);
		const grant_entry_v2_t *e = grant_v2(gt, ref);
		unsigned int type = READ_ONCE(e->hdr.flags) & GTF_type_mask;

		if (act->pin && act->sub_page)
			return -EAGAIN;
		if (type == GTF_transitive ||
		    (type == GTF_permit_access && READ_ONCE(e->full_page.frame) >> 32))
			return -ERANGE; /* version 1 cannot say it */
	}
	return 0;
}

static void reserved_save(const struct grant_table *gt, grant_entry_v1_t *save)
{
	if (gt->version == 1) {
		memcpy(save, grant_v1(gt, 0), GNTTAB_NR_RESERVED_ENTRIES * sizeof(*save));
		return;
	}
	for (grant_ref_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
		grant_entry_v2_t e = *grant_v2(gt, ref);

		if ((e.hdr.flags & GTF_type_mask) != GTF_permit_access)
			continue;
		save[ref].flags = e.hdr.flags | *grant_status_v2(gt, ref);
		save[ref].domid = e.hdr.domid;
		save[ref].frame = (uint32_t)e.full_page.frame;
	}
}

static void reserved_restore(const struct grant_table *gt, const grant_entry_v1_t *save)
{
	const uint16_t status = GTF_reading | GTF_writing;

	if (gt->version == 1) {
		memcpy(grant_v1(gt, 0), save, GNTTAB_NR_RESERVED_ENTRIES * sizeof(*save));
		return;
	}
	for (grant_ref_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
		grant_entry_v2_t *e = grant_v2(gt, ref);

		*grant_status_v2(gt, ref) = save[ref].flags & status;
		e->hdr.flags = save[ref].flags & (uint16_t)~status;
		e->hdr.domid = save[ref].domid;
		e->full_page.frame = save[ref].frame;
	}
}

/* Back to version 1: the status pages must be nobody's but ours, or a guest would keep a view of freed memory. */
static int status_unshare(struct grant_table *gt)
{
	for (unsigned int i = 0; i < gt->nr_status; i++) {
		if (unshare_page_with_guest(gt->status[i]))
			continue;
		pages_share(gt->domain, gt->status, 0, i);
		return -EBUSY;
	}
	return 0;
}

static int version_change(struct grant_table *gt, unsigned int version)
{
	grant_entry_v1_t save[GNTTAB_NR_RESERVED_ENTRIES] = {};
	unsigned int old = gt->version;
	int rc = version_refused(gt);

	if (!rc && version == 1)
		rc = status_unshare(gt);
	if (rc)
		return rc;
	reserved_save(gt, save);
	gt->version = version;
	rc = grant_grow(gt, gt->nr_frames); /* status pages */
	if (rc) {
		gt->version = old;
		return rc;
	}
	for (unsigned int i = 0; i < gt->nr_frames; i++)
		memset(gt->shared[i], 0, PAGE_SIZE);
	if (version == 1) {
		grant_pages_free(gt->status, 0, gt->nr_status);
		gt->nr_status = 0;
	}
	reserved_restore(gt, save);
	return 0;
}

int grant_set_version(struct domain *d, uint32_t *version)
{
	struct grant_table *gt = d->grant;
	int rc = 0;

	if (*version != 1 && *version != 2)
		rc = -EINVAL;
	else if (*version > gt->max_version)
		rc = -ENOSYS;
	spin_lock(&gt->lock);
	if (!rc && *version != gt->version)
		rc = version_change(gt, *version);
	*version = gt->version;
	spin_unlock(&gt->lock);
	return rc;
}
