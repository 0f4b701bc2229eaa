/* SPDX-License-Identifier: MIT */
/*
 * See fake_machine.h. Resetting clears the heap's state too: it is found by linking mm/heap.c into this file.
 */
#include "fake_machine.h"
#include "x86/softirq.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../hypervisor/mm/heap.c"
#include "../../hypervisor/mm/alloc.c"

static uint8_t memory[FAKE_FRAMES][PAGE_SIZE] __aligned(4096);
static struct page_info records[FAKE_FRAMES];
static unsigned long m2p[FAKE_FRAMES];
static struct domain domains[8];

unsigned int fake_flushes, fake_preempt, paddr_bits = 46;
void (*fake_printk)(void);
__thread unsigned int fake_cpu_id;
__thread struct vcpu *current;
cpumask_t cpu_online_map;
struct domain *dom_io, *dom_xen;

void machine_reset(void)
{
	memset(zones, 0, sizeof(zones));
	memset(slab_partial, 0, sizeof(slab_partial));
	memset(records, 0, sizeof(records));
	memset(memory, 0xa5, sizeof(memory));
	memset(domains, 0, sizeof(domains));
	memset(frames, 0, sizeof(frames));
	fake_flushes = fake_preempt = 0;
	fake_printk = NULL;
	cpumask_clear(&cpu_online_map);
	cpumask_set(0, &cpu_online_map);
	for (unsigned int i = 0; i < FAKE_FIRST; i++)
		records[i].count_info = PGC_device;
	max_page = FAKE_FRAMES;
	tlb_note_flush();
	/* Stamps of zero are in the past. */
	tlb_clock += 2;
	tlb_clock_used = true;
	tlb_note_flush();
	heap_add(MB(1), (paddr_t)FAKE_FRAMES << PAGE_SHIFT);
}

struct domain *fake_domain(unsigned int id)
{
	struct domain *d = &domains[id];

	if (!d->refcount) {
		d->domain_id = (domid_t)id;
		d->refcount = 1;
		d->max_pages = FAKE_FRAMES;
		d->dirty_cpus.bits[0] = 1;
	}
	return d;
}

void domain_put(struct domain *d)
{
	BUG_ON(!d->refcount);
	atomic_sub(&d->refcount, 1);
}

struct page_info *mfn_to_page(mfn_t mfn)
{
	BUG_ON(mfn >= FAKE_FRAMES);
	return &records[mfn];
}

mfn_t page_to_mfn(const struct page_info *pg)
{
	BUG_ON(pg < records || pg >= records + FAKE_FRAMES);
	return pg - records;
}

bool mfn_valid(mfn_t mfn)
{
	return mfn < FAKE_FRAMES && mfn >= FAKE_FIRST;
}

void *maddr_to_virt(paddr_t ma)
{
	BUG_ON(ma >= sizeof(memory));
	return &memory[0][0] + ma;
}

paddr_t virt_to_maddr(const void *va)
{
	return (const uint8_t *)va - &memory[0][0];
}

void m2p_set(mfn_t mfn, unsigned long gpfn)
{
	BUG_ON(!mfn_valid(mfn));
	m2p[mfn] = gpfn;
}

unsigned long m2p_get(mfn_t mfn)
{
	return m2p[mfn];
}

void tlb_flush_local(unsigned int flags, unsigned long va)
{
	if (flags & (FLUSH_TLB | FLUSH_TLB_GLOBAL))
		tlb_note_flush();
	fake_flushes++;
}

void tlb_flush_mask(const cpumask_t *mask, unsigned int flags, unsigned long va)
{
	unsigned int cpu, self = fake_cpu_id;

	for_each_cpu (cpu, mask) {
		fake_cpu_id = cpu;
		tlb_flush_local(flags, va);
	}
	fake_cpu_id = self;
}

bool irq_window(void)
{
	static __thread unsigned int n;

	return fake_preempt && ++n % fake_preempt == 0;
}

void spin_wait(void)
{
	/* One CPU: nobody can end the wait. */
	BUG_ON(cpumask_weight(&cpu_online_map) == 1);
	sched_yield();
}

void assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, expr);
	abort();
}

void printk(const char *fmt, ...)
{
	if (fake_printk)
		fake_printk();
}

void panic(const char *fmt, ...)
{
	abort();
}
