/* SPDX-License-Identifier: MIT */
/*
 * Event channels through their hypercall: the table, what each operation refuses and with which error, the 2-level ABI as a
 * guest sees it, virtual and physical interrupts.
 */
#include "fake_events.h"

/* --- the table --- */

static void ports_come_lowest_first(void **state)
{
	evtchn_port_t port;

	for (unsigned int i = 1; i < 300; i++) {
		assert_int_equal(alloc_unbound(DOMID_SELF, 0, &port), 0);
		assert_int_equal(port, i);
	}
	assert_int_equal(port_op(EVTCHNOP_close, 200), 0);
	assert_int_equal(port_op(EVTCHNOP_close, 7), 0);
	assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(port, 7);
	assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(port, 200);
	assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(port, 300);
	assert_int_equal(evtchn_active(g1->d), 300);
}

static void table_has_an_end(void **state)
{
	evtchn_port_t port;

	for (unsigned int i = 1; i < EVTCHN_2L_NR_CHANNELS; i++)
		assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(port, EVTCHN_2L_NR_CHANNELS - 1);
	assert_int_equal(bind_ipi(0, &port), -ENOSPC);
	assert_int_equal(port_op(EVTCHNOP_close, 4000), 0);
	assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(port, 4000);

	guest_run(g2, 0);
	g2->d->evtchn->max_port = 10;
	for (unsigned int i = 1; i <= 10; i++)
		assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(bind_ipi(0, &port), -ENOSPC);
	assert_int_equal(alloc_unbound(DOMID_SELF, 0, &port), -ENOSPC);
	assert_int_equal(bind_virq(VIRQ_TIMER, 0, &port), -ENOSPC);
}

static void alloc_unbound_for_others_needs_control(void **state)
{
	evtchn_port_t port;

	assert_int_equal(alloc_unbound(2, 0, &port), -EPERM);
	assert_int_equal(alloc_unbound(6, 0, &port), -ESRCH);
	assert_int_equal(alloc_unbound(DOMID_IO, 0, &port), -ESRCH);
	assert_int_equal(alloc_unbound(1, 0, &port), 0);
	guest_run(g0, 0);
	assert_int_equal(alloc_unbound(2, DOMID_SELF, &port), 0);
	assert_int_equal(status_of(2, port).u.unbound.dom, 0);
	assert_int_equal(evtchn_active(g2->d), 1);
	g2->d->dying = DOMDYING_dying;
	assert_int_equal(alloc_unbound(2, DOMID_SELF, &port), -EINVAL);
	assert_int_equal(event_op(EVTCHNOP_alloc_unbound, (void *)BAD_VA), -EFAULT);
	assert_int_equal(event_op(EVTCHNOP_alloc_unbound, (void *)HYP_VIRT_START), -EFAULT);
	assert_int_equal(g2->d->refcount, 2); /* its pages, and the list */
}

static void interdomain_joins_two_ends(void **state)
{
	evtchn_port_t p1, p2, port;
	struct evtchn_status s;

	event_connect(g1, g2, &p1, &p2);
	s = status_of(DOMID_SELF, p2);
	assert_int_equal(s.status, EVTCHNSTAT_interdomain);
	assert_int_equal(s.u.interdomain.dom, 1);
	assert_int_equal(s.u.interdomain.port, p1);
	/* What may have been sent before is made up for. */
	assert_true(event_pending(g2, p2));
	assert_int_equal(g2->kicks[0], 1);

	assert_int_equal(bind_interdomain(1, p1, &port), -EINVAL); /* taken */
	assert_int_equal(bind_interdomain(1, 99, &port), -EINVAL);
	assert_int_equal(bind_interdomain(1, 1u << 20, &port), -EINVAL);
	assert_int_equal(bind_interdomain(6, 1, &port), -ESRCH);
	guest_run(g0, 0);
	assert_int_equal(alloc_unbound(DOMID_SELF, 1, &port), 0);
	guest_run(g2, 0);
	assert_int_equal(bind_interdomain(0, port, &port), -EINVAL); /* not for us */
	assert_int_equal(evtchn_active(g2->d), 1);

	assert_int_equal(port_op(EVTCHNOP_close, p2), 0);
	assert_int_equal(port_op(EVTCHNOP_close, p2), -EINVAL);
	guest_run(g1, 0);
	s = status_of(DOMID_SELF, p1);
	assert_int_equal(s.status, EVTCHNSTAT_unbound);
	assert_int_equal(s.u.unbound.dom, 2);
	assert_int_equal(port_op(EVTCHNOP_send, p1), 0); /* silently dropped */
	guest_run(g2, 0);
	assert_int_equal(bind_interdomain(1, p1, &p2), 0);
}

