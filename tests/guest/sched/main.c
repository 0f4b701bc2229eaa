/* SPDX-License-Identifier: MIT */
/*
 * sched_op: yield returns, block ends with an event and at once when one is pending, poll by port and
 * by time, the watchdog, and shutdown reasons.  Ends the domain itself.
 */
#include "guest.h"

TEST("sched");

static unsigned int ticks;

static void tick(evtchn_port_t port)
{
	(void)port;
	ticks++;
}

static void send(evtchn_port_t p)
{
	struct evtchn_send s = {.port = p};

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_send, &s), 0);
}

static evtchn_port_t bind_ipi(void)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_ipi, &b), 0);
	return b.port;
}

static void test_yield_block(void)
{
	evtchn_port_t p = bind_ipi();

	CHECK_EQ(hypercall_sched_op(SCHEDOP_yield, NULL), 0);
	event_handler_set(p, tick);
	event_mask_set(p, false);
	events_disable();
	send(p);
	/* Something is pending: block must not, and it opens the event mask. */
	CHECK_EQ(hypercall_sched_op(SCHEDOP_block, NULL), 0);
	CHECK_EQ(ticks, 1);
	event_mask_set(p, true);
	events_disable();
}

static void test_poll(void)
{
	evtchn_port_t p = bind_ipi(), ports[1] = {p};
	struct sched_poll poll = {.nr_ports = 1};
	uint64_t t0 = clock_ns();

	events_disable();
	set_xen_guest_handle(poll.ports, ports);
	poll.timeout = t0 + 2000000;
	CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, &poll), 0);
	CHECK(clock_ns() >= t0 + 2000000);
	send(p); /* masked, yet poll sees it */
	poll.timeout = 0;
	CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, &poll), 0);
	CHECK(event_pending_clear(p));
	poll.nr_ports = 129;
	CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, &poll), -XEN_EINVAL);
	poll.nr_ports = 0;
	poll.timeout = clock_ns() + 1000000;
	CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, &poll), 0);
}

static void test_watchdog(void)
{
	struct sched_watchdog w = {.id = 0, .timeout = 100};
	long id = hypercall_sched_op(SCHEDOP_watchdog, &w);

	CHECK(id >= 1);
	w.id = id;
	CHECK_EQ(hypercall_sched_op(SCHEDOP_watchdog, &w), 0);
	w.timeout = 0;
	CHECK_EQ(hypercall_sched_op(SCHEDOP_watchdog, &w), 0);
	CHECK(hypercall_sched_op(SCHEDOP_watchdog, &w) <= 0);
	w.id = 77;
	CHECK_EQ(hypercall_sched_op(SCHEDOP_watchdog, &w), -XEN_EINVAL);
}

static void test_others(void)
{
	struct sched_remote_shutdown r = {.domain_id = DOMID_IO};
	struct sched_pin_override pin = {.pcpu = -1};

	CHECK_EQ(hypercall_sched_op(SCHEDOP_remote_shutdown, &r), -XEN_ESRCH);
	CHECK(hypercall_sched_op(SCHEDOP_pin_override, &pin) <= 0);
	CHECK_EQ(hypercall_sched_op(99, NULL), -XEN_ENOSYS);
}

void test_main(void)
{
	events_disable();
	test_yield_block();
	test_poll();
	test_watchdog();
	test_others();
}
