/* SPDX-License-Identifier: MIT */
/*
 * The life of a domain's grant table: creation with its limits, growth, the frames it shares with
 * the guest, the two entry formats and the switch between them, and what the log shows of it.
 *
 * Invariant: `active` and, in version 2, `status` cover at least the entries `shared` has, at any
 * time the lock is free; every page in `shared` and `status` is shared with the domain.
 */
#include "core/grant_table.h"

#include "lib/string.h"
#include <xen/memory.h>

#define MAX_ARRAY (1u << 20) /* pages a limit may ask for: far beyond use, small enough for sums */

unsigned int grant_opt_max_frames = 64;
unsigned int grant_opt_max_maptrack = 1024;
unsigned int grant_opt_max_version = 2;
bool grant_opt_transitive = true;

static unsigned int status_frames(unsigned int nr_frames)
{
	return (unsigned int)DIV_ROUND_UP(nr_frames * V2_PER_PAGE, STATUS_PER_PAGE);
}

static unsigned int active_frames(unsigned int nr_frames)
{
	return (unsigned int)(nr_frames * V1_PER_PAGE / ACTIVE_PER_PAGE);
}

static unsigned int array_order(unsigned int max)
{
	return order_of(PFN_UP((unsigned long)max * sizeof(void *)));
}

static bool array_init(struct grant_pages *a, unsigned int max)
{
	a->max = max;
	a->page = pages_alloc(array_order(max));
	return a->page;
}

static void array_free(struct grant_pages *a)
{
	grant_pages_shrink(a, 0);
	pages_free(a->page, array_order(a->max));
}

int grant_pages_grow(struct grant_pages *a, unsigned int to, struct domain *d)
{
	if (to > a->max)
		return -ENOMEM;
	for (; a->nr < to; a->nr++) {
		void *page = page_alloc();

		if (!page)
			return -ENOMEM;
		if (d)
			share_page_with_guest(page, d, true);
		a->page[a->nr] = page;
	}
	return 0;
}

void grant_pages_shrink(struct grant_pages *a, unsigned int to)
{
	while (a->nr > to)
		page_free(a->page[--a->nr]);
}

/* `shared` comes last, which says how many entries there are. */
int grant_grow(struct grant_table *gt, unsigned int nr_frames)
{
	int rc = grant_pages_grow(&gt->active, active_frames(nr_frames), NULL);

	if (!rc && gt->version == 2)
		rc = grant_pages_grow(&gt->status, status_frames(nr_frames), gt->domain);
	return rc ? rc : grant_pages_grow(&gt->shared, nr_frames, gt->domain);
}

int grant_table_init(struct domain *d, unsigned int max_frames, unsigned int max_maptrack,
		     unsigned int max_version)
{
	struct grant_table *gt;

	if (!max_version || max_version > grant_opt_max_version || !max_frames ||
	    max_frames > MAX_ARRAY || max_maptrack > MAX_ARRAY)
		return -EINVAL;
	gt = d->grant = knew(struct grant_table);
	if (!gt)
		return -ENOMEM;
	gt->version = 1;
	gt->max_version = max_version;
	gt->free_handle = MAPTRACK_NONE;
	gt->domain = d;
	if (array_init(&gt->shared, max_frames) &&
	    array_init(&gt->status, status_frames(max_frames)) &&
	    array_init(&gt->active, active_frames(max_frames)) &&
	    array_init(&gt->maptrack, max_maptrack) && !grant_grow(gt, 1))
		return 0;
	grant_table_destroy(d);
	return -ENOMEM;
}

void grant_table_destroy(struct domain *d)
{
	struct grant_table *gt = d->grant;

	ASSERT(!gt->mapped);
	d->grant = NULL;
	array_free(&gt->shared);
	array_free(&gt->status);
	array_free(&gt->active);
	array_free(&gt->maptrack);
	kfree(gt);
}

int grant_table_frame(struct domain *d, unsigned int id, unsigned int idx, mfn_t *mfn)
{
	struct grant_table *gt = d->grant;
	bool status = id == XENMEM_resource_grant_table_id_status;
	struct grant_pages *pages = status ? &gt->status : &gt->shared;
	unsigned long frames = status ? (idx + 1UL) * STATUS_PER_PAGE / V2_PER_PAGE : idx + 1UL;
	int rc = -EINVAL;

	if (idx >= pages->max)
		return rc;
	spin_lock(&gt->lock);
	if (idx >= pages->nr)
		(void)grant_grow(gt, min((unsigned int)frames, gt->shared.max));
	if (idx < pages->nr) {
		*mfn = virt_to_mfn(pages->page[idx]);
		rc = 0;
	}
	spin_unlock(&gt->lock);
	return rc;
}

unsigned int grant_table_max_frames(const struct domain *d, unsigned int id)
{
	if (id == XENMEM_resource_grant_table_id_shared)
		return d->grant->shared.max;
	return id == XENMEM_resource_grant_table_id_status ? d->grant->status.max : 0;
}

