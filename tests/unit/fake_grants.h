/* SPDX-License-Identifier: MIT */
/*
 * Three guests with grant tables, the operations as a guest makes them, and a pretended page table: what the tests of
 * grants share. Guest 1 grants, guest 2 uses and is current.
 */
#ifndef FAKE_GRANTS_H
#define FAKE_GRANTS_H

#include "unit.h"

#include "fake_guest.h"

#include "core/grant_table.h"
#include <xen/memory.h>

extern struct fake_guest *g0, *g1, *g2;

/* The page table: slots, addressed from 0x10000. */
#define SLOTS	   256
#define SLOT_VA(i) (0x10000UL + (unsigned long)(i)*PAGE_SIZE)

struct fake_slot {
	mfn_t mfn;
	unsigned int flags;
	bool present;
};
extern struct fake_slot slots[SLOTS];
extern int16_t pv_map_rc;	  /* what pv_grant_map() returns, if not 0 */
extern void (*pv_map_hook)(void); /* called from inside it: what happens on another CPU then */

int grant_setup(void **state); /* guests 0 to 2 */
long grant_op(unsigned int cmd, void *arg, unsigned int count);
struct gnttab_map_grant_ref grant_map_flags(domid_t dom, grant_ref_t ref, unsigned int slot,
					    unsigned int flags);
int grant_map_status(domid_t dom, grant_ref_t ref, unsigned int flags);
grant_handle_t grant_map_ok(grant_ref_t ref, unsigned int slot, unsigned int flags);
int grant_unmap_one(grant_handle_t handle, uint64_t host_addr, uint64_t dev_addr);
struct fake_guest *grant_guest(unsigned int id);
grant_entry_v1_t *grant_entry(struct fake_guest *g, grant_ref_t ref);
/* Entry @ref grants a new frame. */
mfn_t grant_frame(struct fake_guest *g, grant_ref_t ref, domid_t to, unsigned int flags);
unsigned int frame_refs(mfn_t mfn);
unsigned int frame_writers(mfn_t mfn);
/* Nothing of anything is held any more. */
void assert_idle(struct fake_guest *g, mfn_t mfn);
struct gnttab_copy copy_op(domid_t from, uint64_t src, domid_t to, uint64_t dst,
			   unsigned int flags);
int copy_status(struct gnttab_copy c);
void grant_use_v2(struct fake_guest *g);
mfn_t grant_sub(struct fake_guest *g, grant_ref_t ref, domid_t to, unsigned int off,
		unsigned int len);
void grant_through(struct fake_guest *g, grant_ref_t ref, domid_t to, domid_t from,
		   grant_ref_t gref);
unsigned int grant_table_active(struct domain *d); /* entries in use by others */
unsigned int grant_table_mapped(struct domain *d); /* mappings it holds of others */

#endif
