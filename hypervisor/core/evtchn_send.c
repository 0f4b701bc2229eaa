/* SPDX-License-Identifier: MIT */
/*
 * Sending: from a domain's notification, a virtual or a physical IRQ to a pending bit and a vCPU
 * that notices. The fast path of the event channels; evtchn_send is counted in guest instructions.
 *
 * Here, too, is the 2-level ABI: a pending and a mask bit for each port in shared_info, and in each
 * vcpu_info a selector whose bits name words with pending ports. All of it is guest memory: the
 * bits are only ever set or tested, no index comes from there. The order of the atomic operations
 * is the protocol (pending, then mask, then selector, then upcall), the guest's is the reverse.
 *
 * Lock: the channel sent through, for reading; never d->event_lock. Virtual and physical IRQs find
 * their channel without a lock and then check that it still is theirs.
 */
#include "core/evtchn.h"

#include "x86/pirq.h"

void evtchn_read_lock_wait(struct evtchn *chn)
{
	do {
		evtchn_read_unlock(chn);
		while (READ_ONCE(chn->lock) & EVTCHN_WRITER)
			spin_wait();
	} while ((int32_t)atomic_add(&chn->lock, 1) < 0);
}

/* False while the channel is being bound or closed: to the caller it is as good as free. */
static bool evtchn_read_trylock(struct evtchn *chn)
{
	if (likely((int32_t)atomic_add(&chn->lock, 1) >= 0))
		return true;
	evtchn_read_unlock(chn);
	return false;
}

/* The word of the guest's with that bit, and its mask. */
static uint32_t *shared_word(const struct domain *d, evtchn_port_t port, unsigned int bit,
			     uint32_t *mask)
{
	struct shared_info *s = d->shared_info;
	xen_ulong_t *bits = bit == EVTCHN_FIFO_PENDING ? s->evtchn_pending : s->evtchn_mask;

	if (d->evtchn->fifo) {
		*mask = 1u << bit;
		return evtchn_fifo_word(d, port);
	}
	*mask = 1u << port % 32;
	if (port >= EVTCHN_2L_NR_CHANNELS || bit == EVTCHN_FIFO_LINKED)
		return NULL;
	return (uint32_t *)bits + port / 32;
}

bool evtchn_test(const struct domain *d, evtchn_port_t port, unsigned int bit)
{
	uint32_t mask, *word = shared_word(d, port, bit, &mask);

	return word && (READ_ONCE(*word) & mask);
}

bool evtchn_test_and_clear(const struct domain *d, evtchn_port_t port, unsigned int bit)
{
	uint32_t mask, *word = shared_word(d, port, bit, &mask);

	return word && (atomic_and(word, ~mask) & mask);
}

void vcpu_mark_events_pending(struct vcpu *v)
{
	if (!xchg(&v->vcpu_info->evtchn_upcall_pending, 1))
		vcpu_kick(v);
}

/*
 * The pending bit was set by a locked instruction before poll_count was read, and a poller counts
 * itself before it looks at the bits: one of the two sees the other. It writes poll_port before
 * the flag, so that under the flag stands no port of an earlier wait.
 */
void evtchn_wake_pollers(struct domain *d, evtchn_port_t port)
{
	struct vcpu *v;
	unsigned int i;

	for_each_vcpu (d, v, i) {
		int waits_for;

		if (!(READ_ONCE(v->pause_flags) & VPF_poll))
			continue;
		waits_for = READ_ONCE(v->poll_port);
		if (waits_for < 0 || (evtchn_port_t)waits_for == port)
			vcpu_unblock(v);
	}
}

/* The port has become pending, or is and was unmasked. */
static noinline void evtchn_2l_notify(struct domain *d, struct vcpu *v, evtchn_port_t port)
{
	if (!test_bit(port, d->shared_info->evtchn_mask) &&
	    !test_and_set_bit(port / (8 * sizeof(xen_ulong_t)), &v->vcpu_info->evtchn_pending_sel))
		vcpu_mark_events_pending(v);
	if (unlikely(READ_ONCE(d->poll_count)))
		evtchn_wake_pollers(d, port);
}

/* That it is pending already is common and needs no call. */
static always_inline bool set_pending(struct domain *d, struct evtchn *chn)
{
	struct vcpu *v = d->vcpu[chn->vcpu_id];

	if (unlikely(!v)) /* unbound channels may be made before the first vCPU is */
		return false;
	if (d->evtchn->fifo)
		return evtchn_fifo_set_pending(d, v, chn);
	if (test_and_set_bit(chn->port, d->shared_info->evtchn_pending))
		return false;
	evtchn_2l_notify(d, v, chn->port);
	return true;
}

