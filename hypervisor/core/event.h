/* SPDX-License-Identifier: MIT */
/*
 * Event channels as the rest of the hypervisor sees them: sending virtual IRQs, physical IRQs and
 * notifications to domains, and the life of a domain's table. The tables are in core/evtchn*.c, the
 * operations of guests in hypercall/hc_event_channel.c; the locks are described in core/evtchn.h.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/domain.h"
#include <xen/event_channel.h>

/* @max_port: the highest the domain may ever use. */
int evtchn_init(struct domain *d, unsigned int max_port) __must_check;
/* Closes all; the domain is dying and paused. -ERESTART: call again. */
int evtchn_destroy(struct domain *d);
void evtchn_free(struct domain *d); /* frees memory; nobody holds the domain any more */
int evtchn_init_vcpu(struct vcpu *v) __must_check; /* v->evtchn: for kfree() */

/* 0 or Xen's errno, as event_channel_op gives it. */
int evtchn_send(struct domain *d, evtchn_port_t port);
int evtchn_unmask(struct domain *d, evtchn_port_t port);
/* To @v, which for a virtual IRQ that is not per-vCPU must be the domain's vCPU 0. */
void send_guest_vcpu_virq(struct vcpu *v, uint32_t virq);
/* To its handler (XEN_DOMCTL_set_virq_handler), domain 0 by default. */
void send_global_virq(uint32_t virq);
int set_global_virq_handler(struct domain *d, uint32_t virq);
/*
 * A physical IRQ came in. True if the domain will say EOI (PHYSDEVOP_eoi), false if nobody listens
 * or it was already pending.
 */
bool send_guest_pirq(struct domain *d, unsigned int pirq);

bool evtchn_port_valid(struct domain *d, evtchn_port_t port);
bool evtchn_port_is_pending(struct domain *d, evtchn_port_t port);
void evtchn_dump(struct domain *d);

/* Is an upcall waiting to be delivered to @v right now? */
static inline bool vcpu_event_pending(const struct vcpu *v)
{
	const volatile struct vcpu_info *vi = v->vcpu_info;

	return vi->evtchn_upcall_pending && !vi->evtchn_upcall_mask;
}

/* Marks an upcall pending and wakes or kicks the vCPU. */
void vcpu_mark_events_pending(struct vcpu *v);

#endif
