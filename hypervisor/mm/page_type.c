/* SPDX-License-Identifier: MIT */
/*
 * What frames are used as. This file keeps the invariant that PV isolation rests on: a frame that a guest can write is not a
 * page table (or descriptor table), and what a page table holds has been checked entry by entry.
 *
 * A frame's type_info goes through these states:
 *
 *   idle        count 0; the type bits tell the last use (a writable frame stays PGT_writable_page|PGT_validated)
 *   changing    count 1, not validated: one CPU, which brought it here by compare-and-exchange, flushes and checks. Others
 *               that want the same type wait for the outcome; those that want another are refused
 *   in use      count > 0, validated. More of the same type: count + 1. Any other type: refused
 *   leaving     as changing: the last reference of a table has gone, its entries' references are being let go
 *   partial     count 0, PGT_partial: checking or leaving was interrupted. Entries [0, pt_next) hold references. The state
 *               holds a general reference of its own, so the frame cannot be freed. Whoever wants the same type goes on
 *               from there; page_type_finish, or a preemptible request for another type, lets the entries go first
 *
 * "Changing" is entered before the TLBs are flushed: in between nobody else can use the frame as what it was (a compare of
 * the word afterwards would not notice a use that came and went). The flush goes to the CPUs that ran the owner and
 * have not flushed since the last use ended (tlb_stamp). That covers writable translations, and the paging-structure
 * caches of a table that becomes writable. A frame that a foreign domain could write is flushed everywhere.
 *
 * Waiting is safe because it goes downwards only: a CPU that is changing a level-n table asks for types of level n-1 and
 * writable, never for its own level (linear entries take references of validated tables only and do not wait). The
 * same order holds for the content lock (PGT_locked, page_table_lock): its holder changes one entry of one table, and what that
 * drops or takes is of a lower level, or a linear entry's table (pv/validate.c says why that makes no circle). The last
 * type reference waits for the content lock, thus whoever has the lock needs no reference of its own. Interrupts may be
 * taken while a frame is changing or locked (irq_window): their handlers touch no types.
 *
 * No frame's count is raised on trust: overflow of the type count (32 bits) and of the general count (26) is refused.
 */
#include "lib/log.h"
#include "mm/heap.h"
#include "x86/tlb.h"

#include "core/domain.h"
#include "lib/errno.h"

static const struct page_type_ops *ops;

void page_type_register(const struct page_type_ops *o)
{
	ops = o;
}

uint64_t page_table_lock_slow(struct page_info *pg)
{
	uint64_t x;

	for (;;) {
		x = READ_ONCE(pg->type_info);
		if (!(x & PGT_validated) || (x >> PGT_type_shift) - 1 >= 4)
			return PGT_none;
		if (x & PGT_locked)
			spin_wait();
		else if (cmpxchg(&pg->type_info, x, x | PGT_locked) == x)
			return x & PGT_type_mask;
	}
}

/* From "changing" or "leaving" to idle. */
static void type_settle_idle(struct page_info *pg)
{
	pg->tlb_stamp = tlb_stamp_now();
	__atomic_store_n(&pg->type_info, PGT_none, __ATOMIC_RELEASE);
}

static inline uint64_t linear_of(uint64_t x)
{
	return x & PGT_linear_mask;
}

/* The interrupted state gets its own general reference. False if the count is full. */
static bool type_settle_partial(struct page_info *pg, uint64_t type)
{
	if (!get_page_any(pg))
		return false;
	__atomic_store_n(&pg->type_info, type | PGT_partial | linear_of(pg->type_info),
			 __ATOMIC_RELEASE);
	return true;
}

/* Let the entries' references go. 0: the frame is idle; -ERESTART: it is partial. */
static int type_leave(struct page_info *pg, uint64_t type, bool preemptible)
{
	int rc = ops->devalidate(pg, type, preemptible);

	if (rc == -ERESTART && !type_settle_partial(pg, type))
		rc = ops->devalidate(pg, type, false);
	if (!rc)
		type_settle_idle(pg);
	return rc;
}

/* Check the content; the frame is "changing", pt_next tells where to go on. */
static int type_check(struct page_info *pg, uint64_t type, bool preemptible)
{
	int rc = ops->validate(pg, type, preemptible);

	if (!rc) {
		atomic_or(&pg->type_info, PGT_validated);
		return 0;
	}
	if (rc == -ERESTART) {
		if (type_settle_partial(pg, type))
			return rc;
		rc = -EBUSY;
	}
	pg->pt_next |= PTN_failed;
	return type_leave(pg, type, preemptible) ? -ERESTART : rc;
}

