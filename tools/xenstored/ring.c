/* SPDX-License-Identifier: MIT */
/* See ring.h. */
#include "xenstored/ring.h"

#include "lib/base/log.h"
#include "xenstored/xen.h"

#include <string.h>

#define FEATURE_WATCH_DEPTH 4 /* bit 2 of docs/misc/xenstore-ring.txt; not in the header of 4.17 */
#define SIZE		    XENSTORE_RING_SIZE

static unsigned int nr_more; /* rings that want another round */

/* The connection of a domain that has one, or NULL. */
static struct conn *ring_of(const struct domain *d)
{
	return d->client ? d->client->connection : NULL;
}

static void want_more(struct conn *c, bool more)
{
	nr_more += more - c->more;
	c->more = more;
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

static void ring_close(struct conn *c)
{
	want_more(c, false);
	if (c->port > 0)
		xenevtchn_unbind(xen_events, (evtchn_port_t)c->port);
	if (c->page)
		xen_unmap(c->client->domid, c->page, c->by_grant);
	c->port = 0;
	c->page = NULL;
}

static int ring_open(struct conn *c)
{
	const struct domain *d = the_store.domain[c->client->domid];

	c->page = xen_map(d->domid, d->gfn, &c->by_grant);
	if (!c->page)
		return ENOENT;
	c->port = xenevtchn_bind_interdomain(xen_events, d->domid, d->port);
	if (c->port < 0) {
		ring_close(c);
		return EINVAL;
	}
	c->page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION |
				   XENSTORE_SERVER_FEATURE_ERROR | FEATURE_WATCH_DEPTH;
	return 0;
}

/* --- Breaking off ------------------------------------------------------------------------------------- */

/* The domain has nothing any more and nothing waits; the journal has it as a request. */
static void ring_forget(struct store *store, struct conn *c)
{
	client_reset(store, c->client);
	outside_changed(c->client, &(struct message){{.type = XS_RESET_WATCHES}, ""});
	conn_reset(c);
	c->served = false;
}

/* What the domain said makes no sense: it is not listened to until it is introduced again or asks to begin anew. */
static void ring_break(struct store *store, struct conn *c, uint32_t error, const char *why)
{
	if (!c->told) /* once: it can begin anew and break it again as often as it likes */
		log_warning("domain %u: %s; its connection is stopped", c->client->domid, why);
	c->told = true;
	ring_forget(store, c);
	c->broken = true;
	c->page->error = error; /* where a new process finds it */
}

/* The journal knows of it, and all of before has gone its way, when the page changes. */
static void ring_begin_anew(struct store *store, struct conn *c)
{
	conn_round_end();
	ring_forget(store, c);
	journal_commit();
	c->broken = false;
	page_reset(c->page);
	xenevtchn_notify(xen_events, (evtchn_port_t)c->port);
	want_more(c, true);
}

/* --- A round --------------------------------------------------------------------------------------- */

static void ring_read(struct store *store, struct conn *c)
{
	uint32_t cons = index_read(&c->page->req_cons), prod = index_read(&c->page->req_prod);
	char bytes[SIZE];

	if (prod - cons > SIZE) {
		ring_break(store, c, XENSTORE_ERROR_RINGIDX, "it set impossible ring indices");
		return;
	}
	c->served = true;
	c->progress.req_before = cons;
	c->progress.req_after = prod;
	ring_copy(c->page->req, cons, bytes, prod - cons, false);
	if (conn_input(store, c, bytes, prod - cons))
		ring_break(store, c, XENSTORE_ERROR_PROTO, "it sent an overlong request");
}

/* May a request of this client be taken up, or has it too much outstanding? */
static bool may_ask(const struct conn *c)
{
	return !client_exceeds(&the_store, c->client, QUOTA_OUTSTANDING, 1) &&
	       !client_exceeds(&the_store, c->client, QUOTA_MEMORY, 0);
}

static void ring_serve(struct store *store, struct conn *c)
{
	if (!c->page || c->served)
		return;
	if (__atomic_load_n(&c->page->connection, __ATOMIC_ACQUIRE) == XENSTORE_RECONNECT)
		ring_begin_anew(store, c);
	else if (!c->broken && may_ask(c))
		ring_read(store, c);
	if (!c->broken)
		conn_touch(c);
}

static void prepare(struct conn *c)
{
	struct xenstore_domain_interface *page = c->page;
	struct progress *p = &c->progress;
	uint32_t space, n;

	if (!page || c->broken)
		return;
	if (!c->served)
		p->req_before = p->req_after = index_read(&page->req_cons);
	p->rsp_before = index_read(&page->rsp_prod);
	space = SIZE - (p->rsp_before - index_read(&page->rsp_cons));
	if (space > SIZE) {
		ring_break(&the_store, c, XENSTORE_ERROR_RINGIDX, "it set impossible ring indices");
		return;
	}
	n = queue_len(&c->out) < space ? (uint32_t)queue_len(&c->out) : space;
	ring_copy(page->rsp, p->rsp_before, queue_first(&c->out), n, true);
	p->rsp_after = p->rsp_before + n;
	conn_note(c, n);
}

static void finish(struct conn *c)
{
	struct xenstore_domain_interface *page = c->page;
	const struct progress *p = &c->progress;
	uint32_t space;

	if (!page || c->broken)
		return;
	if (c->served)
		index_write(&page->req_cons, p->req_after);
	if (p->rsp_after != p->rsp_before)
		index_write(&page->rsp_prod, p->rsp_after);
	conn_sent(c, p->rsp_after - p->rsp_before);
	if (p->rsp_after != p->rsp_before || p->req_after != p->req_before)
		xenevtchn_notify(xen_events, (evtchn_port_t)c->port);
	c->served = false;
	/* What the domain did since we looked may not have been worth an event to it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	space = SIZE - (p->rsp_after - index_read(&page->rsp_cons));
	if (index_read(&page->req_prod) != p->req_after || (queue_len(&c->out) && space))
		want_more(c, true);
}

static const struct conn_kind ring_kind = {prepare, finish, ring_close};

int outside_introduce(struct store *store, struct domain *d, bool again)
{
	struct conn *c = conn_of(d->client);
	int rc;

	if (journal_replaying) {
		conn_reset(c);
		return 0;
	}
	c->kind = &ring_kind;
	ring_close(c);
	rc = ring_open(c);
	if (rc)
		return rc;
	conn_reset(c);
	c->broken = c->served = false;
	if (d->domid)
		page_reset(c->page);
	xenevtchn_notify(xen_events, (evtchn_port_t)c->port);
	want_more(c, true);
	return 0;
}

void ring_event(struct store *store, int port)
{
	struct domain *d;

	TAILQ_FOREACH(d, &store->domains, link)
	if (ring_of(d) && ring_of(d)->port == port)
		ring_serve(store, ring_of(d));
}

/* Could it do something now? If not, it waits for the domain, or for others to read what it caused. */
static bool can_go_on(const struct conn *c)
{
	const struct xenstore_domain_interface *page = c->page;

	return may_ask(c) ||
	       (queue_len(&c->out) && page->rsp_prod - index_read(&page->rsp_cons) < SIZE);
}

bool ring_again(struct store *store)
{
	struct domain *d;
	bool any = true;

	for (unsigned int rounds = 0; nr_more && any && rounds < 8; rounds++) {
		any = false;
		TAILQ_FOREACH(d, &store->domains, link)
		{
			struct conn *c = ring_of(d);

			if (!c || !c->more || !can_go_on(c))
				continue;
			want_more(c, false);
			ring_serve(store, c);
			any = true;
		}
		conn_round_end();
	}
	return any && nr_more;
}

/* --- Restart ------------------------------------------------------------------------------------------ */

/* Indices that are still where the last round began are moved to where it ended. */
static void index_catch_up(XENSTORE_RING_IDX *index, uint32_t before, uint32_t after)
{
	if (*index == before)
		index_write(index, after);
}

static void resume_one(struct conn *c)
{
	const struct progress *p = &c->progress;
	int rc = ring_open(c);

	conn_restored(c, &ring_kind);
	if (rc) {
		log_warning("domain %u: its connection cannot be taken up again: %s",
			    c->client->domid, strerror(rc));
		return;
	}
	index_catch_up(&c->page->req_cons, p->req_before, p->req_after);
	index_catch_up(&c->page->rsp_prod, p->rsp_before, p->rsp_after);
	c->broken = c->page->error;
	xenevtchn_notify(xen_events, (evtchn_port_t)c->port);
	want_more(c, true);
}

void ring_resume(struct store *store)
{
	struct domain *d;

	TAILQ_FOREACH(d, &store->domains, link)
	if (d->introduced)
		resume_one(conn_of(d->client));
}
