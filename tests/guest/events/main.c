/* SPDX-License-Identifier: MIT */
/*
 * Event channels in the two-level form: allocation, binding, status of every kind, delivery with and
 * without masks, the evtchn_upcall_* flags, closing, and the port numbers coming back.
 */
#include "guest.h"

TEST("events");

static domid_t self;
static unsigned int upcalls;
static evtchn_port_t upcall_port;

static void count(evtchn_port_t port)
{
	upcalls++;
	upcall_port = port;
}

static long event_close(evtchn_port_t port)
{
	struct evtchn_close c = {.port = port};

	return hypercall_event_channel_op(EVTCHNOP_close, &c);
}

static long event_send(evtchn_port_t port)
{
	struct evtchn_send s = {.port = port};

	return hypercall_event_channel_op(EVTCHNOP_send, &s);
}

static unsigned int event_status(evtchn_port_t port, struct evtchn_status *s)
{
	*s = (struct evtchn_status){.dom = DOMID_SELF, .port = port};
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_status, s), 0);
	return s->status;
}

static evtchn_port_t event_bind_ipi(void)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_ipi, &b), 0);
	return b.port;
}

static void test_unbound(void)
{
	evtchn_port_t a = event_alloc_unbound(DOMID_SELF);
	struct evtchn_status s;

	CHECK(a != 0);
	CHECK_EQ(event_status(a, &s), EVTCHNSTAT_unbound);
	CHECK_EQ(s.u.unbound.dom, self);
	CHECK_EQ(event_send(a), 0);
	CHECK(!event_pending(a));
	CHECK_EQ(event_close(a), 0);
	CHECK_EQ(event_close(a), -XEN_EINVAL);
	CHECK_EQ(event_send(a), -XEN_EINVAL);
	CHECK_EQ(event_status(a, &s), EVTCHNSTAT_closed);
	CHECK_EQ(event_alloc_unbound(DOMID_SELF), a);
	CHECK_EQ(event_close(a), 0);
}

/* Both ends in this domain: what one end sends becomes pending on the other. */
static void test_interdomain(void)
{
	evtchn_port_t a = event_alloc_unbound(DOMID_SELF);
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF, .remote_port = a};
	struct evtchn_status s;

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &b), 0);
	CHECK(b.local_port != a);
	CHECK_EQ(event_status(a, &s), EVTCHNSTAT_interdomain);
	CHECK_EQ(s.u.interdomain.port, b.local_port);
	CHECK_EQ(s.u.interdomain.dom, self);
	CHECK(event_pending_clear(b.local_port)); /* set by binding, lest an event be lost */
	CHECK_EQ(event_send(b.local_port), 0);
	CHECK(event_pending_clear(a));
	CHECK(!event_pending(b.local_port));
	CHECK_EQ(event_send(a), 0);
	CHECK(event_pending_clear(b.local_port));
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &b), -XEN_EINVAL);
	CHECK_EQ(event_close(b.local_port), 0);
	CHECK_EQ(event_status(a, &s), EVTCHNSTAT_unbound);
	CHECK_EQ(event_close(a), 0);
}

static void test_delivery(void)
{
	evtchn_port_t p = event_bind_ipi();
	struct evtchn_status s;

	CHECK_EQ(event_status(p, &s), EVTCHNSTAT_ipi);
	CHECK_EQ(s.vcpu, 0);
	event_handler_set(p, count);
	event_mask_set(p, false);
	events_enable();
	upcalls = 0;
	CHECK_EQ(event_send(p), 0);
	CHECK_EQ(upcalls, 1);
	CHECK_EQ(upcall_port, p);
	CHECK(!vcpu_info0()->evtchn_upcall_mask); /* IRET put it back */

	events_disable();
	CHECK_EQ(event_send(p), 0);
	CHECK_EQ(event_send(p), 0);
	CHECK_EQ(upcalls, 1);
	CHECK(vcpu_info0()->evtchn_upcall_pending);
	events_enable();
	CHECK_EQ(upcalls, 2);

	event_mask_set(p, true);
	CHECK_EQ(event_send(p), 0);
	CHECK_EQ(upcalls, 2);
	CHECK(event_pending(p));
	event_mask_set(p, false);
	CHECK_EQ(upcalls, 3);
	events_disable();
	CHECK_EQ(event_close(p), 0);
}

static void test_virq(void)
{
	struct evtchn_bind_virq b = {.virq = VIRQ_TIMER, .vcpu = 0};
	struct evtchn_status s;
	evtchn_port_t p = event_bind_virq(VIRQ_TIMER, count);

	CHECK_EQ(event_status(p, &s), EVTCHNSTAT_virq);
	CHECK_EQ(s.u.virq, VIRQ_TIMER);
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_virq, &b), -XEN_EEXIST);
	CHECK_EQ(event_send(p), -XEN_EINVAL);
	CHECK_EQ(event_close(p), 0);
	b.virq = NR_VIRQS;
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_virq, &b), -XEN_EINVAL);
	b = (struct evtchn_bind_virq){.virq = VIRQ_DOM_EXC, .vcpu = 1};
	CHECK(hypercall_event_channel_op(EVTCHNOP_bind_virq, &b) < 0);
}

/*
 * Bring the range to its end and back: ports are handed out densely and all are returned.  Domain 0
 * has the whole two-level range, a guest what its configuration gives it.
 */
static void test_many(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	evtchn_port_t first = event_alloc_unbound(DOMID_SELF), last = first;
	unsigned int n = 1;
	long rc;

	while (!(rc = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &a)) && n < 5000) {
		last = a.port;
		n++;
	}
	CHECK_EQ(rc, -XEN_ENOSPC);
	CHECK(n > (is_dom0() ? 4000 : 900) && n < 4096);
	CHECK_EQ(event_send(last), 0);
	for (evtchn_port_t p = first; p <= last; p++)
		CHECK_EQ(event_close(p), 0);
	CHECK_EQ(event_alloc_unbound(DOMID_SELF), first);
	CHECK_EQ(event_close(first), 0);
}

static void test_bind_vcpu(void)
{
	struct evtchn_bind_vcpu b = {.vcpu = 0};

	b.port = event_alloc_unbound(DOMID_SELF);
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &b), 0);
	b.vcpu = 1000;
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &b), -XEN_ENOENT);
	CHECK_EQ(event_close(b.port), 0);
	b = (struct evtchn_bind_vcpu){.port = event_bind_ipi()};
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &b), -XEN_EINVAL);
	CHECK_EQ(event_close(b.port), 0);
}

/* Domain 0 only: a guest would lose its console. */
static void test_reset(void)
{
	evtchn_port_t p = event_alloc_unbound(DOMID_SELF);
	struct evtchn_reset r = {.dom = DOMID_SELF};
	struct evtchn_status s;

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_reset, &r), 0);
	CHECK_EQ(event_status(p, &s), EVTCHNSTAT_closed);
}

void test_main(void)
{
	events_disable();
	self = domain_self();
	test_unbound();
	test_interdomain();
	test_delivery();
	test_virq();
	test_bind_vcpu();
	if (is_dom0())
		test_reset();
	test_many();
}
