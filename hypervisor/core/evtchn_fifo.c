/* SPDX-License-Identifier: MIT */
/*
 * The FIFO ABI: an event word for each port in pages the guest gives, and in each vCPU's control
 * block 16 queues, one a priority. A queue is a list through the words' LINK fields: the guest
 * takes from the head, we append at the tail.
 *
 * The guest may write anything into words and heads. What we believe is our own: the tail, and
 * which queue a port was last put into; links are written and never followed, so a corrupt list
 * loses that guest's events and nothing else.
 *
 * Lock: each queue's lock, from the PENDING bit being set until the word is linked, so that a vCPU
 * is never woken for an event it cannot see yet. d->event_lock guards setting up and tearing down;
 * a page or control block is published last.
 */
#include "core/evtchn.h"

#include "mm/frame.h"
#include "mm/heap.h"

#define LINK_TRIES \
	5 /* the guest may change a linked word four times: mask, unmask, clear pending, unlink */
#define QUEUE_TRIES 4

#define WORD_MASKED (1u << EVTCHN_FIFO_MASKED)
#define WORD_LINKED (1u << EVTCHN_FIFO_LINKED)
#define WORD_BUSY   (1u << EVTCHN_FIFO_BUSY)

event_word_t *evtchn_fifo_word(const struct domain *d, evtchn_port_t port)
{
	const struct evtchn_domain *ed = d->evtchn;
	unsigned int words = READ_ONCE(ed->fifo_words);

	if (unlikely(port >= words))
		return NULL;
	smp_rmb();
	port = (evtchn_port_t)array_index_nospec(port, words);
	return ed->fifo_array[port / FIFO_WORDS_PER_PAGE] + port % FIFO_WORDS_PER_PAGE;
}

/*
 * A queue by its name in evtchn.lastq; 0, the initial value, is vCPU 0's queue 0, which always
 * exists.
 */
static struct fifo_queue *fifo_queue_by_id(struct domain *d, uint16_t id)
{
	struct vcpu *v = d->vcpu[id / EVTCHN_FIFO_MAX_QUEUES];

	return &v->evtchn->queue[id % EVTCHN_FIFO_MAX_QUEUES];
}

/*
 * Locks @q and the queue the port was linked to last, which is returned: it may still hold the port
 * as its tail. NULL if the port moved from queue to queue all the time; the event is lost then.
 */
static struct fifo_queue *fifo_lock_for(struct domain *d, struct evtchn *chn, struct fifo_queue *q)
{
	for (unsigned int i = 0; i < QUEUE_TRIES; i++) {
		uint16_t last = READ_ONCE(chn->lastq);
		struct fifo_queue *old = fifo_queue_by_id(d, last);

		spin_lock_two(&q->lock, &old->lock);
		if (READ_ONCE(chn->lastq) == last)
			return old;
		spin_unlock_two(&q->lock, &old->lock);
	}
	return NULL;
}

/*
 * Make @tail point to @port if it is still in the queue; false if the guest has taken it out, then
 * the queue is empty. BUSY keeps a well-behaved guest from unmasking the word meanwhile. One that
 * changes it more often than the ABI allows loses the event.
 */
static bool fifo_link_after(event_word_t *tail, evtchn_port_t port)
{
	event_word_t seen, old = READ_ONCE(*tail);
	bool linked = true, busy = false;

	for (unsigned int i = 0; i < LINK_TRIES; i++) {
		linked = old & WORD_LINKED;
		if (!linked)
			break;
		seen = cmpxchg(tail, old, (old & ~(WORD_BUSY | EVTCHN_FIFO_LINK_MASK)) | port);
		if (seen == old)
			return true;
		if (!busy)
			atomic_or(tail, WORD_BUSY);
		busy = true;
		old = READ_ONCE(*tail);
	}
	if (busy)
		atomic_and(tail, ~WORD_BUSY);
	return linked;
}

/*
 * Queue @priority of @v and @old, the port's last one, are locked; the word has just become LINKED.
 * True if the guest has to be told to look at the queue.
 */
static bool fifo_append(struct vcpu *v, struct evtchn *chn, unsigned int priority,
			struct fifo_queue *old)
{
	struct fifo_queue *q = &v->evtchn->queue[priority];
	evtchn_port_t port = chn->port;
	bool linked;

	if (old->tail == port) /* it had been the last one: nothing is behind it any more */
		old->tail = 0;
	WRITE_ONCE(chn->lastq, (uint16_t)(v->vcpu_id * EVTCHN_FIFO_MAX_QUEUES + priority));
	linked = q->tail && fifo_link_after(evtchn_fifo_word(v->domain, q->tail), port);
	if (!linked)
		WRITE_ONCE(v->evtchn->control->head[priority], port);
	q->tail = port;
	return !linked;
}

