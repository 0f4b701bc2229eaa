// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The way down: the nested hypercall, mappings of frames that the outer Xen shares with us, and the module's start and end.
 *
 * Such a frame is a machine frame that is no RAM of domain 0, perhaps with a number that domain 0's own pseudo-physical memory
 * uses, so ioremap() would find the wrong one. A range of the kernel's address space is made with a page of ours in each place,
 * and its entries are then exchanged by hypercall; unmapping puts them back, so that the kernel frees what it knows.
 */
#define pr_fmt(fmt) "poncho-blanket: " fmt
#include <linux/vmalloc.h>
#include <linux/slab.h>
#include <xen/xen.h>
#include <xen/interface/hvm/hvm_op.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>
#include "blanket.h"

struct nested_info nested;

long nested_op(unsigned int call, unsigned int op, void *arg)
{
	return xen_single_call(__HYPERVISOR_nested_op, call, op, (unsigned long)arg, 0, 0);
}

long nested_hvm_param(u32 index, u64 *value)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};
	long rc = nested_op(__HYPERVISOR_hvm_op, HVMOP_get_param, &p);

	*value = p.value;
	return rc;
}

static int frame_set(unsigned long va, unsigned long mfn)
{
	return HYPERVISOR_update_va_mapping(va, mfn_pte(mfn, PAGE_KERNEL), UVMF_INVLPG | UVMF_ALL);
}

static void frames_restore(void *va, unsigned int nr, struct page *page)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		WARN_ON(frame_set((unsigned long)va + i * PAGE_SIZE,
				  pfn_to_mfn(page_to_pfn(page))));
	vunmap(va);
	__free_page(page);
}

/* The page that stands for all of them, remembered by where it was mapped. */
struct mapping {
	struct list_head list;
	void *va;
	struct page *page;
};
static LIST_HEAD(mappings); /* changed at load and unload only */

void *frames_map(unsigned long mfn, unsigned int nr)
{
	struct mapping *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct page **pages = kcalloc(nr, sizeof(*pages), GFP_KERNEL);
	unsigned int i;

	if (m)
		m->page = alloc_page(GFP_KERNEL);
	if (pages && m && m->page) {
		for (i = 0; i < nr; i++)
			pages[i] = m->page;
		m->va = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
	}
	kfree(pages);
	for (i = 0; m && m->va && i < nr; i++)
		if (frame_set((unsigned long)m->va + i * PAGE_SIZE, mfn + i)) {
			pr_err("the hypervisor does not let us map frame %lx\n", mfn + i);
			frames_restore(m->va, i, m->page);
			kfree(m);
			return NULL;
		}
	if (m && m->va) {
		list_add(&m->list, &mappings);
		return m->va;
	}
	if (m && m->page)
		__free_page(m->page);
	kfree(m);
	return NULL;
}

void frames_unmap(void *va, unsigned int nr)
{
	struct mapping *m;

	list_for_each_entry (m, &mappings, list)
		if (m->va == va) {
			list_del(&m->list);
			frames_restore(va, nr, m->page);
			kfree(m);
			return;
		}
}

/* Is there anything for us? Says why not. */
static int nested_find(void)
{
	long rc;

	if (!xen_initial_domain()) {
		pr_info("this is no domain 0: nothing to do\n");
		return -ENODEV;
	}
	rc = nested_op(NESTED_CALL_info, 0, &nested);
	if (rc == -ENOSYS) {
		pr_info("no Xen below the hypervisor, or the hypervisor is not Poncho: nothing to do\n");
		return -ENODEV;
	}
	if (rc || nested.abi != NESTED_ABI || nested.virq >= NR_VIRQS) {
		pr_err("the hypervisor's interface (error %ld, version %u) does not fit this module's (%u): update both\n",
		       rc, nested.abi, NESTED_ABI);
		return -ENODEV;
	}
	return 0;
}

static const struct stage {
	int (*init)(void);
	void (*exit)(void);
} stages[] = {
	{nested_find},
	{events_init, events_exit},
	{grants_init, grants_exit},
	{store_init, store_exit},
	{unplug_init},
	{shutdown_init, shutdown_exit},
	{bus_init, bus_exit},
};

static void stages_exit(unsigned int nr)
{
	while (nr--)
		if (stages[nr].exit)
			stages[nr].exit();
}

static int __init blanket_init(void)
{
	unsigned int i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(stages); i++) {
		rc = stages[i].init();
		if (rc) {
			stages_exit(i);
			return rc;
		}
	}
	pr_info("on an outer Xen %u.%u\n", nested.outer_version >> 16,
		nested.outer_version & 0xffff);
	return 0;
}
module_init(blanket_init);

static void __exit blanket_exit(void)
{
	stages_exit(ARRAY_SIZE(stages));
}
module_exit(blanket_exit);

MODULE_DESCRIPTION("PV devices of a Xen below Poncho");
MODULE_LICENSE("Dual MIT/GPL");
