/* SPDX-License-Identifier: MIT */
/*
 * Event channels as the rest of the hypervisor sees them: sending virtual IRQs, physical IRQs and
 * notifications to domains, and the operations of event_channel_op. The tables are in
 * core/evtchn*.c; their locks are described in core/evtchn.h.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/domain.h"
#include <xen/event_channel.h>

/* The continuation of EVTCHNOP_reset; the public header shows it to the hypervisor only. */
#ifndef EVTCHNOP_reset_cont
#define EVTCHNOP_reset_cont 14
#endif

int evtchn_init(struct domain *d) __must_check;
/*
 * Highest port the domain may ever use (XEN_DOMCTL_createdomain); after evtchn_init there is no
 * limit but the ABI's.
 */
void evtchn_set_max_port(struct domain *d, unsigned int max_port);
/* Closes all; the domain is dying and paused. -ERESTART: call again. */
int evtchn_destroy(struct domain *d);
void evtchn_free(struct domain *d); /* frees memory; nobody holds the domain any more */
int evtchn_init_vcpu(struct vcpu *v) __must_check;
void evtchn_destroy_vcpu(struct vcpu *v);

void send_guest_vcpu_virq(struct vcpu *v, uint32_t virq); /* per-vCPU: TIMER, DEBUG, XENOPROF */
void send_guest_global_virq(struct domain *d, uint32_t virq);
void send_global_virq(
	uint32_t virq); /* to its handler (XEN_DOMCTL_set_virq_handler), domain 0 by default */
int set_global_virq_handler(struct domain *d, uint32_t virq);
/*
 * A physical IRQ came in. True if the domain will say EOI (PHYSDEVOP_eoi), false if nobody listens
 * or it was already pending.
 */
bool send_guest_pirq(struct domain *d, unsigned int pirq);

/* True if any channel of @ports is pending; for SCHEDOP_poll. */
bool evtchn_port_is_pending(struct domain *d, evtchn_port_t port);
bool evtchn_port_valid(struct domain *d, evtchn_port_t port);
void evtchn_dump(struct domain *d);
unsigned int evtchn_active(const struct domain *d); /* channels in use */

/* Is an upcall waiting to be delivered to @v right now? */
static inline bool vcpu_event_pending(const struct vcpu *v)
{
	const volatile struct vcpu_info *vi = v->vcpu_info;

	return vi->evtchn_upcall_pending && !vi->evtchn_upcall_mask;
}

/*
 * Marks an upcall pending and wakes or kicks the vCPU. For evtchn_2l.c, evtchn_fifo.c and vcpu_info
 * registration.
 */
void vcpu_mark_events_pending(struct vcpu *v);

/*
 * event_channel_op. @d is the domain whose table is changed; the caller has been authorised for it.
 * Ports found go to the pointers; results are 0 or Xen's errno.
 */
int evtchn_send(struct domain *d, evtchn_port_t port);
int evtchn_alloc_unbound(struct domain *d, domid_t remote, evtchn_port_t *port);
int evtchn_bind_interdomain(struct domain *d, struct domain *rd, evtchn_port_t rport,
			    evtchn_port_t *lport);
int evtchn_bind_virq(struct domain *d, uint32_t virq, unsigned int vcpu_id, evtchn_port_t *port);
int evtchn_bind_ipi(struct domain *d, unsigned int vcpu_id, evtchn_port_t *port);
int evtchn_bind_pirq(struct domain *d, unsigned int pirq, bool share, evtchn_port_t *port);
int evtchn_bind_vcpu(struct domain *d, evtchn_port_t port, unsigned int vcpu_id);
int evtchn_close(struct domain *d, evtchn_port_t port);
int evtchn_status(struct domain *d, struct evtchn_status *st);
int evtchn_unmask(struct domain *d, evtchn_port_t port);
/* -ERESTART: call again with @resuming, nothing is lost. */
int evtchn_reset(struct domain *d, bool resuming);
int evtchn_init_control(struct domain *d, struct evtchn_init_control *ic);
int evtchn_expand_array(struct domain *d, gfn_t gfn);
int evtchn_set_priority(struct domain *d, evtchn_port_t port, unsigned int priority);

#endif