/* From partial to changing: false if another CPU was faster. */
static bool partial_claim(struct page_info *pg, uint64_t x)
{
	return cmpxchg(&pg->type_info, x, (x & PGT_type_mask) | linear_of(x) | 1) == x;
}

/* A table that was interrupted while it was let go, or that has failed, or that somebody abandoned: finish that. */
int page_type_finish(struct page_info *pg)
{
	uint64_t x = READ_ONCE(pg->type_info);
	int rc;

	if (!(x & PGT_partial) || !partial_claim(pg, x))
		return 0;
	rc = type_leave(pg, x & PGT_type_mask, true);
	put_page(pg); /* the former interruption's */
	return rc;
}

/* Somebody wants @type of a partial frame. */
static int partial_resume(struct page_info *pg, uint64_t x, uint64_t type, bool preemptible)
{
	int rc;

	if ((x & PGT_type_mask) != type || (pg->pt_next & PTN_failed)) {
		bool failed = (x & PGT_type_mask) == type;

		if (!preemptible)
			return -EINVAL;
		rc = page_type_finish(pg);
		return rc ? rc : failed ? -EINVAL : -EAGAIN;
	}
	if (!partial_claim(pg, x))
		return -EAGAIN;
	rc = type_check(pg, type, preemptible);
	put_page(pg);
	return rc;
}

/* The type is new: one CPU gets here, with the frame in state "changing". */
static int type_begin(struct page_info *pg, uint64_t former, uint64_t type, bool preemptible)
{
	/* The frame is ours to change: make sure that nobody can use it as what it was. */
	frames_flush(former & PGT_foreign ? &cpu_online_map : &pg->owner->dirty_cpus,
		     pg->tlb_stamp);
	if (!type_is_checked(type)) {
		__atomic_store_n(&pg->type_info, type | PGT_validated | 1, __ATOMIC_RELEASE);
		return 0;
	}
	pg->pt_next = 0;
	return type_check(pg, type, preemptible);
}

static int type_get(struct page_info *pg, uint64_t type, bool preemptible)
{
	uint64_t x;
	int rc;

	for (;;) {
		x = READ_ONCE(pg->type_info);
		if (unlikely(x & PGT_partial)) {
			rc = partial_resume(pg, x, type, preemptible);
			if (rc != -EAGAIN)
				return rc;
		} else if (!(x & PGT_count_mask)) {
			if ((x & (PGT_type_mask | PGT_validated)) == (type | PGT_validated)) {
				/* Writable again: whoever may still reach it by an old translation may do so. */
				if (cmpxchg(&pg->type_info, x, x + 1) == x)
					return 0;
			} else if (cmpxchg(&pg->type_info, x, type | 1) == x) {
				return type_begin(pg, x, type, preemptible);
			}
		} else if ((x & PGT_type_mask) != type || (x & PGT_count_mask) == PGT_count_mask) {
			return -EINVAL;
		} else if (!(x & PGT_validated)) {
			spin_wait();
		} else if (cmpxchg(&pg->type_info, x, x + 1) == x) {
			return 0;
		}
	}
}

static int type_put(struct page_info *pg, bool preemptible)
{
	uint64_t x, type;

	for (;;) {
		x = READ_ONCE(pg->type_info);
		type = x & PGT_type_mask;
		ASSERT((x & PGT_count_mask) && (x & PGT_validated));
		if (likely((x & PGT_count_mask) > 1)) {
			if (cmpxchg(&pg->type_info, x, x - 1) == x)
				return 0;
		} else if (!type_is_checked(type)) {
			pg->tlb_stamp = tlb_stamp_now();
			if (cmpxchg(&pg->type_info, x, x - 1) == x)
				return 0;
		} else if (x & PGT_locked) {
			spin_wait();
		} else if (cmpxchg(&pg->type_info, x, type | linear_of(x) | 1) == x) {
			pg->pt_next = PTES_PER_TABLE;
			return type_leave(pg, type, preemptible);
		}
	}
}

int get_page_type(struct page_info *pg, uint64_t type)
{
	return type_get(pg, type, false);
}

int get_page_type_preemptible(struct page_info *pg, uint64_t type)
{
	return type_get(pg, type, true);
}

void put_page_type(struct page_info *pg)
{
	int rc = type_put(pg, false);

	BUG_ON(rc);
}

int put_page_type_preemptible(struct page_info *pg)
{
	return type_put(pg, true);
}
