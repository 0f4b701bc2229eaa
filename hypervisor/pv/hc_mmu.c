/* SPDX-License-Identifier: MIT */
/*
 * The hypercalls that change page-table entries: mmu_update (a list of entries, by machine address) and update_va_mapping
 * (the level-1 entry that maps an address). A list is worked through with the table of the last entry kept
 * locked, since neighbours usually follow each other.
 */
#include "pv/mmu_list.h"
#include "x86/softirq.h"

#define PREEMPT_EVERY 32

/* A run through a list. */
struct mmu_run {
	struct domain *d, *pt_owner, *pg_owner;
	struct page_info *pg; /* locked table, NULL if none */
	mfn_t mfn;	      /* its frame, INVALID_MFN */
	uint64_t type;
};

static always_inline void run_unlock(struct mmu_run *run)
{
	if (run->pg)
		page_table_unlock(run->pg);
	run->pg = NULL;
	run->mfn = INVALID_MFN;
}

/* Lock the table that @mfn is; run->pg stays NULL if it is none (of the owner's). */
static void run_lock(struct mmu_run *run, mfn_t mfn)
{
	struct page_info *pg;

	run_unlock(run);
	if (!mfn_valid(mfn))
		return;
	pg = mfn_to_page(mfn);
	/* Checked again once it is locked; here it keeps others' tables from being contended. */
	if (READ_ONCE(pg->owner) != run->pt_owner)
		return;
	run->type = page_table_lock(pg);
	if (run->type == PGT_none)
		return;
	if (pg->owner != run->pt_owner) {
		page_table_unlock(pg);
		return;
	}
	run->mfn = mfn;
	run->pg = pg;
}

/* No table: a plain write to a frame that the guest could write to itself. */
static int plain_write(struct mmu_run *run, uint64_t ptr, uint64_t val)
{
	struct page_info *pg = mfn_to_page(PFN_DOWN(ptr));

	if (!mfn_valid(PFN_DOWN(ptr)) || get_page_and_type(pg, run->pt_owner, PGT_writable_page))
		return -EINVAL;
	WRITE_ONCE(*(uint64_t *)maddr_to_virt(ptr), val);
	put_page_and_type(pg);
	return 0;
}

static always_inline int entry_update(struct mmu_run *run, uint64_t ptr, uint64_t val,
				      enum entry_mode mode)
{
	mfn_t mfn = ptr >> PAGE_SHIFT;

	if (mfn != run->mfn)
		run_lock(run, mfn);
	if (unlikely(!run->pg))
		return plain_write(run, ptr, val);
	if (likely(run->type == PGT_l1_page_table))
		return l1_entry_set(maddr_to_virt(ptr), val, run->pt_owner, run->pg_owner, mode);
	if (run->pg_owner != run->pt_owner)
		return -EINVAL;
	return table_entry_set(maddr_to_virt(ptr), val, run->pg, run->type, mode);
}

static int machphys_update(struct mmu_run *run, uint64_t ptr, uint64_t gpfn)
{
	struct page_info *pg;

	if (run->pt_owner != run->d)
		return -EPERM;
	pg = frame_get(run->pg_owner, PFN_DOWN(ptr));
	if (!pg)
		return -EINVAL;
	m2p_set(PFN_DOWN(ptr), gpfn);
	put_page(pg);
	return 0;
}

/* Out of the way of the common command. */
static noinline int run_other(struct mmu_run *run, uint64_t ptr, uint64_t val, unsigned int cmd)
{
	switch (cmd) {
	case MMU_PT_UPDATE_PRESERVE_AD:
	case MMU_PT_UPDATE_NO_TRANSLATE:
		return entry_update(run, ptr, val,
				    cmd == MMU_PT_UPDATE_PRESERVE_AD ? ENTRY_KEEP_AD : ENTRY_PLAIN);
	case MMU_MACHPHYS_UPDATE:
		return machphys_update(run, ptr, val);
	default:
		return -ENOSYS;
	}
}

static always_inline int run_one(struct mmu_run *run, unsigned long req_va)
{
	uint64_t ptr, val;

	if (unlikely(!mmu_list_word(req_va, &ptr)) || unlikely(!mmu_list_word(req_va + 8, &val)))
		return -EFAULT;
	if (likely((ptr & 7) == MMU_NORMAL_PT_UPDATE))
		return entry_update(run, ptr, val, ENTRY_PLAIN);
	return run_other(run, ptr & ~7UL, val, ptr & 7);
}

/* May the caller change @pt_owner's tables to map @pg_owner's frames? */
static always_inline int run_permitted(const struct mmu_run *run)
{
	const struct domain *d = run->d;

	if (run->pg_owner != d && run->pg_owner != dom_io && !domain_controls(d, run->pg_owner))
		return -EPERM;
	if (run->pt_owner != d && !domain_controls(d, run->pt_owner))
		return -EPERM;
	return 0;
}

