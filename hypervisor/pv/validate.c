/* SPDX-License-Identifier: MIT */
/*
 * What a page table may hold. A table becomes one (mm/page_type.c brings the frame here, and nobody can write to it
 * meanwhile) when every present entry has been found good and has taken its references:
 *
 *   level 1     a frame of the owner (or one it may map): a general reference, and one as writable if the entry is; a
 *               device frame the domain has rights to: nothing
 *   level n     a table of level n-1 of the same domain: a general and a type reference
 *   linear      a read-only entry may refer to a table of its own level: of itself without any reference; of another, only if
 *               that is validated already, has no such entries itself, and this table is not referred to that way. So there
 *               are no circles, and what can be reached through n levels of tables is read-only
 *
 * Entries are written back in the form the hardware shall see (USER set, GLOBAL clear). The hypervisor's slots
 * of a level-4 table are filled in, whatever stood there.
 *
 * Both directions keep in pt_next how far they are, so that an interrupted walk resumes; PTN_child says that the entry it
 * stopped at holds a general reference only because the table below was interrupted itself.
 */
#include "pv/mmu.h"

#include "x86/softirq.h"

#define WINDOW_EVERY \
	16 /* entries between looks at the interrupts: at most so many level-1 tables */

/* --- level 1 --- */

static int device_ref_get(pte_t *e, struct domain *d, struct domain *pg_owner)
{
	mfn_t mfn = pte_mfn(*e);
	unsigned int pat = (*e & PTE_PAT ? 4 : 0) | (*e & PTE_PCD ? 2 : 0) | (*e & PTE_PWT ? 1 : 0);

	if (pg_owner == dom_io)
		pg_owner = current->domain;
	if (mfn >> (paddr_bits - PAGE_SHIFT) ||
	    !domain_caps_contain(pg_owner, &pg_owner->iomem_caps, mfn, mfn) ||
	    (pg_owner != d && !domain_caps_contain(d, &d->iomem_caps, mfn, mfn)))
		return mfn == PTE_ADDR >> PAGE_SHIFT ? -EINVAL : -EPERM;
	/* The ABI's PAT: WB WT UC- UC WC WP. What could be cached becomes uncached. */
	if (pat < 2 || pat > 4)
		*e = (*e & ~L1_CACHE) | PTE_UC;
	return 0;
}

int l1_ref_get_slow(pte_t *e, struct domain *d, struct domain *pg_owner)
{
	struct page_info *pg;
	struct domain *owner;

	if ((*e & L1_CACHE) && !cache_policy_allowed(d))
		return -EINVAL;
	if (!mfn_valid(pte_mfn(*e)))
		return device_ref_get(e, d, pg_owner);
	pg = mfn_to_page(pte_mfn(*e));
	owner = get_page_owner(pg);
	if (!owner)
		return -EBUSY;
	/* A control domain may lend its right: @pg_owner's target's frames. */
	if (owner != pg_owner && (pg_owner == d || !domain_controls(pg_owner, owner)))
		goto busy;
	if ((*e & L1_CACHE) && (pg->count_info & PGC_xen_heap)) {
		put_page(pg);
		return -EACCES;
	}
	if (*e & PTE_RW) {
		if (type_get_writable(pg))
			goto busy;
		if (owner != d && !(READ_ONCE(pg->type_info) & PGT_foreign))
			atomic_or(&pg->type_info, PGT_foreign);
	}
	return 0;
busy:
	put_page(pg);
	return -EBUSY;
}

/* Tables are mostly empty, and what is not stands together: four entries at a time. */
static always_inline bool quad_empty(const pte_t *t, unsigned int i)
{
	return !(i & 3) && !(t[i] | t[i + 1] | t[i + 2] | t[i + 3]);
}

static int l1_validate(struct page_info *pg)
{
	struct domain *d = pg->owner;
	pte_t *t = page_to_virt(pg), e, ne;
	int rc;

	for (unsigned int i = 0; i < PTES_PER_TABLE; i++) {
		if (quad_empty(t, i)) {
			i += 3;
			continue;
		}
		e = t[i];
		if (!(e & PTE_P))
			continue;
		ne = l1_adjust(e);
		rc = l1_ref_get(&ne, d, d);
		if (unlikely(rc)) {
			pg->pt_next = i;
			return rc;
		}
		if (unlikely(ne != e))
			t[i] = ne;
	}
	return 0;
}

