/* SPDX-License-Identifier: MIT */
/*
 * Event channels through their hypercall: what each operation refuses and with which error, the
 * table's invariants under random use, both ABIs as a guest sees them, a FIFO guest that plays
 * foul, reset and the end of a domain.
 */
#include "unit.h"

#include "fake_guest.h"

#include "core/evtchn.h"
#include "mm/heap.h"
#include "x86/pirq.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

static struct fake_guest *g0, *g1, *g2;

/* --- physical interrupts: 16 lines of domain 0 --- */

static evtchn_port_t pirq_ports[16];
static int pirq_bind_rc;
static unsigned int pirq_unbinds, pirq_cpu;

int pirq_check(struct domain *d, unsigned int pirq)
{
	if (pirq >= 16)
		return -EINVAL;
	if (!d->is_hardware)
		return -EPERM;
	return pirq_ports[pirq] ? -EEXIST : 0;
}

int pirq_bind(struct domain *d, unsigned int pirq, bool share)
{
	/* The interrupt may come at once: everything must be in place. */
	assert_int_not_equal(pirq_ports[pirq], 0);
	if (!pirq_bind_rc)
		assert_true(send_guest_pirq(d, pirq));
	return pirq_bind_rc;
}

void pirq_unbind(struct domain *d, unsigned int pirq)
{
	pirq_unbinds++;
}

evtchn_port_t pirq_port(const struct domain *d, unsigned int pirq)
{
	return pirq < 16 ? pirq_ports[pirq] : 0;
}

void pirq_set_cpu(struct domain *d, unsigned int pirq, unsigned int cpu)
{
	pirq_cpu = cpu;
}

void pirq_set_port(struct domain *d, unsigned int pirq, evtchn_port_t port)
{
	pirq_ports[pirq] = port;
}

/* --- the operations as a guest makes them --- */

static long op(unsigned int cmd, void *arg)
{
	return guest_call(hc_event_channel_op, cmd, (unsigned long)arg, 0);
}

static long alloc_unbound(domid_t dom, domid_t remote, evtchn_port_t *port)
{
	struct evtchn_alloc_unbound a = {.dom = dom, .remote_dom = remote};
	long rc = op(EVTCHNOP_alloc_unbound, &a);

	*port = a.port;
	return rc;
}

static long bind_interdomain(domid_t dom, evtchn_port_t rport, evtchn_port_t *port)
{
	struct evtchn_bind_interdomain b = {.remote_dom = dom, .remote_port = rport};
	long rc = op(EVTCHNOP_bind_interdomain, &b);

	*port = b.local_port;
	return rc;
}

static long bind_virq(unsigned int virq, unsigned int vcpu, evtchn_port_t *port)
{
	struct evtchn_bind_virq b = {.virq = virq, .vcpu = vcpu};
	long rc = op(EVTCHNOP_bind_virq, &b);

	*port = b.port;
	return rc;
}

static long bind_ipi(unsigned int vcpu, evtchn_port_t *port)
{
	struct evtchn_bind_ipi b = {.vcpu = vcpu};
	long rc = op(EVTCHNOP_bind_ipi, &b);

	*port = b.port;
	return rc;
}

static long bind_pirq(unsigned int pirq, evtchn_port_t *port)
{
	struct evtchn_bind_pirq b = {.pirq = pirq};
	long rc = op(EVTCHNOP_bind_pirq, &b);

	*port = b.port;
	return rc;
}

static long bind_vcpu(evtchn_port_t port, unsigned int vcpu)
{
	struct evtchn_bind_vcpu b = {.port = port, .vcpu = vcpu};

	return op(EVTCHNOP_bind_vcpu, &b);
}

static long port_op(unsigned int cmd, evtchn_port_t port)
{
	return op(cmd, &port);
}

static long reset_of(domid_t dom)
{
	struct evtchn_reset r = {.dom = dom};

	return op(EVTCHNOP_reset, &r);
}

static struct evtchn_status status_of(domid_t dom, evtchn_port_t port)
{
	struct evtchn_status s = {.dom = dom, .port = port};

	assert_int_equal(op(EVTCHNOP_status, &s), 0);
	return s;
}

