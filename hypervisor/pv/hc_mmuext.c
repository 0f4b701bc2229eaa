/* SPDX-License-Identifier: MIT */
/*
 * The mmuext_op hypercall: pinning, base pointers, TLB and cache flushes, the LDT, clearing and copying pages. A list of
 * operations, each a row of the table below; continued as mmu_update is (pv/hc_mmu.c).
 */
#include "hypercall/dispatch.h"
#include "pv/mmu.h"
#include "x86/softirq.h"

/* One operation, read once. */
struct ext_op {
	unsigned int cmd;
	uint64_t arg1, arg2;
	struct vcpu *v;
	struct domain *d, *owner; /* the caller, and the domain it speaks about */
};

static int op_pin(struct ext_op *op)
{
	uint64_t type = PGT_l1_page_table + (op->cmd - MMUEXT_PIN_L1_TABLE) * TYPE_STEP;

	return pv_pin_table(op->owner, op->arg1, type);
}

static int op_unpin(struct ext_op *op)
{
	return pv_unpin_table(op->owner, op->arg1);
}

static int op_new_baseptr(struct ext_op *op)
{
	return pv_new_cr3(op->v, op->arg1);
}

static int op_new_user_baseptr(struct ext_op *op)
{
	return pv_new_user_cr3(op->v, op->arg1);
}

static int op_flush_local(struct ext_op *op)
{
	if (op->cmd == MMUEXT_TLB_FLUSH_LOCAL)
		tlb_flush_local(FLUSH_TLB, 0);
	else
		tlb_flush_local(FLUSH_TLB_VA, op->arg1);
	return 0;
}

static int op_flush_multi(struct ext_op *op)
{
	cpumask_t mask;

	if (pv_vcpumask(op->d, op->arg2, &mask))
		return -EINVAL;
	if (op->cmd == MMUEXT_TLB_FLUSH_MULTI)
		tlb_flush_mask(&mask, FLUSH_TLB, 0);
	else if (guest_va_ok(op->arg1))
		tlb_flush_mask(&mask, FLUSH_TLB_VA, op->arg1);
	return 0;
}

static int op_flush_all(struct ext_op *op)
{
	if (op->cmd == MMUEXT_TLB_FLUSH_ALL)
		tlb_flush_mask(&op->d->dirty_cpus, FLUSH_TLB, 0);
	else if (guest_va_ok(op->arg1))
		tlb_flush_mask(&op->d->dirty_cpus, FLUSH_TLB_VA, op->arg1);
	return 0;
}

/* Which CPUs' caches hold what the domain wrote is not known. */
static int op_flush_cache(struct ext_op *op)
{
	if (!cache_policy_allowed(op->d))
		return -EACCES;
	tlb_flush_mask(&cpu_online_map, FLUSH_CACHE, 0);
	return 0;
}

static int op_set_ldt(struct ext_op *op)
{
	struct vcpu *v = op->v;
	unsigned int ents = (unsigned int)op->arg2;
	unsigned long base = ents ? op->arg1 : 0;

	if (ents > 8192 || (ents && ((base & ~PAGE_MASK) || !guest_va_ok(base))))
		return -EINVAL;
	if (v->pv.ldt_ents == ents && v->pv.ldt_base == base)
		return 0;
	pv_ldt_unmap(v);
	v->pv.ldt_base = base;
	v->pv.ldt_ents = ents;
	pv_load_descriptors(v);
	return 0;
}

/* A frame of the owner's that may be written, with both references; NULL if it is none. */
static struct page_info *writable_frame_get(struct domain *d, mfn_t mfn)
{
	if (!mfn_valid(mfn) || get_page_and_type(mfn_to_page(mfn), d, PGT_writable_page))
		return NULL;
	return mfn_to_page(mfn);
}

static int op_clear_page(struct ext_op *op)
{
	struct page_info *pg = writable_frame_get(op->owner, op->arg1);
	unsigned long words = PAGE_SIZE / 8;
	void *p;

	if (!pg)
		return -EINVAL;
	p = page_to_virt(pg);
	__asm__ __volatile__("rep stosq" : "+D"(p), "+c"(words) : "a"(0) : "memory");
	put_page_and_type(pg);
	return 0;
}

static int op_copy_page(struct ext_op *op)
{
	struct page_info *to, *from;
	unsigned long words = PAGE_SIZE / 8;
	const void *s;
	void *p;

	if (!mfn_valid(op->arg2) || !get_page(mfn_to_page(op->arg2), op->owner))
		return -EINVAL;
	from = mfn_to_page(op->arg2);
	to = writable_frame_get(op->owner, op->arg1);
	if (to) {
		p = page_to_virt(to);
		s = page_to_virt(from);
		__asm__ __volatile__("rep movsq" : "+D"(p), "+S"(s), "+c"(words)::"memory");
		put_page_and_type(to);
	}
	put_page(from);
	return to ? 0 : -EINVAL;
}

static int op_refused(struct ext_op *op)
{
	return -EOPNOTSUPP;
}

