/* SPDX-License-Identifier: MIT */
/*
 * Physical IRQs as a domain sees them: numbers of its own (pirq) that stand for lines of an IO-APIC
 * (for domain 0 the same number) or for message-signalled interrupts, each bound to at most one
 * event channel. x86/pirq.c delivers and binds, x86/pirq_map.c owns the table.
 *
 * Lock: the table changes under d->event_lock; functions marked (L) expect it held. Reading a port
 * needs none: the table is allocated once and lives as long as the domain. Lock order: event_lock,
 * then an interrupt's own lock. The latter is held while send_guest_pirq() is called from an
 * interrupt, which therefore must only *try* the channel's lock.
 */
#ifndef X86_PIRQ_H
#define X86_PIRQ_H

#include "core/domain.h"
#include "x86/msi.h"
#include <xen/event_channel.h>

/*
 * (L) EVTCHNOP_bind_pirq: from now on the interrupt is delivered to @d by send_guest_pirq(). The
 * caller records the port with pirq_set_port() *before* it binds (an interrupt may come at once)
 * and clears it again when binding fails.
 *   -EINVAL  no such pirq          -EPERM  not the domain's           -EEXIST  has a port already
 *   -EBUSY   in use and not shared  -ENOSPC  no vector left
 */
int pirq_bind(struct domain *d, unsigned int pirq, bool share) __must_check;
/* (L) The channel closes. An interrupt still un-EOId is finished on the guest's behalf. */
void pirq_unbind(struct domain *d, unsigned int pirq);

/*
 * The checks of pirq_bind() that must come before a port is allocated: 0, -EINVAL, -EPERM or
 * -EEXIST. (L)
 */
int pirq_check(struct domain *d, unsigned int pirq) __must_check;
/* The port a pirq is bound to, 0 if none. Any number is allowed. */
evtchn_port_t pirq_port(const struct domain *d, unsigned int pirq);
void pirq_set_port(struct domain *d, unsigned int pirq, evtchn_port_t port); /* (L) */
/* (L) The channel notifies a vCPU that runs on @cpu now: let the interrupt come there. */
void pirq_set_cpu(struct domain *d, unsigned int pirq, unsigned int cpu);

/*
 * PHYSDEVOP_eoi: the guest has served the device; lets the next one in. 0, or -EINVAL if there is
 * no such pirq.
 */
int pirq_eoi(struct domain *d, unsigned int pirq);
bool pirq_is_shared(struct domain *d, unsigned int pirq);

/* Unmap everything: from domain_kill, after evtchn_destroy(). */
void pirq_domain_destroy(struct domain *d);
int pirq_domain_init(struct domain *d) __must_check;
/* Domain 0 gets every interrupt the hypervisor does not use itself into d->irq_caps. */
int pirq_domain_init_hardware(struct domain *d) __must_check;

/*
 * Mapping: give a number of @d to an interrupt. *pirq is the number wanted, or negative for any;
 * changed to the one given. Privileges over @d are the caller's to check. 0 or -errno as
 * PHYSDEVOP_map_pirq gives it.
 */
int pirq_map_gsi(struct domain *d, int gsi, int *pirq) __must_check;
int pirq_map_msi(struct domain *d, const struct msi_request *rq, int *pirq) __must_check;
int pirq_unmap(struct domain *d, int pirq) __must_check;
/* PHYSDEVOP_get_free_pirq: reserves a number. The number or -errno. */
int pirq_get_free(struct domain *d, bool gsi) __must_check;
/* PHYSDEVOP_pirq_eoi_gmfn: a page of the guest in which a set bit says "this pirq wants an EOI". */
int pirq_set_eoi_map(struct domain *d, unsigned long gmfn, bool auto_unmask) __must_check;

/* --- between pirq.c and pirq_map.c --- */
#define PIRQ_UNMAPPED (-1)
#define PIRQ_RESERVED (-2) /* handed out by get_free_pirq, nothing behind it yet */

struct pirq_entry {
	int16_t irq; /* what is behind it, or PIRQ_* */
	evtchn_port_t port;
};

struct pirq_domain {
	unsigned int nr;
	bool auto_unmask;	    /* PHYSDEVOP_eoi unmasks the port, too */
	unsigned long *eoi_map;	    /* in a page of the guest; NULL until it gives one */
	struct page_info *eoi_page; /* reference and writable type held */
	struct pirq_entry entry[];
};

/* NULL for a number beyond the table. */
struct pirq_entry *pirq_entry(const struct domain *d, unsigned int pirq);
/* (L) The interrupt behind a pirq, NULL if there is none. */
struct irq_desc *pirq_desc(const struct domain *d, unsigned int pirq);

#endif