static struct fake_guest *new_guest(unsigned int id)
{
	struct fake_guest *g = guest_new(id);

	assert_int_equal(evtchn_init(g->d), 0);
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		assert_int_equal(evtchn_init_vcpu(&g->vcpu[i]), 0);
	return g;
}

static int setup(void **state)
{
	guests_reset();
	memset(pirq_ports, 0, sizeof(pirq_ports));
	pirq_bind_rc = 0;
	pirq_unbinds = 0;
	g0 = new_guest(0);
	g1 = new_guest(1);
	g2 = new_guest(2);
	guest_run(g1, 0);
	return 0;
}

/* A pair: @ap in @a, bound from @bp in @b. */
static void connect(struct fake_guest *a, struct fake_guest *b, evtchn_port_t *ap,
		    evtchn_port_t *bp)
{
	guest_run(a, 0);
	assert_int_equal(alloc_unbound(DOMID_SELF, b->d->domain_id, ap), 0);
	guest_run(b, 0);
	assert_int_equal(bind_interdomain(a->d->domain_id, *ap, bp), 0);
}

static bool pending(const struct fake_guest *g, evtchn_port_t port)
{
	return test_bit(port, g->shared->evtchn_pending);
}

static void consume(struct fake_guest *g, unsigned int vcpu)
{
	memset(g->shared->evtchn_pending, 0, sizeof(g->shared->evtchn_pending));
	g->vcpu[vcpu].vcpu_info->evtchn_pending_sel = 0;
	g->vcpu[vcpu].vcpu_info->evtchn_upcall_pending = 0;
}

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
	evtchn_set_max_port(g2->d, 10);
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
	assert_int_equal(op(EVTCHNOP_alloc_unbound, (void *)BAD_VA), -EFAULT);
	assert_int_equal(op(EVTCHNOP_alloc_unbound, (void *)HYP_VIRT_START), -EFAULT);
	assert_int_equal(g2->d->refcount, 2); /* its pages, and the list */
}

static void interdomain_joins_two_ends(void **state)
{
	evtchn_port_t p1, p2, port;
	struct evtchn_status s;

	connect(g1, g2, &p1, &p2);
	s = status_of(DOMID_SELF, p2);
	assert_int_equal(s.status, EVTCHNSTAT_interdomain);
	assert_int_equal(s.u.interdomain.dom, 1);
	assert_int_equal(s.u.interdomain.port, p1);
	/* What may have been sent before is made up for. */
	assert_true(pending(g2, p2));
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
	consume(g1, 0);
	assert_int_equal(port_op(EVTCHNOP_send, a), 0);
	assert_true(pending(g1, b));
	assert_false(pending(g1, a));
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
	assert_int_equal(op(EVTCHNOP_send, (void *)BAD_VA), -EFAULT);
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
	assert_int_equal(op(EVTCHNOP_status, &s), -EPERM);
	s.dom = 6;
	assert_int_equal(op(EVTCHNOP_status, &s), -ESRCH);
	s.dom = DOMID_SELF;
	s.port = 1u << 17;
	assert_int_equal(op(EVTCHNOP_status, &s), -EINVAL);
	assert_int_equal(status_of(DOMID_SELF, 0).status, EVTCHNSTAT_closed);
	assert_int_equal(op(EVTCHNOP_set_priority, &prio), -ENOSYS);
	assert_int_equal(op(EVTCHNOP_expand_array, &expand), -EOPNOTSUPP);
	assert_int_equal(reset_of(2), -EPERM);
	assert_int_equal(reset_of(6), -ESRCH);
	assert_int_equal(op(15, &s), -ENOSYS);
	assert_int_equal(op(~0u, &s), -ENOSYS);
}

