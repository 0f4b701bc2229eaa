/* SPDX-License-Identifier: MIT */
/*
 * Three guests with event channels, and the operations as a guest makes them: what the tests of event channels share. The
 * current guest makes the calls; ports go to the pointers, failure or not.
 */
#ifndef FAKE_EVENTS_H
#define FAKE_EVENTS_H

#include "unit.h"

#include "fake_guest.h"

#include "core/evtchn.h"

extern struct fake_guest *g0, *g1, *g2;

/* What the pretended physical interrupts saw; pirq_bind_rc is what pirq_bind() returns. */
extern evtchn_port_t pirq_ports[16];
extern int pirq_bind_rc;
extern unsigned int pirq_unbinds, pirq_cpu;

int event_setup(void **state); /* guests 0 to 2; guest 1 runs */
struct fake_guest *event_guest(unsigned int id);
long event_op(unsigned int cmd, void *arg);
long alloc_unbound(domid_t dom, domid_t remote, evtchn_port_t *port);
long bind_interdomain(domid_t dom, evtchn_port_t rport, evtchn_port_t *port);
long bind_virq(unsigned int virq, unsigned int vcpu, evtchn_port_t *port);
long bind_ipi(unsigned int vcpu, evtchn_port_t *port);
long bind_pirq(unsigned int pirq, evtchn_port_t *port);
long bind_vcpu(evtchn_port_t port, unsigned int vcpu);
long port_op(unsigned int cmd, evtchn_port_t port);
long reset_of(domid_t dom);
struct evtchn_status status_of(domid_t dom, evtchn_port_t port);
/* A pair: @ap in @a, bound from @bp in @b. */
void event_connect(struct fake_guest *a, struct fake_guest *b, evtchn_port_t *ap,
		   evtchn_port_t *bp);
bool event_pending(const struct fake_guest *g, evtchn_port_t port);
void event_consume(struct fake_guest *g, unsigned int vcpu);

static inline unsigned int evtchn_active(const struct domain *d)
{
	return d->evtchn->active;
}

struct fifo_guest {
	struct fake_guest *g;
	struct evtchn_fifo_control_block *control[FAKE_VCPUS];
	mfn_t control_mfn[FAKE_VCPUS];
	event_word_t *words;
	mfn_t words_mfn;
	uint32_t head[FAKE_VCPUS][EVTCHN_FIFO_MAX_QUEUES]; /* the guest's own place in each queue */
};
void fifo_start(struct fifo_guest *f, struct fake_guest *g);

#endif
