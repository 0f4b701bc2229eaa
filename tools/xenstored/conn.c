/* SPDX-License-Identifier: MIT */
/* See conn.h. */
#include "xenstored/conn.h"

#include "xenstored/control.h"
#include "xenstored/journal.h"

#include <stdlib.h>
#include <string.h>

struct store the_store;
static TAILQ_HEAD(, conn) dirty = TAILQ_HEAD_INITIALIZER(dirty);

void conn_init(struct conn *c, const struct conn_kind *kind, struct client *client)
{
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->client = client;
	if (client)
		client->connection = c;
}

void conn_touch(struct conn *c)
{
	if (c->dirty)
		return;
	c->dirty = true;
	TAILQ_INSERT_TAIL(&dirty, c, link);
}

/* --- In ---------------------------------------------------------------------------------------- */

static void serve(struct store *store, struct conn *c, const char *bytes)
{
	struct message m = {.data = bytes + WIRE_HEADER};

	memcpy(&m.header, bytes, WIRE_HEADER);
	if (control_log_io)
		control_log_request(c->client, &m);
	store_request(store, c->client, &m);
}

/* Moves into @in what the message there still lacks; -1, 0 (it lacks more) or 1. */
static int complete(struct conn *c, const char **bytes, size_t *n)
{
	while (*n) {
		int size = wire_size(c->in.data, c->in.len);
		size_t lacks = (size > 0 ? (size_t)size : WIRE_HEADER) - c->in.len;
		size_t take = lacks < *n ? lacks : *n;

		text_add(&c->in, *bytes, take);
		*bytes += take;
		*n -= take;
		size = wire_size(c->in.data, c->in.len);
		if (size < 0)
			return -1;
		if (size && c->in.len == (size_t)size)
			return 1;
	}
	return 0;
}

int conn_input(struct store *store, struct conn *c, const char *bytes, size_t n)
{
	while (n) {
		int size = c->in.len ? 0 : wire_size(bytes, n), rc;

		if (size < 0)
			return -1;
		if (size && (size_t)size <= n) {
			serve(store, c, bytes);
			bytes += size;
			n -= (size_t)size;
			continue;
		}
		rc = complete(c, &bytes, &n);
		if (rc < 0)
			return -1;
		if (rc) {
			serve(store, c, c->in.data);
			c->in.len = 0;
			c->in_anew = true;
		}
	}
	return 0;
}

/* --- Out ---------------------------------------------------------------------------------------- */

static void charge(struct conn *c, const struct pending *p, int sign)
{
	if (p->cause)
		domain_use(&the_store, p->cause, QUOTA_OUTSTANDING, sign);
	if (!c->client->privileged)
		domain_use(&the_store, c->client->domid, QUOTA_MEMORY, sign * (int64_t)p->len);
}

static void push(struct conn *c, struct pending p)
{
	if (c->first + c->nr == c->size) {
		if (c->nr >= c->size / 2) {
			c->size = c->size ? c->size * 2 : 8;
			c->pending = xrealloc(c->pending, c->size * sizeof(p));
		}
		memmove(c->pending, c->pending + c->first, c->nr * sizeof(p));
		c->first = 0;
	}
	c->pending[c->first + c->nr++] = p;
	charge(c, &p, 1);
}

/* Does the same event wait already, none of it sent? */
static bool waits(const struct conn *c, const char *a, size_t na, const char *b, size_t nb)
{
	for (size_t i = 0; i < c->nr; i++) {
		const struct pending *p = &c->pending[c->first + i];
		const char *body;

		if (!p->event || p->len != WIRE_HEADER + na + nb || p->end - p->len < c->position)
			continue;
		body = c->out.data + c->out_sent + (p->end - p->len - c->position) + WIRE_HEADER;
		if (!memcmp(body, a, na) && !memcmp(body + na, b, nb))
			return true;
	}
	return false;
}

/* An event goes nowhere if the like of it waits, or if the receiver does not read and holds too much memory. */
static bool event_needed(const struct conn *c, size_t len, const char *a, size_t na, const char *b,
			 size_t nb)
{
	return (*a == '@' || !waits(c, a, na, b, nb)) &&
	       !client_exceeds(&the_store, c->client, QUOTA_MEMORY,
			       client_uses(&the_store, c->client, QUOTA_MEMORY) + (int64_t)len);
}

void outside_send(struct client *to, const struct xsd_sockmsg *header, const void *a, size_t na,
		  const void *b, size_t nb, struct client *cause)
{
	struct pending p = {.len = (uint16_t)(WIRE_HEADER + na + nb)};
	struct conn *c = to->connection;
	char *room;

	if (!c || c->closing || journal_replaying)
		return;
	if (header->type == XS_WATCH_EVENT) {
		p.event = true;
		p.cause = cause && !cause->privileged ? cause->domid : 0;
		if (!event_needed(c, p.len, a, na, b, nb))
			return;
	} else {
		p.cause = to->privileged ? 0 : to->domid;
	}
	room = text_room(&c->out, p.len);
	memcpy(room, header, WIRE_HEADER);
	if (na)
		memcpy(room + WIRE_HEADER, a, na);
	if (nb)
		memcpy(room + WIRE_HEADER + na, b, nb);
	c->out.len += p.len;
	p.end = c->position + conn_waiting(c);
	push(c, p);
	conn_touch(c);
}

