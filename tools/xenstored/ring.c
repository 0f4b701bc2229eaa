/* SPDX-License-Identifier: MIT */
/* See ring.h. */
#include "xenstored/ring.h"

#include "lib/base/log.h"
#include "xenstored/xen.h"

#include <stdlib.h>
#include <string.h>

#define FEATURE_WATCH_DEPTH 4 /* bit 2 of docs/misc/xenstore-ring.txt; not in the header of 4.17 */
#define SIZE		    XENSTORE_RING_SIZE

struct ring {
	struct conn conn;
	struct domain *domain;
	struct xenstore_domain_interface *page; /* NULL: not mapped (yet) */
	uint32_t port;				/* our end */
	bool by_grant, broken, served, more, reset;
};

static unsigned int nr_more; /* rings that want another round */

static void prepare(struct conn *c);
static void finish(struct conn *c);
static const struct conn_kind ring_kind = {prepare, finish};

static struct ring *conn_ring(struct conn *c)
{
	return (struct ring *)c; /* its first member */
}

static struct ring *domain_ring(struct domain *d)
{
	struct ring *r = d->client->connection;

	if (r)
		return r;
	r = xcalloc(1, sizeof(*r));
	r->domain = d;
	conn_init(&r->conn, &ring_kind, d->client);
	return r;
}

/* The connection of a domain that has one, or NULL. */
static struct ring *ring_of(const struct domain *d)
{
	return d->client ? d->client->connection : NULL;
}

static void want_more(struct ring *r, bool more)
{
	nr_more += more - r->more;
	r->more = more;
}

/* --- The page ---------------------------------------------------------------------------------- */

