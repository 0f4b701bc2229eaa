/* SPDX-License-Identifier: MIT */
/*
 * The mmuext_op hypercall: pinning, base pointers, TLB and cache flushes, the LDT, clearing and copying pages. A list of
 * operations, continued as mmu_update is (pv/mmu_list.h).
 */
#include "lib/string.h"
#include "pv/mmu_list.h"
#include "x86/softirq.h"

/* The caller, and the domain it speaks about. */
struct ext_run {
	struct vcpu *v;
	struct domain *d, *owner;
};

/* What speaks about the caller itself only. */
#define OWN_ONLY                                                                              \
	(BIT(MMUEXT_NEW_BASEPTR) | BIT(MMUEXT_TLB_FLUSH_LOCAL) | BIT(MMUEXT_INVLPG_LOCAL) |   \
	 BIT(MMUEXT_TLB_FLUSH_MULTI) | BIT(MMUEXT_INVLPG_MULTI) | BIT(MMUEXT_TLB_FLUSH_ALL) | \
	 BIT(MMUEXT_INVLPG_ALL) | BIT(MMUEXT_FLUSH_CACHE) | BIT(MMUEXT_SET_LDT) |             \
	 BIT(MMUEXT_NEW_USER_BASEPTR) | BIT(MMUEXT_FLUSH_CACHE_GLOBAL))

static int flush(const cpumask_t *mask, bool whole, unsigned long va)
{
	if (whole)
		tlb_flush_mask(mask, FLUSH_TLB, 0);
	else if (guest_va_ok(va))
		tlb_flush_mask(mask, FLUSH_TLB_VA, va);
	return 0;
}

/* Which CPUs' caches hold what the domain wrote is not known. */
static int flush_cache(const struct domain *d)
{
	if (!cache_policy_allowed(d))
		return -EACCES;
	tlb_flush_mask(&cpu_online_map, FLUSH_CACHE, 0);
	return 0;
}

static int set_ldt(struct vcpu *v, unsigned long base, unsigned int ents)
{
	if (!ents)
		base = 0;
	if (ents > 8192 || (base & ~PAGE_MASK) || !guest_va_ok(base))
		return -EINVAL;
	if (v->pv.ldt_ents == ents && v->pv.ldt_base == base)
		return 0;
	pv_ldt_unmap(v);
	v->pv.ldt_base = base;
	v->pv.ldt_ents = ents;
	pv_load_descriptors(v);
	return 0;
}

/* The frame @to of the owner's, which must be one that may be written, becomes a copy of @from, or zeros without it. */
static int fill_page(struct domain *owner, mfn_t to, const struct page_info *from)
{
	struct page_info *pg = mfn_to_page(to);

	if (!mfn_valid(to) || get_page_and_type(pg, owner, PGT_writable_page))
		return -EINVAL;
	if (from)
		memcpy(page_to_virt(pg), page_to_virt(from), PAGE_SIZE);
	else
		memset(page_to_virt(pg), 0, PAGE_SIZE);
	put_page_and_type(pg);
	return 0;
}

static int copy_page(struct domain *owner, mfn_t to, mfn_t from)
{
	struct page_info *pg = frame_get(owner, from);
	int rc = pg ? fill_page(owner, to, pg) : -EINVAL;

	if (pg)
		put_page(pg);
	return rc;
}

static always_inline int ext_one(struct ext_run *run, unsigned long op_va)
{
	uint64_t first, arg1, arg2;
	cpumask_t mask;
	uint32_t cmd;

	if (unlikely(!mmu_list_word(op_va, &first)) || unlikely(!mmu_list_word(op_va + 8, &arg1)) ||
	    unlikely(!mmu_list_word(op_va + 16, &arg2)))
		return -EFAULT;
	cmd = (uint32_t)first;
	if (unlikely(run->owner != run->d) && cmd < 64 && (OWN_ONLY >> cmd & 1))
		return -EPERM;
	switch (cmd) {
	case MMUEXT_NEW_BASEPTR:
		return pv_new_cr3(run->v, arg1);
	case MMUEXT_NEW_USER_BASEPTR:
		return pv_new_user_cr3(run->v, arg1);
	case MMUEXT_TLB_FLUSH_LOCAL:
		tlb_flush_local(FLUSH_TLB, 0);
		return 0;
	case MMUEXT_INVLPG_LOCAL:
		tlb_flush_local(FLUSH_TLB_VA, arg1);
		return 0;
	case MMUEXT_TLB_FLUSH_MULTI:
	case MMUEXT_INVLPG_MULTI:
		if (pv_vcpumask(run->d, arg2, &mask))
			return -EINVAL;
		return flush(&mask, cmd == MMUEXT_TLB_FLUSH_MULTI, arg1);
	case MMUEXT_TLB_FLUSH_ALL:
	case MMUEXT_INVLPG_ALL:
		return flush(&run->d->dirty_cpus, cmd == MMUEXT_TLB_FLUSH_ALL, arg1);
	case MMUEXT_PIN_L1_TABLE:
	case MMUEXT_PIN_L2_TABLE:
	case MMUEXT_PIN_L3_TABLE:
	case MMUEXT_PIN_L4_TABLE:
		return pv_pin_table(run->owner, arg1,
				    PGT_l1_page_table + (cmd - MMUEXT_PIN_L1_TABLE) * TYPE_STEP);
	case MMUEXT_UNPIN_TABLE:
		return pv_unpin_table(run->owner, arg1);
	case MMUEXT_SET_LDT:
		return set_ldt(run->v, arg1, (unsigned int)arg2);
	case MMUEXT_CLEAR_PAGE:
		return fill_page(run->owner, arg1, NULL);
	case MMUEXT_COPY_PAGE:
		return copy_page(run->owner, arg1, arg2);
	case MMUEXT_FLUSH_CACHE:
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		return flush_cache(run->d);
	case MMUEXT_MARK_SUPER:
	case MMUEXT_UNMARK_SUPER:
		return -EOPNOTSUPP;
	default:
		return -ENOSYS;
	}
}

_Static_assert(sizeof(struct mmuext_op) == 24 && offsetof(struct mmuext_op, arg1) == 8 &&
		       offsetof(struct mmuext_op, arg2) == 16,
	       "the ABI's layout, as ext_one reads it");

/* Work through up to @count operations; *done of them succeeded. */
static always_inline int ext_list(struct ext_run *run, unsigned long ops, unsigned int count,
				  unsigned int *done)
{
	int rc = 0;

	for (*done = 0; *done < count; ++*done) {
		if (unlikely(run->v->pv.old_table) || (*done && irq_window()))
			return -ERESTART;
		rc = ext_one(run, ops + *done * sizeof(struct mmuext_op));
		if (unlikely(rc))
			break;
	}
	return rc;
}

long hc_mmuext_op(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		  unsigned long a5)
{
	struct mmu_list l = {__HYPERVISOR_mmuext_op, sizeof(struct mmuext_op), a1, a3, a4};
	struct ext_run run = {current, current->domain, current->domain};
	unsigned int n = 0;
	long rc;

	if (unlikely(!mmu_list_open(&l, a2, &rc)))
		return rc;
	if (unlikely((domid_t)a4 != DOMID_SELF)) {
		run.owner = foreign_domain_get((domid_t)a4);
		if (!run.owner)
			return -ESRCH;
	}
	rc = likely(run.owner == run.d) || domain_controls(run.d, run.owner)
		     ? ext_list(&run, a1, l.count, &n)
		     : -EPERM;
	if (unlikely(run.owner != run.d))
		foreign_domain_put(run.owner);
	return mmu_list_close(&l, n, rc);
}