static void first_form_carries_the_command(void **state)
{
	struct evtchn_op o = {.cmd = EVTCHNOP_bind_ipi, .u.bind_ipi = {.vcpu = 1}};

	assert_int_equal(guest_call(hc_event_channel_op_compat, (unsigned long)&o, 0, 0), 0);
	assert_int_equal(o.u.bind_ipi.port, 1);
	o = (struct evtchn_op){.cmd = EVTCHNOP_send, .u.send = {.port = 1}};
	assert_int_equal(guest_call(hc_event_channel_op_compat, (unsigned long)&o, 0, 0), 0);
	assert_true(pending(g1, 1));
	o.cmd = EVTCHNOP_reset;
	assert_int_equal(guest_call(hc_event_channel_op_compat, (unsigned long)&o, 0, 0), -ENOSYS);
	assert_int_equal(guest_call(hc_event_channel_op_compat, BAD_VA, 0, 0), -EFAULT);
}

/* --- the 2-level ABI --- */

static void sending_sets_the_bits_in_order(void **state)
{
	evtchn_port_t p1, p2;
	struct vcpu_info *vi = g2->vcpu[0].vcpu_info;

	connect(g1, g2, &p1, &p2);
	consume(g2, 0);
	g2->kicks[0] = 0;
	guest_run(g1, 0);
	assert_int_equal(port_op(EVTCHNOP_send, p1), 0);
	assert_true(pending(g2, p2));
	assert_int_equal(vi->evtchn_pending_sel, 1);
	assert_int_equal(vi->evtchn_upcall_pending, 1);
	assert_int_equal(g2->kicks[0], 1);
	assert_int_equal(port_op(EVTCHNOP_send, p1), 0);
	assert_int_equal(g2->kicks[0], 1); /* pending already */

	consume(g2, 0);
	set_bit(p2, g2->shared->evtchn_mask);
	assert_int_equal(port_op(EVTCHNOP_send, p1), 0);
	assert_true(pending(g2, p2));
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

	connect(g1, g2, &p1, &p2);
	assert_int_equal(bind_vcpu(p2, 3), 0);
	consume(g2, 0);
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
	assert_false(pending(g1, ipi));
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
	assert_true(pending(g1, b));
	assert_false(pending(g1, a));
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
	assert_false(pending(g1, con));
	assert_int_equal(set_global_virq_handler(g1->d, VIRQ_TIMER), -EINVAL);
	assert_int_equal(set_global_virq_handler(g1->d, NR_VIRQS), -EINVAL);
	assert_int_equal(set_global_virq_handler(g1->d, VIRQ_CON_RING), 0);
	assert_int_equal(set_global_virq_handler(g1->d, VIRQ_CON_RING), 0);
	assert_int_equal(g1->d->refcount, 3);
	send_global_virq(VIRQ_CON_RING);
	assert_true(pending(g1, con));
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
	assert_true(pending(g0, port)); /* the one that came while it was bound */
	assert_int_equal(status_of(DOMID_SELF, port).status, EVTCHNSTAT_pirq);
	assert_int_equal(status_of(DOMID_SELF, port).u.pirq, 3);
	assert_int_equal(bind_pirq(3, &port), -EEXIST);
	assert_false(send_guest_pirq(g0->d, 3)); /* pending already */
	assert_false(send_guest_pirq(g0->d, 4));
	g0->vcpu[2].processor = 5;
	assert_int_equal(bind_vcpu(pirq_ports[3], 2), 0);
	assert_int_equal(pirq_cpu, 5);
	evtchn_dump(g0->d);
	pirq_bind_rc = -EBUSY;
	assert_int_equal(bind_pirq(5, &port), -EBUSY);
	assert_int_equal(pirq_ports[5], 0);
	assert_int_equal(evtchn_active(g0->d), 1);
	port_op(EVTCHNOP_close, pirq_ports[3]);
	assert_int_equal(pirq_ports[3], 0);
	assert_int_equal(pirq_unbinds, 1);
	assert_false(send_guest_pirq(g0->d, 3));
}

/* --- FIFO --- */

struct fifo_guest {
	struct fake_guest *g;
	struct evtchn_fifo_control_block *control[FAKE_VCPUS];
	mfn_t control_mfn[FAKE_VCPUS];
	event_word_t *words;
	mfn_t words_mfn;
	uint32_t head[FAKE_VCPUS][EVTCHN_FIFO_MAX_QUEUES]; /* the guest's own place in each queue */
};

