/* SPDX-License-Identifier: MIT */
/*
 * The tables that give a domain's pirq numbers a meaning: domain 0 has IO-APIC lines under their own
 * numbers, message-signalled interrupts from the top down; other domains what is mapped for them.
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

	return pirq < pd->nr ? &pd->entry[array_index_nospec(pirq, pd->nr)] : NULL;
}

struct irq_desc *pirq_desc(const struct domain *d, unsigned int pirq)
{
	const struct pirq_entry *e = pirq_entry(d, pirq);

	return e && e->irq >= 0 ? &irq_descs[e->irq] : NULL;
}

evtchn_port_t pirq_port(const struct domain *d, unsigned int pirq)
{
	const struct pirq_entry *e = pirq_entry(d, pirq);

	return e ? READ_ONCE(e->port) : 0;
}

void pirq_set_port(struct domain *d, unsigned int pirq, evtchn_port_t port)
{
	WRITE_ONCE(pirq_entry(d, pirq)->port, port);
}

int pirq_domain_init(struct domain *d)
{
	unsigned int nr = nr_gsis + (d->is_hardware ? EXTRA_PIRQS_HARDWARE : EXTRA_PIRQS_GUEST);

	d->pirq = kzalloc(sizeof(*d->pirq) + nr * sizeof(d->pirq->entry[0]));
	if (!d->pirq)
		return -ENOMEM;
	d->pirq->nr = nr;
	for (unsigned int i = 0; i < nr; i++)
		d->pirq->entry[i].irq = PIRQ_UNMAPPED;
	return 0;
}

int __init pirq_domain_init_hardware(struct domain *d)
{
	int rc = 0;

	for (unsigned int i = 0; i < nr_gsis && !rc; i++) {
		if (!ioapic_has_gsi(i))
			continue;
		rc = rangeset_add(&d->irq_caps, i, i);
		if (i && i < NR_ISA_IRQS)
			d->pirq->entry[i].irq = (int16_t)i;
	}
	return rc;
}

/* --- looking for numbers; event_lock held --- */

static int find_irq(const struct domain *d, unsigned int irq)
{
	for (unsigned int i = 0; i < d->pirq->nr; i++)
		if (d->pirq->entry[i].irq == (int)irq)
			return (int)i;
	return -1;
}

/* @nr free numbers in a row, from the top: for a line among the lines' numbers, else above them. */
static int find_free(const struct domain *d, bool gsi, unsigned int nr)
{
	unsigned int run = 0;

	for (unsigned int i = gsi ? nr_gsis : d->pirq->nr; i-- > (gsi ? NR_ISA_IRQS : nr_gsis);) {
		const struct pirq_entry *e = &d->pirq->entry[i];

		run = e->irq == PIRQ_UNMAPPED && !e->port ? run + 1 : 0;
		if (run == nr)
			return (int)i;
	}
	return -ENOSPC;
}

int pirq_get_free(struct domain *d, bool gsi)
{
	int pirq;

	spin_lock(&d->event_lock);
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

/*
 * Enters @nr irqs from @irq on; event_lock held. What is entered once the domain's end has begun
 * would stay: pirq_domain_destroy() may be over.
 */
static int enter(struct domain *d, bool gsi, unsigned int irq, unsigned int nr, int *pirq)
{
	int rc = d->dying == DOMDYING_alive ? choose(d, gsi, irq, nr, pirq) : -ESRCH;

	if (!rc && !gsi)
		rc = domain_caps_change(d, &d->irq_caps, irq, irq + nr - 1, true);
	for (unsigned int i = 0; i < nr && !rc; i++)
		d->pirq->entry[*pirq + i].irq = (int16_t)(irq + i);
	return rc;
}

int pirq_map_gsi(struct domain *d, int gsi, int *pirq)
{
	struct domain *caller = current->domain;
	unsigned int irq = (unsigned int)gsi;
	int rc;

	if (irq >= nr_gsis || !ioapic_has_gsi(irq))
		return -EINVAL;
	irq = (unsigned int)array_index_nospec(irq, nr_gsis);
	/* One that the hypervisor keeps for itself can be mapped, never bound. */
	if (!domain_caps_contain(caller, &caller->irq_caps, irq, irq))
		return -EPERM;
	spin_lock(&d->event_lock);
	rc = enter(d, true, irq, 1, pirq);
	spin_unlock(&d->event_lock);
	return rc;
}

/*
 * Back to nothing; event_lock held. The port, if it is still open, stays and never sees an
 * interrupt again.
 */
static void entry_unmap(struct domain *d, unsigned int pirq)
{
	struct irq_desc *desc = pirq_desc(d, pirq);

	pirq_unbind(d, pirq);
	if (desc && desc->msi) {
		(void)domain_caps_change(d, &d->irq_caps, desc->irq, desc->irq, false);
		msi_teardown(desc);
	}
	d->pirq->entry[pirq].irq = PIRQ_UNMAPPED;
}

int pirq_map_msi(struct domain *d, const struct msi_request *rq, int *pirq)
{
	int irq, rc = 0;

	spin_lock(&d->event_lock);
	irq = msi_setup(rq);
	if (irq >= 0)
		rc = enter(d, false, (unsigned int)irq, rq->nr, pirq);
	for (unsigned int i = 0; rc && i < rq->nr; i++)
		msi_teardown(&irq_descs[irq + i]);
	spin_unlock(&d->event_lock);
	return irq < 0 ? irq : rc;
}

int pirq_unmap(struct domain *d, int pirq)
{
	struct pirq_entry *e = pirq_entry(d, (unsigned int)pirq);
	int rc = 0;

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
	int rc = 0;

	if (!pg || get_page_and_type(pg, d, PGT_writable_page))
		return -EINVAL;
	spin_lock(&d->event_lock);
	if (d->pirq->eoi_page) {
		rc = -EBUSY;
	} else {
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
