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

static void update_mask(struct irq_desc *desc)
{
	irq_set_masked(desc, !desc->nr_guests || desc->in_flight);
}

/*
 * The mask comes before the EOI: of a level-triggered line, and of one whose last channel was closed
 * while the interrupt was under way.
 */
void pirq_interrupt(struct irq_desc *desc)
{
	spin_lock(&desc->lock);
	for (unsigned int i = 0; i < desc->nr_guests; i++) {
		struct irq_guest *g = &desc->guests[i];

		/* Pending already or not: it will be served, and an EOI follows. */
		if (desc->level && !g->pending) {
			g->pending = true;
			desc->in_flight++;
		}
		send_guest_pirq(g->d, g->pirq);
	}
	update_mask(desc);
	lapic_eoi();
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
		if (g && g->pending) {
			g->pending = false;
			desc->in_flight--;
			update_mask(desc);
		}
		spin_unlock(&desc->lock);
	}
	spin_unlock(&d->event_lock);
	return 0;
}

bool pirq_is_shared(struct domain *d, unsigned int pirq)
{
	struct irq_desc *desc = pirq_desc(d, pirq);

	return desc && READ_ONCE(desc->nr_guests) > 1;
}

/* --- binding --- */

int pirq_check(struct domain *d, unsigned int pirq)
{
	struct pirq_entry *e = pirq_entry(d, pirq);

	if (!e) /* 0, the timer's, exists for everybody and is nobody's */
		return pirq ? -EINVAL : -EPERM;
	/* Not mapped, the timer's, or taken away: nothing of the domain's. */
	if (e->irq <= 0 ||
	    !domain_caps_contain(d, &d->irq_caps, (uint64_t)e->irq, (uint64_t)e->irq))
		return -EPERM;
	return e->port ? -EEXIST : 0;
}

static bool bind_allowed(struct irq_desc *desc, const struct domain *d, bool share)
{
	if (desc->handler)
		return false;
	return !desc->nr_guests ||
	       (share && desc->shared && !guest_of(desc, d) && desc->nr_guests < IRQ_MAX_GUESTS);
}

int pirq_bind(struct domain *d, unsigned int pirq, bool share)
{
	struct irq_desc *desc = pirq_desc(d, pirq);
	unsigned long *eoi_map = d->pirq->eoi_map;
	int rc;

	if (!desc)
		return -EINVAL;
	spin_lock(&desc->lock);
	rc = bind_allowed(desc, d, share) ? 0 : -EBUSY;
	if (!rc && !desc->nr_guests) {
		irq_set_cpu(desc, this_cpu_id());
		rc = irq_startup(desc);
	}
	if (!rc) {
		if (eoi_map && desc->level)
			set_bit(pirq, eoi_map);
		else if (eoi_map)
			clear_bit(pirq, eoi_map);
		desc->shared = share;
		desc->guests[desc->nr_guests++] = (struct irq_guest){.d = d, .pirq = pirq};
		update_mask(desc);
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
		desc->in_flight -= g->pending;
		*g = desc->guests[--desc->nr_guests];
		update_mask(desc);
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