static void fifo_start(struct fifo_guest *f, struct fake_guest *g)
{
	struct evtchn_expand_array expand;

	memset(f, 0, sizeof(*f));
	f->g = g;
	guest_run(g, 0);
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		struct evtchn_init_control ic = {.vcpu = i, .offset = 64};

		ic.control_gfn = f->control_mfn[i] = guest_frame(g);
		memset(mfn_to_virt(f->control_mfn[i]), 0, PAGE_SIZE);
		f->control[i] = (void *)((char *)mfn_to_virt(f->control_mfn[i]) + 64);
		assert_int_equal(op(EVTCHNOP_init_control, &ic), 0);
		assert_int_equal(ic.link_bits, EVTCHN_FIFO_LINK_BITS);
	}
	expand.array_gfn = f->words_mfn = guest_frame(g);
	f->words = mfn_to_virt(f->words_mfn);
	memset(f->words, 0, PAGE_SIZE);
	assert_int_equal(op(EVTCHNOP_expand_array, &expand), 0);
}

/* As a guest takes events out of one queue; hands each that is pending to @fn. */
static void fifo_drain(struct fifo_guest *f, unsigned int vcpu, unsigned int q,
		       void (*fn)(evtchn_port_t port))
{
	uint32_t port = f->head[vcpu][q];

	if (!port)
		port = f->control[vcpu]->head[q];
	while (port) {
		event_word_t *w = &f->words[port];
		uint32_t next = *w & EVTCHN_FIFO_LINK_MASK;

		*w &= ~(1u << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK);
		if ((*w & 1u << EVTCHN_FIFO_PENDING) && !(*w & 1u << EVTCHN_FIFO_MASKED)) {
			*w &= ~(1u << EVTCHN_FIFO_PENDING);
			fn(port);
		}
		port = next;
	}
	f->head[vcpu][q] = 0;
}

static void fifo_upcall(struct fifo_guest *f, unsigned int vcpu, void (*fn)(evtchn_port_t port))
{
	f->g->vcpu[vcpu].vcpu_info->evtchn_upcall_pending = 0;
	while (f->control[vcpu]->ready) {
		uint32_t ready = xchg(&f->control[vcpu]->ready, 0);

		for (; ready; ready &= ready - 1)
			fifo_drain(f, vcpu, (unsigned int)__builtin_ctz(ready), fn);
	}
}

static evtchn_port_t seen[64];
static unsigned int nr_seen;

static void note(evtchn_port_t port)
{
	seen[nr_seen++ % 64] = port;
}

static void fifo_setup_checks_its_pages(void **state)
{
	struct evtchn_init_control ic = {.vcpu = FAKE_VCPUS};
	struct evtchn_expand_array expand;
	mfn_t mfn = guest_frame(g1), foreign = guest_frame(g2);

	assert_int_equal(op(EVTCHNOP_init_control, &ic), -ENOENT);
	ic = (struct evtchn_init_control){.control_gfn = mfn, .offset = PAGE_SIZE - 64};
	assert_int_equal(op(EVTCHNOP_init_control, &ic), -EINVAL);
	ic.offset = 4;
	assert_int_equal(op(EVTCHNOP_init_control, &ic), -EINVAL);
	ic.offset = 0;
	ic.control_gfn = foreign;
	assert_int_equal(op(EVTCHNOP_init_control, &ic), -EINVAL);
	ic.control_gfn = ~0UL;
	assert_int_equal(op(EVTCHNOP_init_control, &ic), -EINVAL);
	assert_false(g1->d->evtchn->fifo);
	ic.control_gfn = mfn;
	assert_int_equal(op(EVTCHNOP_init_control, &ic), 0);
	assert_true(g1->d->evtchn->fifo);
	assert_int_equal(page_type(mfn_to_page(mfn)) >> PGT_type_shift,
			 PGT_writable_page >> PGT_type_shift);
	assert_int_equal(page_type_count(mfn_to_page(mfn)), 1);
	assert_int_equal(op(EVTCHNOP_init_control, &ic), -EINVAL); /* has one */
	expand.array_gfn = foreign;
	assert_int_equal(op(EVTCHNOP_expand_array, &expand), -EINVAL);
	for (unsigned int i = 0; i < FIFO_MAX_ARRAY_PAGES; i++) {
		expand.array_gfn = guest_frame(g1);
		assert_int_equal(op(EVTCHNOP_expand_array, &expand), 0);
	}
	assert_int_equal(op(EVTCHNOP_expand_array, &expand), -ENOSPC);
}