/* Both domains of the `foreigndom` argument: tables' owner + 1 in the high half (0: the caller), frames' owner in the low. */
static int run_open_foreign(struct mmu_run *run, unsigned int foreigndom)
{
	unsigned int pt = foreigndom >> 16;

	if (pt && (domid_t)(pt - 1) != run->d->domain_id) {
		run->pt_owner = domain_get((domid_t)(pt - 1));
		if (!run->pt_owner)
			return -ESRCH;
	}
	run->pg_owner = foreign_domain_get((domid_t)foreigndom);
	if (!run->pg_owner) {
		foreign_domain_put(run->pt_owner);
		return -ESRCH;
	}
	return 0;
}

static always_inline int run_open(struct mmu_run *run, unsigned int foreigndom)
{
	run->d = run->pt_owner = run->pg_owner = current->domain;
	run->pg = NULL;
	run->mfn = INVALID_MFN;
	run->type = PGT_none;
	return likely(foreigndom == DOMID_SELF) ? 0 : run_open_foreign(run, foreigndom);
}

static always_inline void run_close(struct mmu_run *run)
{
	run_unlock(run);
	if (unlikely(run->pg_owner != run->d))
		foreign_domain_put(run->pg_owner);
	if (unlikely(run->pt_owner != run->d))
		foreign_domain_put(run->pt_owner);
}

/* Work through up to @count entries; *done of them succeeded. */
static always_inline int run_list(struct mmu_run *run, unsigned long reqs, unsigned int count,
				  unsigned int *done)
{
	int rc = count ? run_permitted(run) : 0;

	*done = 0;
	while (*done < count && !rc) {
		if (unlikely(current->pv.old_table))
			return -ERESTART;
		if (unlikely(*done % PREEMPT_EVERY == PREEMPT_EVERY - 1)) {
			run_unlock(run);
			if (irq_window())
				return -ERESTART;
		}
		rc = run_one(run, reqs + *done * sizeof(struct mmu_update));
		*done += !rc;
	}
	return rc;
}

long hc_mmu_update(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		   unsigned long a5)
{
	struct mmu_list l = {__HYPERVISOR_mmu_update, sizeof(struct mmu_update), a1, a3, a4};
	struct mmu_run run;
	unsigned int n;
	long rc;

	if (unlikely(!mmu_list_open(&l, a2, &rc)))
		return rc;
	rc = run_open(&run, (unsigned int)a4);
	if (unlikely(rc))
		return rc;
	rc = run_list(&run, a1, l.count, &n);
	run_close(&run);
	return mmu_list_close(&l, n, rc);
}

/* --- update_va_mapping --- */

static int uvm_flush(struct domain *d, unsigned long va, unsigned long flags)
{
	unsigned int kind =
		(flags & UVMF_FLUSHTYPE_MASK) == UVMF_TLB_FLUSH ? FLUSH_TLB : FLUSH_TLB_VA;
	unsigned long whom = flags & ~UVMF_FLUSHTYPE_MASK;
	cpumask_t mask;
	int rc = 0;

	if (whom == UVMF_LOCAL) {
		tlb_flush_local(kind, va);
		return 0;
	}
	if (whom == UVMF_ALL)
		mask = d->dirty_cpus;
	else
		rc = pv_vcpumask(d, whom, &mask);
	if (!rc)
		tlb_flush_mask(&mask, kind, va);
	return rc;
}

static int va_mapping_update(unsigned long va, uint64_t val, unsigned long flags,
			     struct domain *pg_owner)
{
	struct vcpu *v = current;
	struct page_info *pg = l1_table_lock(va);
	int rc;

	if (unlikely(!pg))
		return -EINVAL;
	rc = l1_entry_set(l1_entry_of(pg, va), val, v->domain, pg_owner, ENTRY_PLAIN);
	page_table_unlock(pg);
	if (unlikely(rc) || !(flags & UVMF_FLUSHTYPE_MASK))
		return rc;
	return uvm_flush(v->domain, va, flags);
}

long hc_update_va_mapping(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
			  unsigned long a5)
{
	return va_mapping_update(a1, a2, a3, current->domain);
}

long hc_update_va_mapping_otherdomain(unsigned long a1, unsigned long a2, unsigned long a3,
				      unsigned long a4, unsigned long a5)
{
	struct domain *d = current->domain, *pg_owner = foreign_domain_get((domid_t)a4);
	int rc;

	if (!pg_owner)
		return -ESRCH;
	rc = pg_owner == d || domain_controls(d, pg_owner) ? va_mapping_update(a1, a2, a3, pg_owner)
							   : -EPERM;
	foreign_domain_put(pg_owner);
	return rc;
}
