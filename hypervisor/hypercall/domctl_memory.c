/* SPDX-License-Identifier: MIT */
/* domctl, memory: a domain's allowance, what its frames are used as, the hypercall page, nodes. Called with the domctl lock held. */
#include "hypercall/control.h"
#include "mm/heap.h"

#define MAX_PAGE_INFOS 1024

DOMCTL_HANDLER(max_mem, const struct xen_domctl_max_mem *m)
{
	uint64_t max = m->max_memkb >> (PAGE_SHIFT - 10);
	struct domain *d = hc->target;

	/* May be less than it has: then it gets no more until it has shrunk. */
	spin_lock(&d->page_lock);
	d->max_pages = (unsigned int)min(max, (uint64_t)UINT32_MAX);
	spin_unlock(&d->page_lock);
	return 0;
}

static uint64_t page_use(const struct page_info *pg)
{
	uint64_t ti = READ_ONCE(pg->type_info), level = ti >> PGT_type_shift;
	uint64_t use = level >= 1 && level <= 4 ? level << XEN_DOMCTL_PFINFO_LTAB_SHIFT
						: XEN_DOMCTL_PFINFO_NOTAB;

	if (ti & PGT_pinned)
		return use | XEN_DOMCTL_PFINFO_LPINTAB;
	return ti & PGT_validated ? use : XEN_DOMCTL_PFINFO_NOTAB;
}

static uint64_t frame_use(struct domain *d, mfn_t mfn)
{
	struct page_info *pg = get_page_from_mfn(mfn, d);
	uint64_t use;

	if (!pg)
		return XEN_DOMCTL_PFINFO_XTAB;
	use = pg->count_info & PGC_xen_heap ? XEN_DOMCTL_PFINFO_XTAB : page_use(pg);
	put_page(pg);
	return use;
}

DOMCTL_HANDLER(getpageframeinfo3, const struct xen_domctl_getpageframeinfo3 *g)
{
	unsigned long va = (unsigned long)g->array.p;

	if (g->num > MAX_PAGE_INFOS)
		return -E2BIG;
	for (uint64_t i = 0; i < g->num; i++, va += sizeof(uint64_t)) {
		uint64_t mfn;

		if (!get_guest_u64(&mfn, va) || !put_guest_u64(va, frame_use(hc->target, mfn)))
			return -EFAULT;
	}
	return 0;
}

DOMCTL_HANDLER(hypercall_init, const struct xen_domctl_hypercall_init *h)
{
	struct page_info *pg = get_page_from_mfn(h->gmfn, hc->target);

	if (!pg)
		return -EINVAL;
	if (get_page_type(pg, PGT_writable_page)) {
		put_page(pg);
		return -EPERM;
	}
	hypercall_page_fill(page_to_virt(pg));
	put_page_and_type(pg);
	return 0;
}

DOMCTL_HANDLER(set_address_size, const struct xen_domctl_address_size *s)
{
	return s->size == 64 ? 0 : s->size == 32 ? -EOPNOTSUPP : -EINVAL;
}

DOMCTL_HANDLER(get_address_size, struct xen_domctl_address_size *s)
{
	s->size = 64;
	return 0;
}

/* There is one node: a map without it makes no sense. */
DOMCTL_HANDLER(setnodeaffinity, const struct xen_domctl_nodeaffinity *n)
{
	uint64_t map;
	int rc = control_bitmap_read(&n->nodemap, &map, 64);

	return rc ? rc : map & 1 ? 0 : -EINVAL;
}

DOMCTL_HANDLER(getnodeaffinity, const struct xen_domctl_nodeaffinity *n)
{
	uint64_t map = 1;

	return control_bitmap_write(&n->nodemap, &map, 64);
}
