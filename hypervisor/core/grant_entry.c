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

static bool head_grants(union grant_head h, const struct grant_want *want)
{
	uint16_t type = h.flags & GTF_type_mask;

	if (h.domid != want->user || (!want->readonly && (h.flags & GTF_readonly)))
		return false;
	if (type == GTF_permit_access)
		return want->copy || !(h.flags & GTF_sub_page);
	return type == GTF_transitive && want->transitive;
}

static uint16_t use_flags(const struct grant_want *want)
{
	return GTF_reading | (want->readonly ? 0 : GTF_writing);
}

/* Take back what the flags say beyond what the pins need. */
static void status_reduce(struct grant_table *gt, grant_ref_t ref, const struct grant_active *act,
			  bool readonly)
{
	uint16_t *status = gt->version == 1 ? &grant_v1(gt, ref)->flags : grant_status_v2(gt, ref);
	uint16_t clear = act->pin ? 0 : GTF_reading;

	if (!readonly && !(act->pin & GNTPIN_write_mask))
		clear |= GTF_writing;
	if (clear)
		atomic_and(status, (uint16_t)~clear);
}

static int16_t claim_v1(struct grant_table *gt, grant_ref_t ref, const struct grant_want *want,
			uint16_t *flags)
{
	uint32_t *head = (uint32_t *)grant_v1(gt, ref);
	union grant_head old = {.raw = READ_ONCE(*head)}, new;

	for (unsigned int i = 0; i < CLAIM_TRIES; i++) {
		if (!head_grants(old, want) || (old.flags & GTF_type_mask) == GTF_transitive)
			return GNTST_general_error;
		new = old;
		new.flags |= use_flags(want);
		new.raw = cmpxchg(head, old.raw, new.raw);
		if (new.raw == old.raw) {
			*flags = old.flags;
			return GNTST_okay;
		}
		old = new;
	}
	return GNTST_general_error;
}

static int16_t claim_v2(struct grant_table *gt, grant_ref_t ref, const struct grant_active *act,
			const struct grant_want *want, uint16_t *flags)
{
	const uint32_t *head = (const uint32_t *)grant_v2(gt, ref);
	union grant_head h = {.raw = READ_ONCE(*head)};

	if (!head_grants(h, want))
		return GNTST_general_error;
	/* A full barrier: the granter sees it, or we see his change. */
	atomic_or(grant_status_v2(gt, ref), use_flags(want));
	h.raw = READ_ONCE(*head);
	*flags = h.flags;
	if (head_grants(h, want))
		return GNTST_okay;
	status_reduce(gt, ref, act, want->readonly);
	return GNTST_general_error;
}

/* What the entry, claimed with @flags, says. Each field is read once. */
static void entry_read(struct grant_table *gt, grant_ref_t ref, uint16_t flags,
		       struct grant_active *now)
{
	const grant_entry_v2_t *e;

	*now = (struct grant_active){.length = PAGE_SIZE};
	if (gt->version == 1) {
		now->mfn = READ_ONCE(grant_v1(gt, ref)->frame);
		return;
	}
	e = grant_v2(gt, ref);
	if ((flags & GTF_type_mask) == GTF_transitive) {
		now->granter = READ_ONCE(e->transitive.trans_domid);
		now->granter_ref = READ_ONCE(e->transitive.gref);
		now->mfn = INVALID_MFN;
		now->length = 0;
		now->sub_page = now->transitive = true;
	} else if (flags & GTF_sub_page) {
		now->start = READ_ONCE(e->sub_page.page_off);
		now->length = READ_ONCE(e->sub_page.length);
		now->mfn = READ_ONCE(e->sub_page.frame);
		now->sub_page = true;
	} else {
		now->mfn = READ_ONCE(e->full_page.frame);
	}
}

static bool entry_same(const struct grant_active *a, const struct grant_active *b)
{
	return a->mfn == b->mfn && a->start == b->start && a->length == b->length &&
	       a->sub_page == b->sub_page && a->transitive == b->transitive &&
	       a->granter == b->granter && a->granter_ref == b->granter_ref;
}

/*
 * The entry must grant what is wanted now. The first use makes our record of it; one that wants to
 * write where the others only read must find it unchanged: what it may write is what was granted
 * for writing.
 */
static int16_t claim(struct grant_table *gt, grant_ref_t ref, struct grant_active *act,
		     const struct grant_want *want)
{
	struct grant_active now;
	uint16_t flags;
	int16_t rc = gt->version == 1 ? claim_v1(gt, ref, want, &flags)
				      : claim_v2(gt, ref, act, want, &flags);

	if (rc != GNTST_okay)
		return rc;
	entry_read(gt, ref, flags, &now);
	if (act->pin)
		rc = entry_same(act, &now) ? GNTST_okay : GNTST_general_error;
	else if (now.transitive)
		rc = now.granter != gt->domain->domain_id ? GNTST_okay : GNTST_general_error;
	else
		rc = mfn_valid(now.mfn) ? GNTST_okay : GNTST_bad_page;
	if (rc != GNTST_okay)
		status_reduce(gt, ref, act, want->readonly);
	else if (!act->pin)
		*act = now;
	return rc;
}

static bool pin_possible(const struct grant_active *act, const struct grant_want *want)
{
	if (!act->pin)
		return true;
	return act->user == want->user && !GNTPIN_full(act->pin, want->pin) &&
	       (want->copy || !act->sub_page) && (want->transitive || !act->transitive);
}

static int16_t pin_locked(struct grant_table *gt, grant_ref_t ref, const struct grant_want *want,
			  struct grant_got *got)
{
	struct grant_active *act = grant_active(gt, ref);
	bool first = !act->pin;
	int16_t rc;

	if (!pin_possible(act, want))
		return GNTST_general_error;
	if (first || (!want->readonly && !(act->pin & GNTPIN_write_mask))) {
		rc = claim(gt, ref, act, want);
		if (rc != GNTST_okay)
			return rc;
	}
	got->page = NULL;
	if (!act->transitive) {
		got->page = grant_frame_get(gt->domain, act->mfn);
		if (!got->page) {
			status_reduce(gt, ref, act, want->readonly);
			return first ? GNTST_bad_page : GNTST_general_error;
		}
	}
	act->user = want->user;
	act->pin += want->pin;
	got->start = act->start;
	got->length = act->length;
	got->transitive = act->transitive;
	got->granter = act->granter;
	got->granter_ref = act->granter_ref;
	return GNTST_okay;
}

int16_t grant_pin(struct domain *d, grant_ref_t ref, const struct grant_want *want,
		  struct grant_got *got)
{
	struct grant_table *gt = d->grant;
	int16_t rc = GNTST_bad_gntref;

	if (!gt)
		return GNTST_bad_domain;
	spin_lock(&gt->lock);
	if (ref < grant_entries(gt))
		rc = pin_locked(gt, (grant_ref_t)array_index_nospec(ref, grant_entries(gt)), want,
				got);
	spin_unlock(&gt->lock);
	return rc;
}

/*
 * A pinned entry is always within the table: the format cannot change while any but a reserved one
 * is in use.
 */
void grant_unpin(struct domain *d, grant_ref_t ref, uint32_t pin, bool readonly)
{
	struct grant_table *gt = d->grant;
	struct grant_active *act;

	spin_lock(&gt->lock);
	ASSERT(ref < grant_entries(gt));
	act = grant_active(gt, ref);
	ASSERT(act->pin >= pin);
	act->pin -= pin;
	status_reduce(gt, ref, act, readonly);
	spin_unlock(&gt->lock);
}
