/* SPDX-License-Identifier: MIT */
/*
 * The event channel table of a domain: its life, finding a free port, closing, and the reset that a
 * crash kernel asks for. What a channel can be bound to is in evtchn_bind.c.
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

int evtchn_init(struct domain *d)
{
	struct evtchn_domain *ed = knew(struct evtchn_domain);
	struct evtchn *chn;
	int rc;

	if (!ed)
		return -ENOMEM;
	spin_lock_init(&d->event_lock);
	ed->max_port = EVTCHN_FIFO_NR_CHANNELS - 1;
	d->evtchn = ed;
	rc = evtchn_port_alloc(d, &chn);
	if (rc) {
		d->evtchn = NULL;
		kfree(ed);
		return rc;
	}
	chn->state = ECS_reserved;
	return 0;
}

void evtchn_set_max_port(struct domain *d, unsigned int max_port)
{
	d->evtchn->max_port = min(max_port, (unsigned int)EVTCHN_FIFO_NR_CHANNELS - 1);
}

int evtchn_init_vcpu(struct vcpu *v)
{
	struct evtchn_vcpu *ev = knew(struct evtchn_vcpu);

	if (!ev)
		return -ENOMEM;
	for (unsigned int i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
		spin_lock_init(&ev->queue[i].lock);
		ev->queue[i].priority = (uint8_t)i;
	}
	v->evtchn = ev;
	return 0;
}

void evtchn_destroy_vcpu(struct vcpu *v)
{
	kfree(v->evtchn);
	v->evtchn = NULL;
}

int evtchn_destroy(struct domain *d)
{
	struct evtchn_domain *ed = d->evtchn;

	if (!ed)
		return 0;
	/*
	 * Who saw the domain alive has bound his port when he lets this go; no later one can bind.
	 */
	spin_lock(&d->event_lock);
	spin_unlock(&d->event_lock);
	while (ed->next_close < ed->valid && READ_ONCE(ed->active)) {
		evtchn_close(d, ed->next_close++);
		if (ed->next_close % CLOSE_CHECK == 0 && irq_window())
			return -ERESTART;
	}
	evtchn_drop_virq_handlers(d);
	evtchn_fifo_destroy(d);
	return 0;
}

void evtchn_free(struct domain *d)
{
	struct evtchn_domain *ed = d->evtchn;

	if (!ed)
		return;
	for (unsigned int i = 0; i < ed->valid / EVTCHNS_PER_BUCKET; i++)
		page_free(ed->bucket[i]);
	d->evtchn = NULL;
	kfree(ed);
}

unsigned int evtchn_active(const struct domain *d)
{
	return READ_ONCE(d->evtchn->active);
}

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

/*
 * A FIFO port that was closed while its event sat in a queue stays unusable until the guest has
 * taken it out.
 */
static bool evtchn_is_free(const struct domain *d, const struct evtchn *chn)
{
	return chn->state == ECS_free && !(d->evtchn->fifo && evtchn_fifo_is_linked(d, chn->port));
}

int evtchn_port_alloc(struct domain *d, struct evtchn **out)
{
	struct evtchn_domain *ed = d->evtchn;
	unsigned int abi = ed->fifo ? EVTCHN_FIFO_NR_CHANNELS : EVTCHN_2L_NR_CHANNELS;
	unsigned int last = min(ed->max_port, abi - 1);
	bool all_used = true;

	if (d->dying != DOMDYING_alive)
		return -EINVAL;
	for (evtchn_port_t port = ed->first_free; port <= last; port++) {
		struct evtchn *chn;
		int rc = port < ed->valid ? 0 : evtchn_grow(ed);

		if (rc)
			return rc;
		chn = evtchn_lookup(d, port);
		if (evtchn_is_free(d, chn)) {
			*out = chn;
			return 0;
		}
		all_used = all_used && chn->state != ECS_free;
		if (all_used)
			ed->first_free = port + 1;
	}
	return -ENOSPC;
}

