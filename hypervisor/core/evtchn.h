/* SPDX-License-Identifier: MIT */
/*
 * Inside the event channels: the table of a domain and its two ABIs. For core/evtchn*.c and
 * hypercall/hc_event_channel.c alone.
 *
 * Locks, in this order:
 *   d->event_lock  what is bound to what: every change of a channel's state. Two domains: by
 *                  address of the lock.
 *   virq_handlers_lock  who hears global virtual IRQs; held while one is sent.
 *   chn->lock      readers and one writer. Sending reads; binding and closing write, under
 *                  event_lock, so a channel never has two writers. Who holds a channel for reading
 *                  may use its remote end: that is closed only after both were held for writing.
 *   queue->lock    a FIFO queue's tail. Two queues: by address.
 * Senders take no event_lock: buckets of the table are never freed while the domain lives, and are
 * complete before `valid` covers them.
 */
#ifndef CORE_EVTCHN_H
#define CORE_EVTCHN_H

#include "core/event.h"
#include "lib/errno.h"

/* The continuation of EVTCHNOP_reset; the public header shows it to the hypervisor only. */
#define EVTCHNOP_reset_cont 14

#define EVTCHN_WRITER 0x80000000u

struct evtchn {
	uint32_t lock;	    /* readers, and EVTCHN_WRITER */
	evtchn_port_t port; /* (c) */
	uint8_t state;	    /* EVTCHNSTAT_* */
	uint8_t priority;   /* FIFO: queue for the next event */
	uint16_t vcpu_id;   /* whom to notify: always one that could be bound to */
	uint16_t lastq;	    /* FIFO: queue it was last linked to, see fifo_queue_by_id() */
	bool pending;	    /* FIFO: raised before its event word existed */
	union {
		struct domain *remote_dom; /* interdomain; lives while the channel is bound */
		unsigned int nr; /* of the virq or pirq; unbound: the domain it waits for */
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
	unsigned int max_port;	 /* (c) */
	unsigned int first_free; /* (L: event_lock) no port from 1 to below it is free */
	unsigned int active;	 /* (L: event_lock) channels in use */
	unsigned int next_reset; /* progress of a reset, 0 if none is under way */
	unsigned int next_close; /* progress of the domain's end */
	unsigned int fifo_words; /* event words that exist; grows after its page is in place */
	event_word_t *fifo_array[FIFO_MAX_ARRAY_PAGES]; /* guest pages: writable type held */
	struct evtchn *bucket[EVTCHN_BUCKETS];
};

struct fifo_queue {
	spinlock_t lock;
	evtchn_port_t tail; /* last port linked, 0 when known to be empty */
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

/* Two locks of a kind, which may be the same one. */
static inline void spin_lock_two(spinlock_t *a, spinlock_t *b)
{
	spin_lock(a <= b ? a : b);
	if (a != b)
		spin_lock(a <= b ? b : a);
}

static inline void spin_unlock_two(spinlock_t *a, spinlock_t *b)
{
	spin_unlock(a);
	if (a != b)
		spin_unlock(b);
}

/* --- evtchn.c --- */
/* The lowest free port becomes @state, with @nr as in struct evtchn. (L: event_lock) */
int evtchn_new(struct domain *d, unsigned int state, unsigned int vcpu_id, unsigned int nr,
	       evtchn_port_t *port) __must_check;
int evtchn_close(struct domain *d, evtchn_port_t port);
/* (L: event_lock, and that of @rd, which a channel between domains must lead to) */
int evtchn_close_locked(struct domain *d, struct evtchn *chn, struct domain *rd);
int evtchn_status(struct domain *d, struct evtchn_status *st);
/* -ERESTART: call again with @resuming, nothing is lost. */
int evtchn_reset(struct domain *d, bool resuming);

/* --- evtchn_send.c --- */
/*
 * Raise the event; true if it was not pending before. The channel is held for reading and usable.
 */
bool evtchn_set_pending(struct domain *d, struct evtchn *chn);
/*
 * The bits shared with the guest, by their names in the FIFO ABI: EVTCHN_FIFO_PENDING and _MASKED
 * are in both ABIs, _LINKED in that one alone. False where the guest has no such bit.
 */
bool evtchn_test(const struct domain *d, evtchn_port_t port, unsigned int bit);
bool evtchn_test_and_clear(const struct domain *d, evtchn_port_t port, unsigned int bit);
void evtchn_wake_pollers(struct domain *d, evtchn_port_t port);
bool virq_is_global(unsigned int virq);
void evtchn_drop_virq_handlers(struct domain *d);

/* --- evtchn_fifo.c --- */
event_word_t *evtchn_fifo_word(const struct domain *d, evtchn_port_t port);
bool evtchn_fifo_set_pending(struct domain *d, struct vcpu *v, struct evtchn *chn);
/* (L: event_lock, all three) */
int evtchn_init_control(struct domain *d, struct evtchn_init_control *ic);
int evtchn_expand_array(struct domain *d, gfn_t gfn);
void evtchn_fifo_destroy(struct domain *d); /* back to 2-level; no channel is in use */

#endif
