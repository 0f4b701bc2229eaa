/* SPDX-License-Identifier: MIT */
/*
 * Sending: from a domain's notification, a virtual or a physical IRQ to a pending bit and a vCPU
 * that notices. The fast path of the event channels; evtchn_send is counted in guest instructions.
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

int evtchn_send(struct domain *d, evtchn_port_t port)
{
	struct evtchn *chn = evtchn_lookup(d, port);
	int rc = 0;

	if (unlikely(!chn))
		return -EINVAL;
	evtchn_read_lock(chn);
	if (likely(chn->state == ECS_interdomain))
		evtchn_set_pending(chn->remote_dom, chn->remote_chn);
	else if (chn->state == ECS_ipi)
		evtchn_set_pending(d, chn);
	else if (chn->state != ECS_unbound) /* nobody at the other end yet: dropped */
		rc = -EINVAL;
	evtchn_read_unlock(chn);
	return rc;
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

static bool evtchn_send_irq(struct domain *d, evtchn_port_t port, enum evtchn_state state,
			    unsigned int nr)
{
	struct evtchn *chn = port ? evtchn_lookup(d, port) : NULL;
	bool sent = false;

	if (!chn || !evtchn_read_trylock(chn))
		return false;
	if (chn->state == state && (state == ECS_virq ? chn->virq : chn->pirq) == nr)
		sent = evtchn_set_pending(d, chn);
	evtchn_read_unlock(chn);
	return sent;
}

void send_guest_vcpu_virq(struct vcpu *v, uint32_t virq)
{
	evtchn_send_irq(v->domain, READ_ONCE(v->virq_to_port[virq]), ECS_virq, virq);
}

void send_guest_global_virq(struct domain *d, uint32_t virq)
{
	struct vcpu *v = d ? domain_vcpu(d, 0) : NULL;

	if (v)
		evtchn_send_irq(d, READ_ONCE(v->virq_to_port[virq]), ECS_virq, virq);
}

bool send_guest_pirq(struct domain *d, unsigned int pirq)
{
	return evtchn_send_irq(d, pirq_port(d, pirq), ECS_pirq, pirq);
}

int evtchn_unmask(struct domain *d, evtchn_port_t port)
{
	struct evtchn *chn = evtchn_lookup(d, port);
	struct vcpu *v;

	if (!chn)
		return -EINVAL;
	evtchn_read_lock(chn);
	v = d->vcpu[chn->vcpu_id];
	if (evtchn_usable(chn) && v) {
		if (d->evtchn->fifo)
			evtchn_fifo_unmask(d, v, chn);
		else
			evtchn_2l_unmask(d, v, chn);
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
	bool pending = false;

	if (!chn || !evtchn_read_trylock(chn))
		return false;
	if (evtchn_usable(chn))
		pending = d->evtchn->fifo ? evtchn_fifo_is_pending(d, port)
					  : evtchn_2l_is_pending(d, port);
	evtchn_read_unlock(chn);
	return pending;
}