static void fifo_queues_by_priority(void **state)
{
	struct fifo_guest f;
	evtchn_port_t port[4];

	fifo_start(&f, g1);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(bind_ipi(0, &port[i]), 0);
	for (unsigned int i = 0; i < 2; i++) {
		struct evtchn_set_priority p = {.port = port[i + 2], .priority = 15 - 13 * i};

		assert_int_equal(op(EVTCHNOP_set_priority, &p), 0);
	}
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(port_op(EVTCHNOP_send, port[i]), 0);
	assert_int_equal(f.control[0]->ready, 1u << 7 | 1u << 15 | 1u << 2);
	assert_int_equal(g1->kicks[0], 1);
	nr_seen = 0;
	fifo_upcall(&f, 0, note);
	assert_int_equal(nr_seen, 4);
	assert_int_equal(seen[0], port[3]);
	assert_int_equal(seen[1], port[0]);
	assert_int_equal(seen[2], port[1]);
	assert_int_equal(seen[3], port[2]);
}

static void fifo_keeps_what_was_pending(void **state)
{
	struct fifo_guest f;
	evtchn_port_t port, late;

	assert_int_equal(bind_ipi(1, &port), 0);
	assert_int_equal(port_op(EVTCHNOP_send, port), 0);
	fifo_start(&f, g1);
	nr_seen = 0;
	fifo_upcall(&f, 1, note);
	assert_int_equal(nr_seen, 1);
	assert_int_equal(seen[0], port);
	/* A masked event waits for the unmask hypercall. */
	f.words[port] |= 1u << EVTCHN_FIFO_MASKED;
	port_op(EVTCHNOP_send, port);
	assert_int_equal(f.control[1]->ready, 0);
	assert_true(evtchn_port_is_pending(g1->d, port));
	assert_int_equal(port_op(EVTCHNOP_unmask, port), 0);
	fifo_upcall(&f, 1, note);
	assert_int_equal(nr_seen, 2);
	/* A port that is closed while linked is not used again until the guest has taken it out. */
	port_op(EVTCHNOP_send, port);
	port_op(EVTCHNOP_close, port);
	assert_int_equal(bind_ipi(1, &late), 0);
	assert_int_not_equal(late, port);
	nr_seen = 0;
	fifo_upcall(&f, 1, note);
	assert_int_equal(nr_seen, 0);
	assert_int_equal(bind_ipi(1, &late), 0);
	assert_int_equal(late, port);
}

/*
 * Random sends, moves and upcalls: every event is seen once a raise, or merged with one that is
 * pending.
 */
static bool raised[64];

static void note_raised(evtchn_port_t port)
{
	assert_true(raised[port]);
	raised[port] = false;
}

static void fifo_loses_nothing(void **state)
{
	struct fifo_guest f;
	evtchn_port_t p1[40], p2[40];
	uint64_t rnd = 7;

	fifo_start(&f, g1);
	memset(raised, 0, sizeof(raised));
	for (unsigned int i = 0; i < 40; i++) {
		connect(g2, g1, &p2[i], &p1[i]);
		raised[p1[i]] = true; /* by binding */
	}
	for (unsigned int n = 0; n < 50000; n++) {
		unsigned int what = unit_random(&rnd) % 16, i = unit_random(&rnd) % 40;
		struct evtchn_set_priority prio = {.port = p1[i]};

		if (what < 10) {
			guest_run(g2, 0);
			assert_int_equal(port_op(EVTCHNOP_send, p2[i]), 0);
			raised[p1[i]] = true;
		} else if (what < 12) {
			guest_run(g1, 0);
			assert_int_equal(bind_vcpu(p1[i], unit_random(&rnd) % FAKE_VCPUS), 0);
		} else if (what < 13) {
			guest_run(g1, 0);
			prio.priority = unit_random(&rnd) % 16;
			assert_int_equal(op(EVTCHNOP_set_priority, &prio), 0);
		} else {
			fifo_upcall(&f, i % FAKE_VCPUS, note_raised);
		}
	}
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		fifo_upcall(&f, i, note_raised);
	for (unsigned int i = 0; i < 64; i++)
		assert_false(raised[i]);
}

