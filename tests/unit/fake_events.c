/* SPDX-License-Identifier: MIT */
/*
 * See fake_events.h. Stands in for x86/pirq.c, too: 16 lines of domain 0, none of which has hardware.
 */
#include "fake_events.h"

#include "x86/pirq.h"

#include <string.h>

struct fake_guest *g0, *g1, *g2;

evtchn_port_t pirq_ports[16];
int pirq_bind_rc;
unsigned int pirq_unbinds, pirq_cpu;

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

long event_op(unsigned int cmd, void *arg)
{
	return guest_call(hc_event_channel_op, cmd, (unsigned long)arg, 0);
}

long alloc_unbound(domid_t dom, domid_t remote, evtchn_port_t *port)
{
	struct evtchn_alloc_unbound a = {.dom = dom, .remote_dom = remote};
	long rc = event_op(EVTCHNOP_alloc_unbound, &a);

	*port = a.port;
	return rc;
}

long bind_interdomain(domid_t dom, evtchn_port_t rport, evtchn_port_t *port)
{
	struct evtchn_bind_interdomain b = {.remote_dom = dom, .remote_port = rport};
	long rc = event_op(EVTCHNOP_bind_interdomain, &b);

	*port = b.local_port;
	return rc;
}

long bind_virq(unsigned int virq, unsigned int vcpu, evtchn_port_t *port)
{
	struct evtchn_bind_virq b = {.virq = virq, .vcpu = vcpu};
	long rc = event_op(EVTCHNOP_bind_virq, &b);

	*port = b.port;
	return rc;
}

long bind_ipi(unsigned int vcpu, evtchn_port_t *port)
{
	struct evtchn_bind_ipi b = {.vcpu = vcpu};
	long rc = event_op(EVTCHNOP_bind_ipi, &b);

	*port = b.port;
	return rc;
}

long bind_pirq(unsigned int pirq, evtchn_port_t *port)
{
	struct evtchn_bind_pirq b = {.pirq = pirq};
	long rc = event_op(EVTCHNOP_bind_pirq, &b);

	*port = b.port;
	return rc;
}

long bind_vcpu(evtchn_port_t port, unsigned int vcpu)
{
	struct evtchn_bind_vcpu b = {.port = port, .vcpu = vcpu};

	return event_op(EVTCHNOP_bind_vcpu, &b);
}

long port_op(unsigned int cmd, evtchn_port_t port)
{
	return event_op(cmd, &port);
}

long reset_of(domid_t dom)
{
	struct evtchn_reset r = {.dom = dom};

	return event_op(EVTCHNOP_reset, &r);
}

struct evtchn_status status_of(domid_t dom, evtchn_port_t port)
{
	struct evtchn_status s = {.dom = dom, .port = port};

	assert_int_equal(event_op(EVTCHNOP_status, &s), 0);
	return s;
}

struct fake_guest *event_guest(unsigned int id)
{
	struct fake_guest *g = guest_new(id);

	assert_int_equal(evtchn_init(g->d, ~0u), 0);
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		assert_int_equal(evtchn_init_vcpu(&g->vcpu[i]), 0);
	return g;
}

int event_setup(void **state)
{
	guests_reset();
	memset(pirq_ports, 0, sizeof(pirq_ports));
	pirq_bind_rc = 0;
	pirq_unbinds = 0;
	g0 = event_guest(0);
	g1 = event_guest(1);
	g2 = event_guest(2);
	guest_run(g1, 0);
	return 0;
}

void event_connect(struct fake_guest *a, struct fake_guest *b, evtchn_port_t *ap, evtchn_port_t *bp)
{
	guest_run(a, 0);
	assert_int_equal(alloc_unbound(DOMID_SELF, b->d->domain_id, ap), 0);
	guest_run(b, 0);
	assert_int_equal(bind_interdomain(a->d->domain_id, *ap, bp), 0);
}

bool event_pending(const struct fake_guest *g, evtchn_port_t port)
{
	return test_bit(port, g->shared->evtchn_pending);
}

void event_consume(struct fake_guest *g, unsigned int vcpu)
{
	memset(g->shared->evtchn_pending, 0, sizeof(g->shared->evtchn_pending));
	g->vcpu[vcpu].vcpu_info->evtchn_pending_sel = 0;
	g->vcpu[vcpu].vcpu_info->evtchn_upcall_pending = 0;
}
void fifo_start(struct fifo_guest *f, struct fake_guest *g)
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
		assert_int_equal(event_op(EVTCHNOP_init_control, &ic), 0);
		assert_int_equal(ic.link_bits, EVTCHN_FIFO_LINK_BITS);
	}
	expand.array_gfn = f->words_mfn = guest_frame(g);
	f->words = mfn_to_virt(f->words_mfn);
	memset(f->words, 0, PAGE_SIZE);
	assert_int_equal(event_op(EVTCHNOP_expand_array, &expand), 0);
}