static void loopback_works(void **state)
{
	evtchn_port_t a, b;

	assert_int_equal(alloc_unbound(DOMID_SELF, DOMID_SELF, &a), 0);
	assert_int_equal(bind_interdomain(DOMID_SELF, a, &b), 0);
	event_consume(g1, 0);
	assert_int_equal(port_op(EVTCHNOP_send, a), 0);
	assert_true(event_pending(g1, b));
	assert_false(event_pending(g1, a));
	assert_int_equal(port_op(EVTCHNOP_close, a), 0);
	assert_int_equal(status_of(DOMID_SELF, b).status, EVTCHNSTAT_unbound);
	assert_int_equal(port_op(EVTCHNOP_close, b), 0);
	assert_int_equal(evtchn_active(g1->d), 0);
}

static void refusals_have_xens_errors(void **state)
{
	struct evtchn_status s = {.dom = 0, .port = 1};
	struct evtchn_set_priority prio = {.port = 1, .priority = 3};
	struct evtchn_expand_array expand = {};
	evtchn_port_t port;

	assert_int_equal(port_op(EVTCHNOP_send, 0), -EINVAL);
	assert_int_equal(port_op(EVTCHNOP_send, 5), -EINVAL);
	assert_int_equal(port_op(EVTCHNOP_send, ~0u), -EINVAL);
	assert_int_equal(event_op(EVTCHNOP_send, (void *)BAD_VA), -EFAULT);
	assert_int_equal(port_op(EVTCHNOP_close, 0), -EINVAL);
	assert_int_equal(port_op(EVTCHNOP_close, 1u << 17), -EINVAL);
	assert_int_equal(port_op(EVTCHNOP_unmask, 1u << 17), -EINVAL);
	assert_int_equal(port_op(EVTCHNOP_unmask, 5), 0);
	assert_int_equal(bind_ipi(FAKE_VCPUS, &port), -ENOENT);
	assert_int_equal(bind_virq(VIRQ_TIMER, FAKE_VCPUS, &port), -ENOENT);
	assert_int_equal(bind_virq(NR_VIRQS, 0, &port), -EINVAL);
	assert_int_equal(bind_virq(VIRQ_CONSOLE, 1, &port), -EINVAL);
	assert_int_equal(bind_vcpu(1, ~0u), -ENOENT);
	assert_int_equal(bind_vcpu(5000, 0), -EINVAL);
	assert_int_equal(bind_vcpu(5, 0), -EINVAL);
	assert_int_equal(event_op(EVTCHNOP_status, &s), -EPERM);
	s.dom = 6;
	assert_int_equal(event_op(EVTCHNOP_status, &s), -ESRCH);
	s.dom = DOMID_SELF;
	s.port = 1u << 17;
	assert_int_equal(event_op(EVTCHNOP_status, &s), -EINVAL);
	assert_int_equal(status_of(DOMID_SELF, 0).status, EVTCHNSTAT_closed);
	assert_int_equal(event_op(EVTCHNOP_set_priority, &prio), -ENOSYS);
	assert_int_equal(event_op(EVTCHNOP_expand_array, &expand), -EOPNOTSUPP);
	assert_int_equal(reset_of(2), -EPERM);
	assert_int_equal(reset_of(6), -ESRCH);
	assert_int_equal(event_op(15, &s), -ENOSYS);
	assert_int_equal(event_op(~0u, &s), -ENOSYS);
}

static void first_form_carries_the_command(void **state)
{
	struct evtchn_op o = {.cmd = EVTCHNOP_bind_ipi, .u.bind_ipi = {.vcpu = 1}};

	assert_int_equal(guest_call(hc_event_channel_op_compat, (unsigned long)&o, 0, 0), 0);
	assert_int_equal(o.u.bind_ipi.port, 1);
	o = (struct evtchn_op){.cmd = EVTCHNOP_send, .u.send = {.port = 1}};
	assert_int_equal(guest_call(hc_event_channel_op_compat, (unsigned long)&o, 0, 0), 0);
	assert_true(event_pending(g1, 1));
	o.cmd = EVTCHNOP_reset;
	assert_int_equal(guest_call(hc_event_channel_op_compat, (unsigned long)&o, 0, 0), -ENOSYS);
	assert_int_equal(guest_call(hc_event_channel_op_compat, BAD_VA, 0, 0), -EFAULT);
}

/* --- the 2-level ABI --- */

