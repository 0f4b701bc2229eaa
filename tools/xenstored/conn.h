/* SPDX-License-Identifier: MIT */
/*
 * What connections over rings and sockets have in common: requests put together from pieces, answers and events waiting to go out. A
 * round is: requests are served; conn_round_end() has every connection prepare what it sends, commits the journal, and only then lets
 * the outside see any of it.
 */
#pragma once

#include "xenstored/journal.h"
#include "xenstored/store.h"

#include "lib/base/text.h"

/* One message waiting in @out. */
struct pending {
	uint64_t end;	/* position in the stream behind it */
	bool event;	/* not an answer */
	uint16_t cause; /* the domain whose outstanding requests it counts among, or 0 */
	uint16_t len;
};

/* From which to which index both rings of a domain went in one round; nothing for a socket. */
struct progress {
	uint32_t req_before, req_after, rsp_before, rsp_after;
};

struct conn {
	struct client *client;
	const struct conn_kind *kind;
	struct text in;	 /* the beginning of a request */
	bool in_anew;	 /* @in was emptied in this round */
	struct text out; /* from @out_sent on, still to go */
	size_t out_sent;
	uint64_t position; /* of the stream, at out.data[out_sent] */
	struct pending *pending;
	size_t first, nr, size; /* of @pending, in use and allocated */
	bool dirty, closing;
	uint32_t in_logged, out_logged; /* bytes waiting that the journal knows */
	struct progress progress;	/* of this round; replayed: of the last one */
	TAILQ_ENTRY(conn) link;		/* while dirty */
};

struct conn_kind {
	/* Makes ready what can go out and notes it in the journal. */
	void (*prepare)(struct conn *c);
	/* Lets it go; may free the connection. */
	void (*finish)(struct conn *c);
};

void conn_init(struct conn *c, const struct conn_kind *kind, struct client *client);
/* Frees what it holds, not @c itself nor the client. */
void conn_done(struct conn *c);
/* Serves what is whole in these bytes and keeps the rest; -1 if they break the protocol. */
int conn_input(struct store *store, struct conn *c, const char *bytes, size_t n);
/* @n bytes of what was waiting are gone. */
void conn_sent(struct conn *c, size_t n);
static inline size_t conn_waiting(const struct conn *c)
{
	return c->out.len - c->out_sent;
}
/* Forgets all that waits, in both directions. */
void conn_clear(struct conn *c);
/* Tells the journal what waits now and @progress, where @moved bytes of what waits are as good as gone; if there is anything to tell. */
void conn_note(struct conn *c, uint32_t moved);
/* Tells it all of that, for a new journal. */
void conn_dump(struct conn *c);
/* Does again what the journal was told. */
void conn_load(struct conn *c, const struct record *r);
/* Behind the last record: what waits is to be sent. */
void conn_restored(struct conn *c);
void conn_touch(struct conn *c);
/* May a request of this client be taken up, or has it too much outstanding? */
bool conn_may_ask(const struct conn *c);

extern struct store the_store;
void conn_round_end(void);