static void l1_devalidate(struct page_info *pg)
{
	const pte_t *t = page_to_virt(pg);
	unsigned int n = pg->pt_next & PTN_number;

	for (unsigned int i = 0; i < n; i++) {
		if (quad_empty(t, i))
			i += 3;
		else if (t[i] & PTE_P)
			l1_ref_put(t[i]);
	}
	pg->pt_next = 0;
}

/* --- linear entries --- */

/*
 * The linear count goes up from 0 with entries in the table, or down with uses of it: never both. Adding an entry takes
 * nothing that would have to be dropped on failure. Removing one first ends the use (and the lower table may then get
 * linear entries itself), then drops the type reference, which may wait for the lower table's lock, and only then uncounts
 * the entry: as long as this CPU can wait, nobody can refer to the table it has locked. A circle of waiting CPUs would need
 * each table's entry to be added after the use of the table was ended by the one before: none is first.
 */
static int linear_count(uint64_t x)
{
	return (int16_t)(x >> PGT_linear_shift);
}

static uint64_t linear_with(uint64_t x, int n)
{
	return (x & ~PGT_linear_mask) | (uint64_t)(uint16_t)n << PGT_linear_shift;
}

static void linear_add(struct page_info *pg, int step)
{
	uint64_t x;

	do
		x = READ_ONCE(pg->type_info);
	while (cmpxchg(&pg->type_info, x, linear_with(x, linear_count(x) + step)) != x);
}

static bool linear_add_entry(struct page_info *pg)
{
	uint64_t x;

	do {
		x = READ_ONCE(pg->type_info);
		if (linear_count(x) < 0 || linear_count(x) == INT16_MAX)
			return false;
	} while (cmpxchg(&pg->type_info, x, linear_with(x, linear_count(x) + 1)) != x);
	return true;
}

/* One more use, and type reference, of a table that is validated now; no waiting. */
static bool linear_add_use(struct page_info *pg, uint64_t type)
{
	uint64_t x;

	do {
		x = READ_ONCE(pg->type_info);
		if ((x & (PGT_type_mask | PGT_validated)) != (type | PGT_validated) ||
		    (x & PGT_count_mask) == PGT_count_mask || linear_count(x) > 0 ||
		    linear_count(x) == INT16_MIN)
			return false;
	} while (cmpxchg(&pg->type_info, x, linear_with(x + 1, linear_count(x) - 1)) != x);
	return true;
}

/* @e of @pg refers to @low, of the same level, of which a general reference is held. */
static bool linear_get(pte_t e, struct page_info *pg, struct page_info *low, uint64_t type)
{
	if (e & PTE_RW)
		return false;
	if (low == pg) {
		put_page(low);
		return true;
	}
	if (!linear_add_entry(pg))
		return false;
	if (linear_add_use(low, type))
		return true;
	linear_add(pg, -1);
	return false;
}

/* --- level 2 to 4 --- */

static int type_get(struct page_info *pg, uint64_t type, bool preemptible)
{
	return preemptible ? get_page_type_preemptible(pg, type) : get_page_type(pg, type);
}

int table_ref_get(pte_t e, struct page_info *pg, uint64_t type, bool preemptible)
{
	mfn_t mfn = pte_mfn(e);
	struct page_info *low;
	uint64_t want = type - TYPE_STEP, x;
	int rc;

	if (unlikely(e & TABLE_REFUSED) || unlikely(mfn >= max_page))
		return -EINVAL;
	low = mfn_to_page(mfn);
	if (unlikely(!get_page(low, pg->owner)))
		return -EINVAL;
	x = READ_ONCE(low->type_info);
	if ((x & (PGT_type_mask | PGT_validated)) == (want | PGT_validated) &&
	    (x & PGT_count_mask) != PGT_count_mask && cmpxchg(&low->type_info, x, x + 1) == x)
		return 0;
	rc = type_get(low, want, preemptible);
	if (!rc || rc == -ERESTART)
		return rc;
	if (linear_get(e, pg, low, type))
		return 0;
	put_page(low);
	return rc;
}

int table_ref_put(pte_t e, struct page_info *pg, uint64_t type, bool preemptible)
{
	struct page_info *low = mfn_to_page(pte_mfn(e));
	bool linear;
	int rc = 0;

	if (low == pg)
		return 0;
	/* Our reference keeps its type: it tells which of the two kinds this entry is. */
	linear = page_type(low) == type;
	if (unlikely(linear))
		linear_add(low, 1);
	if (preemptible)
		rc = put_page_type_preemptible(low);
	else
		put_page_type(low);
	if (unlikely(linear))
		linear_add(pg, -1);
	if (!rc)
		put_page(low);
	return rc;
}