void evtchn_port_commit(struct domain *d, struct evtchn *chn, enum evtchn_state state,
			unsigned int vcpu_id)
{
	chn->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	chn->vcpu_id = (uint16_t)vcpu_id;
	chn->state = (uint8_t)state;
	d->evtchn->active++;
}

/* Nothing of the old use may show when the port is used again: above all no event. */
void evtchn_port_release(struct domain *d, struct evtchn *chn)
{
	struct evtchn_domain *ed = d->evtchn;

	if (ed->fifo)
		evtchn_fifo_clear_pending(d, chn->port);
	else
		evtchn_2l_clear_pending(d, chn->port);
	chn->state = ECS_free;
	chn->vcpu_id = 0;
	chn->pending = false;
	chn->remote_dom = NULL;
	chn->remote_chn = NULL;
	ed->first_free = min(ed->first_free, chn->port);
	ed->active--;
}

void evtchn_lock_two(struct domain *a, struct domain *b)
{
	struct domain *first = a->domain_id <= b->domain_id ? a : b;

	spin_lock(&first->event_lock);
	if (a != b)
		spin_lock(first == a ? &b->event_lock : &a->event_lock);
}

void evtchn_unlock_two(struct domain *a, struct domain *b)
{
	spin_unlock(&a->event_lock);
	if (a != b)
		spin_unlock(&b->event_lock);
}

static void evtchn_close_virq(struct domain *d, struct evtchn *chn)
{
	struct vcpu *v = d->vcpu[virq_is_global(chn->virq) ? 0 : chn->vcpu_id];

	ASSERT(v->virq_to_port[chn->virq] == chn->port);
	WRITE_ONCE(v->virq_to_port[chn->virq], 0);
}

/* A channel that ends in its own domain. */
static int evtchn_close_local(struct domain *d, struct evtchn *chn)
{
	if (!evtchn_usable(chn))
		return -EINVAL;
	if (chn->state == ECS_virq) {
		evtchn_close_virq(d, chn);
	} else if (chn->state == ECS_pirq) {
		pirq_unbind(d, chn->pirq);
		pirq_set_port(d, chn->pirq, 0);
	}
	evtchn_write_lock(chn);
	evtchn_port_release(d, chn);
	evtchn_write_unlock(chn);
	return 0;
}

/* The other end goes back to waiting for this domain. */
static void evtchn_close_pair(struct domain *d, struct evtchn *chn)
{
	struct evtchn *rchn = chn->remote_chn;

	ASSERT(rchn->state == ECS_interdomain && rchn->remote_chn == chn);
	evtchn_write_lock(chn);
	evtchn_write_lock(rchn);
	evtchn_port_release(d, chn);
	rchn->state = ECS_unbound;
	rchn->remote_dom = NULL;
	rchn->remote_domid = d->domain_id;
	rchn->remote_chn = NULL;
	evtchn_write_unlock(rchn);
	evtchn_write_unlock(chn);
}

/*
 * Called with d->event_lock alone; returns without it. The second lock may be the one to take
 * first: while ours is let go, the port may be closed by somebody else, and even bound anew: then
 * what was asked for is already done. Or the other end is closed: then this one waits, and is open.
 */
static int evtchn_close_interdomain(struct domain *d, struct evtchn *chn)
{
	struct domain *rd = chn->remote_dom;
	int rc = -EINVAL;

	domain_hold(rd);
	spin_unlock(&d->event_lock);
	evtchn_lock_two(d, rd);
	if (chn->state == ECS_interdomain && chn->remote_dom == rd) {
		evtchn_close_pair(d, chn);
		rc = 0;
	} else if (chn->state == ECS_unbound) {
		rc = evtchn_close_local(d, chn);
	}
	evtchn_unlock_two(d, rd);
	domain_put(rd);
	return rc;
}