bool evtchn_set_pending(struct domain *d, struct evtchn *chn)
{
	return set_pending(d, chn);
}

int evtchn_send(struct domain *d, evtchn_port_t port)
{
	struct evtchn *chn = evtchn_lookup(d, port);
	int rc = 0;

	if (unlikely(!chn))
		return -EINVAL;
	evtchn_read_lock(chn);
	if (likely(chn->state == EVTCHNSTAT_interdomain))
		set_pending(chn->remote_dom, chn->remote_chn);
	else if (chn->state == EVTCHNSTAT_ipi)
		set_pending(d, chn);
	else if (chn->state != EVTCHNSTAT_unbound) /* nobody at the other end yet: dropped */
		rc = -EINVAL;
	evtchn_read_unlock(chn);
	return rc;
}

static bool evtchn_send_irq(struct domain *d, evtchn_port_t port, unsigned int state,
			    unsigned int nr)
{
	struct evtchn *chn = evtchn_lookup(d, port);
	bool sent = false;

	if (!chn || !evtchn_read_trylock(chn))
		return false;
	if (chn->state == state && chn->nr == nr)
		sent = evtchn_set_pending(d, chn);
	evtchn_read_unlock(chn);
	return sent;
}

void send_guest_vcpu_virq(struct vcpu *v, uint32_t virq)
{
	evtchn_send_irq(v->domain, READ_ONCE(v->virq_to_port[virq]), EVTCHNSTAT_virq, virq);
}

bool send_guest_pirq(struct domain *d, unsigned int pirq)
{
	return evtchn_send_irq(d, pirq_port(d, pirq), EVTCHNSTAT_pirq, pirq);
}

int evtchn_unmask(struct domain *d, evtchn_port_t port)
{
	struct evtchn *chn = evtchn_lookup(d, port);
	struct vcpu *v;

	if (!chn)
		return -EINVAL;
	evtchn_read_lock(chn);
	v = d->vcpu[chn->vcpu_id];
	if (chn->state != EVTCHNSTAT_closed && v) {
		bool masked = evtchn_test_and_clear(d, port, EVTCHN_FIFO_MASKED);
		bool pending = evtchn_test(d, port, EVTCHN_FIFO_PENDING);

		if (pending && d->evtchn->fifo) /* which may have cleared the mask by itself */
			evtchn_fifo_set_pending(d, v, chn);
		else if (pending && masked)
			evtchn_2l_notify(d, v, port);
	}
	evtchn_read_unlock(chn);
	return 0;
}

bool evtchn_port_valid(struct domain *d, evtchn_port_t port)
{
	return evtchn_lookup(d, port) != NULL;
}

bool evtchn_port_is_pending(struct domain *d, evtchn_port_t port)
{
	struct evtchn *chn = evtchn_lookup(d, port);
	bool pending;

	if (!chn || !evtchn_read_trylock(chn))
		return false;
	pending = chn->state != EVTCHNSTAT_closed && evtchn_test(d, port, EVTCHN_FIFO_PENDING);
	evtchn_read_unlock(chn);
	return pending;
}

/* --- global virtual IRQs --- */

static spinlock_t virq_handlers_lock = SPIN_LOCK_UNLOCKED;
/* NULL: domain 0. No reference is held: a domain that dies leaves the table. */
static struct domain *virq_handlers[NR_VIRQS];

bool virq_is_global(unsigned int virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF &&
	       virq != VIRQ_XENPMU;
}

void send_global_virq(uint32_t virq)
{
	struct domain *d;
	struct vcpu *v;

	spin_lock(&virq_handlers_lock);
	d = virq_handlers[virq] ? virq_handlers[virq] : hardware_domain;
	v = d ? domain_vcpu(d, 0) : NULL;
	if (v)
		send_guest_vcpu_virq(v, virq);
	spin_unlock(&virq_handlers_lock);
}

int set_global_virq_handler(struct domain *d, uint32_t virq)
{
	int rc = -EINVAL;

	if (virq >= NR_VIRQS || !virq_is_global(virq))
		return -EINVAL;
	spin_lock(&virq_handlers_lock);
	if (d->dying == DOMDYING_alive) { /* else it may already have left the table */
		virq_handlers[array_index_nospec(virq, NR_VIRQS)] = d;
		rc = 0;
	}
	spin_unlock(&virq_handlers_lock);
	return rc;
}

void evtchn_drop_virq_handlers(struct domain *d)
{
	spin_lock(&virq_handlers_lock);
	for (unsigned int virq = 0; virq < NR_VIRQS; virq++)
		if (virq_handlers[virq] == d)
			virq_handlers[virq] = NULL;
	spin_unlock(&virq_handlers_lock);
}
