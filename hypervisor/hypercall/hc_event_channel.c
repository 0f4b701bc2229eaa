/* SPDX-License-Identifier: MIT */
/*
 * HYPERVISOR_event_channel_op and its first form, which carries the command inside the structure.
 * The rows say who may name whose table; core/evtchn*.c does the work.
 *
 * Sending is the one operation that counts: it takes its argument by itself and passes the rows by.
 */
#include "core/event.h"
#include "hypercall/dispatch.h"

static int op_alloc_unbound(struct hc *hc, void *arg)
{
	struct evtchn_alloc_unbound *op = arg;
	domid_t remote = op->remote_dom == DOMID_SELF ? hc->d->domain_id : op->remote_dom;

	return evtchn_alloc_unbound(hc->target, remote, &op->port);
}

static int op_bind_interdomain(struct hc *hc, void *arg)
{
	struct evtchn_bind_interdomain *op = arg;

	return evtchn_bind_interdomain(hc->d, hc->target, op->remote_port, &op->local_port);
}

static int op_bind_virq(struct hc *hc, void *arg)
{
	struct evtchn_bind_virq *op = arg;

	return evtchn_bind_virq(hc->d, op->virq, op->vcpu, &op->port);
}

static int op_bind_pirq(struct hc *hc, void *arg)
{
	struct evtchn_bind_pirq *op = arg;

	return evtchn_bind_pirq(hc->d, op->pirq, op->flags & BIND_PIRQ__WILL_SHARE, &op->port);
}

static int op_close(struct hc *hc, void *arg)
{
	struct evtchn_close *op = arg;

	return evtchn_close(hc->d, op->port);
}

static int op_send(struct hc *hc, void *arg)
{
	struct evtchn_send *op = arg;

	return evtchn_send(hc->d, op->port);
}

/* A port that does not exist is told before the want of rights, as Xen has it. */
static int op_status(struct hc *hc, void *arg)
{
	const struct evtchn_status *op = arg;

	if (!evtchn_port_valid(hc->target, op->port))
		return -EINVAL;
	if (hc->target != hc->d && !domain_controls(hc->d, hc->target))
		return -EPERM;
	return evtchn_status(hc->target, arg);
}

static int op_bind_ipi(struct hc *hc, void *arg)
{
	struct evtchn_bind_ipi *op = arg;

	return evtchn_bind_ipi(hc->d, op->vcpu, &op->port);
}

static int op_bind_vcpu(struct hc *hc, void *arg)
{
	struct evtchn_bind_vcpu *op = arg;

	return evtchn_bind_vcpu(hc->d, op->port, op->vcpu);
}

static int op_unmask(struct hc *hc, void *arg)
{
	struct evtchn_unmask *op = arg;

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
	return evtchn_init_control(hc->d, arg);
}

static int op_expand_array(struct hc *hc, void *arg)
{
	struct evtchn_expand_array *op = arg;

	return evtchn_expand_array(hc->d, op->array_gfn);
}

static int op_set_priority(struct hc *hc, void *arg)
{
	struct evtchn_set_priority *op = arg;

	return evtchn_set_priority(hc->d, op->port, op->priority);
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

static const struct subop_family event_channel_family = {
	.name = "event_channel_op",
	.ops = event_channel_ops,
	.nr_ops = ARRAY_SIZE(event_channel_ops),
	.unknown = -ENOSYS,
};

HYPERCALL_FN(event_channel_op)
{
	evtchn_port_t port;

	if (likely((uint32_t)a1 == EVTCHNOP_send))
		return likely(get_guest_u32(&port, a2)) ? evtchn_send(current->domain, port)
							: -EFAULT;
	return sub_call(&event_channel_family, (uint32_t)a1, a2);
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
