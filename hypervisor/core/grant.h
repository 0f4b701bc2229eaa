/* SPDX-License-Identifier: MIT */
/*
 * Grant tables as the rest of the hypervisor sees them; the tables are in core/grant_*.c, the
 * operations of guests in hypercall/hc_grant_table.c; the locks are described in
 * core/grant_table.h.
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

int grant_table_init(struct domain *d, unsigned int max_frames, unsigned int max_maptrack,
		     unsigned int max_version) __must_check;
/* Dying domain: drop every mapping it holds of others. Preemptible: -ERESTART, call again. */
int grant_table_release_mappings(struct domain *d) __must_check;
/*
 * Frees everything. With the last reference to the domain: others' mappings of its frames hold one
 * each.
 */
void grant_table_destroy(struct domain *d);
/*
 * For XENMEM_acquire_resource: frame @idx of @id, XENMEM_resource_grant_table_id_*; grows the
 * table. Status frames exist in version 2 only.
 */
int grant_table_frame(struct domain *d, unsigned int id, unsigned int idx, mfn_t *mfn);
/* How many frames of that kind there are at most. */
unsigned int grant_table_max_frames(const struct domain *d, unsigned int id);
void grant_dump(struct domain *d);

/*
 * The PV half (pv/grant_pv.c): write or remove the guest mapping a grant operation asks for, in the
 * current domain. Both return GNTST_okay or a negative GNTST_*.
 *
 * pv_grant_map: the caller holds one reference on the frame for the new level-1 entry, and, unless
 * GNTMAP_readonly, one type reference (PGT_writable_page). On success both belong to the entry: if
 * the guest overwrites it, or its page table goes, they are put as for any entry. On failure they
 * stay the caller's. pv_grant_unmap: the entry must map @mfn (with the flags given at map time); it
 * is cleared, or takes over the entry at @new_addr if that is not 0. The references of the removed
 * entry go back to the caller. No flush.
 */
int16_t pv_grant_map(uint64_t addr, mfn_t mfn, unsigned int gnttab_flags);
int16_t pv_grant_unmap(uint64_t addr, mfn_t mfn, uint64_t new_addr, unsigned int gnttab_flags);

#endif
