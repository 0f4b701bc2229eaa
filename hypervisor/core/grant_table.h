/* SPDX-License-Identifier: MIT */
/*
 * Inside the grant tables, for core/grant_*.c and hypercall/hc_grant_table.c alone. A table has two
 * halves:
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

/* What an entry grants; who wants one kind can do with those before it. */
enum grant_kind {
	GRANT_whole,	  /* a frame */
	GRANT_part,	  /* of a frame: may be copied, not mapped */
	GRANT_transitive, /* another domain's entry: the same */
	GRANT_nothing,
};

/* Without padding: two compare as memory. */
struct grant_active {
	mfn_t mfn;    /* not for transitive ones */
	uint32_t pin; /* GNTPIN_*; 0: nothing else here means anything */
	uint32_t kind;
	uint16_t start, length; /* the part of the frame that may be used */
	domid_t user;		/* the domain that uses it */
	domid_t granter;	/* transitive: whose entry `granter_ref` this one stands for */
	uint64_t granter_ref;
};
_Static_assert(sizeof(struct grant_active) == 32, "four pages of records a page of entries");

struct grant_mapping {
	struct domain *granter; /* referenced; NULL: no mapping yet, or no more */
	grant_ref_t ref;	/* in a handle that is free: the next free one */
	uint16_t flags;		/* GNTMAP_* below 32; MAPTRACK_busy(): being unmapped */
};
#define MAPTRACK_uses	 (GNTMAP_host_map | GNTMAP_device_map)
#define MAPTRACK_busy(u) ((u) << 8)
#define MAPTRACK_NONE	 (~0u)

#define V1_PER_PAGE	  (PAGE_SIZE / sizeof(grant_entry_v1_t))
#define V2_PER_PAGE	  (PAGE_SIZE / sizeof(grant_entry_v2_t))
#define STATUS_PER_PAGE	  (PAGE_SIZE / sizeof(grant_status_t))
#define ACTIVE_PER_PAGE	  (PAGE_SIZE / sizeof(struct grant_active))
#define MAPTRACK_PER_PAGE (PAGE_SIZE / sizeof(struct grant_mapping))

struct grant_pages {
	void **page;
	unsigned int nr, max; /* max: (c) */
};

struct grant_table {
	spinlock_t lock;
	unsigned int version;	  /* (L: lock) 1 or 2 */
	unsigned int max_version; /* (c) */
	/* (L: lock) shared.nr says how many entries there are: the others cover at least those */
	struct grant_pages shared, status, active;
	struct domain *domain; /* (c) whose it is */

	spinlock_t maptrack_lock;
	struct grant_pages maptrack; /* (L: maptrack_lock) as all below */
	unsigned int handles;	     /* that exist */
	unsigned int free_handle;    /* MAPTRACK_NONE: none of them is free */
	unsigned int mapped;	     /* handles in use */
};

static inline unsigned int grant_entries(const struct grant_table *gt)
{
	return gt->shared.nr * (unsigned int)(gt->version == 1 ? V1_PER_PAGE : V2_PER_PAGE);
}

static inline struct grant_active *grant_active(const struct grant_table *gt, grant_ref_t ref)
{
	return (struct grant_active *)gt->active.page[ref / ACTIVE_PER_PAGE] +
	       ref % ACTIVE_PER_PAGE;
}

static inline grant_entry_v1_t *grant_v1(const struct grant_table *gt, grant_ref_t ref)
{
	return (grant_entry_v1_t *)gt->shared.page[ref / V1_PER_PAGE] + ref % V1_PER_PAGE;
}

static inline grant_entry_v2_t *grant_v2(const struct grant_table *gt, grant_ref_t ref)
{
	return (grant_entry_v2_t *)gt->shared.page[ref / V2_PER_PAGE] + ref % V2_PER_PAGE;
}

static inline grant_status_t *grant_status_v2(const struct grant_table *gt, grant_ref_t ref)
{
	return (grant_status_t *)gt->status.page[ref / STATUS_PER_PAGE] + ref % STATUS_PER_PAGE;
}

/* --- grant_table.c --- */
int grant_grow(struct grant_table *gt, unsigned int nr_frames); /* (L: lock) */
/*
 * More pages, shared with @d unless that is NULL. -ENOMEM: beyond the limit, or no memory; what
 * there was of it stays.
 */
int grant_pages_grow(struct grant_pages *a, unsigned int to, struct domain *d);
void grant_pages_shrink(struct grant_pages *a, unsigned int to);
int grant_set_version(struct domain *d, uint32_t *version);

/* --- grant_entry.c --- */
struct grant_want {
	domid_t user;
	uint32_t pin; /* what to add to the pin word */
	enum grant_kind kind;
};
/*
 * Pin the entry if it grants what is wanted: GNTST_*. @page is referenced for the caller; NULL if
 * the entry is transitive.
 */
int16_t grant_pin(struct domain *d, grant_ref_t ref, const struct grant_want *want,
		  struct page_info **page);
void grant_unpin(struct domain *d, grant_ref_t ref, uint32_t pin);
struct page_info *grant_frame_get(struct domain *d, mfn_t mfn); /* referenced, or NULL */

/* --- grant_map.c; all for the current domain --- */
#define UNMAP_BATCH 32 /* unmappings a TLB flush */

struct grant_unmaps {
	unsigned int nr;
	struct {
		grant_handle_t handle;
		unsigned int uses;
	} of[UNMAP_BATCH];
};
int16_t grant_map(struct gnttab_map_grant_ref *op);
/*
 * Takes the mapping away. Its references stay until grant_unmap_flush, which comes by itself when
 * there is no more room, and at the end of a batch from the caller.
 */
int16_t grant_unmap(struct grant_unmaps *u, grant_handle_t handle, uint64_t host_addr,
		    uint64_t dev_bus_addr, uint64_t new_addr);
void grant_unmap_flush(struct grant_unmaps *u);
grant_handle_t maptrack_get(struct grant_table *gt);
/* The claim on @uses ends, of which @back are still there; with the last use the handle is free. */
void maptrack_put(struct grant_table *gt, grant_handle_t handle, unsigned int uses,
		  unsigned int back);

/* --- grant_copy.c --- */
struct grant_copy_side {
	struct domain *d;	/* referenced; NULL: nothing is kept */
	struct domain *granter; /* referenced; transitive grants: whose frame it is in the end */
	struct page_info *page; /* referenced; NULL: only the domain is kept */
	grant_ref_t granter_ref;
	uint16_t start, length; /* the part of the frame that may be used */
	bool by_ref, writable;
	bool typed; /* a type reference is held */
	struct gnttab_copy_ptr ptr;
};
struct grant_copy_state {
	struct grant_copy_side source, dest;
};
/* Copying keeps what the element before used: both sides' d NULL first, grant_copy_finish() last. */
int16_t grant_copy(struct grant_copy_state *s, const struct gnttab_copy *op);
void grant_copy_finish(struct grant_copy_state *s);

#endif
