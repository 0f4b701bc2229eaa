/* SPDX-License-Identifier: MIT */
/*
 * The event channel table of a domain: its life, finding a free port, closing, and the reset that a
 * crash kernel asks for. What a channel can be bound to is in hypercall/hc_event_channel.c.
 *
 * Invariants: a channel between domains is INTERDOMAIN at both ends, each naming the other, or at
 * neither; a bound virq or pirq and its port name each other; port 0 is never used. All of it
 * changes under d->event_lock (both locks for two domains).
 */
#include "core/evtchn.h"

#include "lib/log.h"
#include "lib/printf.h"
#include "mm/heap.h"
#include "x86/pirq.h"
#include "x86/softirq.h"

#define CLOSE_CHECK 64 /* ports between two looks at waiting interrupts */

static int evtchn_grow(struct evtchn_domain *ed)
{
	unsigned int first = ed->valid;
	struct evtchn *bucket = page_alloc();

	if (!bucket)
		return -ENOMEM;
	for (unsigned int i = 0; i < EVTCHNS_PER_BUCKET; i++)
		bucket[i].port = first + i;
	ed->bucket[first / EVTCHNS_PER_BUCKET] = bucket;
	smp_wmb(); /* senders look at valid first */
	WRITE_ONCE(ed->valid, first + EVTCHNS_PER_BUCKET);
	return 0;
}

int evtchn_init(struct domain *d, unsigned int max_port)
{
	struct evtchn_domain *ed = d->evtchn = knew(struct evtchn_domain);

	if (!ed)
		return -ENOMEM;
	ed->max_port = min(max_port, (unsigned int)EVTCHN_FIFO_NR_CHANNELS - 1);
	ed->first_free = 1;
	return evtchn_grow(ed);
}

int evtchn_init_vcpu(struct vcpu *v)
{
	v->evtchn = knew(struct evtchn_vcpu);
	return v->evtchn ? 0 : -ENOMEM;
}

/* Closes what is left from port @next on. */
static int evtchn_close_all(struct domain *d, unsigned int *next)
{
	const struct evtchn_domain *ed = d->evtchn;

	while (*next < READ_ONCE(ed->valid) && READ_ONCE(ed->active)) {
		evtchn_close(d, (*next)++);
		if (*next % CLOSE_CHECK == 0 && irq_window())
			return -ERESTART;
	}
	return 0;
}

int evtchn_destroy(struct domain *d)
{
	int rc;

	/*
	 * Who saw the domain alive has bound his port when he lets this go; no later one can bind.
	 */
	spin_lock(&d->event_lock);
	spin_unlock(&d->event_lock);
	rc = evtchn_close_all(d, &d->evtchn->next_close);
	if (rc)
		return rc;
	evtchn_drop_virq_handlers(d);
	evtchn_fifo_destroy(d);
	return 0;
}

void evtchn_free(struct domain *d)
{
	struct evtchn_domain *ed = d->evtchn;

	for (unsigned int i = 0; i < ed->valid / EVTCHNS_PER_BUCKET; i++)
		page_free(ed->bucket[i]);
	kfree(ed);
}

static int evtchn_find_free(struct domain *d, struct evtchn **out)
{
	struct evtchn_domain *ed = d->evtchn;
	unsigned int abi = ed->fifo ? EVTCHN_FIFO_NR_CHANNELS : EVTCHN_2L_NR_CHANNELS;
	unsigned int last = min(ed->max_port, abi - 1);

	if (d->dying != DOMDYING_alive)
		return -EINVAL;
	for (evtchn_port_t port = ed->first_free; port <= last; port++) {
		struct evtchn *chn;

		if (port >= ed->valid && evtchn_grow(ed))
			return -ENOMEM;
		chn = evtchn_lookup(d, port);
		if (chn->state != EVTCHNSTAT_closed) {
			ed->first_free += port == ed->first_free;
		} else if (!evtchn_test(d, port, EVTCHN_FIFO_LINKED)) {
			*out = chn;
			return 0;
		} /* else closed in a queue: unusable until the guest has taken it out */
	}
	return -ENOSPC;
}

int evtchn_new(struct domain *d, unsigned int state, unsigned int vcpu_id, unsigned int nr,
	       evtchn_port_t *port)
{
	struct evtchn *chn;
	int rc = evtchn_find_free(d, &chn);

	if (rc)
		return rc;
	evtchn_write_lock(chn);
	chn->nr = nr;
	chn->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	chn->vcpu_id = (uint16_t)vcpu_id;
	chn->state = (uint8_t)state;
	evtchn_write_unlock(chn);
	d->evtchn->active++;
	*port = chn->port;
	return 0;
}

/* The other end goes back to waiting for this domain. */
static void evtchn_leave_pair(struct domain *d, struct evtchn *rchn)
{
	evtchn_write_lock(rchn);
	rchn->state = EVTCHNSTAT_unbound;
	rchn->remote_chn = NULL;
	rchn->nr = d->domain_id;
	evtchn_write_unlock(rchn);
}

