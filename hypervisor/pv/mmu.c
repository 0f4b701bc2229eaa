/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's top-level tables, finding what a guest address maps to, and whom the page-table hypercalls may speak about.
 *
 * v->pv.cr3_kernel and cr3_user hold a general and a type reference each on their frames; 0: none. v->pv.old_table is a
 * table whose letting go was interrupted: every operation that could leave another finishes it first.
 */
#include "pv/mmu.h"

/* --- walking --- */

/* By the tables of kernel mode, whatever mode the guest is in: descriptor tables and shared areas are the kernel's. */
pte_t pv_guest_l1e(unsigned long va)
{
	const pte_t *t;

	if (!current->pv.cr3_kernel)
		return 0;
	t = walk_step(walk_to_l2(current->pv.cr3_kernel, va));
	return t ? READ_ONCE(t[pte_index(va, L1_SHIFT)]) : 0;
}

/* The reference makes the frame the guest's for sure: a stale entry may have named anything. */
struct page_info *pv_guest_frame(unsigned long va)
{
	pte_t e = pv_guest_l1e(va);

	return e & PTE_P ? frame_get(current->domain, pte_mfn(e)) : NULL;
}

/* --- roots --- */

int pv_finish_old_table(struct vcpu *v)
{
	struct page_info *pg = v->pv.old_table;

	if (likely(!pg))
		return 0;
	if (page_type_finish(pg))
		return -ERESTART;
	v->pv.old_table = NULL;
	put_page(pg);
	return 0;
}

/* Drops a type reference and the general one behind it; an interrupted rest goes to v->pv.old_table. */
static void table_put(struct vcpu *v, struct page_info *pg)
{
	ASSERT(!v->pv.old_table);
	if (put_page_type_preemptible(pg))
		v->pv.old_table = pg;
	else
		put_page(pg);
}

static int table_get(struct domain *d, mfn_t mfn, uint64_t type)
{
	struct page_info *pg = frame_get(d, mfn);
	int rc;

	if (!pg)
		return -EINVAL;
	rc = get_page_type_preemptible(pg, type);
	if (rc)
		put_page(pg);
	return rc;
}

/* Under this assist user mode does not see the machine-to-physical table. */
static void m2p_show(struct domain *d, mfn_t root, bool user)
{
	pte_t *l4 = mfn_to_virt(root);

	if (!(d->vm_assist & (1UL << VMASST_TYPE_m2p_strict)))
		return;
	WRITE_ONCE(l4[HYPERVISOR_SLOT_FIRST], user ? 0 : idle_l4[HYPERVISOR_SLOT_FIRST]);
}

static int old_root_put(struct vcpu *v, unsigned long cr3)
{
	if (cr3)
		table_put(v, mfn_to_page(PFN_DOWN(cr3)));
	return v->pv.old_table ? -ERESTART : 0;
}

int pv_new_cr3(struct vcpu *v, mfn_t mfn)
{
	unsigned long old = v->pv.cr3_kernel;
	int rc = unlikely(v->pv.old_table) ? pv_finish_old_table(v) : 0;

	if (unlikely(rc))
		return rc;
	if (mfn != PFN_DOWN(old)) {
		rc = table_get(v->domain, mfn, PGT_l4_page_table);
		if (unlikely(rc))
			return rc;
		pv_ldt_unmap(v);
		m2p_show(v->domain, mfn, false);
		v->pv.cr3_kernel = mfn << PAGE_SHIFT;
	}
	if (v == current)
		pv_load_cr3(v);
	return mfn != PFN_DOWN(old) ? old_root_put(v, old) : 0;
}

int pv_new_user_cr3(struct vcpu *v, mfn_t mfn)
{
	unsigned long old = v->pv.cr3_user;
	int rc = pv_finish_old_table(v);

	if (rc || mfn == PFN_DOWN(old))
		return rc;
	if (mfn) {
		rc = table_get(v->domain, mfn, PGT_l4_page_table);
		if (rc)
			return rc;
		m2p_show(v->domain, mfn, true);
	}
	v->pv.cr3_user = mfn << PAGE_SHIFT;
	return old_root_put(v, old);
}

/* @v is not running. */
int pv_set_guest_table(struct vcpu *v, mfn_t kernel, mfn_t user)
{
	int rc = pv_new_user_cr3(v, user);

	return rc ? rc : pv_new_cr3(v, kernel);
}

int pv_drop_guest_tables(struct vcpu *v)
{
	unsigned long old = v->pv.cr3_kernel;
	int rc = pv_new_user_cr3(v, 0);

	if (rc)
		return rc;
	v->pv.cr3_kernel = 0;
	return old_root_put(v, old);
}

/* The guest's pin, kept as a type reference of its own. */
int pv_pin_table(struct domain *d, mfn_t mfn, uint64_t type)
{
	int rc = table_get(d, mfn, type);
	struct page_info *pg;
	bool late;

	if (rc)
		return rc;
	pg = mfn_to_page(mfn);
	if (atomic_or(&pg->type_info, PGT_pinned) & PGT_pinned) {
		table_put(current, pg);
		return -EINVAL;
	}
	if (likely(d == current->domain))
		return 0;
	/* Its domain may be going down: then nobody would take this pin back. */
	spin_lock(&d->page_lock);
	late = d->dying != DOMDYING_alive && (atomic_and(&pg->type_info, ~PGT_pinned) & PGT_pinned);
	spin_unlock(&d->page_lock);
	if (late)
		table_put(current, pg);
	return 0;
}

int pv_unpin_table(struct domain *d, mfn_t mfn)
{
	struct page_info *pg = frame_get(d, mfn);

	if (!pg)
		return -EINVAL;
	if (!(atomic_and(&pg->type_info, ~PGT_pinned) & PGT_pinned)) {
		put_page(pg);
		return -EINVAL;
	}
	/* The pin's references; ours beside them is not needed any more. */
	table_put(current, pg);
	put_page(pg);
	return 0;
}

/* --- whom a hypercall means --- */

struct domain *foreign_domain_get(domid_t id)
{
	if (likely(id == DOMID_SELF))
		return current->domain;
	if (id == DOMID_IO)
		return dom_io;
	if (id == DOMID_XEN)
		return dom_xen;
	/* The ABI wants one name for oneself. */
	return id == current->domain->domain_id ? NULL : domain_get(id);
}

void foreign_domain_put(struct domain *d)
{
	if (unlikely(d != current->domain) && d != dom_io && d != dom_xen)
		domain_put(d);
}

/*
 * A vCPU that does not run has no translations anywhere: its CPU has loaded another table since, and it loads its own before
 * it runs again. One that starts to run after the look loads it later than what is to be flushed was changed.
 */
int pv_vcpumask(struct domain *d, unsigned long bitmap_va, cpumask_t *cpus)
{
	uint64_t word = 0;
	struct vcpu *v;

	cpumask_clear(cpus);
	smp_mb();
	for (unsigned int id = 0; id < d->max_vcpus; id++, word >>= 1) {
		if (id % 64 == 0 && !get_guest_u64(&word, bitmap_va + id / 8))
			return -EFAULT;
		v = d->vcpu[id];
		if ((word & 1) && v && READ_ONCE(v->is_running))
			cpumask_set(READ_ONCE(v->processor), cpus);
	}
	return 0;
}
