/* SPDX-License-Identifier: MIT */
/*
 * Grant tables as the rest of the hypervisor sees them; the tables and operations are in
 * core/grant_*.c, their locks are described in core/grant_table.h.
 */
#ifndef CORE_GRANT_H
#define CORE_GRANT_H

#include "core/domain.h"
#include <xen/grant_table.h>

/* Command line: what a domain gets when the tools ask for the default. */
extern unsigned int grant_opt_max_frames;   /* gnttab_max_frames= */
extern unsigned int grant_opt_max_maptrack; /* gnttab_max_maptrack_frames= */
extern unsigned int grant_opt_max_version;  /* gnttab=max-ver: */
extern bool grant_opt_transitive;	    /* gnttab=transitive */

/* Frame limits that are negative as int mean the default. */
int grant_table_init(struct domain *d, unsigned int max_grant_frames,
		     unsigned int max_maptrack_frames, unsigned int max_version) __must_check;
/* Dying domain: drop every mapping it holds of others. Preemptible: -ERESTART, call again. */
int grant_table_release_mappings(struct domain *d) __must_check;
void grant_table_warn_active(struct domain *d);
/*
 * Frees everything. With the last reference to the domain: others' mappings of its frames hold one
 * each.
 */
void grant_table_destroy(struct domain *d);
/*
 * Frame behind grant-table index @idx, for XENMAPSPACE_grant_table, XENMEM_acquire_resource and
 * domain building. Grows the table. XENMAPIDX_grant_table_status in @idx names a status frame
 * (version 2 only).
 */
int grant_table_frame(struct domain *d, unsigned long idx, mfn_t *mfn);
/*
 * XENMEM_acquire_resource asked for its size: frames at most of XENMEM_resource_grant_table_id_*.
 */
unsigned int grant_table_max_frames(const struct domain *d, unsigned int id);
/* Toolstack seeding (console, store): entry @ref of @d grants @frame to @to. */
void grant_table_seed(struct domain *d, grant_ref_t ref, domid_t to, unsigned long frame,
		      bool readonly);
void grant_dump(struct domain *d);
unsigned int grant_table_active(struct domain *d); /* entries in use by others */
unsigned int grant_table_mapped(struct domain *d); /* mappings it holds of others */

/*
 * --- grant_table_op: one element each, of the current domain; the GNTST_* result goes to the
 * element's status ---
 */
struct grant_unmap { /* what unmap_grant_ref and unmap_and_replace share */
	uint64_t host_addr, dev_bus_addr, new_addr;
	grant_handle_t handle;
	/* between grant_unmap_begin and grant_unmap_end: */
	uint16_t done;
	mfn_t mfn;
};
void grant_map(struct gnttab_map_grant_ref *op);
/*
 * Takes the mapping away; the frame's references stay until grant_unmap_end, which the caller calls
 * after it has flushed TLBs, for every element of a batch, whatever begin returned.
 */
int16_t grant_unmap_begin(struct grant_unmap *u);
void grant_unmap_end(const struct grant_unmap *u);

/* Copying keeps what the element before used: zero it first, grant_copy_finish() last. */
struct grant_copy_side {
	struct domain *d;	/* referenced */
	struct domain *granter; /* referenced; transitive grants: whose frame it is in the end */
	struct page_info *page; /* referenced */
	grant_ref_t granter_ref;
	uint16_t start, length; /* the part of the frame that may be used */
	bool held, by_ref, writable;
	bool typed; /* a type reference is held */
	struct gnttab_copy_ptr ptr;
};
struct grant_copy_state {
	struct grant_copy_side source, dest;
};
int16_t grant_copy(struct grant_copy_state *s, const struct gnttab_copy *op);
void grant_copy_finish(struct grant_copy_state *s);

int grant_set_version(struct domain *d, uint32_t *version);
uint32_t grant_get_version(const struct domain *d);
int16_t grant_setup(struct domain *d, unsigned int nr_frames);
void grant_query_size(struct domain *d, unsigned int *nr, unsigned int *limit);
unsigned int grant_nr_status_frames(struct domain *d); /* 0 in version 1 */
/* Frame numbers for the guest; INVALID_MFN beyond the end. */
mfn_t grant_shared_mfn(struct domain *d, unsigned int i);
mfn_t grant_status_mfn(struct domain *d, unsigned int i);
int16_t grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b);
/* 1: call again with the new *cur_ref; 0 or -errno. */
int grant_cache_flush(struct domain *d, const struct gnttab_cache_flush *op, grant_ref_t *cur_ref);

/*
 * The PV half (pv/grant_pv.c): write or remove the guest mapping a grant operation asks for, in the
 * current domain. Both return GNTST_okay or a negative GNTST_*.
 *
 * pv_grant_map: the caller holds one reference on the frame for the new level-1 entry, and, unless
 * GNTMAP_readonly, one type reference (PGT_writable_page). On success both belong to the entry: if
 * the guest overwrites it, or its page table goes, they are put as for any entry. On failure they
 * stay the caller's. cache_flags are GTF_PAT, GTF_PWT, GTF_PCD. pv_grant_unmap: the entry must map
 * @mfn (with the flags given at map time); it is cleared, or takes over the entry at @new_addr if
 * that is not 0. The references of the removed entry go back to the caller. No flush.
 */
int pv_grant_map(uint64_t addr, mfn_t mfn, unsigned int gnttab_flags, unsigned int cache_flags);
int pv_grant_unmap(uint64_t addr, mfn_t mfn, uint64_t new_addr, unsigned int gnttab_flags);

#endif
