/* SPDX-License-Identifier: MIT */
/*
 * CPUID and MSR policies in the form the tools exchange them: arrays of leaves and of registers in guest memory, in ascending order, as
 * XEN_DOMCTL_{get,set}_cpu_policy and XEN_SYSCTL_get_cpu_policy describe them. No lock: a domain's policy changes only before it runs.
 */
#include "hypercall/control.h"
#include "lib/string.h"
#include "mm/heap.h"
#include <xen/arch-x86/cpuid.h>

#define NONE		  XEN_CPUID_NO_SUBLEAF
#define MSR_PLATFORM_INFO 0xce
#define MSR_ARCH_CAPS	  0x10a
#define MAX_MSRS	  2
#define MAX_LEAVES                                                                     \
	(CPUID_NR_BASIC + CPUID_NR_FEAT - 1 + CPUID_NR_CACHE - 1 + CPUID_NR_TOPO - 1 + \
	 CPUID_NR_XSTATE - 1 + CPUID_NR_EXTD + 2)
#define CPUID_FAULTING (1u << 31)

/* Leaves on their way out: counted even where they do not fit. */
struct leaf_sink {
	unsigned long va;
	uint32_t room, nr;
	int rc;
};

static void leaf_put(struct leaf_sink *s, uint32_t leaf, uint32_t sub, const struct cpuid_regs *r)
{
	struct xen_cpuid_leaf l = {leaf, sub, r->a, r->b, r->c, r->d};

	if (s->nr >= s->room)
		s->rc = s->rc ? s->rc : -ENOBUFS;
	else if (copy_to_guest_va(s->va + s->nr * sizeof(l), &l, sizeof(l)))
		s->rc = -EFAULT;
	s->nr++;
}

/* The array of a leaf that has subleaves, NULL for others. */
static struct cpuid_regs *leaf_slots(struct pv_cpuid *p, uint32_t leaf, unsigned int *nr)
{
	switch (leaf) {
	case 4:
		*nr = CPUID_NR_CACHE;
		return p->cache;
	case 7:
		*nr = CPUID_NR_FEAT;
		return p->feat;
	case 0xb:
		*nr = CPUID_NR_TOPO;
		return p->topo;
	case 0xd:
		*nr = CPUID_NR_XSTATE;
		return p->xstate;
	default:
		return NULL;
	}
}

/* Does the leaf have this subleaf, not the first one? */
static bool subleaf_exists(const struct pv_cpuid *p, uint32_t leaf, uint32_t sub)
{
	switch (leaf) {
	case 4: /* the list ends with type 0 */
		return p->cache[sub - 1].a & 0x1f;
	case 7:
		return sub <= p->feat[0].a;
	case 0xb: /* the list ends with level type 0 */
		return p->topo[sub - 1].c & 0xff00;
	default:
		return sub == 1 || ((p->xstate[0].a | (uint64_t)p->xstate[0].d << 32) >> sub & 1);
	}
}

static void leaf_put_all(struct leaf_sink *s, struct pv_cpuid *p, uint32_t leaf)
{
	unsigned int nr;
	const struct cpuid_regs *slots = leaf_slots(p, leaf, &nr);

	if (!slots) {
		leaf_put(s, leaf, NONE, &p->basic[leaf]);
		return;
	}
	leaf_put(s, leaf, 0, slots);
	for (uint32_t i = 1; i < nr; i++)
		if (subleaf_exists(p, leaf, i))
			leaf_put(s, leaf, i, &slots[i]);
}

static int leaves_write(struct pv_cpuid *p, unsigned long va, uint32_t *nr)
{
	struct leaf_sink s = {.va = va, .room = *nr};

	if (!va) {
		*nr = MAX_LEAVES;
		return 0;
	}
	for (uint32_t l = 0; l <= min(p->basic[0].a, CPUID_NR_BASIC - 1u); l++)
		leaf_put_all(&s, p, l);
	leaf_put(&s, 0x40000000, NONE, &(struct cpuid_regs){.a = p->hv_limit});
	leaf_put(&s, 0x40000100, NONE, &(struct cpuid_regs){.a = p->hv2_limit});
	for (uint32_t l = 0; l <= min(p->extd[0].a & 0xffff, CPUID_NR_EXTD - 1u); l++)
		leaf_put(&s, 0x80000000 + l, NONE, &p->extd[l]);
	*nr = s.nr;
	return s.rc;
}

