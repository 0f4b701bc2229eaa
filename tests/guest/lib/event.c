/* SPDX-License-Identifier: MIT */
/*
 * Events in the two-level form, and the clock read from the shared page.  Handlers run with events
 * masked on vCPU 0.  A test that moves to the FIFO form does its own scanning.
 */
#include "guest.h"

#define MAX_HANDLED 256

static event_fn handlers[MAX_HANDLED];

void event_handler_set(evtchn_port_t port, event_fn fn)
{
	if (port < MAX_HANDLED)
		handlers[port] = fn;
}

static unsigned long word_take(volatile unsigned long *w)
{
	unsigned long v = 0;

	asm volatile("xchg %0, %1" : "+r"(v), "+m"(*w) : : "memory");
	return v;
}

static void bit_set(volatile void *base, unsigned int n, bool on)
{
	if (on)
		asm volatile("lock bts %1, %0"
			     : "+m"(*(volatile long *)base)
			     : "r"((long)n)
			     : "memory");
	else
		asm volatile("lock btr %1, %0"
			     : "+m"(*(volatile long *)base)
			     : "r"((long)n)
			     : "memory");
}

bool event_pending(evtchn_port_t port)
{
	volatile unsigned long *w = (unsigned long *)shared.evtchn_pending;

	return (w[port / 64] >> (port & 63)) & 1;
}

bool event_pending_clear(evtchn_port_t port)
{
	bool was = event_pending(port);

	bit_set(shared.evtchn_pending, port, false);
	return was;
}

void event_mask_set(evtchn_port_t port, bool on)
{
	struct evtchn_unmask u = {.port = port};

	if (on)
		bit_set(shared.evtchn_mask, port, true);
	else
		hypercall_event_channel_op(EVTCHNOP_unmask, &u);
}

static void word_dispatch(unsigned int i)
{
	unsigned long pending = shared.evtchn_pending[i] & ~shared.evtchn_mask[i];

	for (unsigned int b = 0; b < 64; b++) {
		evtchn_port_t port = i * 64 + b;

		if (!((pending >> b) & 1))
			continue;
		bit_set(shared.evtchn_pending, port, false);
		if (port < MAX_HANDLED && handlers[port])
			handlers[port](port);
	}
}

void event_dispatch(void)
{
	struct vcpu_info *vi = vcpu_info0();
	volatile uint8_t *flag = &vi->evtchn_upcall_pending;
	unsigned long sel;

	while (*flag) {
		*flag = 0;
		asm volatile("" : : : "memory");
		sel = word_take((volatile unsigned long *)&vi->evtchn_pending_sel);
		for (unsigned int i = 0; i < 64; i++)
			if ((sel >> i) & 1)
				word_dispatch(i);
	}
}

void event_upcall_poll(void)
{
	events_disable();
	event_dispatch();
}

/* Unmasking by hand: an event that became pending meanwhile must be taken here. */
void events_enable(void)
{
	volatile struct vcpu_info *vi = vcpu_info0();

	vi->evtchn_upcall_mask = 0;
	asm volatile("" : : : "memory");
	if (vi->evtchn_upcall_pending)
		hypercall_xen_version(XENVER_version, NULL);
}

evtchn_port_t event_bind_virq(unsigned int virq, event_fn fn)
{
	struct evtchn_bind_virq b = {.virq = virq, .vcpu = 0};
	long rc = hypercall_event_channel_op(EVTCHNOP_bind_virq, &b);

	if (rc)
		verdict_error("bind_virq %u: %ld", virq, rc);
	event_handler_set(b.port, fn);
	event_mask_set(b.port, false);
	return b.port;
}

evtchn_port_t event_alloc_unbound(domid_t remote)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = remote};
	long rc = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &a);

	if (rc)
		verdict_error("alloc_unbound: %ld", rc);
	return a.port;
}

static uint64_t scale(uint64_t delta, const struct vcpu_time_info *t)
{
	if (t->tsc_shift < 0)
		delta >>= -t->tsc_shift;
	else
		delta <<= t->tsc_shift;
	return ((unsigned __int128)delta * t->tsc_to_system_mul) >> 32;
}

uint64_t clock_ns(void)
{
	volatile struct vcpu_time_info *src = &vcpu_info0()->time;
	struct vcpu_time_info t;
	uint32_t version;

	do {
		version = src->version;
		asm volatile("" : : : "memory");
		t = *src;
		asm volatile("" : : : "memory");
	} while ((version & 1) || version != src->version);
	return t.system_time + scale(rdtsc() - t.tsc_timestamp, &t);
}

/* No call tells a PV guest its own number, but the status of an unbound port names the remote end. */
domid_t domain_self(void)
{
	struct evtchn_status s = {.dom = DOMID_SELF, .port = event_alloc_unbound(DOMID_SELF)};
	struct evtchn_close c = {.port = s.port};

	hypercall_event_channel_op(EVTCHNOP_status, &s);
	hypercall_event_channel_op(EVTCHNOP_close, &c);
	return s.u.unbound.dom;
}