/* The guest may write what it likes: only it suffers. */
static void fifo_survives_a_hostile_guest(void **state)
{
	struct fifo_guest f;
	evtchn_port_t port;
	uint64_t rnd = 99;

	fifo_start(&f, g1);
	for (unsigned int i = 0; i < 300; i++)
		assert_int_equal(bind_ipi(i % FAKE_VCPUS, &port), 0);
	for (unsigned int n = 0; n < 200000; n++) {
		uint32_t r = (uint32_t)unit_random(&rnd);

		port = 1 + (uint32_t)unit_random(&rnd) % 300;
		switch (r % 6) {
		case 0:
			f.words[port] = (uint32_t)unit_random(&rnd);
			break;
		case 1:
			((uint32_t *)f.control[r / 8 % FAKE_VCPUS])[r / 64 % 18] =
				(uint32_t)unit_random(&rnd);
			break;
		case 2:
			port_op(EVTCHNOP_unmask, port);
			break;
		case 3:
			port_op(EVTCHNOP_close, port);
			bind_ipi(r / 8 % FAKE_VCPUS, &port);
			break;
		default:
			port_op(EVTCHNOP_send, port);
		}
	}
	assert_int_equal(reset_of(DOMID_SELF), 0);
	assert_int_equal(evtchn_active(g1->d), 0);
}

/* --- ends --- */

static void reset_starts_anew(void **state)
{
	struct fifo_guest f;
	evtchn_port_t port, p1, p2;

	fifo_start(&f, g1);
	connect(g1, g2, &p1, &p2);
	guest_run(g1, 0);
	for (unsigned int i = 0; i < 500; i++)
		assert_int_equal(bind_ipi(0, &port), 0);
	fake_preempt = 3;
	assert_int_equal(reset_of(DOMID_SELF), 0);
	assert_true(guest_continuations > 0);
	fake_preempt = 0;
	assert_int_equal(evtchn_active(g1->d), 0);
	assert_false(g1->d->evtchn->fifo);
	assert_int_equal(page_type_count(mfn_to_page(f.words_mfn)), 0);
	assert_int_equal(page_type_count(mfn_to_page(f.control_mfn[3])), 0);
	assert_int_equal(mfn_to_page(f.words_mfn)->count_info & PGC_count, 1);
	guest_run(g2, 0);
	assert_int_equal(status_of(DOMID_SELF, p2).status, EVTCHNSTAT_unbound);
	guest_run(g1, 0);
	assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(port, 1);
	fifo_start(&f, g1); /* and FIFO again */
}

static void reset_knows_another_is_under_way(void **state)
{
	struct evtchn_reset r = {.dom = DOMID_SELF};
	evtchn_port_t port;

	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(op(EVTCHNOP_reset_cont, &r), -EBUSY); /* of nothing */
	fake_preempt = 1;
	fake_continuation.preempted = false;
	hc_event_channel_op(EVTCHNOP_reset, (unsigned long)&r, 0, 0, 0);
	assert_true(fake_continuation.preempted);
	assert_int_equal(fake_continuation.entry.op, __HYPERVISOR_event_channel_op);
	assert_int_equal(fake_continuation.entry.args[0], EVTCHNOP_reset_cont);
	fake_preempt = 0;
	assert_int_equal(op(EVTCHNOP_reset, &r), -EBUSY);
	assert_int_equal(op(EVTCHNOP_reset_cont, &r), 0);
	assert_int_equal(evtchn_active(g1->d), 0);
	guest_run(g0, 0);
	assert_int_equal(reset_of(1), -EINVAL); /* not paused */
	g1->d->controller_pause_count = 1;
	assert_int_equal(reset_of(1), 0);
}

