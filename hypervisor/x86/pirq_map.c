/* SPDX-License-Identifier: MIT */
/*
 * The tables that give a domain's pirq numbers a meaning. Domain 0 has one from the start: IO-APIC
 * lines under their own numbers, message-signalled interrupts from the top down. Other domains get
 * one when the first interrupt is mapped for them.
 *
 * Invariant: an irq stands at most once in a domain's table; a message-signalled one in one table
 * only. Lock: d->event_lock.
 */
#include "x86/pirq.h"
#include "core/event.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/heap.h"

#define EXTRA_PIRQS_HARDWARE 256 /* beside the IO-APIC lines */
#define EXTRA_PIRQS_GUEST    32
#define NR_ISA_IRQS	     16

struct pirq_entry *pirq_entry(const struct domain *d, unsigned int pirq)
{
	struct pirq_domain *pd = d->pirq;

	return pd && pirq < pd->nr ? &pd->entry[array_index_nospec(pirq, pd->nr)] : NULL;
}

struct irq_desc *pirq_desc(const struct domain *d, unsigned int pirq)
{
	const struct pirq_entry *e = pirq_entry(d, pirq);

	return e && e->irq >= 0 ? irq_to_desc((unsigned int)e->irq) : NULL;
}

evtchn_port_t pirq_port(const struct domain *d, unsigned int pirq)
{
	const struct pirq_entry *e = pirq_entry(d, pirq);

	return e ? READ_ONCE(e->port) : 0;
}

void pirq_set_port(struct domain *d, unsigned int pirq, evtchn_port_t port)
{
	struct pirq_entry *e = pirq_entry(d, pirq);

	if (e)
		WRITE_ONCE(e->port, port);
}

static int table_create(struct domain *d, unsigned int extra)
{
	unsigned int nr = nr_gsis + extra;
	struct pirq_domain *pd;

	if (d->pirq)
		return 0;
	pd = kzalloc(sizeof(*pd) + nr * sizeof(pd->entry[0]));
	if (!pd)
		return -ENOMEM;
	pd->nr = nr;
	for (unsigned int i = 0; i < nr; i++)
		pd->entry[i].irq = PIRQ_UNMAPPED;
	smp_wmb(); /* pirq_entry() looks without a lock */
	d->pirq = pd;
	return 0;
}

int pirq_domain_init_hardware(struct domain *d)
{
	int rc = table_create(d, EXTRA_PIRQS_HARDWARE);

	for (unsigned int i = 0; i < nr_gsis && !rc; i++) {
		const struct irq_desc *desc = irq_to_desc(i);

		if (desc->kind != IRQ_GSI || desc->handler)
			continue;
		rc = rangeset_add(d->irq_caps, i, i);
		if (i && i < NR_ISA_IRQS)
			d->pirq->entry[i].irq = (int16_t)i;
	}
	return rc;
}

/* --- looking for numbers; event_lock held --- */

static int find_irq(const struct domain *d, unsigned int irq)
{
	for (unsigned int i = 0; d->pirq && i < d->pirq->nr; i++)
		if (d->pirq->entry[i].irq == (int)irq)
			return (int)i;
	return -1;
}

static bool entry_free(const struct pirq_entry *e)
{
	return e->irq == PIRQ_UNMAPPED && !e->port;
}

/* @nr free numbers in a row: lines from below, messages from above. */
static int find_free(const struct domain *d, bool gsi, unsigned int nr)
{
	const struct pirq_entry *e = d->pirq->entry;
	unsigned int run = 0;

	if (gsi) {
		for (unsigned int i = NR_ISA_IRQS; i < nr_gsis; i++)
			if (entry_free(&e[i]))
				return (int)i;
		return -ENOSPC;
	}
	for (unsigned int i = d->pirq->nr; i-- > nr_gsis;) {
		run = entry_free(&e[i]) ? run + 1 : 0;
		if (run == nr)
			return (int)i;
	}
	return -ENOSPC;
}

int pirq_get_free(struct domain *d, bool gsi)
{
	int pirq;

	spin_lock(&d->event_lock);
	pirq = table_create(d, EXTRA_PIRQS_GUEST);
	if (!pirq)
		pirq = find_free(d, gsi, 1);
	if (pirq >= 0)
		d->pirq->entry[pirq].irq = PIRQ_RESERVED;
	spin_unlock(&d->event_lock);
	return pirq;
}

/*
 * Settle on *@pirq for @nr irqs from @irq on: the number wanted if it is free, reserved, or has
 * that very meaning already.
 */
static int choose(const struct domain *d, bool gsi, unsigned int irq, unsigned int nr, int *pirq)
{
	int known = find_irq(d, irq);

	if (*pirq < 0) {
		*pirq = known >= 0 ? known : find_free(d, gsi, nr);
		return *pirq < 0 ? *pirq : 0;
	}
	if (known >= 0 && known != *pirq)
		return -EEXIST;
	for (unsigned int i = 0; i < nr; i++) {
		const struct pirq_entry *e = pirq_entry(d, (unsigned int)*pirq + i);

		if (!e)
			return -EINVAL;
		if (e->irq != PIRQ_UNMAPPED && e->irq != PIRQ_RESERVED && e->irq != (int)(irq + i))
			return -EBUSY;
	}
	return 0;
}