static const struct {
	int (*fn)(struct ext_op *op);
	bool foreign; /* may speak about another domain */
} rows[] = {
	[MMUEXT_PIN_L1_TABLE] = {.fn = op_pin, .foreign = true},
	[MMUEXT_PIN_L2_TABLE] = {.fn = op_pin, .foreign = true},
	[MMUEXT_PIN_L3_TABLE] = {.fn = op_pin, .foreign = true},
	[MMUEXT_PIN_L4_TABLE] = {.fn = op_pin, .foreign = true},
	[MMUEXT_UNPIN_TABLE] = {.fn = op_unpin, .foreign = true},
	[MMUEXT_NEW_BASEPTR] = {.fn = op_new_baseptr},
	[MMUEXT_TLB_FLUSH_LOCAL] = {.fn = op_flush_local},
	[MMUEXT_INVLPG_LOCAL] = {.fn = op_flush_local},
	[MMUEXT_TLB_FLUSH_MULTI] = {.fn = op_flush_multi},
	[MMUEXT_INVLPG_MULTI] = {.fn = op_flush_multi},
	[MMUEXT_TLB_FLUSH_ALL] = {.fn = op_flush_all},
	[MMUEXT_INVLPG_ALL] = {.fn = op_flush_all},
	[MMUEXT_FLUSH_CACHE] = {.fn = op_flush_cache},
	[MMUEXT_SET_LDT] = {.fn = op_set_ldt},
	[MMUEXT_NEW_USER_BASEPTR] = {.fn = op_new_user_baseptr},
	[MMUEXT_CLEAR_PAGE] = {.fn = op_clear_page, .foreign = true},
	[MMUEXT_COPY_PAGE] = {.fn = op_copy_page, .foreign = true},
	[MMUEXT_FLUSH_CACHE_GLOBAL] = {.fn = op_flush_cache},
	[MMUEXT_MARK_SUPER] = {.fn = op_refused, .foreign = true},
	[MMUEXT_UNMARK_SUPER] = {.fn = op_refused, .foreign = true},
};

static always_inline int ext_one(struct ext_op *op, unsigned long op_va)
{
	uint64_t first;
	uint32_t cmd;

	if (unlikely(!guest_read3(op_va, &first, &op->arg1, &op->arg2)))
		return -EFAULT;
	cmd = (uint32_t)first;
	op->cmd = (unsigned int)array_index_nospec(cmd, ARRAY_SIZE(rows));
	if (cmd >= ARRAY_SIZE(rows) || !rows[op->cmd].fn)
		return -ENOSYS;
	if (op->owner != op->d && !rows[op->cmd].foreign)
		return -EPERM;
	return rows[op->cmd].fn(op);
}

/* Work through up to @count operations; *done of them succeeded. */
static always_inline int ext_list(struct ext_op *op, unsigned long ops, unsigned int count,
				  unsigned int *done)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < count; i++) {
		if (unlikely(op->v->pv.old_table) || (i && irq_window())) {
			rc = -ERESTART;
			break;
		}
		rc = ext_one(op, ops + i * sizeof(struct mmuext_op));
		if (unlikely(rc))
			break;
	}
	*done = i;
	return rc;
}

_Static_assert(sizeof(struct mmuext_op) == 24 && offsetof(struct mmuext_op, arg1) == 8 &&
		       offsetof(struct mmuext_op, arg2) == 16,
	       "the ABI's layout, as ext_one reads it");

long hc_mmuext_op(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		  unsigned long a5)
{
	unsigned int count = (unsigned int)a2, n = 0, before = 0;
	struct ext_op op;
	int rc;

	op.v = current;
	op.d = op.owner = op.v->domain;
	if (unlikely(op.v->pv.old_table) && pv_finish_old_table(op.v))
		return hypercall_continue_with(__HYPERVISOR_mmuext_op, a1, a2, a3, a4);
	if (unlikely(count & MMU_UPDATE_PREEMPTED)) {
		if (count == MMU_UPDATE_PREEMPTED && !a1)
			return (int)a4;
		count &= ~MMU_UPDATE_PREEMPTED;
		if (a3 && !get_guest_u32(&before, a3))
			before = 0;
	}
	if (unlikely(!guest_access_ok(a1, (unsigned long)count * sizeof(struct mmuext_op))))
		return -EFAULT;
	if (unlikely((domid_t)a4 != DOMID_SELF)) {
		op.owner = foreign_domain_get((domid_t)a4);
		if (!op.owner)
			return -ESRCH;
	}
	rc = likely(op.owner == op.d) || domain_controls(op.d, op.owner)
		     ? ext_list(&op, a1, count, &n)
		     : -EPERM;
	if (unlikely(op.owner != op.d))
		foreign_domain_put(op.owner);
	if (a3)
		(void)put_guest_u32(a3, before + n);
	if (unlikely(rc == -ERESTART))
		return hypercall_continue_with(__HYPERVISOR_mmuext_op,
					       a1 + n * sizeof(struct mmuext_op),
					       (count - n) | MMU_UPDATE_PREEMPTED, a3, a4);
	if (unlikely(op.v->pv.old_table))
		return hypercall_continue_with(__HYPERVISOR_mmuext_op, 0, MMU_UPDATE_PREEMPTED, 0,
					       (unsigned int)rc);
	return rc;
}
