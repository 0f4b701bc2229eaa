/* SPDX-License-Identifier: MIT */
/*
 * Binding: what a port is connected to, and to which vCPU it speaks. Every function here allocates
 * the port, fills the channel while it is held for writing, and reports the port last; failure
 * leaves the table as it was.
 *
 * Lock: d->event_lock throughout; two of them for a channel between domains. Does not decide who
 * may act for @d: the hypercall layer has done that.
 */
#include "core/evtchn.h"

#include "x86/pirq.h"

static void evtchn_fill(struct domain *d, struct evtchn *chn, enum evtchn_state state,
			unsigned int vcpu_id, unsigned int irq)
{
	evtchn_write_lock(chn);
	chn->virq = irq;
	evtchn_port_commit(d, chn, state, vcpu_id);
	evtchn_write_unlock(chn);
}

int evtchn_alloc_unbound(struct domain *d, domid_t remote, evtchn_port_t *port)
{
	struct evtchn *chn;
	int rc;

	spin_lock(&d->event_lock);
	rc = evtchn_port_alloc(d, &chn);
	if (!rc) {
		evtchn_write_lock(chn);
		chn->remote_dom = NULL;
		chn->remote_domid = remote;
		evtchn_port_commit(d, chn, ECS_unbound, 0);
		evtchn_write_unlock(chn);
		*port = chn->port;
	}
	spin_unlock(&d->event_lock);
	return rc;
}

static void evtchn_join(struct domain *ld, struct evtchn *lchn, struct domain *rd,
			struct evtchn *rchn)
{
	evtchn_write_lock(lchn);
	evtchn_write_lock(rchn);
	lchn->remote_dom = rd;
	lchn->remote_chn = rchn;
	evtchn_port_commit(ld, lchn, ECS_interdomain, 0);
	rchn->remote_dom = ld;
	rchn->remote_chn = lchn;
	rchn->state = ECS_interdomain;
	/*
	 * What the other side sent before there was somebody to hear it was dropped: make up for
	 * it.
	 */
	evtchn_set_pending(ld, lchn);
	evtchn_write_unlock(rchn);
	evtchn_write_unlock(lchn);
}

int evtchn_bind_interdomain(struct domain *d, struct domain *rd, evtchn_port_t rport,
			    evtchn_port_t *lport)
{
	struct evtchn *lchn, *rchn;
	int rc;

	evtchn_lock_two(d, rd);
	/* One that is taken apart has closed its channels, or is about to. */
	rc = rd->dying == DOMDYING_alive ? evtchn_port_alloc(d, &lchn) : -EINVAL;
	if (rc)
		goto out;
	rchn = evtchn_lookup(rd, rport);
	if (!rchn || rchn->state != ECS_unbound || rchn->remote_domid != d->domain_id) {
		rc = -EINVAL;
		goto out;
	}
	evtchn_join(d, lchn, rd, rchn);
	*lport = lchn->port;
out:
	evtchn_unlock_two(d, rd);
	return rc;
}

int evtchn_bind_virq(struct domain *d, uint32_t virq, unsigned int vcpu_id, evtchn_port_t *port)
{
	struct evtchn *chn;
	struct vcpu *v;
	int rc;

	if (virq >= NR_VIRQS || (virq_is_global(virq) && vcpu_id != 0))
		return -EINVAL;
	virq = (uint32_t)array_index_nospec(virq, NR_VIRQS);
	v = domain_vcpu(d, vcpu_id);
	if (!v)
		return -ENOENT;
	spin_lock(&d->event_lock);
	rc = v->virq_to_port[virq] ? -EEXIST : evtchn_port_alloc(d, &chn);
	if (!rc) {
		evtchn_fill(d, chn, ECS_virq, vcpu_id, virq);
		WRITE_ONCE(v->virq_to_port[virq], chn->port);
		*port = chn->port;
	}
	spin_unlock(&d->event_lock);
	return rc;
}

int evtchn_bind_ipi(struct domain *d, unsigned int vcpu_id, evtchn_port_t *port)
{
	struct evtchn *chn;
	int rc;

	if (!domain_vcpu(d, vcpu_id))
		return -ENOENT;
	spin_lock(&d->event_lock);
	rc = evtchn_port_alloc(d, &chn);
	if (!rc) {
		evtchn_fill(d, chn, ECS_ipi, vcpu_id, 0);
		*port = chn->port;
	}
	spin_unlock(&d->event_lock);
	return rc;
}

