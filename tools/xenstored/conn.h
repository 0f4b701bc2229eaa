/* SPDX-License-Identifier: MIT */
/*
 * Connections over rings and sockets: requests put together from pieces, answers and events waiting to go out, and what the journal must
 * know of both. A round is: requests are served; conn_round_end() has every connection prepare what it sends, commits the journal, and
 * only then lets the outside see any of it.
 */
#pragma once

#include "xenstored/journal.h"
#include "xenstored/store.h"

#include "lib/base/loop.h"

/* Bytes that come at the end and go at the beginning: what lies there from @gone on. */
struct queue {
	struct text text;
	size_t gone;
};

static inline size_t queue_len(const struct queue *q)
{
	return q->text.len - q->gone;
}
/* NULL only if it is empty. */
static inline void *queue_first(const struct queue *q)
{
	return q->gone ? q->text.data + q->gone : q->text.data;
}

/* From which to which index both rings of a domain went in one round; nothing for a socket. */
struct progress {
	uint32_t req_before, req_after, rsp_before, rsp_after;
};

struct conn {
	struct client *client;
	const struct conn_kind *kind; /* NULL: known from the journal only, so far */
	struct text in;		      /* the beginning of a request */
	bool in_anew;		      /* what @in held before this round was served */
	struct queue out;	      /* still to go */
	struct queue pending;	      /* the messages in @out */
	uint64_t position;	      /* of the stream, where @out begins */
	bool dirty, closing;
	uint32_t in_logged, out_logged; /* bytes waiting that the journal knows */
	struct progress progress;	/* of this round; replayed: of the last one */
	TAILQ_ENTRY(conn) link;		/* while dirty */

	/* Of a ring */
	struct xenstore_domain_interface *page; /* NULL: not mapped (yet) */
	int port;				/* our end, if it is above 0 */
	bool by_grant, broken, told, served, more;

	/* Of a socket */
	int fd;
	uint32_t events;
	struct loop_source *source;
};

struct conn_kind {
	/* Makes ready what can go out and notes it in the journal. */
	void (*prepare)(struct conn *c);
	/* Lets it go; may free the connection. */
	void (*finish)(struct conn *c);
	/* The connection ends. */
	void (*close)(struct conn *c);
};

/* The client's, made if it is not there. */
struct conn *conn_of(struct client *client);
/* Serves what is whole in these bytes and keeps the rest; -1 if they break the protocol. */
int conn_input(struct store *store, struct conn *c, const char *bytes, size_t n);
/* @n bytes of what was waiting are gone. */
void conn_sent(struct conn *c, size_t n);
/* Forgets all that waits, in both directions. */
void conn_clear(struct conn *c);
/* The same, and tells the journal: as at the beginning. */
void conn_reset(struct conn *c);
/* Tells the journal what waits now and @progress, where @moved bytes of what waits are as good as gone; if there is anything to tell. */
void conn_note(struct conn *c, size_t moved);
/* Behind the last record: what waits is to be sent. */
void conn_restored(struct conn *c, const struct conn_kind *kind);
void conn_touch(struct conn *c);

extern struct store the_store;
void conn_round_end(void);
/* Store and connections, for a new journal; and again out of one, for journal_replay(). */
void state_dump(void);
void state_load(const struct record *r, void *arg);