int evtchn_close_locked(struct domain *d, struct evtchn *chn, struct domain *rd)
{
	struct evtchn_domain *ed = d->evtchn;

	switch (chn->state) {
	case EVTCHNSTAT_closed:
		return -EINVAL;
	case EVTCHNSTAT_interdomain:
		if (chn->remote_dom != rd)
			return -EINVAL;
		evtchn_leave_pair(d, chn->remote_chn);
		break;
	case EVTCHNSTAT_pirq:
		pirq_unbind(d, chn->nr);
		pirq_set_port(d, chn->nr, 0);
		break;
	case EVTCHNSTAT_virq:
		WRITE_ONCE(
			d->vcpu[virq_is_global(chn->nr) ? 0 : chn->vcpu_id]->virq_to_port[chn->nr],
			0);
		break;
	}
	evtchn_write_lock(chn);
	/* Nothing of the old use may show when the port is used again: above all no event. */
	evtchn_test_and_clear(d, chn->port, EVTCHN_FIFO_PENDING);
	chn->state = EVTCHNSTAT_closed;
	chn->vcpu_id = 0;
	chn->pending = false;
	chn->remote_chn = NULL;
	evtchn_write_unlock(chn);
	ed->first_free = min(ed->first_free, chn->port);
	ed->active--;
	return 0;
}

int evtchn_close(struct domain *d, evtchn_port_t port)
{
	struct evtchn *chn = evtchn_lookup(d, port);
	struct domain *rd = d;
	int rc;

	if (!chn)
		return -EINVAL;
	spin_lock(&d->event_lock);
	if (chn->state == EVTCHNSTAT_interdomain && chn->remote_dom != d) {
		/*
		 * The second lock may be the one to take first. While ours is let go somebody else
		 * may close the port and even bind it anew, or close the other end: what is found
		 * then is closed, unless it leads to a third domain: then what was asked for is
		 * already done.
		 */
		rd = chn->remote_dom;
		domain_hold(rd);
		spin_unlock(&d->event_lock);
		spin_lock_two(&d->event_lock, &rd->event_lock);
	}
	rc = evtchn_close_locked(d, chn, rd);
	spin_unlock_two(&d->event_lock, &rd->event_lock);
	if (rd != d)
		domain_put(rd);
	return rc;
}

int evtchn_reset(struct domain *d, bool resuming)
{
	struct evtchn_domain *ed = d->evtchn;
	int rc;

	if (d != current->domain && !d->controller_pause_count)
		return -EINVAL;
	if (resuming ? !READ_ONCE(ed->next_reset) : cmpxchg(&ed->next_reset, 0, 1) != 0)
		return -EBUSY;
	rc = evtchn_close_all(d, &ed->next_reset);
	if (rc)
		return rc;
	spin_lock(&d->event_lock);
	ed->next_reset = 0;
	if (ed->active) /* another vCPU has been binding behind us */
		rc = -EAGAIN;
	else
		evtchn_fifo_destroy(d);
	spin_unlock(&d->event_lock);
	return rc;
}

int evtchn_status(struct domain *d, struct evtchn_status *st)
{
	const struct evtchn *chn = evtchn_lookup(d, st->port);

	if (!chn)
		return -EINVAL;
	spin_lock(&d->event_lock);
	st->status = chn->state;
	st->vcpu = chn->vcpu_id;
	if (chn->state == EVTCHNSTAT_unbound) {
		st->u.unbound.dom = (domid_t)chn->nr;
	} else if (chn->state == EVTCHNSTAT_interdomain) {
		st->u.interdomain.dom = chn->remote_dom->domain_id;
		st->u.interdomain.port = chn->remote_chn->port;
	} else if (chn->state == EVTCHNSTAT_pirq || chn->state == EVTCHNSTAT_virq) {
		st->u.virq = chn->nr; /* the same place as u.pirq */
	}
	spin_unlock(&d->event_lock);
	return 0;
}

/* What the channel is bound to, in words. */
static void evtchn_describe(const struct evtchn_status *st, char *buf, size_t size)
{
	static const char *const irq_names[] = {
		[EVTCHNSTAT_pirq] = "pirq", [EVTCHNSTAT_virq] = "virq", [EVTCHNSTAT_ipi] = "ipi"};

	if (st->status == EVTCHNSTAT_interdomain)
		scnprintf(buf, size, "d%u port %u", st->u.interdomain.dom, st->u.interdomain.port);
	else if (st->status == EVTCHNSTAT_unbound)
		scnprintf(buf, size, "waits for d%u", st->u.unbound.dom);
	else
		scnprintf(buf, size, "%s %u", irq_names[st->status], st->u.virq);
}

/* The lock is held for one port at a time and never while printing: nobody waits for the console. */
void evtchn_dump(struct domain *d)
{
	const struct evtchn_domain *ed = d->evtchn;
	struct evtchn_status st = {.port = 1};
	char what[40];

	printk("Event channels of d%u: %u in use, %s, up to port %u: port [pending/masked]\n",
	       d->domain_id, ed->active, ed->fifo ? "FIFO" : "2-level", ed->max_port);
	for (; !evtchn_status(d, &st); st = (struct evtchn_status){.port = st.port + 1}) {
		if (st.status == EVTCHNSTAT_closed)
			continue;
		evtchn_describe(&st, what, sizeof(what));
		printk("    %4u [%d/%d] vcpu %u: %s\n", st.port,
		       evtchn_test(d, st.port, EVTCHN_FIFO_PENDING),
		       evtchn_test(d, st.port, EVTCHN_FIFO_MASKED), st.vcpu, what);
	}
}