int cpu_policy_write(const struct pv_cpuid *p, unsigned long leaves, uint32_t *nr_leaves,
		     unsigned long msrs, uint32_t *nr_msrs)
{
	const struct xen_msr_entry e[] = {
		{.idx = MSR_PLATFORM_INFO, .val = p->platform_info},
		{.idx = MSR_ARCH_CAPS, .val = p->arch_caps[0] | (uint64_t)p->arch_caps[1] << 32},
	};
	uint32_t room = *nr_msrs;
	int rc = leaves_write((struct pv_cpuid *)p, leaves, nr_leaves);

	if (rc)
		return rc;
	*nr_msrs = ARRAY_SIZE(e);
	if (!msrs)
		return 0;
	if (room < ARRAY_SIZE(e))
		return -ENOBUFS;
	return copy_to_guest_va(msrs, e, sizeof(e)) ? -EFAULT : 0;
}

/* False: a leaf or subleaf that a policy does not describe. */
static bool leaf_take(struct pv_cpuid *p, const struct xen_cpuid_leaf *l)
{
	unsigned int nr;
	uint32_t index = l->subleaf;
	struct cpuid_regs *slots = leaf_slots(p, l->leaf, &nr);

	if (!slots) {
		if (index != NONE)
			return false;
		if (l->leaf == 0x40000000) {
			p->hv_limit = l->a;
			return true;
		}
		if (l->leaf == 0x40000100) {
			p->hv2_limit = l->a;
			return true;
		}
		index = l->leaf & ~0x80000000;
		slots = l->leaf == index ? p->basic : p->extd;
		nr = l->leaf == index ? CPUID_NR_BASIC : CPUID_NR_EXTD;
	}
	if (index >= nr)
		return false;
	slots[array_index_nospec(index, nr)] = (struct cpuid_regs){l->a, l->b, l->c, l->d};
	return true;
}

static int leaves_take(struct pv_cpuid *p, struct xen_domctl_cpu_policy *op)
{
	struct xen_cpuid_leaf l;

	if (op->nr_leaves > MAX_LEAVES)
		return -E2BIG;
	for (uint32_t i = 0; i < op->nr_leaves; i++) {
		if (copy_from_guest_offset(&l, op->leaves, i, 1))
			return -EFAULT;
		if (!leaf_take(p, &l)) {
			op->err_leaf = l.leaf;
			op->err_subleaf = l.subleaf;
			return -ERANGE;
		}
	}
	return 0;
}

static int msr_take(struct pv_cpuid *p, const struct xen_msr_entry *e)
{
	if (e->flags)
		return -EINVAL;
	switch (e->idx) {
	case MSR_PLATFORM_INFO:
		if (e->val != (uint32_t)e->val)
			return -EOVERFLOW;
		p->platform_info = (uint32_t)e->val;
		return 0;
	case MSR_ARCH_CAPS:
		p->arch_caps[0] = (uint32_t)e->val;
		p->arch_caps[1] = (uint32_t)(e->val >> 32);
		return 0;
	default:
		return -ERANGE;
	}
}

static int msrs_take(struct pv_cpuid *p, struct xen_domctl_cpu_policy *op)
{
	struct xen_msr_entry e;
	int rc = 0;

	if (op->nr_msrs > MAX_MSRS)
		return -E2BIG;
	for (uint32_t i = 0; i < op->nr_msrs && !rc; i++) {
		if (copy_from_guest_offset(&e, op->msrs, i, 1))
			return -EFAULT;
		rc = msr_take(p, &e);
		if (rc)
			op->err_msr = e.idx;
	}
	return rc;
}

/* What cannot be brought down to what we have is refused: the guest was promised leaves that do not exist here. */
static int policy_audit(const struct pv_cpuid *p, struct xen_domctl_cpu_policy *op)
{
	const struct pv_cpuid *max = pv_cpuid_policy(CPUID_PV_MAX);

	if (p->basic[0].a > max->basic[0].a) {
		op->err_leaf = 0;
	} else if (p->feat[0].a > max->feat[0].a) {
		op->err_leaf = 7;
		op->err_subleaf = 0;
	} else if (p->extd[0].a > max->extd[0].a) {
		op->err_leaf = 0x80000000;
	} else if (p->platform_info & ~max->platform_info & CPUID_FAULTING) {
		op->err_msr = MSR_PLATFORM_INFO;
	} else {
		return 0;
	}
	return -EINVAL;
}

int cpu_policy_update(struct domain *d, struct xen_domctl_cpu_policy *op)
{
	struct pv_cpuid *new = knew(struct pv_cpuid);
	int rc;

	op->err_leaf = op->err_subleaf = op->err_msr = ~0u;
	if (!new)
		return -ENOMEM;
	memcpy(new, d->pv.cpuid, offsetof(struct pv_cpuid, tsc_mode));
	rc = leaves_take(new, op);
	if (!rc)
		rc = msrs_take(new, op);
	if (!rc)
		rc = policy_audit(new, op);
	if (!rc) {
		pv_cpuid_sanitise(new);
		memcpy(d->pv.cpuid, new, offsetof(struct pv_cpuid, tsc_mode));
	}
	kfree(new);
	return rc;
}
