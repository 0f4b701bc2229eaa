/* SPDX-License-Identifier: MIT */
/*
 * Inside the grant tables, for core/grant_*.c alone. A table has two halves:
 *   what its domain grants: pages shared with the guest (`shared`, `status`), and for each entry
 *   our own record (`active`) of what others do with it. An entry is read when it is first used; as
 *   long as it is pinned the record says what is used.
 *   what its domain has mapped of others: `maptrack`, indexed by the handles the guest is given.
 *
 * Locks: gt->lock guards the first half, gt->maptrack_lock the second. Only the locks of the heap,
 * of a domain's pages and of the domain list are taken inside them, and no two are held at once, so
 * that two domains that map each other need no order. What may be done without: read the record of
 * an entry one holds a pin on (it does not change until the pin goes), and read the arrays of
 * shared and active pages below the size one has seen (they only grow).
 *
 * A mapping keeps a reference on the granting domain, so its table is there when the mapping goes.
 */
#ifndef CORE_GRANT_TABLE_H
#define CORE_GRANT_TABLE_H

#include "core/grant.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/frame.h"
#include "mm/heap.h"

/*
 * Uses of an entry: four 8-bit counters in one word. One whose top bit is set takes no more, so
 * none runs into the next.
 */
#define GNTPIN_hstw_inc	      (1u << 0)
#define GNTPIN_hstr_inc	      (1u << 8)
#define GNTPIN_devw_inc	      (1u << 16)
#define GNTPIN_devr_inc	      (1u << 24)
#define GNTPIN_write_mask     0x00ff00ffu
#define GNTPIN_full(pin, inc) ((pin) & ((inc) << 7))

struct grant_active {
	uint32_t pin;	 /* GNTPIN_*; 0: nothing below means anything */
	domid_t user;	 /* the domain that uses it */
	domid_t granter; /* transitive: whose entry `granter_ref` this one stands for */
	grant_ref_t granter_ref;
	uint16_t start, length; /* the part of the frame that may be used */
	bool sub_page;		/* may be copied, not mapped; also for transitive ones */
	bool transitive;
	mfn_t mfn; /* not for transitive ones */
};
_Static_assert(sizeof(struct grant_active) == 32, "four pages of records a page of entries");

/* A handle. Free: no flags, and `ref` is the next free one. */
struct grant_mapping {
	struct domain *granter; /* referenced */
	grant_ref_t ref;
	uint16_t flags; /* GNTMAP_* below 32; MAPTRACK_busy(): being unmapped */
};
#define MAPTRACK_uses	 (GNTMAP_host_map | GNTMAP_device_map)
#define MAPTRACK_busy(u) ((u) << 8)
#define MAPTRACK_NONE	 (~0u)

#define V1_PER_PAGE	  (PAGE_SIZE / sizeof(grant_entry_v1_t))
#define V2_PER_PAGE	  (PAGE_SIZE / sizeof(grant_entry_v2_t))
#define STATUS_PER_PAGE	  (PAGE_SIZE / sizeof(grant_status_t))
#define ACTIVE_PER_PAGE	  (PAGE_SIZE / sizeof(struct grant_active))
#define MAPTRACK_PER_PAGE (PAGE_SIZE / sizeof(struct grant_mapping))

struct grant_table {
	spinlock_t lock;
	unsigned int version;		      /* (L: lock) 1 or 2 */
	unsigned int max_version, max_frames; /* (c) */
	unsigned int nr_frames, nr_status;    /* (L: lock) */
	void **shared, **status, **active;    /* arrays of pages */
	struct domain *domain;		      /* (c) whose it is */

	spinlock_t maptrack_lock;
	void **maptrack;	     /* array of pages */
	unsigned int max_maptrack;   /* (c) pages */
	unsigned int maptrack_limit; /* (L: maptrack_lock) handles that exist */
	unsigned int free_handle;    /* (L: maptrack_lock) MAPTRACK_NONE: list empty */
	unsigned int mapped;	     /* (L: maptrack_lock) handles in use */
};

