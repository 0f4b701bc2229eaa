/* SPDX-License-Identifier: MIT */
/*
 * The 2-level ABI: a pending and a mask bit for each port in shared_info, and in each vcpu_info a
 * selector whose bits name words with pending ports. All of it is guest memory: the bits are only
 * ever set or tested, no index comes from there.
 *
 * No lock: the order of the atomic operations is the protocol (pending, then mask, then selector,
 * then upcall), the guest's is the reverse.
 */
#include "core/evtchn.h"

#define PORTS_PER_WORD (8 * sizeof(xen_ulong_t))

/* The pending bit has just been set. */
void evtchn_2l_notify(struct domain *d, struct vcpu *v, evtchn_port_t port)
{
	if (!test_bit(port, d->shared_info->evtchn_mask) &&
	    !test_and_set_bit(port / PORTS_PER_WORD, &v->vcpu_info->evtchn_pending_sel))
		vcpu_mark_events_pending(v);
	if (unlikely(READ_ONCE(d->poll_count)))
		evtchn_wake_pollers(d, port);
}

void evtchn_2l_clear_pending(struct domain *d, evtchn_port_t port)
{
	clear_bit(port, d->shared_info->evtchn_pending);
}

void evtchn_2l_unmask(struct domain *d, struct vcpu *v, struct evtchn *chn)
{
	struct shared_info *s = d->shared_info;
	evtchn_port_t port = chn->port;

	if (test_and_clear_bit(port, s->evtchn_mask) && test_bit(port, s->evtchn_pending) &&
	    !test_and_set_bit(port / PORTS_PER_WORD, &v->vcpu_info->evtchn_pending_sel))
		vcpu_mark_events_pending(v);
}

bool evtchn_2l_is_pending(const struct domain *d, evtchn_port_t port)
{
	return port < EVTCHN_2L_NR_CHANNELS && test_bit(port, d->shared_info->evtchn_pending);
}

bool evtchn_2l_is_masked(const struct domain *d, evtchn_port_t port)
{
	return port >= EVTCHN_2L_NR_CHANNELS || test_bit(port, d->shared_info->evtchn_mask);
}