static void sending_sets_the_bits_in_order(void **state)
{
	evtchn_port_t p1, p2;
	struct vcpu_info *vi = g2->vcpu[0].vcpu_info;

	event_connect(g1, g2, &p1, &p2);
	event_consume(g2, 0);
	g2->kicks[0] = 0;
	guest_run(g1, 0);
	assert_int_equal(port_op(EVTCHNOP_send, p1), 0);
	assert_true(event_pending(g2, p2));
	assert_int_equal(vi->evtchn_pending_sel, 1);
	assert_int_equal(vi->evtchn_upcall_pending, 1);
	assert_int_equal(g2->kicks[0], 1);
	assert_int_equal(port_op(EVTCHNOP_send, p1), 0);
	assert_int_equal(g2->kicks[0], 1); /* pending already */

	event_consume(g2, 0);
	set_bit(p2, g2->shared->evtchn_mask);
	assert_int_equal(port_op(EVTCHNOP_send, p1), 0);
	assert_true(event_pending(g2, p2));
	assert_int_equal(vi->evtchn_upcall_pending, 0);
	assert_int_equal(g2->kicks[0], 1);
	guest_run(g2, 0);
	assert_int_equal(port_op(EVTCHNOP_unmask, p2), 0);
	assert_int_equal(vi->evtchn_upcall_pending, 1);
	assert_int_equal(g2->kicks[0], 2);
	assert_false(test_bit(p2, g2->shared->evtchn_mask));
}

static void events_follow_bind_vcpu(void **state)
{
	evtchn_port_t p1, p2, ipi, timer, global;

	event_connect(g1, g2, &p1, &p2);
	assert_int_equal(bind_vcpu(p2, 3), 0);
	event_consume(g2, 0);
	guest_run(g1, 0);
	port_op(EVTCHNOP_send, p1);
	assert_int_equal(g2->kicks[3], 1);
	assert_int_equal(g2->vcpu[3].vcpu_info->evtchn_pending_sel, 1);
	assert_int_equal(status_of(DOMID_SELF, p1).vcpu, 0);

	assert_int_equal(bind_ipi(2, &ipi), 0);
	assert_int_equal(bind_vcpu(ipi, 1), -EINVAL);
	assert_int_equal(bind_virq(VIRQ_TIMER, 1, &timer), 0);
	assert_int_equal(bind_vcpu(timer, 0), -EINVAL);
	assert_int_equal(bind_virq(VIRQ_DOM_EXC, 0, &global), 0);
	assert_int_equal(bind_vcpu(global, 2), 0);
	assert_int_equal(port_op(EVTCHNOP_send, ipi), 0);
	assert_int_equal(g1->kicks[2], 1);
	assert_int_equal(port_op(EVTCHNOP_send, timer), -EINVAL);
	/* A port that is used again starts with vCPU 0 and nothing pending. */
	port_op(EVTCHNOP_close, ipi);
	assert_int_equal(bind_ipi(0, &ipi), 0);
	assert_false(event_pending(g1, ipi));
}

static void pollers_wake(void **state)
{
	evtchn_port_t port, other;

	assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(bind_ipi(0, &other), 0);
	g1->d->poll_count = 2;
	for (unsigned int i = 1; i < 3; i++)
		g1->vcpu[i].pause_flags = VPF_blocked | VPF_poll;
	g1->vcpu[1].poll_port = (int)port;
	g1->vcpu[2].poll_port = -1;
	g1->vcpu[3].poll_port = (int)port; /* of a former wait */
	assert_false(evtchn_port_is_pending(g1->d, port));
	port_op(EVTCHNOP_send, other);
	assert_int_equal(g1->unblocks[1], 0);
	assert_int_equal(g1->unblocks[2], 1);
	port_op(EVTCHNOP_send, port);
	assert_int_equal(g1->unblocks[1], 1);
	assert_int_equal(g1->unblocks[3], 0);
	assert_int_equal(g1->d->poll_count, 0);
	assert_true(evtchn_port_is_pending(g1->d, port));
	assert_false(evtchn_port_is_pending(g1->d, 0));
	assert_false(evtchn_port_is_pending(g1->d, ~0u));
	assert_true(evtchn_port_valid(g1->d, 5));
	assert_false(evtchn_port_valid(g1->d, EVTCHNS_PER_BUCKET));
}

/* --- interrupts --- */

