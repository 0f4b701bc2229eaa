/* SPDX-License-Identifier: MIT */
/*
 * HYPERVISOR_event_channel_op and its first form, which carries the command inside the structure.
 * The rows say who may name whose table; the handlers bind: what a port is connected to, and to
 * which vCPU it speaks. A failure leaves the table as it was. core/evtchn*.c has the tables.
 *
 * Lock: d->event_lock while something is bound; two of them for a channel between domains.
 *
 * Sending is the one operation that counts: it takes its argument by itself and passes the rows by.
 */
#include "core/evtchn.h"
#include "hypercall/dispatch.h"
#include "x86/pirq.h"

static int bind_new(struct domain *d, unsigned int state, unsigned int vcpu_id, unsigned int nr,
		    evtchn_port_t *port)
{
	int rc;

	spin_lock(&d->event_lock);
	rc = evtchn_new(d, state, vcpu_id, nr, port);
	spin_unlock(&d->event_lock);
	return rc;
}

static int op_alloc_unbound(struct hc *hc, void *arg)
{
	struct evtchn_alloc_unbound *op = arg;
	domid_t remote = op->remote_dom == DOMID_SELF ? hc->d->domain_id : op->remote_dom;

	return bind_new(hc->target, EVTCHNSTAT_unbound, 0, remote, &op->port);
}

static void join(struct evtchn *chn, struct domain *rd, struct evtchn *rchn)
{
	chn->remote_dom = rd;
	chn->remote_chn = rchn;
	chn->state = EVTCHNSTAT_interdomain;
}

static int bind_interdomain(struct domain *d, struct domain *rd, struct evtchn_bind_interdomain *op)
{
	struct evtchn *lchn, *rchn = evtchn_lookup(rd, op->remote_port);
	int rc;

	/* A domain that is taken apart has closed its channels, or is about to. */
	if (rd->dying != DOMDYING_alive || !rchn || rchn->state != EVTCHNSTAT_unbound ||
	    rchn->nr != d->domain_id)
		return -EINVAL;
	rc = evtchn_new(d, EVTCHNSTAT_unbound, 0, rd->domain_id, &op->local_port);
	if (rc)
		return rc;
	lchn = evtchn_lookup(d, op->local_port);
	evtchn_write_lock(lchn);
	evtchn_write_lock(rchn);
	join(lchn, rd, rchn);
	join(rchn, d, lchn);
	/*
	 * What the other side sent before there was somebody to hear it was dropped: make up for
	 * it.
	 */
	evtchn_set_pending(d, lchn);
	evtchn_write_unlock(rchn);
	evtchn_write_unlock(lchn);
	return 0;
}

static int op_bind_interdomain(struct hc *hc, void *arg)
{
	int rc;

	spin_lock_two(&hc->d->event_lock, &hc->target->event_lock);
	rc = bind_interdomain(hc->d, hc->target, arg);
	spin_unlock_two(&hc->d->event_lock, &hc->target->event_lock);
	return rc;
}

static int op_bind_virq(struct hc *hc, void *arg)
{
	struct evtchn_bind_virq *op = arg;
	struct vcpu *v = domain_vcpu(hc->d, op->vcpu);
	evtchn_port_t *bound;
	int rc;

	if (op->virq >= NR_VIRQS || (virq_is_global(op->virq) && op->vcpu != 0))
		return -EINVAL;
	if (!v)
		return -ENOENT;
	bound = &v->virq_to_port[array_index_nospec(op->virq, NR_VIRQS)];
	spin_lock(&hc->d->event_lock);
	rc = *bound ? -EEXIST : evtchn_new(hc->d, EVTCHNSTAT_virq, op->vcpu, op->virq, &op->port);
	if (!rc)
		WRITE_ONCE(*bound, op->port);
	spin_unlock(&hc->d->event_lock);
	return rc;
}

