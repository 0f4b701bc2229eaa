/* SPDX-License-Identifier: MIT */
/*
 * See snapshot.h. Records come from this program's own file, but a length in them is checked all the same before it is used: a broken
 * file may lose state, never the daemon.
 */
#include "xenstored/snapshot.h"

#include <string.h>

#define DOMAIN_KEPT offsetof(struct domain, told)

/* A request of two parts. May be longer than the wire allows: what was a relative path is not any more. */
static void put_request(uint32_t client, struct xsd_sockmsg header, const void *a, size_t na,
			const void *b, size_t nb)
{
	char *p = journal_append(RECORD_REQUEST, client, WIRE_HEADER + na + nb);

	header.len = (uint32_t)(na + nb);
	p = mempcpy(p, &header, WIRE_HEADER);
	p = mempcpy(p, a, na);
	memcpy(p, b, nb);
}

void outside_changed(struct client *c, const struct message *m)
{
	if (!journal_replaying)
		put_request(c->id, m->header, m->data, m->header.len, "", 0);
}

void outside_known(struct domain *d)
{
	if (!journal_replaying)
		memcpy(journal_append(RECORD_DOMAIN, d->domid, DOMAIN_KEPT), d, DOMAIN_KEPT);
}

void snapshot_settings(const struct store *store)
{
	memcpy(journal_append(RECORD_STORE, 0, sizeof(store->quota)), store->quota,
	       sizeof(store->quota));
}

/* --- To the journal ------------------------------------------------------------------------------------ */

/* A request as @client would make it. */
static void dump_request(uint32_t client, uint32_t type, const char *path, const void *data,
			 size_t len)
{
	put_request(client, (struct xsd_sockmsg){.type = type}, path, strlen(path) + 1, data, len);
}

static void dump_node(void *arg, const char *path, const struct node *n, const struct node *parent)
{
	const struct blob *p = n->perms, *value = n->value;
	char text[XENSTORE_PAYLOAD_MAX];
	size_t len = 0;

	if (*path == '/' && path[1])
		dump_request(CLIENT_TOOLS, XS_WRITE, path, value ? value->data : "",
			     blob_len(value));
	if (p->len == parent->perms->len && !memcmp(p->perm, parent->perms->perm, p->len))
		return;
	for (uint32_t i = 0; i < perms_nr(p); i++)
		len += wire_perm_text(p->perm[i], text + len);
	dump_request(CLIENT_TOOLS, XS_SET_PERMS, path, text, len);
}

static void dump_watch(const struct watch *w)
{
	struct text rest = {0};

	text_add(&rest, w->token, strlen(w->token) + 1);
	if (w->depth >= 0)
		text_printf(&rest, "%d", w->depth);
	/* A relative path becomes one again. */
	dump_request(w->client->id, XS_WATCH, w->watched->named.name + w->relative, rest.data,
		     rest.len + (w->depth >= 0));
	text_free(&rest);
}

static void dump_client(const struct client *c)
{
	struct transaction *tx;
	const struct watch *w;

	TAILQ_FOREACH(tx, &c->transactions, link)
	{
		transaction_drop(tx, tx->failed ? tx->failed : EAGAIN);
		memcpy(journal_append(RECORD_TRANSACTION, c->id, sizeof(tx->id)), &tx->id,
		       sizeof(tx->id));
	}
	TAILQ_FOREACH(w, &c->watches, of_client)
	dump_watch(w);
}

void snapshot_dump(struct store *store)
{
	const struct domain *d;
	const struct client *c;
	struct text path = {0};

	TAILQ_FOREACH(d, &store->domains, link)
	outside_known((struct domain *)d);
	node_walk(store->top, &path, dump_node, NULL);
	text_free(&path);
	TAILQ_FOREACH(c, &store->clients, link)
	dump_client(c);
	snapshot_settings(store);
}

/* --- Back ------------------------------------------------------------------------------------------ */

static void load_request(struct store *store, struct client *c, const struct record *r)
{
	struct message m = {.data = r->data + WIRE_HEADER};

	if (!c || r->len < WIRE_HEADER)
		return;
	memcpy(&m.header, r->data, WIRE_HEADER);
	if (m.header.len == r->len - WIRE_HEADER)
		store_request(store, c, &m);
}

static void load_domain(struct store *store, struct client *c, const struct record *r)
{
	struct domain *d;

	if (r->len < DOMAIN_KEPT || r->client >= CLIENT_TOOLS)
		return;
	d = domain_know(store, r->client);
	memcpy(d, r->data, DOMAIN_KEPT);
	if (d->introduced && !d->client)
		d->client = client_new(store, r->client, (uint16_t)r->client);
}

static void load_transaction(struct store *store, struct client *c, const struct record *r)
{
	struct transaction *tx;

	if (!c || r->len != sizeof(tx->id))
		return;
	tx = transaction_new(c, store);
	memcpy(&tx->id, r->data, sizeof(tx->id));
	transaction_drop(tx, EAGAIN);
}

static void load_store(struct store *store, struct client *c, const struct record *r)
{
	if (r->len == sizeof(store->quota))
		memcpy(store->quota, r->data, sizeof(store->quota));
}

static void load_gone(struct store *store, struct client *c, const struct record *r)
{
	struct domain *d = r->client < CLIENT_TOOLS ? store->domain[r->client] : NULL;

	if (d)
		domain_forget(store, d);
	else if (r->client > CLIENT_TOOLS)
		client_free(store, c);
}

void snapshot_load(struct store *store, const struct record *r)
{
	static void (*const load[])(struct store * store, struct client * c,
				    const struct record *r) = {
		[RECORD_REQUEST] = load_request,	 [RECORD_STORE] = load_store,
		[RECORD_DOMAIN] = load_domain,		 [RECORD_GONE] = load_gone,
		[RECORD_TRANSACTION] = load_transaction,
	};

	if (r->kind < sizeof(load) / sizeof(load[0]) && load[r->kind])
		load[r->kind](store, client_known(store, r->client), r);
}