/*
 * The interrupt may come the moment it is bound, on any CPU: the channel has to be complete before
 * that.
 */
static int evtchn_connect_pirq(struct domain *d, struct evtchn *chn, unsigned int pirq, bool share)
{
	int rc;

	evtchn_fill(d, chn, ECS_pirq, 0, pirq);
	pirq_set_port(d, pirq, chn->port);
	rc = pirq_bind(d, pirq, share);
	if (!rc)
		return 0;
	pirq_set_port(d, pirq, 0);
	evtchn_write_lock(chn);
	evtchn_port_release(d, chn);
	evtchn_write_unlock(chn);
	return rc;
}

int evtchn_bind_pirq(struct domain *d, unsigned int pirq, bool share, evtchn_port_t *port)
{
	struct evtchn *chn;
	int rc;

	spin_lock(&d->event_lock);
	rc = pirq_check(d, pirq);
	if (!rc)
		rc = evtchn_port_alloc(d, &chn);
	if (!rc)
		rc = evtchn_connect_pirq(d, chn, pirq, share);
	if (!rc)
		*port = chn->port;
	spin_unlock(&d->event_lock);
	return rc;
}

/* Channels whose vCPU is part of their meaning stay where they are. */
static bool evtchn_can_move(const struct evtchn *chn)
{
	switch (chn->state) {
	case ECS_virq:
		return virq_is_global(chn->virq);
	case ECS_unbound:
	case ECS_interdomain:
	case ECS_pirq:
		return true;
	default:
		return false;
	}
}

int evtchn_bind_vcpu(struct domain *d, evtchn_port_t port, unsigned int vcpu_id)
{
	struct vcpu *v = domain_vcpu(d, vcpu_id);
	struct evtchn *chn;
	int rc = -EINVAL;

	if (!v)
		return -ENOENT;
	chn = evtchn_lookup(d, port);
	if (!chn)
		return -EINVAL;
	spin_lock(&d->event_lock);
	if (evtchn_can_move(chn)) {
		WRITE_ONCE(chn->vcpu_id, (uint16_t)v->vcpu_id);
		if (chn->state == ECS_pirq)
			pirq_set_cpu(d, chn->pirq, READ_ONCE(v->processor));
		rc = 0;
	}
	spin_unlock(&d->event_lock);
	return rc;
}

int evtchn_status(struct domain *d, struct evtchn_status *st)
{
	static const uint8_t abi_state[] = {
		EVTCHNSTAT_closed, EVTCHNSTAT_closed, EVTCHNSTAT_unbound, EVTCHNSTAT_interdomain,
		EVTCHNSTAT_pirq,   EVTCHNSTAT_virq,   EVTCHNSTAT_ipi};
	const struct evtchn *chn = evtchn_lookup(d, st->port);

	if (!chn)
		return -EINVAL;
	spin_lock(&d->event_lock);
	st->status = abi_state[chn->state];
	st->vcpu = chn->vcpu_id;
	if (chn->state == ECS_unbound) {
		st->u.unbound.dom = chn->remote_domid;
	} else if (chn->state == ECS_interdomain) {
		st->u.interdomain.dom = chn->remote_dom->domain_id;
		st->u.interdomain.port = chn->remote_chn->port;
	} else if (chn->state == ECS_pirq || chn->state == ECS_virq) {
		st->u.virq = chn->virq; /* the same place as u.pirq */
	}
	spin_unlock(&d->event_lock);
	return 0;
}

int evtchn_set_priority(struct domain *d, evtchn_port_t port, unsigned int priority)
{
	struct evtchn *chn = evtchn_lookup(d, port);
	int rc = 0;

	if (!chn)
		return -EINVAL;
	evtchn_read_lock(chn);
	if (!d->evtchn->fifo)
		rc = -ENOSYS;
	else if (!evtchn_usable(chn))
		rc = -EACCES;
	else if (priority > EVTCHN_FIFO_PRIORITY_MIN)
		rc = -EINVAL;
	else
		WRITE_ONCE(chn->priority, (uint8_t)priority); /* for events from now on */
	evtchn_read_unlock(chn);
	return rc;
}
