/* SPDX-License-Identifier: MIT */
/*
 * Delivering physical interrupts to domains and taking their EOI.
 *
 * An edge-triggered or message-signalled interrupt is acknowledged at once: the next one only marks
 * the port pending again. A level-triggered line is masked and acknowledged, delivered, and
 * unmasked when every domain that got it has said PHYSDEVOP_eoi: until then the device holds the
 * line. Masking instead of leaving the interrupt in service lets the EOI come on any CPU, and
 * others of lower priority through meanwhile.
 *
 * Invariant: a level line is masked exactly while desc->in_flight, the number of guests[] with
 * pending set, is not 0. Lock: irq_desc.lock for guests[], in_flight and the controller; see pirq.h
 * for the order.
 */
#include "x86/pirq.h"
#include "core/event.h"
#include "lib/errno.h"
#include "lib/log.h"

static struct irq_guest *guest_of(struct irq_desc *desc, const struct domain *d)
{
	for (unsigned int i = 0; i < desc->nr_guests; i++)
		if (desc->guests[i].d == d)
			return &desc->guests[i];
	return NULL;
}

static void finish(struct irq_desc *desc, struct irq_guest *g)
{
	if (!g->pending)
		return;
	g->pending = false;
	if (!--desc->in_flight)
		irq_unmask(desc);
}

static void deliver_level(struct irq_desc *desc)
{
	irq_mask(desc);
	lapic_eoi();
	for (unsigned int i = 0; i < desc->nr_guests; i++) {
		struct irq_guest *g = &desc->guests[i];

		if (!g->pending) {
			g->pending = true;
			desc->in_flight++;
		}
		/* Pending already or not: it will be served, and an EOI follows. */
		send_guest_pirq(g->d, g->pirq);
	}
}

void pirq_interrupt(struct irq_desc *desc)
{
	spin_lock(&desc->lock);
	if (unlikely(!desc->nr_guests)) {
		/* The last channel was closed while the interrupt was under way. */
		irq_mask(desc);
		lapic_eoi();
	} else if (desc->level) {
		deliver_level(desc);
	} else {
		lapic_eoi();
		for (unsigned int i = 0; i < desc->nr_guests; i++)
			send_guest_pirq(desc->guests[i].d, desc->guests[i].pirq);
	}
	spin_unlock(&desc->lock);
}

int pirq_eoi(struct domain *d, unsigned int pirq)
{
	struct pirq_entry *e = pirq_entry(d, pirq);
	struct irq_desc *desc;
	struct irq_guest *g;

	if (!e)
		return -EINVAL;
	spin_lock(&d->event_lock);
	desc = pirq_desc(d, pirq);
	if (d->pirq->auto_unmask && e->port)
		evtchn_unmask(d, e->port);
	if (desc) {
		spin_lock(&desc->lock);
		g = guest_of(desc, d);
		if (g)
			finish(desc, g);
		spin_unlock(&desc->lock);
	}
	spin_unlock(&d->event_lock);
	return 0;
}

bool pirq_is_shared(struct domain *d, unsigned int pirq)
{
	struct irq_desc *desc;
	bool shared;

	spin_lock(&d->event_lock);
	desc = pirq_desc(d, pirq);
	shared = desc && desc->nr_guests > 1;
	spin_unlock(&d->event_lock);
	return shared;
}

/* --- binding --- */

int pirq_check(struct domain *d, unsigned int pirq)
{
	struct pirq_entry *e = pirq_entry(d, pirq);

	if (!e) /* 0, the timer's, exists for everybody and is nobody's */
		return pirq ? -EINVAL : -EPERM;
	/* Not mapped, the timer's, or taken away: nothing of the domain's. */
	if (e->irq <= 0 || !domain_caps_contain(d, d->irq_caps, (uint64_t)e->irq, (uint64_t)e->irq))
		return -EPERM;
	return e->port ? -EEXIST : 0;
}

static void tell_needs_eoi(struct domain *d, unsigned int pirq, bool needed)
{
	if (!d->pirq->eoi_map)
		return;
	if (needed)
		set_bit(pirq, d->pirq->eoi_map);
	else
		clear_bit(pirq, d->pirq->eoi_map);
}

static int bind_check(struct irq_desc *desc, const struct domain *d, bool share)
{
	if (desc->handler)
		return -EBUSY;
	if (!desc->nr_guests)
		return 0;
	if (guest_of(desc, d) || desc->nr_guests == IRQ_MAX_GUESTS || !share || !desc->shared)
		return -EBUSY;
	return 0;
}

static void bind_commit(struct irq_desc *desc, struct domain *d, unsigned int pirq, bool share)
{
	desc->guests[desc->nr_guests++] = (struct irq_guest){.d = d, .pirq = pirq};
	if (desc->nr_guests > 1)
		return;
	desc->shared = share;
	desc->in_flight = 0;
	irq_unmask(desc);
}

int pirq_bind(struct domain *d, unsigned int pirq, bool share)
{
	struct irq_desc *desc = pirq_desc(d, pirq);
	int rc;

	if (!desc)
		return -EINVAL;
	spin_lock(&desc->lock);
	rc = bind_check(desc, d, share);
	if (!rc && !desc->nr_guests) {
		irq_set_cpu(desc, this_cpu_id());
		if (desc->kind == IRQ_GSI)
			rc = irq_startup_gsi(desc);
	}
	if (!rc) {
		tell_needs_eoi(d, pirq, desc->level);
		bind_commit(desc, d, pirq, share);
	}
	spin_unlock(&desc->lock);
	return rc;
}

void pirq_unbind(struct domain *d, unsigned int pirq)
{
	struct irq_desc *desc = pirq_desc(d, pirq);
	struct irq_guest *g;

	if (!desc)
		return;
	spin_lock(&desc->lock);
	g = guest_of(desc, d);
	if (g && g->pirq == pirq) {
		if (desc->nr_guests == 1)
			irq_mask(desc);
		if (g->pending && !--desc->in_flight && desc->nr_guests > 1)
			irq_unmask(desc);
		*g = desc->guests[--desc->nr_guests];
	}
	spin_unlock(&desc->lock);
}

void pirq_set_cpu(struct domain *d, unsigned int pirq, unsigned int cpu)
{
	struct irq_desc *desc = pirq_desc(d, pirq);

	if (!desc)
		return;
	spin_lock(&desc->lock);
	if (desc->nr_guests == 1)
		irq_set_cpu(desc, cpu);
	spin_unlock(&desc->lock);
}