int evtchn_close(struct domain *d, evtchn_port_t port)
{
	struct evtchn *chn = evtchn_lookup(d, port);
	int rc;

	if (!chn)
		return -EINVAL;
	spin_lock(&d->event_lock);
	if (chn->state == ECS_interdomain)
		return evtchn_close_interdomain(d, chn);
	rc = evtchn_close_local(d, chn);
	spin_unlock(&d->event_lock);
	return rc;
}

/* Where to go on, 0 if another reset is under way. */
static evtchn_port_t evtchn_reset_begin(struct domain *d, bool resuming)
{
	struct evtchn_domain *ed = d->evtchn;
	evtchn_port_t from;

	spin_lock(&d->event_lock);
	from = resuming ? ed->next_reset : !ed->next_reset;
	if (from > ed->next_reset)
		ed->next_reset = from;
	spin_unlock(&d->event_lock);
	return from;
}

static int evtchn_reset_end(struct domain *d)
{
	struct evtchn_domain *ed = d->evtchn;
	int rc = 0;

	spin_lock(&d->event_lock);
	ed->next_reset = 0;
	if (ed->active) /* another vCPU has been binding behind us */
		rc = -EAGAIN;
	else
		evtchn_fifo_destroy(d);
	spin_unlock(&d->event_lock);
	return rc;
}

int evtchn_reset(struct domain *d, bool resuming)
{
	struct evtchn_domain *ed = d->evtchn;
	evtchn_port_t port;

	if (d != current->domain && !d->controller_pause_count)
		return -EINVAL;
	port = evtchn_reset_begin(d, resuming);
	if (!port)
		return -EBUSY;
	for (; port < READ_ONCE(ed->valid) && READ_ONCE(ed->active); port++) {
		evtchn_close(d, port);
		if (port % CLOSE_CHECK == 0 && irq_window()) {
			spin_lock(&d->event_lock);
			ed->next_reset = port;
			spin_unlock(&d->event_lock);
			return -ERESTART;
		}
	}
	return evtchn_reset_end(d);
}

/* What the channel is bound to, in words. */
static void evtchn_describe(const struct evtchn *chn, char *buf, size_t size)
{
	static const char *const irq_names[] = {
		[ECS_pirq] = "pirq", [ECS_virq] = "virq", [ECS_ipi] = "ipi"};

	if (chn->state == ECS_interdomain)
		scnprintf(buf, size, "d%u port %u", chn->remote_dom->domain_id,
			  chn->remote_chn->port);
	else if (chn->state == ECS_unbound)
		scnprintf(buf, size, "waits for d%u", chn->remote_domid);
	else
		scnprintf(buf, size, "%s %u", irq_names[chn->state], chn->virq);
}

static void evtchn_dump_one(const struct domain *d, const struct evtchn *chn)
{
	bool fifo = d->evtchn->fifo;
	bool pending =
		fifo ? evtchn_fifo_is_pending(d, chn->port) : evtchn_2l_is_pending(d, chn->port);
	bool masked =
		fifo ? evtchn_fifo_is_masked(d, chn->port) : evtchn_2l_is_masked(d, chn->port);
	char what[40];

	evtchn_describe(chn, what, sizeof(what));
	printk("    %4u [%d/%d] vcpu %u: %s\n", chn->port, pending, masked, chn->vcpu_id, what);
}

void evtchn_dump(struct domain *d)
{
	struct evtchn_domain *ed = d->evtchn;

	printk("Event channels of d%u: %u in use, %s, up to port %u: port [pending/masked]\n",
	       d->domain_id, ed->active, ed->fifo ? "FIFO" : "2-level", ed->max_port);
	spin_lock(&d->event_lock);
	for (evtchn_port_t port = 1; port < ed->valid; port++) {
		const struct evtchn *chn = evtchn_lookup(d, port);

		if (evtchn_usable(chn))
			evtchn_dump_one(d, chn);
	}
	spin_unlock(&d->event_lock);
}