static int bind_pirq(struct domain *d, struct evtchn_bind_pirq *op)
{
	int rc = pirq_check(d, op->pirq);

	if (!rc)
		rc = evtchn_new(d, EVTCHNSTAT_pirq, 0, op->pirq, &op->port);
	if (rc)
		return rc;
	/*
	 * The interrupt may come the moment it is bound, on any CPU: the channel has to be complete
	 * before that.
	 */
	pirq_set_port(d, op->pirq, op->port);
	rc = pirq_bind(d, op->pirq, op->flags & BIND_PIRQ__WILL_SHARE);
	if (rc)
		evtchn_close_locked(d, evtchn_lookup(d, op->port), d);
	return rc;
}

static int op_bind_pirq(struct hc *hc, void *arg)
{
	int rc;

	spin_lock(&hc->d->event_lock);
	rc = bind_pirq(hc->d, arg);
	spin_unlock(&hc->d->event_lock);
	return rc;
}

static int op_close(struct hc *hc, void *arg)
{
	const struct evtchn_close *op = arg;

	return evtchn_close(hc->d, op->port);
}

static int op_send(struct hc *hc, void *arg)
{
	const struct evtchn_send *op = arg;

	return evtchn_send(hc->d, op->port);
}

/* A port that does not exist is told before the want of rights, as Xen has it. */
static int op_status(struct hc *hc, void *arg)
{
	int rc = evtchn_status(hc->target, arg);

	if (!rc && hc->target != hc->d && !domain_controls(hc->d, hc->target))
		rc = -EPERM;
	return rc;
}

static int op_bind_ipi(struct hc *hc, void *arg)
{
	struct evtchn_bind_ipi *op = arg;

	if (!domain_vcpu(hc->d, op->vcpu))
		return -ENOENT;
	return bind_new(hc->d, EVTCHNSTAT_ipi, op->vcpu, 0, &op->port);
}

/* Channels whose vCPU is part of their meaning stay where they are. */
static bool can_move(const struct evtchn *chn)
{
	return chn->state == EVTCHNSTAT_virq
		       ? virq_is_global(chn->nr)
		       : chn->state != EVTCHNSTAT_closed && chn->state != EVTCHNSTAT_ipi;
}

static int op_bind_vcpu(struct hc *hc, void *arg)
{
	const struct evtchn_bind_vcpu *op = arg;
	struct vcpu *v = domain_vcpu(hc->d, op->vcpu);
	struct evtchn *chn = evtchn_lookup(hc->d, op->port);
	int rc = -EINVAL;

	if (!v)
		return -ENOENT;
	if (!chn)
		return -EINVAL;
	spin_lock(&hc->d->event_lock);
	if (can_move(chn)) {
		WRITE_ONCE(chn->vcpu_id, (uint16_t)v->vcpu_id);
		if (chn->state == EVTCHNSTAT_pirq)
			pirq_set_cpu(hc->d, chn->nr, READ_ONCE(v->processor));
		rc = 0;
	}
	spin_unlock(&hc->d->event_lock);
	return rc;
}

static int op_unmask(struct hc *hc, void *arg)
{
	const struct evtchn_unmask *op = arg;

	return evtchn_unmask(hc->d, op->port);
}

/* Resuming has its own command: a second reset meanwhile is told that one is under way. */
static int reset_or_continue(struct hc *hc, bool resuming)
{
	int rc = evtchn_reset(hc->target, resuming);

	if (rc != -ERESTART)
		return rc;
	return (int)hypercall_continue_with(__HYPERVISOR_event_channel_op, EVTCHNOP_reset_cont,
					    hc->arg_va);
}

static int op_reset(struct hc *hc, void *arg)
{
	return reset_or_continue(hc, false);
}

static int op_reset_cont(struct hc *hc, void *arg)
{
	return reset_or_continue(hc, true);
}

static int op_init_control(struct hc *hc, void *arg)
{
	int rc;

	spin_lock(&hc->d->event_lock);
	rc = evtchn_init_control(hc->d, arg);
	spin_unlock(&hc->d->event_lock);
	return rc;
}