/* Indices change under our hands: one read each, nothing behind it is read earlier. */
static uint32_t index_read(const XENSTORE_RING_IDX *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void index_write(XENSTORE_RING_IDX *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/* Bytes between the ring at @index and @p, in at most two pieces. */
static void ring_copy(char *ring, uint32_t index, char *p, size_t n, bool into_ring)
{
	while (n) {
		size_t at = index & (SIZE - 1), piece = n < SIZE - at ? n : SIZE - at;

		memcpy(into_ring ? ring + at : p, into_ring ? p : ring + at, piece);
		index += (uint32_t)piece;
		p += piece;
		n -= piece;
	}
}

static void page_reset(struct xenstore_domain_interface *page)
{
	page->req_cons = page->req_prod = 0;
	page->rsp_cons = page->rsp_prod = 0;
	page->error = XENSTORE_ERROR_NONE;
	__atomic_store_n(&page->connection, XENSTORE_CONNECTED, __ATOMIC_RELEASE);
}

static void ring_close(struct ring *r)
{
	unsigned int domid = r->domain->domid;

	if (r->port)
		xen_unbind(r->port);
	if (r->page)
		xen_unmap(domid, r->page, r->by_grant);
	r->port = 0;
	r->page = NULL;
}

static int ring_open(struct ring *r)
{
	const struct domain *d = r->domain;

	r->page = xen_map(d->domid, d->gfn, &r->by_grant);
	if (!r->page)
		return ENOENT;
	r->port = xen_bind(d->domid, d->port);
	if (!r->port) {
		ring_close(r);
		return EINVAL;
	}
	r->page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION |
				   XENSTORE_SERVER_FEATURE_ERROR | FEATURE_WATCH_DEPTH;
	return 0;
}

/* --- Beginning and end --------------------------------------------------------------------------- */

static void ring_clear(struct ring *r)
{
	conn_clear(&r->conn);
	r->conn.progress = (struct progress){0};
	r->broken = r->served = r->reset = false;
}

int outside_introduce(struct store *store, struct domain *d, bool again)
{
	struct ring *r = domain_ring(d);
	int rc = 0;

	if (!journal_replaying) {
		ring_close(r);
		rc = ring_open(r);
	}
	if (rc && !again)
		outside_release(store, d);
	if (rc)
		return rc;
	ring_clear(r);
	if (journal_replaying)
		return 0;
	if (d->domid)
		page_reset(r->page);
	xen_notify(r->port);
	want_more(r, true);
	return 0;
}

void outside_release(struct store *store, struct domain *d)
{
	struct ring *r = ring_of(d);

	if (!r)
		return;
	ring_close(r);
	want_more(r, false);
	conn_done(&r->conn);
	d->client->connection = NULL;
	free(r);
}

/* What the domain said makes no sense: it is not listened to until it is introduced again or asks to begin anew. */
static void ring_break(struct store *store, struct ring *r, uint32_t error, const char *why)
{
	log_warning("domain %u: %s; its connection is stopped", r->domain->domid, why);
	client_reset(store, r->conn.client);
	ring_clear(r);
	r->broken = true;
	r->page->error = error;
	journal_append(RECORD_RING_BROKEN, r->domain->domid, 0);
}

static void ring_begin_anew(struct store *store, struct ring *r)
{
	client_reset(store, r->conn.client);
	ring_clear(r);
	r->reset = true;
	journal_append(RECORD_RING_RESET, r->domain->domid, 0);
}

/* --- A round --------------------------------------------------------------------------------------- */

static void ring_read(struct store *store, struct ring *r)
{
	struct xenstore_domain_interface *page = r->page;
	uint32_t cons = index_read(&page->req_cons), prod = index_read(&page->req_prod);
	char bytes[SIZE];

	if (prod - cons > SIZE) {
		ring_break(store, r, XENSTORE_ERROR_RINGIDX, "it set impossible ring indices");
		return;
	}
	r->served = true;
	r->conn.progress.req_before = cons;
	r->conn.progress.req_after = prod;
	ring_copy(page->req, cons, bytes, prod - cons, false);
	if (conn_input(store, &r->conn, bytes, prod - cons))
		ring_break(store, r, XENSTORE_ERROR_PROTO, "it sent an overlong request");
}

static void ring_serve(struct store *store, struct ring *r)
{
	if (!r->page || r->served || r->reset)
		return;
	if (__atomic_load_n(&r->page->connection, __ATOMIC_ACQUIRE) == XENSTORE_RECONNECT)
		ring_begin_anew(store, r);
	else if (r->broken)
		return;
	else if (conn_may_ask(&r->conn))
		ring_read(store, r);
	conn_touch(&r->conn);
}

static void prepare(struct conn *c)
{
	struct ring *r = conn_ring(c);
	struct xenstore_domain_interface *page = r->page;
	uint32_t prod, space, n;

	if (!page || r->broken || r->reset)
		return;
	if (!r->served)
		r->conn.progress.req_before = r->conn.progress.req_after =
			index_read(&page->req_cons);
	prod = index_read(&page->rsp_prod);
	space = SIZE - (prod - index_read(&page->rsp_cons));
	if (space > SIZE) {
		ring_break(&the_store, r, XENSTORE_ERROR_RINGIDX, "it set impossible ring indices");
		return;
	}
	n = conn_waiting(c) < space ? (uint32_t)conn_waiting(c) : space;
	if (n)
		ring_copy(page->rsp, prod, c->out.data + c->out_sent, n, true);
	r->conn.progress.rsp_before = prod;
	r->conn.progress.rsp_after = prod + n;
	conn_note(c, n);
}

static void finish(struct conn *c)
{
	struct ring *r = conn_ring(c);
	struct xenstore_domain_interface *page = r->page;
	const struct progress *p = &c->progress;
	uint32_t space;

	if (r->reset && page) {
		page_reset(page);
		r->reset = false;
		xen_notify(r->port);
		want_more(r, true);
		return;
	}
	if (!page || r->broken)
		return;
	if (r->served)
		index_write(&page->req_cons, p->req_after);
	if (p->rsp_after != p->rsp_before)
		index_write(&page->rsp_prod, p->rsp_after);
	conn_sent(c, p->rsp_after - p->rsp_before);
	if (p->rsp_after != p->rsp_before || p->req_after != p->req_before)
		xen_notify(r->port);
	r->served = false;
	/* What the domain did since we looked may not have been worth an event to it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	space = SIZE - (p->rsp_after - index_read(&page->rsp_cons));
	if (index_read(&page->req_prod) != p->req_after || (conn_waiting(c) && space))
		want_more(r, true);
}

void ring_event(struct store *store, uint32_t port)
{
	struct domain *d;

	TAILQ_FOREACH(d, &store->domains, link)
	if (ring_of(d) && ring_of(d)->port == port)
		ring_serve(store, ring_of(d));
}

/* Could it do something now? If not, it waits for the domain, or for others to read what it caused. */
static bool can_go_on(const struct ring *r)
{
	const struct xenstore_domain_interface *page = r->page;

	return !page || conn_may_ask(&r->conn) ||
	       (conn_waiting(&r->conn) && page->rsp_prod - index_read(&page->rsp_cons) < SIZE);
}

bool ring_again(struct store *store)
{
	struct domain *d;
	bool any = true;

	for (unsigned int rounds = 0; nr_more && any && rounds < 8; rounds++) {
		any = false;
		TAILQ_FOREACH(d, &store->domains, link)
		{
			struct ring *r = ring_of(d);

			if (!r || !r->more || !can_go_on(r))
				continue;
			want_more(r, false);
			ring_serve(store, r);
			any = true;
		}
		conn_round_end();
	}
	return any && nr_more;
}

/* --- Restart ------------------------------------------------------------------------------------------ */

struct conn *ring_conn(struct domain *d)
{
	return &domain_ring(d)->conn;
}

bool ring_load(struct store *store, const struct record *record)
{
	struct domain *d = record->client < CLIENT_TOOLS ? store->domain[record->client] : NULL;
	struct ring *r;

	if (record->kind != RECORD_RING_RESET && record->kind != RECORD_RING_BROKEN)
		return false;
	if (!d || !d->client)
		return true;
	r = domain_ring(d);
	client_reset(store, d->client);
	ring_clear(r);
	r->broken = record->kind == RECORD_RING_BROKEN;
	return true;
}

/* Indices that are still where the last round began are moved to where it ended. */
static void index_catch_up(XENSTORE_RING_IDX *index, uint32_t before, uint32_t after)
{
	if (*index == before)
		index_write(index, after);
}

static void resume_one(struct ring *r)
{
	const struct progress *p = &r->conn.progress;
	int rc = ring_open(r);

	if (rc) {
		log_warning("domain %u: its connection cannot be taken up again: %s",
			    r->domain->domid, strerror(rc));
		return;
	}
	index_catch_up(&r->page->req_cons, p->req_before, p->req_after);
	index_catch_up(&r->page->rsp_prod, p->rsp_before, p->rsp_after);
	conn_restored(&r->conn);
	xen_notify(r->port);
	want_more(r, true);
}

void ring_resume(struct store *store)
{
	struct domain *d;

	TAILQ_FOREACH(d, &store->domains, link)
	if (d->introduced)
		resume_one(domain_ring(d));
}

void ring_dump(struct conn *c)
{
	if (conn_ring(c)->broken)
		journal_append(RECORD_RING_BROKEN, c->client->id, 0);
}
