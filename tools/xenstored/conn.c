/* SPDX-License-Identifier: MIT */
/* See conn.h. */
#include "xenstored/conn.h"

#include "xenstored/control.h"
#include "xenstored/snapshot.h"

#include <string.h>

struct store the_store;
static TAILQ_HEAD(, conn) dirty = TAILQ_HEAD_INITIALIZER(dirty);

/* One message waiting in @out. */
struct pending {
	uint64_t end;	/* position in the stream behind it */
	bool event;	/* not an answer */
	uint16_t cause; /* the domain whose outstanding requests it counts among, or 0 */
	uint16_t len;
};

struct conn *conn_of(struct client *client)
{
	if (!client->connection) {
		client->connection = xcalloc(1, sizeof(struct conn));
		client->connection->client = client;
	}
	return client->connection;
}

void conn_touch(struct conn *c)
{
	if (c->dirty || !c->kind)
		return;
	c->dirty = true;
	TAILQ_INSERT_TAIL(&dirty, c, link);
}

static void queue_drop(struct queue *q, size_t n)
{
	q->gone += n;
	if (q->gone == q->text.len) {
		q->text.len = q->gone = 0;
		if (q->text.size > 65536)
			text_free(&q->text);
	} else if (q->gone > 65536) {
		text_drop(&q->text, q->gone);
		q->gone = 0;
	}
}

/* --- In ---------------------------------------------------------------------------------------- */

static void serve(struct store *store, struct conn *c, const char *bytes)
{
	struct message m = {.data = bytes + WIRE_HEADER};

	memcpy(&m.header, bytes, WIRE_HEADER);
	control_log_request(c->client, &m);
	store_request(store, c->client, &m);
}

/* What is not whole yet is kept; what comes next is put behind it. */
int conn_input(struct store *store, struct conn *c, const char *bytes, size_t n)
{
	bool behind = c->in.len;
	int size;

	if (behind) {
		text_add(&c->in, bytes, n);
		bytes = c->in.data;
		n = c->in.len;
	}
	while ((size = wire_size(bytes, n)) > 0 && (size_t)size <= n) {
		serve(store, c, bytes);
		c->in_anew |= behind;
		bytes += size;
		n -= (size_t)size;
	}
	if (behind)
		text_drop(&c->in, c->in.len - n);
	else if (n)
		text_add(&c->in, bytes, n);
	return size < 0 ? -1 : 0;
}

/* --- Out ---------------------------------------------------------------------------------------- */

static void charge(struct conn *c, const struct pending *p, int sign)
{
	domain_use(&the_store, p->cause, QUOTA_OUTSTANDING, sign);
	domain_use(&the_store, c->client->domid, QUOTA_MEMORY, sign * (int64_t)p->len);
}

static void push(struct conn *c, struct pending p)
{
	p.end = c->position + queue_len(&c->out);
	text_add(&c->pending.text, &p, sizeof(p));
	charge(c, &p, 1);
}

/* Does the same event wait already, none of it sent? */
static bool waits(const struct conn *c, const char *a, size_t na, const char *b, size_t nb)
{
	for (size_t at = c->pending.gone; at < c->pending.text.len; at += sizeof(struct pending)) {
		const struct pending *p = (const struct pending *)(c->pending.text.data + at);
		const char *body;

		if (!p->event || p->len != WIRE_HEADER + na + nb || p->end - p->len < c->position)
			continue;
		body = (const char *)queue_first(&c->out) + (p->end - p->len - c->position) +
		       WIRE_HEADER;
		if (!memcmp(body, a, na) && !memcmp(body + na, b, nb))
			return true;
	}
	return false;
}

void outside_send(struct client *to, const struct xsd_sockmsg *header, const void *a, size_t na,
		  const void *b, size_t nb, struct client *cause)
{
	struct pending p = {.len = (uint16_t)(WIRE_HEADER + na + nb), .cause = to->domid};
	struct conn *c = to->connection;
	struct text *out;

	if (!c || c->closing || journal_replaying)
		return;
	if (header->type == XS_WATCH_EVENT) {
		p.event = true;
		p.cause = cause ? cause->domid : 0;
		/* It goes nowhere if the like of it waits, or if the receiver does not read and holds too much memory. */
		if ((*(const char *)a != '@' && waits(c, a, na, b, nb)) ||
		    client_exceeds(&the_store, to, QUOTA_MEMORY, p.len))
			return;
	}
	out = &c->out.text;
	text_add(out, header, WIRE_HEADER);
	text_add(out, a, na);
	text_add(out, b, nb);
	push(c, p);
	conn_touch(c);
}

