/* SPDX-License-Identifier: MIT */
/*
 * sched_op, its forerunner sched_op_compat, and set_timer_op: how a guest's kernel gives up the CPU, ends its domain and sets its
 * timer. The state is core/sched.c's; here are the checks and the polling of event channels.
 *
 * Yield and block come first, outside the table: they are on every guest's path into idleness.
 */
#include "core/event.h"
#include "hypercall/dispatch.h"
#include "x86/softirq.h"
#include "x86/time.h"

#define POLL_PORTS_MAX 128

static long block(void)
{
	current->vcpu_info->evtchn_upcall_mask = 0;
	vcpu_block();
	return 0;
}

static int op_shutdown(struct hc *hc, void *arg)
{
	const struct sched_shutdown *op = arg;

	domain_shutdown(hc->d, (uint8_t)op->reason);
	return 0;
}

/* Is one of the ports pending already? 1 yes, 0 no, or -errno. The last port read goes to *@port. */
static int poll_look(struct domain *d, const struct sched_poll *op, evtchn_port_t *port)
{
	for (unsigned int i = 0; i < op->nr_ports; i++) {
		if (copy_from_guest_offset(port, op->ports, i, 1))
			return -EFAULT;
		if (!evtchn_port_valid(d, *port))
			return -EINVAL;
		if (evtchn_port_is_pending(d, *port))
			return 1;
	}
	return 0;
}

static int op_poll(struct hc *hc, void *arg)
{
	const struct sched_poll *op = arg;
	struct vcpu *v = current;
	evtchn_port_t port = 0;
	int rc = 1;

	if (op->nr_ports > POLL_PORTS_MAX)
		return -EINVAL;
	if (!guest_handle_okay(op->ports, op->nr_ports))
		return -EFAULT;
	timer_stop(&v->poll_timer);
	/* First to be seen as polling, then to look: who sends an event meanwhile ends the polling. */
	atomic_add(&hc->d->poll_count, 1);
	v->poll_port = -1;
	atomic_or(&v->pause_flags, VPF_blocked | VPF_poll);
	if (!vcpu_event_pending(v))
		rc = poll_look(hc->d, op, &port);
	if (rc) {
		vcpu_unblock(v);
		return min(rc, 0);
	}
	if (op->nr_ports == 1)
		v->poll_port = (int)port;
	if (op->timeout)
		timer_set(&v->poll_timer, (s_time_t)min(op->timeout, (uint64_t)INT64_MAX));
	softirq_raise(SOFTIRQ_SCHEDULE);
	return 0;
}

static int op_remote_shutdown(struct hc *hc, void *arg)
{
	const struct sched_remote_shutdown *op = arg;

	domain_shutdown(hc->target, (uint8_t)op->reason);
	return 0;
}

static int op_shutdown_code(struct hc *hc, void *arg)
{
	const struct sched_shutdown *op = arg;

	domain_set_shutdown_code(hc->d, (uint8_t)op->reason);
	return 0;
}

static int op_watchdog(struct hc *hc, void *arg)
{
	const struct sched_watchdog *op = arg;

	return domain_watchdog(hc->d, op->id, op->timeout);
}

static int op_pin_override(struct hc *hc, void *arg)
{
	const struct sched_pin_override *op = arg;

	return vcpu_pin_temporarily(current, op->pcpu);
}

static const struct subop sched_ops[] = {
	[SCHEDOP_shutdown] =
		SUBOP(SCHEDOP_shutdown, struct sched_shutdown, DIR_IN, WHO_ANY, op_shutdown),
	SUBOP(SCHEDOP_poll, struct sched_poll, DIR_IN, WHO_ANY, op_poll),
	SUBOP_T(SCHEDOP_remote_shutdown, struct sched_remote_shutdown, DIR_IN, domain_id,
		WHO_CONTROL, op_remote_shutdown),
	SUBOP(SCHEDOP_shutdown_code, struct sched_shutdown, DIR_IN, WHO_ANY, op_shutdown_code),
	SUBOP(SCHEDOP_watchdog, struct sched_watchdog, DIR_IN, WHO_ANY, op_watchdog),
	SUBOP(SCHEDOP_pin_override, struct sched_pin_override, DIR_IN, WHO_HARDWARE,
	      op_pin_override),
};

HYPERCALL_FN(sched_op)
{
	uint32_t cmd = (uint32_t)a1;

	if (cmd == SCHEDOP_yield)
		return vcpu_yield();
	if (cmd == SCHEDOP_block)
		return block();
	return sub_call(sched_ops, cmd, a2);
}

/* The forerunner passes the reason itself, not a structure. */
HYPERCALL_FN(sched_op_compat)
{
	if ((uint32_t)a1 == SCHEDOP_shutdown) {
		domain_shutdown(current->domain, (uint8_t)a2);
		return 0;
	}
	return (uint32_t)a1 < SCHEDOP_shutdown ? hc_sched_op(a1, a2, a3, a4, a5) : -ENOSYS;
}

/*
 * Old Linux kernels ask for times beyond the end of all days, by a wrap of their own counters, both when they have work
 * at once and when they have none: a tenth of a second is the middle way that the ABI has settled on.
 */
HYPERCALL_FN(set_timer_op)
{
	s_time_t expires = (s_time_t)a1;

	if (unlikely(expires < 0 || expires >> 50)) {
		s_time_t now = time_now();

		if (expires < 0 || (expires > now && (expires - now) >> 50))
			expires = now + MILLISECS(100);
	}
	vtime_set_singleshot(current, expires);
	return 0;
}