static inline unsigned int grant_entries(const struct grant_table *gt)
{
	return gt->nr_frames * (unsigned int)(gt->version == 1 ? V1_PER_PAGE : V2_PER_PAGE);
}

static inline unsigned int grant_status_frames(unsigned int nr_frames)
{
	return (unsigned int)DIV_ROUND_UP(nr_frames * V2_PER_PAGE, STATUS_PER_PAGE);
}

static inline unsigned int grant_active_frames(unsigned int nr_frames)
{
	return (unsigned int)(nr_frames * V1_PER_PAGE / ACTIVE_PER_PAGE);
}

static inline struct grant_active *grant_active(const struct grant_table *gt, grant_ref_t ref)
{
	return (struct grant_active *)gt->active[ref / ACTIVE_PER_PAGE] + ref % ACTIVE_PER_PAGE;
}

static inline grant_entry_v1_t *grant_v1(const struct grant_table *gt, grant_ref_t ref)
{
	return (grant_entry_v1_t *)gt->shared[ref / V1_PER_PAGE] + ref % V1_PER_PAGE;
}

static inline grant_entry_v2_t *grant_v2(const struct grant_table *gt, grant_ref_t ref)
{
	return (grant_entry_v2_t *)gt->shared[ref / V2_PER_PAGE] + ref % V2_PER_PAGE;
}

static inline grant_status_t *grant_status_v2(const struct grant_table *gt, grant_ref_t ref)
{
	return (grant_status_t *)gt->status[ref / STATUS_PER_PAGE] + ref % STATUS_PER_PAGE;
}

/* --- grant_table.c --- */
int grant_grow(struct grant_table *gt, unsigned int nr_frames); /* (L: lock) */
/* Pages for the array entries from @from to @to: all or none. */
int grant_pages_alloc(void **array, unsigned int from, unsigned int to);
void grant_pages_free(void **array, unsigned int from, unsigned int to);

/* --- grant_entry.c --- */
struct grant_want {
	domid_t user;
	uint32_t pin; /* what to add to the pin word */
	bool readonly;
	bool copy;	 /* sub-page grants will do */
	bool transitive; /* and transitive ones */
};
struct grant_got {
	struct page_info *page; /* referenced for the caller; NULL if transitive */
	uint16_t start, length;
	bool transitive;
	domid_t granter;
	grant_ref_t granter_ref;
};
/* Pin the entry if it grants what is wanted: GNTST_*. */
int16_t grant_pin(struct domain *d, grant_ref_t ref, const struct grant_want *want,
		  struct grant_got *got);
void grant_unpin(struct domain *d, grant_ref_t ref, uint32_t pin, bool readonly);
struct page_info *grant_frame_get(struct domain *d, mfn_t mfn); /* referenced, or NULL */

/* --- grant_maptrack.c --- */
grant_handle_t maptrack_get(struct grant_table *gt);
void maptrack_put(struct grant_table *gt, grant_handle_t handle);
void maptrack_fill(struct grant_table *gt, grant_handle_t handle, struct domain *granter,
		   grant_ref_t ref, unsigned int flags);
/*
 * Begin to unmap those of @uses the handle stands for; which, is returned in @claimed, the mapping
 * as it was in @m. False: no such mapping. Until release or finish the handle stays taken, and
 * nobody else gets the same uses.
 */
bool maptrack_claim(struct grant_table *gt, grant_handle_t handle, unsigned int uses,
		    struct grant_mapping *m, unsigned int *claimed);
void maptrack_unclaim(struct grant_table *gt, grant_handle_t handle, unsigned int claimed);
/* The uses are gone; with the last one the handle and its domain reference. */
void maptrack_finish(struct grant_table *gt, grant_handle_t handle, unsigned int claimed);
struct grant_mapping *maptrack_entry(const struct grant_table *gt, grant_handle_t handle);

/* --- grant_map.c --- */
uint32_t grant_map_pin(unsigned int uses, bool readonly);

#endif
