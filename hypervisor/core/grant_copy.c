/* SPDX-License-Identifier: MIT */
/*
 * GNTTABOP_copy: bytes from one frame to another, each named by a grant or, the caller's own, by
 * its number.
 *
 * A side that the next element uses again stays pinned and referenced: network back ends copy many
 * fragments out of the same page. While held, a side has: a reference on its frame, one as writable
 * page if it is the destination, and a pin on the grant (two for a transitive one: the entry named,
 * and the one it stands for).
 *
 * No lock is held here. Only the holder's own hypercall touches a struct grant_copy_state.
 */
#include "core/grant_table.h"

#include "lib/string.h"

static uint32_t side_pin(const struct grant_copy_side *side)
{
	return side->writable ? GNTPIN_hstw_inc : GNTPIN_hstr_inc;
}

static void side_release(struct grant_copy_side *side)
{
	if (!side->held)
		return;
	side->held = false;
	if (side->typed)
		put_page_type(side->page);
	put_page(side->page);
	if (!side->by_ref)
		return;
	grant_unpin(side->d, side->ptr.u.ref, side_pin(side), !side->writable);
	if (side->granter) {
		grant_unpin(side->granter, side->granter_ref, side_pin(side), !side->writable);
		domain_put(side->granter);
		side->granter = NULL;
	}
}

static void side_leave(struct grant_copy_side *side)
{
	side_release(side);
	if (side->d)
		domain_put(side->d);
	side->d = NULL;
}

void grant_copy_finish(struct grant_copy_state *s)
{
	side_leave(&s->source);
	side_leave(&s->dest);
}

static int16_t side_domain(struct grant_copy_side *side, domid_t domid)
{
	if (side->d && side->ptr.domid == domid)
		return GNTST_okay;
	side_leave(side);
	side->d = domain_get_any(domid);
	side->ptr.domid = domid;
	return side->d ? GNTST_okay : GNTST_bad_domain;
}

/*
 * The entry named stands for another domain's. The other's is used in the name of the middleman,
 * and must not be transitive itself. The first pin is already there; the record it holds says
 * whose.
 */
static int16_t pin_through(struct grant_copy_side *side, struct grant_got *got)
{
	const struct grant_want want = {
		.user = side->d->domain_id,
		.pin = side_pin(side),
		.readonly = !side->writable,
		.copy = true,
	};
	int16_t rc = GNTST_general_error;

	side->granter_ref = got->granter_ref;
	side->granter = domain_get(got->granter);
	if (!side->granter)
		return rc;
	rc = grant_pin(side->granter, side->granter_ref, &want, got);
	if (rc != GNTST_okay) {
		domain_put(side->granter);
		side->granter = NULL;
	}
	return rc;
}

static int16_t side_pin_ref(struct grant_copy_side *side, grant_ref_t ref)
{
	const struct grant_want want = {
		.user = current->domain->domain_id,
		.pin = side_pin(side),
		.readonly = !side->writable,
		.copy = true,
		.transitive = grant_opt_transitive,
	};
	struct grant_got got;
	int16_t rc = grant_pin(side->d, ref, &want, &got);

	side->granter = NULL;
	if (rc == GNTST_okay && got.transitive) {
		rc = pin_through(side, &got);
		if (rc != GNTST_okay)
			grant_unpin(side->d, ref, want.pin, want.readonly);
	}
	if (rc != GNTST_okay)
		return rc;
	side->page = got.page;
	side->start = got.start;
	side->length = got.length;
	return GNTST_okay;
}

static int16_t side_get_frame(struct grant_copy_side *side, mfn_t mfn)
{
	side->page = grant_frame_get(side->d, mfn);
	side->start = 0;
	side->length = PAGE_SIZE;
	return side->page ? GNTST_okay : GNTST_bad_page;
}

static bool side_is(const struct grant_copy_side *side, const struct gnttab_copy_ptr *ptr,
		    bool by_ref)
{
	return side->held && side->by_ref == by_ref &&
	       (by_ref ? side->ptr.u.ref == ptr->u.ref : side->ptr.u.gmfn == ptr->u.gmfn);
}

static int16_t side_claim(struct grant_copy_side *side, const struct gnttab_copy_ptr *ptr,
			  bool by_ref, bool writable)
{
	int16_t rc;

	/* Frames by number are for the caller's own memory. */
	if (!by_ref && ptr->domid != DOMID_SELF)
		return GNTST_permission_denied;
	if (side_is(side, ptr, by_ref))
		return GNTST_okay;
	side_release(side);
	side->by_ref = by_ref;
	side->writable = writable;
	side->ptr.u = ptr->u;
	rc = by_ref ? side_pin_ref(side, ptr->u.ref) : side_get_frame(side, ptr->u.gmfn);
	if (rc != GNTST_okay)
		return rc;
	side->held = true;
	side->typed = writable && !get_page_type(side->page, PGT_writable_page);
	return side->typed == writable ? GNTST_okay : GNTST_general_error;
}

static bool side_covers(const struct grant_copy_side *side, unsigned int offset, unsigned int len)
{
	return offset >= side->start && offset + len <= (unsigned int)side->start + side->length;
}

static int16_t copy_bytes(const struct grant_copy_state *s, const struct gnttab_copy *op)
{
	unsigned int from = op->source.offset, to = op->dest.offset, len = op->len;

	if (from + len > PAGE_SIZE || to + len > PAGE_SIZE)
		return GNTST_bad_copy_arg;
	if (!side_covers(&s->source, from, len) || !side_covers(&s->dest, to, len))
		return GNTST_general_error;
	memmove((char *)page_to_virt(s->dest.page) + to,
		(const char *)page_to_virt(s->source.page) + from, len);
	return GNTST_okay;
}

int16_t grant_copy(struct grant_copy_state *s, const struct gnttab_copy *op)
{
	bool from_ref = op->flags & GNTCOPY_source_gref, to_ref = op->flags & GNTCOPY_dest_gref;
	int16_t rc;

	rc = side_domain(&s->source, op->source.domid);
	if (rc == GNTST_okay)
		rc = side_domain(&s->dest, op->dest.domid);
	if (rc == GNTST_okay)
		rc = side_claim(&s->source, &op->source, from_ref, false);
	if (rc == GNTST_okay)
		rc = side_claim(&s->dest, &op->dest, to_ref, true);
	if (rc == GNTST_okay)
		rc = copy_bytes(s, op);
	if (rc != GNTST_okay)
		grant_copy_finish(s);
	return rc;
}
