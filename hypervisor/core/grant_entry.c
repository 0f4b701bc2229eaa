/* SPDX-License-Identifier: MIT */
/*
 * Using an entry of somebody's grant table: checking that it grants what is wanted, showing the
 * granter that it is in use (GTF_reading, GTF_writing), and counting uses.
 *
 * The entry is the granter's memory and may change at any moment. Each field is read once; what is
 * checked is what is used. In version 1 the flags are changed by a compare-and-exchange of flags
 * and domid together; in version 2 the use is announced in the status word first and the flags
 * checked again afterwards. From the first pin to the last unpin our own record says what is used.
 *
 * Lock: the granter's gt->lock, in grant_pin and grant_unpin. Type references are the caller's
 * business.
 */
#include "core/grant_table.h"

#include "lib/string.h"

#define CLAIM_TRIES 5 /* the granter may rightly change a flag under our hands, not for ever */

union grant_head {
	uint32_t raw;
	struct {
		uint16_t flags;
		domid_t domid;
	};
};

struct page_info *grant_frame_get(struct domain *d, mfn_t mfn)
{
	struct page_info *pg;

	if (!mfn_valid(mfn))
		return NULL;
	pg = mfn_to_page(array_index_nospec(mfn, max_page));
	return get_page(pg, d) ? pg : NULL;
}

static enum grant_kind kind_of(uint16_t flags)
{
	if ((flags & GTF_type_mask) == GTF_permit_access)
		return flags & GTF_sub_page ? GRANT_part : GRANT_whole;
	return (flags & GTF_type_mask) == GTF_transitive ? GRANT_transitive : GRANT_nothing;
}

static bool head_grants(const struct grant_table *gt, union grant_head h,
			const struct grant_want *want)
{
	enum grant_kind kind = kind_of(h.flags);

	if (h.domid != want->user || ((want->pin & GNTPIN_write_mask) && (h.flags & GTF_readonly)))
		return false;
	return kind <= want->kind && (kind != GRANT_transitive || gt->version == 2);
}

/* Take back what the flags say of the uses in @pin beyond what the other pins need. */
static void status_reduce(struct grant_table *gt, grant_ref_t ref, uint32_t pin)
{
	uint16_t *status = gt->version == 1 ? &grant_v1(gt, ref)->flags : grant_status_v2(gt, ref);
	uint32_t others = grant_active(gt, ref)->pin;
	uint16_t clear = others ? 0 : GTF_reading;

	if ((pin & GNTPIN_write_mask) && !(others & GNTPIN_write_mask))
		clear |= GTF_writing;
	if (clear)
		atomic_and(status, (uint16_t)~clear);
}

/* Announce the use if the entry grants what is wanted now: its flags, else 0. */
static uint16_t claim(struct grant_table *gt, grant_ref_t ref, const struct grant_want *want)
{
	bool v1 = gt->version == 1;
	uint32_t *head = v1 ? (uint32_t *)grant_v1(gt, ref) : (uint32_t *)grant_v2(gt, ref), seen;
	union grant_head h = {.raw = READ_ONCE(*head)}, use = {.flags = GTF_reading};

	if (want->pin & GNTPIN_write_mask)
		use.flags |= GTF_writing;
	for (unsigned int i = 0; i < CLAIM_TRIES && head_grants(gt, h, want); i++, h.raw = seen) {
		if (v1) {
			seen = cmpxchg(head, h.raw, h.raw | use.raw);
		} else {
			/* A full barrier: the granter sees it, or we see his change. */
			atomic_or(grant_status_v2(gt, ref), use.flags);
			seen = READ_ONCE(*head);
		}
		if (seen == h.raw)
			return h.flags;
	}
	if (!v1)
		status_reduce(gt, ref, want->pin);
	return 0;
}

/* What the entry, claimed with @flags, says. Each field is read once. */
static struct grant_active entry_read(struct grant_table *gt, grant_ref_t ref, uint16_t flags)
{
	struct grant_active now = {.kind = GRANT_whole, .length = PAGE_SIZE};
	const grant_entry_v2_t *e;

	if (gt->version == 1) {
		now.mfn = READ_ONCE(grant_v1(gt, ref)->frame);
		return now;
	}
	e = grant_v2(gt, ref);
	now.kind = kind_of(flags);
	if (now.kind == GRANT_transitive) {
		now.granter = READ_ONCE(e->transitive.trans_domid);
		now.granter_ref = READ_ONCE(e->transitive.gref);
		now.mfn = INVALID_MFN;
		return now;
	}
	now.mfn = READ_ONCE(e->full_page.frame); /* the same place as sub_page.frame */
	if (now.kind == GRANT_part) {
		now.start = READ_ONCE(e->sub_page.page_off);
		now.length = READ_ONCE(e->sub_page.length);
	}
	return now;
}

/*
 * The entry must grant what is wanted now. The first use makes our record of it; one that wants to
 * write where the others only read must find it unchanged: what it may write is what was granted
 * for writing.
 */
static int16_t pin_locked(struct grant_table *gt, grant_ref_t ref, const struct grant_want *want,
			  struct page_info **page)
{
	struct grant_active *act = grant_active(gt, ref), now = *act;
	bool first = !act->pin;
	bool first_writer = !(act->pin & GNTPIN_write_mask) && (want->pin & GNTPIN_write_mask);
	int16_t rc = GNTST_okay;
	uint16_t flags;

	if (!first &&
	    (act->user != want->user || act->kind > want->kind || GNTPIN_full(act->pin, want->pin)))
		return GNTST_general_error;
	if (first || first_writer) {
		flags = claim(gt, ref, want);
		if (!flags)
			return GNTST_general_error;
		now = entry_read(gt, ref, flags);
		now.user = want->user;
		now.pin = act->pin;
		if (first ? now.granter == gt->domain->domain_id && now.kind == GRANT_transitive
			  : memcmp(act, &now, sizeof(now)) != 0)
			rc = GNTST_general_error;
	}
	*page = NULL;
	if (rc == GNTST_okay && now.kind != GRANT_transitive) {
		*page = grant_frame_get(gt->domain, now.mfn);
		if (!*page)
			rc = first ? GNTST_bad_page : GNTST_general_error;
	}
	if (rc != GNTST_okay) {
		status_reduce(gt, ref, want->pin);
		return rc;
	}
	*act = now;
	act->pin += want->pin;
	return GNTST_okay;
}

int16_t grant_pin(struct domain *d, grant_ref_t ref, const struct grant_want *want,
		  struct page_info **page)
{
	struct grant_table *gt = d->grant;
	int16_t rc = GNTST_bad_gntref;

	spin_lock(&gt->lock);
	if (ref < grant_entries(gt))
		rc = pin_locked(gt, (grant_ref_t)array_index_nospec(ref, grant_entries(gt)), want,
				page);
	spin_unlock(&gt->lock);
	return rc;
}

/*
 * A pinned entry is always within the table: the format cannot change while any but a reserved one
 * is in use.
 */
void grant_unpin(struct domain *d, grant_ref_t ref, uint32_t pin)
{
	struct grant_table *gt = d->grant;

	spin_lock(&gt->lock);
	ASSERT(ref < grant_entries(gt) && grant_active(gt, ref)->pin >= pin);
	grant_active(gt, ref)->pin -= pin;
	status_reduce(gt, ref, pin);
	spin_unlock(&gt->lock);
}