static int op_expand_array(struct hc *hc, void *arg)
{
	const struct evtchn_expand_array *op = arg;
	int rc;

	spin_lock(&hc->d->event_lock);
	rc = evtchn_expand_array(hc->d, op->array_gfn);
	spin_unlock(&hc->d->event_lock);
	return rc;
}

static int op_set_priority(struct hc *hc, void *arg)
{
	const struct evtchn_set_priority *op = arg;
	struct evtchn *chn = evtchn_lookup(hc->d, op->port);
	int rc = 0;

	if (!chn)
		return -EINVAL;
	evtchn_read_lock(chn);
	if (!hc->d->evtchn->fifo)
		rc = -ENOSYS;
	else if (chn->state == EVTCHNSTAT_closed)
		rc = -EACCES;
	else if (op->priority > EVTCHN_FIFO_PRIORITY_MIN)
		rc = -EINVAL;
	else
		WRITE_ONCE(chn->priority, (uint8_t)op->priority); /* for events from now on */
	evtchn_read_unlock(chn);
	return rc;
}
static const struct subop event_channel_ops[] = {
	SUBOP_T(EVTCHNOP_bind_interdomain, struct evtchn_bind_interdomain, DIR_INOUT, remote_dom,
		WHO_TARGET, op_bind_interdomain),
	SUBOP(EVTCHNOP_bind_virq, struct evtchn_bind_virq, DIR_INOUT, WHO_ANY, op_bind_virq),
	SUBOP(EVTCHNOP_bind_pirq, struct evtchn_bind_pirq, DIR_INOUT, WHO_ANY, op_bind_pirq),
	SUBOP(EVTCHNOP_close, struct evtchn_close, DIR_IN, WHO_ANY, op_close),
	SUBOP(EVTCHNOP_send, struct evtchn_send, DIR_IN, WHO_ANY, op_send),
	SUBOP_T(EVTCHNOP_status, struct evtchn_status, DIR_INOUT, dom, WHO_TARGET, op_status),
	SUBOP_T(EVTCHNOP_alloc_unbound, struct evtchn_alloc_unbound, DIR_INOUT, dom,
		WHO_SELF_OR_CONTROL, op_alloc_unbound),
	SUBOP(EVTCHNOP_bind_ipi, struct evtchn_bind_ipi, DIR_INOUT, WHO_ANY, op_bind_ipi),
	SUBOP(EVTCHNOP_bind_vcpu, struct evtchn_bind_vcpu, DIR_IN, WHO_ANY, op_bind_vcpu),
	SUBOP(EVTCHNOP_unmask, struct evtchn_unmask, DIR_IN, WHO_ANY, op_unmask),
	SUBOP_T(EVTCHNOP_reset, struct evtchn_reset, DIR_IN, dom, WHO_SELF_OR_CONTROL, op_reset),
	SUBOP(EVTCHNOP_init_control, struct evtchn_init_control, DIR_INOUT, WHO_ANY,
	      op_init_control),
	SUBOP(EVTCHNOP_expand_array, struct evtchn_expand_array, DIR_IN, WHO_ANY, op_expand_array),
	SUBOP(EVTCHNOP_set_priority, struct evtchn_set_priority, DIR_IN, WHO_ANY, op_set_priority),
	SUBOP_T(EVTCHNOP_reset_cont, struct evtchn_reset, DIR_IN, dom, WHO_SELF_OR_CONTROL,
		op_reset_cont),
};

HYPERCALL_FN(event_channel_op)
{
	evtchn_port_t port;

	if (likely((uint32_t)a1 == EVTCHNOP_send))
		return likely(get_guest_u32(&port, a2)) ? evtchn_send(current->domain, port)
							: -EFAULT;
	return sub_call(event_channel_ops, (uint32_t)a1, a2);
}

HYPERCALL_FN(event_channel_op_compat)
{
	struct evtchn_op op;

	if (copy_from_guest_va(&op, a1, sizeof(op)))
		return -EFAULT;
	if (op.cmd > EVTCHNOP_unmask)
		return -ENOSYS;
	return hc_event_channel_op(op.cmd, a1 + offsetof(struct evtchn_op, u), 0, 0, 0);
}