bool evtchn_fifo_set_pending(struct domain *d, struct vcpu *v, struct evtchn *chn)
{
	unsigned int priority = READ_ONCE(chn->priority) % EVTCHN_FIFO_MAX_QUEUES;
	struct fifo_queue *q = &v->evtchn->queue[priority], *old;
	event_word_t *word = evtchn_fifo_word(d, chn->port);
	bool was_pending, tell = false;

	if (unlikely(!word)) {
		WRITE_ONCE(chn->pending, true);
		smp_mb(); /* pairs with fifo_raise_delayed */
		word = evtchn_fifo_word(d, chn->port);
		if (!word)
			return true;
	}
	if (unlikely(!v->evtchn->control)) /* must not unmask before it has one: nothing to do */
		return false;
	old = fifo_lock_for(d, chn, q);
	if (unlikely(!old))
		return false;
	was_pending = test_and_set_bit(EVTCHN_FIFO_PENDING, word);
	if (!(READ_ONCE(*word) & WORD_MASKED) && !test_and_set_bit(EVTCHN_FIFO_LINKED, word))
		tell = fifo_append(v, chn, priority, old);
	spin_unlock_two(&q->lock, &old->lock);
	if (tell && !test_and_set_bit(priority, &v->evtchn->control->ready))
		vcpu_mark_events_pending(v);
	if (!was_pending && unlikely(READ_ONCE(d->poll_count)))
		evtchn_wake_pollers(d, chn->port);
	return !was_pending;
}

/*
 * A page of the guest's that stays writable for us, and so can never become a page table, until
 * fifo_unmap().
 */
static void *fifo_map(struct domain *d, gfn_t gfn)
{
	if (!mfn_valid(gfn) || get_page_and_type(mfn_to_page(gfn), d, PGT_writable_page))
		return NULL;
	return mfn_to_virt(gfn);
}

static void fifo_unmap(void *va)
{
	if (va)
		put_page_and_type(virt_to_page(va));
}

/*
 * From here on the event words count; bits pending in shared_info move there as the words appear.
 */
static void fifo_switch(struct domain *d)
{
	struct evtchn_domain *ed = d->evtchn;

	for (evtchn_port_t port = 1; port < ed->valid; port++) {
		struct evtchn *chn = evtchn_lookup(d, port);

		if (evtchn_test(d, port, EVTCHN_FIFO_PENDING))
			chn->pending = true;
		chn->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	}
	smp_wmb();
	WRITE_ONCE(ed->fifo, true);
}

int evtchn_init_control(struct domain *d, struct evtchn_init_control *ic)
{
	const uint32_t last = PAGE_SIZE - sizeof(struct evtchn_fifo_control_block);
	struct vcpu *v = domain_vcpu(d, ic->vcpu);
	char *page;

	ic->link_bits = EVTCHN_FIFO_LINK_BITS;
	if (!v)
		return -ENOENT;
	if (ic->offset > last || ic->offset % 8 || v->evtchn->control)
		return -EINVAL;
	page = fifo_map(d, ic->control_gfn);
	if (!page)
		return -EINVAL;
	page += array_index_nospec(ic->offset, last + 1);
	smp_wmb();
	WRITE_ONCE(v->evtchn->control, (struct evtchn_fifo_control_block *)page);
	if (!d->evtchn->fifo)
		fifo_switch(d);
	return 0;
}

/* Events that came while their words did not exist. */
static void fifo_raise_delayed(struct domain *d, evtchn_port_t first)
{
	struct evtchn_domain *ed = d->evtchn;

	smp_mb();
	for (evtchn_port_t port = first; port < min(ed->fifo_words, ed->valid); port++) {
		struct evtchn *chn = evtchn_lookup(d, port);

		if (!READ_ONCE(chn->pending))
			continue;
		chn->pending = false;
		if (chn->state != EVTCHNSTAT_closed)
			evtchn_set_pending(d, chn);
	}
}

int evtchn_expand_array(struct domain *d, gfn_t gfn)
{
	struct evtchn_domain *ed = d->evtchn;
	unsigned int first = ed->fifo_words;
	void *page;

	if (!ed->fifo)
		return -EOPNOTSUPP;
	if (first >= EVTCHN_FIFO_NR_CHANNELS)
		return -ENOSPC;
	page = fifo_map(d, gfn);
	if (!page)
		return -EINVAL;
	ed->fifo_array[first / FIFO_WORDS_PER_PAGE] = page;
	smp_wmb();
	WRITE_ONCE(ed->fifo_words, first + (unsigned int)FIFO_WORDS_PER_PAGE);
	fifo_raise_delayed(d, first);
	return 0;
}

static void fifo_drop_control(struct evtchn_vcpu *ev)
{
	fifo_unmap(ev->control);
	ev->control = NULL;
	for (unsigned int i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++)
		ev->queue[i].tail = 0;
}

void evtchn_fifo_destroy(struct domain *d)
{
	struct evtchn_domain *ed = d->evtchn;
	struct vcpu *v;
	unsigned int i;

	WRITE_ONCE(ed->fifo, false);
	WRITE_ONCE(ed->fifo_words, 0);
	for_each_vcpu (d, v, i)
		fifo_drop_control(v->evtchn);
	for (i = 0; i < FIFO_MAX_ARRAY_PAGES; i++) {
		fifo_unmap(ed->fifo_array[i]);
		ed->fifo_array[i] = NULL;
	}
}