static void death_closes_everything(void **state)
{
	unsigned long before = heap_free_pages();
	struct fifo_guest f;
	evtchn_port_t a, b, port;
	struct fake_guest *g3 = new_guest(3);

	fifo_start(&f, g3);
	connect(g3, g2, &a, &b);
	connect(g1, g3, &a, &b);
	guest_run(g3, 0);
	assert_int_equal(bind_virq(VIRQ_TIMER, 1, &port), 0);
	g3->d->dying = DOMDYING_dying;
	assert_int_equal(evtchn_destroy(g3->d), 0);
	assert_int_equal(evtchn_active(g3->d), 0);
	assert_int_equal(g3->vcpu[1].virq_to_port[VIRQ_TIMER], 0);
	assert_int_equal(bind_ipi(0, &port), -EINVAL);
	guest_run(g1, 0);
	assert_int_equal(status_of(DOMID_SELF, a).status, EVTCHNSTAT_unbound);
	assert_int_equal(port_op(EVTCHNOP_send, a), 0);
	evtchn_destroy(g3->d); /* a second time is harmless */
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		evtchn_destroy_vcpu(&g3->vcpu[i]);
	evtchn_free(g3->d);
	evtchn_free(g3->d);
	assert_int_equal(domain_relinquish_pages(g3->d), 0);
	page_free(g3->shared);
	assert_int_equal(heap_free_pages(), before);
}

struct closer {
	pthread_t thread;
	struct domain *d;
	evtchn_port_t port;
	int rc;
};

static void *close_thread(void *arg)
{
	struct closer *c = arg;

	c->rc = evtchn_close(c->d, c->port);
	return NULL;
}

/* Starts it, and waits until it is the @nr-th that wants @lock. */
static void close_start(struct closer *c, const spinlock_t *lock, unsigned int nr)
{
	assert_int_equal(pthread_create(&c->thread, NULL, close_thread, c), 0);
	while ((uint16_t)(READ_ONCE(lock->next) - lock->owner) != nr)
		sched_yield();
}

/*
 * Both ends at once. The first wants its own lock; the second has seen the pair already and wants
 * both, so that it is through while the first, which saw the pair too, waits anew.
 */
static void ends_close_at_once(void **state)
{
	struct closer c1 = {.d = g1->d}, c2 = {.d = g2->d};

	connect(g1, g2, &c1.port, &c2.port);
	cpumask_set(1, &cpu_online_map);
	spin_lock(&g1->d->event_lock);
	close_start(&c1, &g1->d->event_lock, 2);
	close_start(&c2, &g1->d->event_lock, 3);
	spin_unlock(&g1->d->event_lock);
	pthread_join(c1.thread, NULL);
	pthread_join(c2.thread, NULL);
	cpumask_unset(1, &cpu_online_map);
	assert_int_equal(c1.rc, 0);
	assert_int_equal(c2.rc, 0);
	assert_int_equal(evtchn_active(g1->d), 0);
	assert_int_equal(evtchn_active(g2->d), 0);
}

static void dying_domains_are_not_bound_to(void **state)
{
	evtchn_port_t port, local;

	guest_run(g2, 0);
	assert_int_equal(alloc_unbound(DOMID_SELF, 1, &port), 0);
	g2->d->dying = DOMDYING_dying;
	guest_run(g1, 0);
	assert_int_equal(bind_interdomain(2, port, &local), -EINVAL);
	assert_int_equal(evtchn_active(g1->d), 0);
}

static void death_lets_interrupts_in(void **state)
{
	unsigned int restarts = 0;
	evtchn_port_t port;

	for (unsigned int i = 0; i < 300; i++)
		assert_int_equal(bind_ipi(0, &port), 0);
	g1->d->dying = DOMDYING_dying;
	fake_preempt = 1;
	while (evtchn_destroy(g1->d) == -ERESTART)
		restarts++;
	fake_preempt = 0;
	assert_int_equal(restarts, 4);
	assert_int_equal(evtchn_active(g1->d), 0);
}

