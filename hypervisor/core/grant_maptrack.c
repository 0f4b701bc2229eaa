/* SPDX-License-Identifier: MIT */
/*
 * Handles: what a domain has mapped of others. A handle is taken before the mapping is made and
 * freed after it is gone; in between, each of its two uses (host, device) can be claimed once by an
 * unmap.
 *
 * Lock: gt->maptrack_lock. Pages of the array appear one at a time up to the domain's limit, and go
 * when it dies.
 */
#include "core/grant_table.h"

struct grant_mapping *maptrack_entry(const struct grant_table *gt, grant_handle_t handle)
{
	return (struct grant_mapping *)gt->maptrack[handle / MAPTRACK_PER_PAGE] +
	       handle % MAPTRACK_PER_PAGE;
}

static int maptrack_grow(struct grant_table *gt)
{
	unsigned int page = gt->maptrack_limit / MAPTRACK_PER_PAGE;
	unsigned int first = gt->maptrack_limit;

	if (page >= gt->max_maptrack || grant_pages_alloc(gt->maptrack, page, page + 1))
		return -ENOMEM;
	gt->maptrack_limit += MAPTRACK_PER_PAGE;
	for (unsigned int h = gt->maptrack_limit; h-- > first;) {
		maptrack_entry(gt, h)->ref = gt->free_handle;
		gt->free_handle = h;
	}
	return 0;
}

grant_handle_t maptrack_get(struct grant_table *gt)
{
	grant_handle_t handle = MAPTRACK_NONE;

	spin_lock(&gt->maptrack_lock);
	if (gt->free_handle != MAPTRACK_NONE || !maptrack_grow(gt)) {
		handle = gt->free_handle;
		gt->free_handle = maptrack_entry(gt, handle)->ref;
		gt->mapped++;
	}
	spin_unlock(&gt->maptrack_lock);
	return handle;
}

static void maptrack_free(struct grant_table *gt, grant_handle_t handle)
{
	struct grant_mapping *m = maptrack_entry(gt, handle);

	m->granter = NULL;
	m->flags = 0;
	m->ref = gt->free_handle;
	gt->free_handle = handle;
	gt->mapped--;
}

void maptrack_put(struct grant_table *gt, grant_handle_t handle)
{
	spin_lock(&gt->maptrack_lock);
	maptrack_free(gt, handle);
	spin_unlock(&gt->maptrack_lock);
}

void maptrack_fill(struct grant_table *gt, grant_handle_t handle, struct domain *granter,
		   grant_ref_t ref, unsigned int flags)
{
	struct grant_mapping *m;

	spin_lock(&gt->maptrack_lock);
	m = maptrack_entry(gt, handle);
	m->granter = granter;
	m->ref = ref;
	m->flags = flags & 0x1f;
	spin_unlock(&gt->maptrack_lock);
}

bool maptrack_claim(struct grant_table *gt, grant_handle_t handle, unsigned int uses,
		    struct grant_mapping *m, unsigned int *claimed)
{
	struct grant_mapping *e;
	bool found = false;

	spin_lock(&gt->maptrack_lock);
	if (handle < gt->maptrack_limit) {
		e = maptrack_entry(gt,
				   (grant_handle_t)array_index_nospec(handle, gt->maptrack_limit));
		found = e->flags & MAPTRACK_uses;
		*m = *e;
		*claimed = e->flags & uses & MAPTRACK_uses;
		e->flags = (uint16_t)((e->flags & ~*claimed) | MAPTRACK_busy(*claimed));
	}
	spin_unlock(&gt->maptrack_lock);
	return found;
}

void maptrack_unclaim(struct grant_table *gt, grant_handle_t handle, unsigned int claimed)
{
	struct grant_mapping *e;

	spin_lock(&gt->maptrack_lock);
	e = maptrack_entry(gt, handle);
	e->flags = (uint16_t)((e->flags & ~MAPTRACK_busy(claimed)) | claimed);
	spin_unlock(&gt->maptrack_lock);
}

void maptrack_finish(struct grant_table *gt, grant_handle_t handle, unsigned int claimed)
{
	struct domain *granter = NULL;
	struct grant_mapping *e;

	spin_lock(&gt->maptrack_lock);
	e = maptrack_entry(gt, handle);
	e->flags &= (uint16_t)~MAPTRACK_busy(claimed);
	if (!(e->flags & (MAPTRACK_uses | MAPTRACK_busy(MAPTRACK_uses)))) {
		granter = e->granter;
		maptrack_free(gt, handle);
	}
	spin_unlock(&gt->maptrack_lock);
	if (granter)
		domain_put(granter);
}