/*
 * Changing the format. Entries of the old one are lost but for the reserved ones, which the tools'
 * grants of console and store rings are: those may stay in use throughout. They are saved in the
 * form of version 1.
 */
static int reserved_save(const struct grant_table *gt, grant_entry_v1_t *save)
{
	for (grant_ref_t ref = GNTTAB_NR_RESERVED_ENTRIES; ref < grant_entries(gt); ref++)
		if (grant_active(gt, ref)->pin)
			return -EBUSY;
	for (grant_ref_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++, save++) {
		const struct grant_active *act = grant_active(gt, ref);
		grant_entry_v2_t e;
		unsigned int type;

		if (gt->version == 1) {
			*save = *grant_v1(gt, ref);
			continue;
		}
		e = *grant_v2(gt, ref);
		type = e.hdr.flags & GTF_type_mask;
		if (act->pin && act->kind != GRANT_whole)
			return -EAGAIN;
		if (type == GTF_transitive ||
		    (type == GTF_permit_access && e.full_page.frame >> 32))
			return -ERANGE; /* version 1 cannot say it */
		if (type == GTF_permit_access)
			*save = (grant_entry_v1_t){
				.flags = e.hdr.flags | *grant_status_v2(gt, ref),
				.domid = e.hdr.domid,
				.frame = (uint32_t)e.full_page.frame,
			};
	}
	return 0;
}

static void reserved_restore(const struct grant_table *gt, const grant_entry_v1_t *save)
{
	const uint16_t status = GTF_reading | GTF_writing;

	for (grant_ref_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++, save++) {
		if (gt->version == 1) {
			*grant_v1(gt, ref) = *save;
			continue;
		}
		*grant_status_v2(gt, ref) = save->flags & status;
		grant_v2(gt, ref)->hdr.flags = save->flags & (uint16_t)~status;
		grant_v2(gt, ref)->hdr.domid = save->domid;
		grant_v2(gt, ref)->full_page.frame = save->frame;
	}
}

/* Back to version 1: the status pages must be nobody's but ours, or a guest would keep a view of freed memory. */
static int status_unshare(struct grant_table *gt)
{
	for (unsigned int i = 0; i < gt->status.nr; i++) {
		if (unshare_page_with_guest(gt->status.page[i]))
			continue;
		while (i--)
			share_page_with_guest(gt->status.page[i], gt->domain, true);
		return -EBUSY;
	}
	return 0;
}

static int version_change(struct grant_table *gt, unsigned int version)
{
	grant_entry_v1_t save[GNTTAB_NR_RESERVED_ENTRIES] = {};
	int rc = reserved_save(gt, save);

	if (!rc && version == 1)
		rc = status_unshare(gt);
	if (rc)
		return rc;
	if (version == 1)
		grant_pages_shrink(&gt->status, 0);
	else if (grant_pages_grow(&gt->status, status_frames(gt->shared.nr), gt->domain))
		return -ENOMEM;
	gt->version = version;
	for (unsigned int i = 0; i < gt->shared.nr; i++)
		memset(gt->shared.page[i], 0, PAGE_SIZE);
	reserved_restore(gt, save);
	return 0;
}

int grant_set_version(struct domain *d, uint32_t *version)
{
	struct grant_table *gt = d->grant;
	int rc = 0;

	spin_lock(&gt->lock);
	if (*version != 1 && *version != 2)
		rc = -EINVAL;
	else if (*version > gt->max_version)
		rc = -ENOSYS;
	else if (*version != gt->version)
		rc = version_change(gt, *version);
	*version = gt->version;
	spin_unlock(&gt->lock);
	return rc;
}

static bool record_get(struct grant_table *gt, grant_ref_t ref, struct grant_active *act)
{
	bool there;

	spin_lock(&gt->lock);
	there = ref < grant_entries(gt);
	if (there)
		*act = *grant_active(gt, ref);
	spin_unlock(&gt->lock);
	return there;
}

/* Nobody waits for the console: no lock is held while printing. */
void grant_dump(struct domain *d)
{
	struct grant_table *gt = d->grant;
	struct grant_active act;
	unsigned int n = 0;

	printk("Grant table of d%u (v%u): %u frames of %u, %u handles of %u in use\n", d->domain_id,
	       gt->version, gt->shared.nr, gt->shared.max, gt->mapped, gt->handles);
	for (grant_ref_t ref = 0; record_get(gt, ref, &act); ref++) {
		if (!act.pin)
			continue;
		n++;
		printk("    [%#05x] d%u mfn %#lx pin %08x%s\n", ref, act.user, act.mfn, act.pin,
		       act.kind == GRANT_whole ? "" : " part");
	}
	if (!n)
		printk("    no entry in use\n");
}