/* Both ends of every channel agree, and counts are right, whatever was done. */
static void check_table(struct domain *d)
{
	unsigned int used = 0;

	for (evtchn_port_t p = 0; p < d->evtchn->valid; p++) {
		struct evtchn *chn = evtchn_lookup(d, p);

		assert_int_equal(chn->port, p);
		assert_int_equal(chn->lock, 0);
		if (chn->state == ECS_interdomain) {
			assert_int_equal(chn->remote_chn->state, ECS_interdomain);
			assert_ptr_equal(chn->remote_chn->remote_chn, chn);
			assert_ptr_equal(chn->remote_chn->remote_dom, d);
		} else if (chn->state == ECS_virq) {
			assert_int_equal(d->vcpu[virq_is_global(chn->virq) ? 0 : chn->vcpu_id]
						 ->virq_to_port[chn->virq],
					 p);
		} else if (chn->state == ECS_free) {
			assert_true(p >= d->evtchn->first_free);
			assert_false(test_bit(p, d->shared_info->evtchn_pending));
		}
		used += evtchn_usable(chn);
	}
	assert_int_equal(used, d->evtchn->active);
}

static void random_use_keeps_the_table_sound(void **state)
{
	struct fake_guest *g[] = {g0, g1, g2};
	uint64_t rnd = 2026;
	evtchn_port_t port;

	for (unsigned int n = 0; n < 30000; n++) {
		uint64_t r = unit_random(&rnd);
		domid_t other = r / 16 % 3;
		evtchn_port_t p = r / 64 % 40;

		guest_run(g[r / 1024 % 3], 0);
		switch (r % 10) {
		case 0:
			alloc_unbound(DOMID_SELF, other, &port);
			break;
		case 1:
		case 2:
			bind_interdomain(other, p, &port);
			break;
		case 3:
			bind_virq(r / 4096 % NR_VIRQS, r / 65536 % 4, &port);
			break;
		case 4:
			bind_ipi(r / 4096 % 5, &port);
			break;
		case 5:
			bind_vcpu(p, r / 4096 % 5);
			break;
		case 6:
		case 7:
			port_op(EVTCHNOP_send, p);
			break;
		default:
			port_op(EVTCHNOP_close, p);
		}
		if (n % 100 == 0)
			for (unsigned int i = 0; i < 3; i++)
				check_table(g[i]->d);
	}
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(g[i]->d->event_lock.owner, g[i]->d->event_lock.next);
		g[i]->d->dying = DOMDYING_dying;
		evtchn_destroy(g[i]->d);
		check_table(g[i]->d);
		assert_int_equal(evtchn_active(g[i]->d), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ports_come_lowest_first, setup),
		cmocka_unit_test_setup(table_has_an_end, setup),
		cmocka_unit_test_setup(alloc_unbound_for_others_needs_control, setup),
		cmocka_unit_test_setup(interdomain_joins_two_ends, setup),
		cmocka_unit_test_setup(loopback_works, setup),
		cmocka_unit_test_setup(refusals_have_xens_errors, setup),
		cmocka_unit_test_setup(first_form_carries_the_command, setup),
		cmocka_unit_test_setup(sending_sets_the_bits_in_order, setup),
		cmocka_unit_test_setup(events_follow_bind_vcpu, setup),
		cmocka_unit_test_setup(pollers_wake, setup),
		cmocka_unit_test_setup(virqs_find_their_port, setup),
		cmocka_unit_test_setup(pirqs_bind_completely_or_not_at_all, setup),
		cmocka_unit_test_setup(fifo_setup_checks_its_pages, setup),
		cmocka_unit_test_setup(fifo_queues_by_priority, setup),
		cmocka_unit_test_setup(fifo_keeps_what_was_pending, setup),
		cmocka_unit_test_setup(fifo_loses_nothing, setup),
		cmocka_unit_test_setup(fifo_survives_a_hostile_guest, setup),
		cmocka_unit_test_setup(reset_starts_anew, setup),
		cmocka_unit_test_setup(reset_knows_another_is_under_way, setup),
		cmocka_unit_test_setup(death_closes_everything, setup),
		cmocka_unit_test_setup(death_lets_interrupts_in, setup),
		cmocka_unit_test_setup(dying_domains_are_not_bound_to, setup),
		cmocka_unit_test_setup(ends_close_at_once, setup),
		cmocka_unit_test_setup(random_use_keeps_the_table_sound, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
