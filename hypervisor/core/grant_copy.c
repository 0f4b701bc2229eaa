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
	if (!side->page)
		return;
	if (side->typed)
		put_page_type(side->page);
	put_page(side->page);
	side->page = NULL;
	if (!side->by_ref)
		return;
	grant_unpin(side->d, side->ptr.u.ref, side_pin(side));
	if (side->granter) {
		grant_unpin(side->granter, side->granter_ref, side_pin(side));
		domain_put(side->granter);
	}
}

static void side_leave(struct grant_copy_side *side)
{
	if (!side->d)
		return;
	side_release(side);
	domain_put(side->d);
	side->d = NULL;
}

void grant_copy_finish(struct grant_copy_state *s)
{
	side_leave(&s->source);
	side_leave(&s->dest);
}

static always_inline int16_t side_domain(struct grant_copy_side *side, domid_t domid)
{
	if (side->d && side->ptr.domid == domid)
		return GNTST_okay;
	side_leave(side);
	side->d = domain_get_any(domid);
	side->page = NULL;
	side->ptr.domid = domid;
	return side->d ? GNTST_okay : GNTST_bad_domain;
}

/*
 * The entry named may stand for another domain's. The other's is used in the name of the middleman,
 * and must not be transitive itself. The first pin is already there; the record it holds says
 * whose.
 */
static int16_t side_pin_ref(struct grant_copy_side *side, grant_ref_t ref)
{
	struct grant_want want = {
		.user = current->domain->domain_id,
		.pin = side_pin(side),
		.kind = grant_opt_transitive ? GRANT_transitive : GRANT_part,
	};
	const struct grant_active *act;
	int16_t rc = grant_pin(side->d, ref, &want, &side->page);

	side->granter = NULL;
	if (rc != GNTST_okay)
		return rc;
	act = grant_active(side->d->grant, ref);
	if (act->kind == GRANT_transitive) {
		want.user = side->d->domain_id;
		want.kind = GRANT_part;
		side->granter_ref = (grant_ref_t)act->granter_ref;
		side->granter = domain_get(act->granter);
		rc = side->granter ? grant_pin(side->granter, side->granter_ref, &want, &side->page)
				   : GNTST_general_error;
		if (rc != GNTST_okay) {
			if (side->granter)
				domain_put(side->granter);
			grant_unpin(side->d, ref, want.pin);
			return rc;
		}
		act = grant_active(side->granter->grant, side->granter_ref);
	}
	side->start = act->start;
	side->length = act->length;
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
	return side->page && side->by_ref == by_ref &&
	       (by_ref ? side->ptr.u.ref == ptr->u.ref : side->ptr.u.gmfn == ptr->u.gmfn);
}

static int16_t side_take(struct grant_copy_side *side, const struct gnttab_copy_ptr *ptr,
			 bool by_ref, bool writable)
{
	int16_t rc;

	side_release(side);
	side->by_ref = by_ref;
	side->writable = writable;
	side->ptr.u = ptr->u;
	rc = by_ref ? side_pin_ref(side, ptr->u.ref) : side_get_frame(side, ptr->u.gmfn);
	if (rc != GNTST_okay)
		return rc;
	side->typed = writable && !get_page_type(side->page, PGT_writable_page);
	return side->typed == writable ? GNTST_okay : GNTST_general_error;
}

static always_inline int16_t side_claim(struct grant_copy_side *side,
					const struct gnttab_copy_ptr *ptr, bool by_ref,
					bool writable)
{
	/* Frames by number are for the caller's own memory. */
	if (!by_ref && ptr->domid != DOMID_SELF)
		return GNTST_permission_denied;
	return side_is(side, ptr, by_ref) ? GNTST_okay : side_take(side, ptr, by_ref, writable);
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
