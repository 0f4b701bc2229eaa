/* SPDX-License-Identifier: MIT */
/*
 * Inside the event channels: the table of a domain and its two ABIs. For core/evtchn*.c alone.
 *
 * Locks, in this order:
 *   d->event_lock  what is bound to what: every change of a channel's state. Two domains: the
 *                  lower domain id first.
 *   chn->lock      readers and one writer. Sending reads; binding and closing write, under
 *                  event_lock, so a channel never has two writers. Who holds a channel for reading
 *                  may use its remote end: closing either end writes both.
 *   queue->lock    a FIFO queue's tail. Two queues: by address.
 * Senders take no event_lock: buckets of the table are never freed while the domain lives, and are
 * complete before `valid` covers them.
 */
#ifndef CORE_EVTCHN_H
#define CORE_EVTCHN_H

#include "core/event.h"
#include "lib/errno.h"

enum evtchn_state {
	ECS_free,
	ECS_reserved, /* port 0 */
	ECS_unbound,  /* waits for its remote domain to bind */
	ECS_interdomain,
	ECS_pirq,
	ECS_virq,
	ECS_ipi,
};

#define EVTCHN_WRITER 0x80000000u

struct evtchn {
	uint32_t lock;	    /* readers, and EVTCHN_WRITER */
	evtchn_port_t port; /* (c) */
	uint8_t state;	    /* enum evtchn_state */
	uint8_t priority;   /* FIFO: queue for the next event */
	uint16_t vcpu_id;   /* whom to notify: always one that could be bound to */
	uint16_t lastq;	    /* FIFO: queue it was last linked to, see fifo_queue_id() */
	bool pending;	    /* FIFO: raised before its event word existed */
	union {
		struct domain *remote_dom; /* interdomain; lives while the channel is bound */
		unsigned int virq;
		unsigned int pirq;
		domid_t remote_domid; /* unbound */
	};
	struct evtchn *remote_chn; /* interdomain: the other end */
};
_Static_assert(sizeof(struct evtchn) == 32, "a bucket is one page");

#define EVTCHNS_PER_BUCKET (PAGE_SIZE / sizeof(struct evtchn))
#define EVTCHN_BUCKETS	   (EVTCHN_FIFO_NR_CHANNELS / EVTCHNS_PER_BUCKET)

#define FIFO_WORDS_PER_PAGE  (PAGE_SIZE / sizeof(event_word_t))
#define FIFO_MAX_ARRAY_PAGES (EVTCHN_FIFO_NR_CHANNELS / FIFO_WORDS_PER_PAGE)

struct evtchn_domain {
	bool fifo;		 /* which ABI the guest uses; set after everything it needs */
	unsigned int valid;	 /* ports below have a bucket; only grows */
	unsigned int max_port;	 /* (c) once the guest runs */
	unsigned int first_free; /* (L: event_lock) no port below is free */
	unsigned int active;	 /* (L: event_lock) channels in use */
	unsigned int next_reset; /* (L: event_lock) progress of a reset, 0 if none */
	unsigned int next_close; /* progress of the domain's end */
	unsigned int fifo_words; /* event words that exist; grows after its page is in place */
	event_word_t *fifo_array[FIFO_MAX_ARRAY_PAGES]; /* guest pages: writable type held */
	struct evtchn *bucket[EVTCHN_BUCKETS];
};

struct fifo_queue {
	spinlock_t lock;
	evtchn_port_t tail; /* last port linked, 0 when known to be empty */
	uint8_t priority;   /* (c) */
};

struct evtchn_vcpu {
	struct evtchn_fifo_control_block *control; /* guest page: writable type held */
	struct fifo_queue queue[EVTCHN_FIFO_MAX_QUEUES];
};

static always_inline struct evtchn *evtchn_lookup(const struct domain *d, evtchn_port_t port)
{
	const struct evtchn_domain *ed = d->evtchn;
	unsigned int valid = READ_ONCE(ed->valid);

	if (unlikely(port >= valid))
		return NULL;
	port = (evtchn_port_t)array_index_nospec(port, valid);
	return &ed->bucket[port / EVTCHNS_PER_BUCKET][port % EVTCHNS_PER_BUCKET];
}