static void virqs_find_their_port(void **state)
{
	evtchn_port_t a, b, con;

	assert_int_equal(bind_virq(VIRQ_TIMER, 0, &a), 0);
	assert_int_equal(bind_virq(VIRQ_TIMER, 0, &b), -EEXIST);
	assert_int_equal(bind_virq(VIRQ_TIMER, 2, &b), 0);
	send_guest_vcpu_virq(&g1->vcpu[2], VIRQ_TIMER);
	assert_true(event_pending(g1, b));
	assert_false(event_pending(g1, a));
	assert_int_equal(g1->kicks[2], 1);
	send_guest_vcpu_virq(&g1->vcpu[3], VIRQ_TIMER);
	send_guest_vcpu_virq(&g1->vcpu[0], VIRQ_DEBUG);
	assert_int_equal(g1->kicks[3] + g1->kicks[0], 0);
	port_op(EVTCHNOP_close, b);
	send_guest_vcpu_virq(&g1->vcpu[2], VIRQ_TIMER);
	assert_int_equal(g1->kicks[2], 1);
	assert_int_equal(bind_virq(VIRQ_TIMER, 2, &b), 0);

	assert_int_equal(bind_virq(VIRQ_CON_RING, 0, &con), 0);
	send_global_virq(VIRQ_CON_RING); /* domain 0's, which does not listen */
	assert_false(event_pending(g1, con));
	assert_int_equal(set_global_virq_handler(g1->d, VIRQ_TIMER), -EINVAL);
	assert_int_equal(set_global_virq_handler(g1->d, NR_VIRQS), -EINVAL);
	assert_int_equal(set_global_virq_handler(g1->d, VIRQ_CON_RING), 0);
	assert_int_equal(set_global_virq_handler(g1->d, VIRQ_CON_RING), 0);
	send_global_virq(VIRQ_CON_RING);
	assert_true(event_pending(g1, con));
	g1->d->dying = DOMDYING_dying;
	assert_int_equal(set_global_virq_handler(g1->d, VIRQ_CONSOLE), -EINVAL);
	assert_int_equal(evtchn_destroy(g1->d), 0);
	assert_int_equal(g1->d->refcount, 2);
	send_global_virq(VIRQ_CON_RING);
}

static void pirqs_bind_completely_or_not_at_all(void **state)
{
	evtchn_port_t port;

	assert_int_equal(bind_pirq(3, &port), -EPERM);
	guest_run(g0, 0);
	assert_int_equal(bind_pirq(16, &port), -EINVAL);
	assert_int_equal(bind_pirq(3, &port), 0);
	assert_true(event_pending(g0, port)); /* the one that came while it was bound */
	assert_int_equal(status_of(DOMID_SELF, port).status, EVTCHNSTAT_pirq);
	assert_int_equal(status_of(DOMID_SELF, port).u.pirq, 3);
	assert_int_equal(bind_pirq(3, &port), -EEXIST);
	assert_false(send_guest_pirq(g0->d, 3)); /* pending already */
	assert_false(send_guest_pirq(g0->d, 4));
	g0->vcpu[2].processor = 5;
	assert_int_equal(bind_vcpu(pirq_ports[3], 2), 0);
	assert_int_equal(pirq_cpu, 5);
	pirq_bind_rc = -EBUSY;
	assert_int_equal(bind_pirq(5, &port), -EBUSY);
	assert_int_equal(pirq_ports[5], 0);
	pirq_unbinds = 0;
	assert_int_equal(evtchn_active(g0->d), 1);
	port_op(EVTCHNOP_close, pirq_ports[3]);
	assert_int_equal(pirq_ports[3], 0);
	assert_int_equal(pirq_unbinds, 1);
	assert_false(send_guest_pirq(g0->d, 3));
}

static unsigned int lines_printed;

static void no_lock_held(void)
{
	lines_printed++;
	assert_false(spin_is_locked(&g1->d->event_lock));
}

/* The console is slow, and others wait for the lock. */
static void dumping_holds_no_lock(void **state)
{
	evtchn_port_t a, b, port;

	event_connect(g2, g1, &b, &a);
	assert_int_equal(alloc_unbound(DOMID_SELF, 0, &port), 0);
	assert_int_equal(bind_ipi(1, &port), 0);
	assert_int_equal(bind_virq(VIRQ_TIMER, 1, &port), 0);
	lines_printed = 0;
	fake_printk = no_lock_held;
	evtchn_dump(g1->d);
	assert_int_equal(lines_printed, 1 + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ports_come_lowest_first, event_setup),
		cmocka_unit_test_setup(table_has_an_end, event_setup),
		cmocka_unit_test_setup(alloc_unbound_for_others_needs_control, event_setup),
		cmocka_unit_test_setup(interdomain_joins_two_ends, event_setup),
		cmocka_unit_test_setup(loopback_works, event_setup),
		cmocka_unit_test_setup(refusals_have_xens_errors, event_setup),
		cmocka_unit_test_setup(first_form_carries_the_command, event_setup),
		cmocka_unit_test_setup(sending_sets_the_bits_in_order, event_setup),
		cmocka_unit_test_setup(events_follow_bind_vcpu, event_setup),
		cmocka_unit_test_setup(pollers_wake, event_setup),
		cmocka_unit_test_setup(virqs_find_their_port, event_setup),
		cmocka_unit_test_setup(pirqs_bind_completely_or_not_at_all, event_setup),
		cmocka_unit_test_setup(dumping_holds_no_lock, event_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