/* The entry below pt_next was left half done: its table is to become valid. */
static int child_resume(struct page_info *pg, pte_t *t, unsigned int n, uint64_t type,
			bool preemptible)
{
	struct page_info *low = mfn_to_page(pte_mfn(t[n - 1]));
	int rc = type_get(low, type - TYPE_STEP, preemptible);

	if (rc == -ERESTART)
		return rc;
	if (rc)
		put_page(low);
	else
		t[n - 1] = table_adjust(t[n - 1], type);
	pg->pt_next = rc ? n - 1 : n;
	return rc;
}

/* Entries are counted per CPU, not per table: many sparse tables are as much work as a few full ones. */
static DEFINE_PER_CPU(unsigned int, entries_done);

static bool window_due(void)
{
	return ++this_cpu(entries_done) % WINDOW_EVERY == 0;
}

static int table_validate(struct page_info *pg, uint64_t type, bool preemptible)
{
	pte_t *t = page_to_virt(pg), e;
	unsigned int i = pg->pt_next & PTN_number;
	int rc;

	if (pg->pt_next & PTN_child) {
		rc = child_resume(pg, t, i, type, preemptible);
		if (rc)
			return rc;
	}
	for (; i < PTES_PER_TABLE; i++) {
		if (type == PGT_l4_page_table && i == HYPERVISOR_SLOT_FIRST)
			i = HYPERVISOR_SLOT_LAST + 1;
		if (quad_empty(t, i)) {
			i += 3;
			continue;
		}
		e = t[i];
		if (!(e & PTE_P))
			continue;
		rc = table_ref_get(e, pg, type, preemptible);
		if (rc) {
			pg->pt_next = rc == -ERESTART ? (i + 1) | PTN_child : i;
			return rc;
		}
		if (unlikely(table_adjust(e, type) != e))
			t[i] = table_adjust(e, type);
		if (preemptible && window_due() && i < PTES_PER_TABLE - 1 && irq_window()) {
			pg->pt_next = i + 1;
			return -ERESTART;
		}
	}
	if (type == PGT_l4_page_table)
		paging_fill_l4(t, virt_to_mfn(pg->owner->pv.perdomain_l3));
	return 0;
}

/* The entry below pt_next was left half done: finish letting its table go. */
static int child_finish(struct page_info *low, bool preemptible)
{
	int rc;

	do
		rc = page_type_finish(low);
	while (rc && !preemptible);
	if (!rc)
		put_page(low);
	return rc;
}

static int table_devalidate(struct page_info *pg, uint64_t type, bool preemptible)
{
	const pte_t *t = page_to_virt(pg);
	unsigned int n = pg->pt_next & PTN_number, failed = pg->pt_next & PTN_failed;

	if (pg->pt_next & PTN_child) {
		if (child_finish(mfn_to_page(pte_mfn(t[n - 1])), preemptible))
			return -ERESTART;
		n--;
	}
	while (n) {
		if (type == PGT_l4_page_table && n == HYPERVISOR_SLOT_LAST + 1)
			n = HYPERVISOR_SLOT_FIRST;
		if (!(n & 3) && quad_empty(t, n - 4)) {
			n -= 4;
			continue;
		}
		n--;
		if (!(t[n] & PTE_P))
			continue;
		if (table_ref_put(t[n], pg, type, preemptible)) {
			pg->pt_next = (n + 1) | PTN_child | failed;
			return -ERESTART;
		}
		if (preemptible && window_due() && n && irq_window()) {
			pg->pt_next = n | failed;
			return -ERESTART;
		}
	}
	pg->pt_next = 0;
	return 0;
}

/* --- the two entry points --- */

static int pv_validate(struct page_info *pg, uint64_t type, bool preemptible)
{
	if (type == PGT_l1_page_table)
		return l1_validate(pg);
	if (type == PGT_seg_desc_page)
		return pv_validate_descriptors(pg);
	return table_validate(pg, type, preemptible);
}

static int pv_devalidate(struct page_info *pg, uint64_t type, bool preemptible)
{
	if (type == PGT_l1_page_table)
		l1_devalidate(pg);
	else if (type != PGT_seg_desc_page)
		return table_devalidate(pg, type, preemptible);
	return 0;
}

void pv_mmu_init(void)
{
	static const struct page_type_ops ops = {
		.validate = pv_validate,
		.devalidate = pv_devalidate,
	};

	page_type_register(&ops);
}