void evtchn_read_lock_wait(struct evtchn *chn);

static always_inline void evtchn_read_lock(struct evtchn *chn)
{
	if (unlikely((int32_t)atomic_add(&chn->lock, 1) < 0))
		evtchn_read_lock_wait(chn);
}

static always_inline void evtchn_read_unlock(struct evtchn *chn)
{
	atomic_sub(&chn->lock, 1);
}

/* False while the channel is being bound or closed: to the caller it is as good as free. */
static inline bool evtchn_read_trylock(struct evtchn *chn)
{
	if (likely((int32_t)atomic_add(&chn->lock, 1) >= 0))
		return true;
	evtchn_read_unlock(chn);
	return false;
}

static inline void evtchn_write_lock(struct evtchn *chn)
{
	atomic_or(&chn->lock, EVTCHN_WRITER);
	while (READ_ONCE(chn->lock) != EVTCHN_WRITER)
		spin_wait();
}

static inline void evtchn_write_unlock(struct evtchn *chn)
{
	atomic_and(&chn->lock, ~EVTCHN_WRITER);
}

static inline bool evtchn_usable(const struct evtchn *chn)
{
	return chn->state > ECS_reserved;
}

/* --- evtchn.c --- */
/*
 * The lowest free port, with its bucket; the caller makes it something else than free. (L:
 * event_lock)
 */
int evtchn_port_alloc(struct domain *d, struct evtchn **chn) __must_check;
/* The freshly allocated channel becomes @state, notifying @vcpu_id. Caller holds it for writing. */
void evtchn_port_commit(struct domain *d, struct evtchn *chn, enum evtchn_state state,
			unsigned int vcpu_id);
void evtchn_port_release(struct domain *d, struct evtchn *chn);
void evtchn_lock_two(struct domain *a, struct domain *b);
void evtchn_unlock_two(struct domain *a, struct domain *b);

/* --- evtchn_send.c --- */
void evtchn_wake_pollers(struct domain *d, evtchn_port_t port);

/* --- evtchn_virq.c --- */
bool virq_is_global(unsigned int virq);
void evtchn_drop_virq_handlers(struct domain *d);

/* --- evtchn_2l.c and evtchn_fifo.c: the bits shared with the guest --- */
void evtchn_2l_notify(struct domain *d, struct vcpu *v, evtchn_port_t port);
void evtchn_2l_clear_pending(struct domain *d, evtchn_port_t port);
void evtchn_2l_unmask(struct domain *d, struct vcpu *v, struct evtchn *chn);
bool evtchn_2l_is_pending(const struct domain *d, evtchn_port_t port);
bool evtchn_2l_is_masked(const struct domain *d, evtchn_port_t port);

bool evtchn_fifo_set_pending(struct domain *d, struct vcpu *v, struct evtchn *chn);
void evtchn_fifo_clear_pending(struct domain *d, evtchn_port_t port);
void evtchn_fifo_unmask(struct domain *d, struct vcpu *v, struct evtchn *chn);
bool evtchn_fifo_is_pending(const struct domain *d, evtchn_port_t port);
bool evtchn_fifo_is_masked(const struct domain *d, evtchn_port_t port);
bool evtchn_fifo_is_linked(const struct domain *d, evtchn_port_t port);
void evtchn_fifo_destroy(struct domain *d); /* back to 2-level; no channel is in use */

/*
 * Raise the event; true if it was not pending before. The channel is held for reading and usable.
 * That it is pending already is common and needs no call.
 */
static always_inline bool evtchn_set_pending(struct domain *d, struct evtchn *chn)
{
	struct vcpu *v = d->vcpu[chn->vcpu_id];

	if (unlikely(!v)) /* unbound channels may be made before the first vCPU is */
		return false;
	if (d->evtchn->fifo)
		return evtchn_fifo_set_pending(d, v, chn);
	if (test_and_set_bit(chn->port, d->shared_info->evtchn_pending))
		return false;
	evtchn_2l_notify(d, v, chn->port);
	return true;
}

#endif