/* Of what waits: @in bytes of the record's are to be kept, @out dropped; those behind the record follow, first in's, then out's. */
struct record_io {
	struct progress progress;
	uint32_t in_kept, in_more, out_dropped, out_more;
};

void conn_note(struct conn *c, size_t moved)
{
	struct record_io head = {.progress = c->progress, .in_kept = c->in_anew ? 0 : c->in_logged};
	uint32_t left = (uint32_t)(queue_len(&c->out) - moved);
	char *p;

	head.in_more = (uint32_t)c->in.len - head.in_kept;
	head.out_dropped = moved < c->out_logged ? (uint32_t)moved : c->out_logged;
	head.out_more = left - (c->out_logged - head.out_dropped);
	if (head.in_kept == c->in_logged && !head.in_more && !head.out_dropped && !head.out_more &&
	    head.progress.req_before == head.progress.req_after &&
	    head.progress.rsp_before == head.progress.rsp_after)
		return;
	p = journal_append(RECORD_IO, c->client->id, sizeof(head) + head.in_more + head.out_more);
	p = mempcpy(p, &head, sizeof(head));
	if (head.in_more)
		p = mempcpy(p, c->in.data + head.in_kept, head.in_more);
	if (head.out_more)
		memcpy(p, c->out.text.data + c->out.text.len - head.out_more, head.out_more);
	c->in_logged = (uint32_t)c->in.len;
	c->out_logged = left;
	c->in_anew = false;
}

static void conn_dump(struct conn *c)
{
	c->progress.req_before = c->progress.req_after;
	c->progress.rsp_before = c->progress.rsp_after;
	c->in_logged = c->out_logged = 0;
	conn_note(c, 0);
}

static void conn_load(const struct record *r)
{
	const struct record_io *head = (const struct record_io *)r->data;
	const char *bytes = r->data + sizeof(*head);
	struct client *client = client_known(&the_store, r->client);
	struct conn *c;

	if (!client)
		return;
	c = conn_of(client);
	if (r->len < sizeof(*head) ||
	    r->len != sizeof(*head) + (size_t)head->in_more + head->out_more ||
	    head->in_kept > c->in.len || head->out_dropped > queue_len(&c->out))
		return;
	c->progress = head->progress;
	c->in.len = head->in_kept;
	text_add(&c->in, bytes, head->in_more);
	queue_drop(&c->out, head->out_dropped);
	text_add(&c->out.text, bytes + head->in_more, head->out_more);
	c->in_logged = (uint32_t)c->in.len;
	c->out_logged = (uint32_t)queue_len(&c->out);
}

void conn_restored(struct conn *c, const struct conn_kind *kind)
{
	size_t n = queue_len(&c->out);

	c->kind = kind;
	if (!n)
		return;
	push(c, (struct pending){.len = (uint16_t)(n > UINT16_MAX ? UINT16_MAX : n)});
	conn_touch(c);
}

void conn_sent(struct conn *c, size_t n)
{
	const struct pending *p;

	queue_drop(&c->out, n);
	c->position += n;
	while (queue_len(&c->pending)) {
		p = queue_first(&c->pending);
		if (p->end > c->position)
			break;
		charge(c, p, -1);
		queue_drop(&c->pending, sizeof(*p));
	}
}

void conn_clear(struct conn *c)
{
	conn_sent(c, queue_len(&c->out));
	c->in.len = 0;
	c->in_logged = c->out_logged = 0;
	c->in_anew = false;
}

void conn_reset(struct conn *c)
{
	const struct record_io head = {.out_dropped = c->out_logged};

	conn_clear(c);
	c->progress = head.progress;
	if (!journal_replaying)
		memcpy(journal_append(RECORD_IO, c->client->id, sizeof(head)), &head, sizeof(head));
}

void outside_release(struct client *client)
{
	struct conn *c = client->connection;

	if (!c)
		return;
	if (c->kind)
		c->kind->close(c);
	conn_clear(c);
	if (c->dirty)
		TAILQ_REMOVE(&dirty, c, link);
	text_free(&c->in);
	text_free(&c->out.text);
	text_free(&c->pending.text);
	free(c);
	client->connection = NULL;
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

void state_dump(void)
{
	const struct client *c;

	snapshot_dump(&the_store);
	TAILQ_FOREACH(c, &the_store.clients, link)
	if (c->connection)
		conn_dump(c->connection);
}

void state_load(const struct record *r, void *arg)
{
	if (r->kind == RECORD_IO)
		conn_load(r);
	else
		snapshot_load(&the_store, r);
}