/* Of what waits: @in bytes of the record's are to be kept, @out dropped; those behind the record follow, first in's, then out's. */
struct record_io {
	struct progress progress;
	uint32_t in_kept, in_more, out_dropped, out_more;
};

void conn_note(struct conn *c, uint32_t moved)
{
	struct record_io head = {.progress = c->progress};
	uint32_t left = (uint32_t)conn_waiting(c) - moved;
	char *p;

	head.in_kept = c->in_anew ? 0 : c->in_logged;
	head.in_more = (uint32_t)c->in.len - head.in_kept;
	head.out_dropped = moved < c->out_logged ? moved : c->out_logged;
	head.out_more = left - (c->out_logged - head.out_dropped);
	if (head.in_kept == c->in_logged && !head.in_more && !head.out_dropped && !head.out_more &&
	    head.progress.req_before == head.progress.req_after &&
	    head.progress.rsp_before == head.progress.rsp_after)
		return;
	p = journal_append(RECORD_IO, c->client->id, sizeof(head) + head.in_more + head.out_more);
	memcpy(p, &head, sizeof(head));
	if (head.in_more)
		memcpy(p + sizeof(head), c->in.data + head.in_kept, head.in_more);
	if (head.out_more)
		memcpy(p + sizeof(head) + head.in_more, c->out.data + c->out.len - head.out_more,
		       head.out_more);
	c->in_logged = (uint32_t)c->in.len;
	c->out_logged = left;
	c->in_anew = false;
}

void conn_dump(struct conn *c)
{
	c->progress.req_before = c->progress.req_after;
	c->progress.rsp_before = c->progress.rsp_after;
	c->in_logged = c->out_logged = 0;
	conn_note(c, 0);
}

void conn_load(struct conn *c, const struct record *r)
{
	const struct record_io *head = (const struct record_io *)r->data;
	const char *bytes = r->data + sizeof(*head);

	if (r->len < sizeof(*head) ||
	    r->len != sizeof(*head) + (size_t)head->in_more + head->out_more ||
	    head->in_kept > c->in.len || head->out_dropped > conn_waiting(c))
		return;
	c->progress = head->progress;
	c->in.len = head->in_kept;
	text_add(&c->in, bytes, head->in_more);
	text_drop(&c->out, head->out_dropped);
	text_add(&c->out, bytes + head->in_more, head->out_more);
	c->in_logged = (uint32_t)c->in.len;
	c->out_logged = (uint32_t)conn_waiting(c);
}

void conn_restored(struct conn *c)
{
	size_t n = conn_waiting(c);
	struct pending p = {.end = c->position + n, .len = (uint16_t)(n > 65535 ? 65535 : n)};

	if (n)
		push(c, p);
}

void conn_sent(struct conn *c, size_t n)
{
	c->out_sent += n;
	c->position += n;
	while (c->nr && c->pending[c->first].end <= c->position) {
		charge(c, &c->pending[c->first], -1);
		c->first++;
		c->nr--;
	}
	if (!c->nr)
		c->first = 0;
	if (c->out_sent == c->out.len) {
		c->out.len = c->out_sent = 0;
		if (c->out.size > 65536)
			text_free(&c->out);
	} else if (c->out_sent > 65536) {
		text_drop(&c->out, c->out_sent);
		c->out_sent = 0;
	}
}

void conn_clear(struct conn *c)
{
	conn_sent(c, conn_waiting(c));
	c->in.len = 0;
	c->in_logged = c->out_logged = 0;
	c->in_anew = false;
}

void conn_done(struct conn *c)
{
	conn_clear(c);
	if (c->dirty)
		TAILQ_REMOVE(&dirty, c, link);
	c->dirty = false;
	text_free(&c->in);
	text_free(&c->out);
	free(c->pending);
	c->pending = NULL;
	c->size = c->first = c->nr = 0;
}

bool conn_may_ask(const struct conn *c)
{
	const struct client *client = c->client;

	return !client_exceeds(&the_store, client, QUOTA_OUTSTANDING,
			       client_uses(&the_store, client, QUOTA_OUTSTANDING) + 1) &&
	       !client_exceeds(&the_store, client, QUOTA_MEMORY,
			       client_uses(&the_store, client, QUOTA_MEMORY));
}

void conn_round_end(void)
{
	struct conn *c;

	TAILQ_FOREACH(c, &dirty, link)
	c->kind->prepare(c);
	journal_commit();
	while ((c = TAILQ_FIRST(&dirty))) {
		TAILQ_REMOVE(&dirty, c, link);
		c->dirty = false;
		c->kind->finish(c);
	}
}