/* --- mapping --- */

/* What is entered once its end has begun would stay: pirq_domain_destroy() may be over. */
static int mapping_begin(struct domain *d)
{
	return d->dying == DOMDYING_alive ? table_create(d, EXTRA_PIRQS_GUEST) : -ESRCH;
}

int pirq_map_gsi(struct domain *d, int gsi, int *pirq)
{
	struct domain *caller = current->domain;
	struct irq_desc *desc;
	int rc;

	if (gsi < 0 || (unsigned int)gsi >= nr_gsis)
		return -EINVAL;
	desc = irq_to_desc((unsigned int)gsi);
	if (desc->kind != IRQ_GSI)
		return -EINVAL;
	if (desc->handler ||
	    !domain_caps_contain(caller, caller->irq_caps, (uint64_t)gsi, (uint64_t)gsi))
		return -EPERM;
	spin_lock(&d->event_lock);
	rc = mapping_begin(d);
	if (!rc)
		rc = choose(d, true, desc->irq, 1, pirq);
	if (!rc)
		d->pirq->entry[*pirq].irq = (int16_t)desc->irq;
	spin_unlock(&d->event_lock);
	return rc;
}

/*
 * Back to nothing; event_lock held. The port, if it is still open, stays and never sees an
 * interrupt again.
 */
static void entry_unmap(struct domain *d, unsigned int pirq)
{
	struct pirq_entry *e = &d->pirq->entry[pirq];
	struct irq_desc *desc = pirq_desc(d, pirq);

	if (desc) {
		pirq_unbind(d, pirq);
		if (desc->kind == IRQ_MSI) {
			(void)domain_caps_change(d, d->irq_caps, desc->irq, desc->irq, false);
			msi_teardown(desc->irq);
		}
	}
	e->irq = PIRQ_UNMAPPED;
}

static int msi_enter(struct domain *d, unsigned int irq, unsigned int nr, int *pirq)
{
	int rc = choose(d, false, irq, nr, pirq);

	if (!rc)
		rc = domain_caps_change(d, d->irq_caps, irq, irq + nr - 1, true);
	for (unsigned int i = 0; i < nr && !rc; i++)
		d->pirq->entry[*pirq + i].irq = (int16_t)(irq + i);
	return rc;
}

int pirq_map_msi(struct domain *d, const struct msi_request *rq, int *pirq)
{
	unsigned int nr = rq->msix ? 1 : rq->nr;
	int irq, rc;

	spin_lock(&d->event_lock);
	rc = mapping_begin(d);
	irq = rc ? rc : msi_setup(rq);
	if (irq >= 0) {
		rc = msi_enter(d, (unsigned int)irq, nr, pirq);
		for (unsigned int i = 0; rc && i < nr; i++)
			msi_teardown((unsigned int)irq + i);
	}
	spin_unlock(&d->event_lock);
	return irq < 0 ? irq : rc;
}

int pirq_unmap(struct domain *d, int pirq)
{
	struct pirq_entry *e;
	int rc = 0;

	if (pirq < 0 || !d->pirq)
		return -EINVAL;
	e = pirq_entry(d, (unsigned int)pirq);
	if (!e)
		return -EINVAL;
	spin_lock(&d->event_lock);
	if (e->irq == PIRQ_UNMAPPED)
		rc = -EINVAL;
	else
		entry_unmap(d, (unsigned int)pirq);
	spin_unlock(&d->event_lock);
	return rc;
}

int pirq_set_eoi_map(struct domain *d, unsigned long gmfn, bool auto_unmask)
{
	struct page_info *pg = mfn_valid(gmfn) ? mfn_to_page(gmfn) : NULL;
	int rc;

	if (!pg || get_page_and_type(pg, d, PGT_writable_page))
		return -EINVAL;
	spin_lock(&d->event_lock);
	rc = table_create(d, EXTRA_PIRQS_GUEST);
	if (!rc && d->pirq->eoi_page)
		rc = -EBUSY;
	if (!rc) {
		d->pirq->eoi_page = pg;
		d->pirq->eoi_map = page_to_virt(pg);
		d->pirq->auto_unmask |= auto_unmask;
	}
	spin_unlock(&d->event_lock);
	if (rc)
		put_page_and_type(pg);
	return rc;
}

void pirq_domain_destroy(struct domain *d)
{
	struct page_info *pg;

	if (!d->pirq)
		return;
	spin_lock(&d->event_lock);
	for (unsigned int i = 0; i < d->pirq->nr; i++)
		entry_unmap(d, i);
	pg = d->pirq->eoi_page;
	d->pirq->eoi_page = NULL;
	d->pirq->eoi_map = NULL;
	spin_unlock(&d->event_lock);
	if (pg)
		put_page_and_type(pg);
}

void pirq_domain_free(struct domain *d)
{
	kfree(d->pirq);
	d->pirq = NULL;
}
