/* SPDX-License-Identifier: MIT */
/*
 * Global virtual IRQs: who hears them. Each has one handling domain, domain 0 unless the tools
 * chose another (XEN_DOMCTL_set_virq_handler).
 *
 * Lock: virq_handlers_lock guards the choice; each entry holds a reference on its domain, given
 * back when the choice changes or the domain dies.
 */
#include "core/evtchn.h"

static spinlock_t virq_handlers_lock = SPIN_LOCK_UNLOCKED;
static struct domain *virq_handlers[NR_VIRQS]; /* NULL: domain 0 */

bool virq_is_global(unsigned int virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF &&
	       virq != VIRQ_XENPMU;
}

static struct domain *virq_handler_get(uint32_t virq)
{
	struct domain *d;

	spin_lock(&virq_handlers_lock);
	d = virq_handlers[virq] ? virq_handlers[virq] : hardware_domain;
	if (d)
		domain_hold(d);
	spin_unlock(&virq_handlers_lock);
	return d;
}

void send_global_virq(uint32_t virq)
{
	struct domain *d = virq_handler_get(virq);

	if (!d)
		return;
	send_guest_global_virq(d, virq);
	domain_put(d);
}

int set_global_virq_handler(struct domain *d, uint32_t virq)
{
	struct domain *old;

	if (virq >= NR_VIRQS || !virq_is_global(virq))
		return -EINVAL;
	virq = (uint32_t)array_index_nospec(virq, NR_VIRQS);
	domain_hold(d);
	spin_lock(&virq_handlers_lock);
	if (d->dying != DOMDYING_alive) { /* its entries may already have been dropped */
		spin_unlock(&virq_handlers_lock);
		domain_put(d);
		return -EINVAL;
	}
	old = virq_handlers[virq];
	virq_handlers[virq] = d;
	spin_unlock(&virq_handlers_lock);
	if (old)
		domain_put(old);
	return 0;
}

void evtchn_drop_virq_handlers(struct domain *d)
{
	unsigned int dropped = 0;

	spin_lock(&virq_handlers_lock);
	for (unsigned int virq = 0; virq < NR_VIRQS; virq++)
		if (virq_handlers[virq] == d) {
			virq_handlers[virq] = NULL;
			dropped++;
		}
	spin_unlock(&virq_handlers_lock);
	while (dropped--)
		domain_put(d);
}
