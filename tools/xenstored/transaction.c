/* SPDX-License-Identifier: MIT */
/*
 * Requests on the tree, with and without a transaction. A transaction holds the tree as it was at its begin and a second one with what it
 * changed. At its end, what it has seen must be the same in the tree of that moment, or all is dropped and the answer is EAGAIN; then its
 * changes are done again there, one by one. Two that see or change different nodes never disturb each other, even below the same parent.
 */
#include "xenstored/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- Transactions ------------------------------------------------------------------------------- */

struct transaction *transaction_find(struct client *c, uint32_t id)
{
	struct transaction *tx;

	TAILQ_FOREACH(tx, &c->transactions, link)
	if (tx->id == id)
		break;
	return tx;
}

struct transaction *transaction_new(struct client *c, struct store *store)
{
	struct transaction *tx = xcalloc(1, sizeof(*tx));

	TAILQ_INIT(&tx->accesses);
	TAILQ_INIT(&tx->changes);
	for (tx->id = 1; transaction_find(c, tx->id); tx->id++)
		;
	tx->before = tx->top = store->top;
	store->top->refs += 2;
	TAILQ_INSERT_TAIL(&c->transactions, tx, link);
	store->nr_transactions++;
	if (!c->privileged)
		domain_use(store, c->domid, QUOTA_TRANSACTIONS, 1);
	return tx;
}

void transaction_drop(struct transaction *tx, int failed)
{
	struct access *a;
	struct change *kept;

	while ((a = TAILQ_FIRST(&tx->accesses))) {
		TAILQ_REMOVE(&tx->accesses, a, link);
		free(a);
	}
	while ((kept = TAILQ_FIRST(&tx->changes))) {
		TAILQ_REMOVE(&tx->changes, kept, link);
		blob_put(kept->value);
		perms_put(kept->perms);
		free(kept);
	}
	table_free(&tx->table);
	node_put(tx->before);
	node_put(tx->top);
	tx->before = tx->top = NULL;
	tx->failed = failed;
}

void transaction_free(struct store *store, struct client *c, struct transaction *tx)
{
	transaction_drop(tx, 0);
	TAILQ_REMOVE(&c->transactions, tx, link);
	store->nr_transactions--;
	if (!c->privileged)
		domain_use(store, c->domid, QUOTA_TRANSACTIONS, -1);
	free(tx);
}

/* Remembers that the transaction depends on it. False: on too much. */
static bool note_access(struct view *v, const struct path *path, uint32_t level, unsigned int seen)
{
	struct transaction *tx = v->tx;
	struct prefix at = path->prefix[level];
	struct access *a = (struct access *)table_find(&tx->table, path->s, at);

	if (!a && client_exceeds(v->store, v->client, QUOTA_TRANSACTION_NODES, tx->table.nr + 1)) {
		v->error = ENOSPC;
		transaction_drop(tx, ENOMEM);
		return false;
	}
	if (!a) {
		a = xcalloc(1, sizeof(*a) + at.len + 1);
		a->named = (struct named){.hash = at.hash, .name = a->path, .len = at.len};
		memcpy(a->path, path->s, at.len);
		table_add(&tx->table, &a->named);
		TAILQ_INSERT_TAIL(&tx->accesses, a, link);
	}
	a->seen |= seen;
	return true;
}

/* --- Changes ------------------------------------------------------------------------------------- */

struct node *view_find(struct view *v, const struct path *path, int level, unsigned int seen)
{
	if (!v->tx || v->tx->failed)
		return node_find(v->store->top, path, level);
	return note_access(v, path, (uint32_t)level, seen) ? node_find(v->tx->top, path, level)
							   : NULL;
}

/* The owner pays. Nobody limits domain 0. */
static void account(struct store *store, const struct node *n, int sign)
{
	uint16_t owner = n->perms->perm[0].domid;

	if (!owner)
		return;
	domain_use(store, owner, QUOTA_NODES, sign);
	domain_use(store, owner, QUOTA_MEMORY,
		   sign * (int64_t)(sizeof(*n) + n->name_len + blob_len(n->value)));
}

static void account_all(struct store *store, const struct node *n, int sign)
{
	account(store, n, sign);
	for (uint32_t i = 0; i < n->nr; i++)
		account_all(store, n->child[i], sign);
}

/* Made below @parent: its permissions, but a domain owns what it makes. */
static struct perms *inherit(const struct client *c, struct perms *parent)
{
	struct perms *own;

	if (c->privileged || parent->perm[0].domid == c->domid)
		return perms_get(parent);
	own = perms_new(parent->perm, parent->nr);
	own->perm[0].domid = c->domid;
	return own;
}

static void make_and_set(struct view *v, struct node **top, const struct path *path,
			 struct blob *value)
{
	int level = (int)path->levels;
	struct node *n;

	while (!node_find(*top, path, level))
		level--;
	n = node_own(top, path, level);
	while (level++ < (int)path->levels) {
		n = node_add(n, path_component(path, (uint32_t)level), inherit(v->client, n->perms),
			     NULL);
		if (!v->tx)
			account(v->store, n, 1);
		else
			v->tx->created++;
	}
	if (!v->tx)
		account(v->store, n, -1);
	node_set_value(n, value);
	if (v->tx)
		return;
	account(v->store, n, 1);
	watch_fire(v->store, path, n->perms, NULL, v->client);
}

static void set_perms(struct view *v, struct node **top, const struct path *path,
		      struct perms *perms)
{
	struct node *n = node_own(top, path, (int)path->levels);
	struct perms *before = perms_get(n->perms);

	if (!v->tx)
		account(v->store, n, -1);
	node_set_perms(n, perms);
	if (!v->tx) {
		account(v->store, n, 1);
		watch_fire(v->store, path, perms, before, v->client);
	}
	perms_put(before);
}

static int32_t owned(const struct node *n, uint16_t domid)
{
	int32_t nr = n->perms->perm[0].domid == domid;

	for (uint32_t i = 0; i < n->nr; i++)
		nr += owned(n->child[i], domid);
	return nr;
}

static void remove_all(struct view *v, struct node **top, const struct path *path)
{
	int level = (int)path->levels;
	struct node *n = node_find(*top, path, level);

	if (v->tx) {
		v->tx->created -= owned(n, v->client->domid);
	} else {
		/* While the parents can still say who may know. */
		watch_fire_below(v->store, path, v->client);
		watch_fire(v->store, path, n->perms, NULL, v->client);
		account_all(v->store, n, -1);
	}
	node_drop(node_own(top, path, level - 1), path_component(path, path->levels));
}

/* Does it in the view's tree; a transaction remembers it. */
static void change(struct view *v, const struct path *path, uint32_t type, struct blob *value,
		   struct perms *perms)
{
	struct node **top = v->tx ? &v->tx->top : &v->store->top;
	struct change *kept;

	if (v->tx && v->tx->failed) {
		blob_put(value);
		perms_put(perms);
		return;
	}
	if (v->tx) {
		kept = xmalloc(sizeof(*kept) + path->len + 1);
		*kept = (struct change){
			.type = type, .value = blob_get(value), .perms = perms_get(perms)};
		memcpy(kept->path, path->s, path->len + 1);
		TAILQ_INSERT_TAIL(&v->tx->changes, kept, link);
	}
	if (type == XS_WRITE)
		make_and_set(v, top, path, value);
	else if (type == XS_SET_PERMS)
		set_perms(v, top, path, perms);
	else
		remove_all(v, top, path);
}

void view_set_perms(struct view *v, const struct path *path, struct perms *perms)
{
	change(v, path, XS_SET_PERMS, NULL, perms);
}

void view_remove(struct view *v, const struct path *path)
{
	change(v, path, XS_RM, NULL, NULL);
}

static bool too_big(const struct view *v, const struct perms *perms, size_t len, size_t names)
{
	return client_exceeds(v->store, v->client, QUOTA_NODE_SIZE,
			      (int64_t)(24 + perms->nr * 8 + len + names));
}

int view_write(struct view *v, const struct path *path, const void *data, size_t len)
{
	int64_t nodes = client_uses(v->store, v->client, QUOTA_NODES);
	int level = (int)path->levels;
	const struct node *n;

	while (!(n = view_find(v, path, level, 0)) && !v->error && level)
		level--;
	if (v->error)
		return v->error;
	if (!n)
		return EINVAL; /* special, and unknown */
	if (v->tx)
		nodes += v->tx->created;
	if (!v->client->privileged) {
		uint32_t made = path->levels - (uint32_t)level;
		uint32_t name = made ? path_component(path, (uint32_t)level + 1).len + 1u : 0;

		if ((made && client_exceeds(v->store, v->client, QUOTA_NODES, nodes + made)) ||
		    too_big(v, n->perms, len, made ? 0 : node_names(n, NULL)) ||
		    (made && too_big(v, n->perms, blob_len(n->value), node_names(n, NULL) + name)))
			return ENOSPC;
	}
	change(v, path, XS_WRITE, blob_new(data, len), NULL);
	return 0;
}

/* --- The end ------------------------------------------------------------------------------------ */

static bool same_names(const struct node *a, const struct node *b)
{
	if (a->nr != b->nr)
		return false;
	for (uint32_t i = 0; i < a->nr; i++)
		if (a->child[i]->name_len != b->child[i]->name_len ||
		    memcmp(a->child[i]->name, b->child[i]->name, a->child[i]->name_len))
			return false;
	return true;
}

/* What was seen is held, so that another of the same address is the same one. */
static bool still_holds(struct store *store, const struct transaction *tx, const struct access *a)
{
	struct path *path = &store->commit_path;
	const struct node *was, *is;

	path_again(path, a->path);
	was = node_find(tx->before, path, (int)path->levels);
	is = node_find(store->top, path, (int)path->levels);
	if (was == is || !was || !is)
		return was == is;
	return was->perms == is->perms && (!(a->seen & SEEN_VALUE) || was->value == is->value) &&
	       (!(a->seen & SEEN_CHILDREN) || same_names(was, is));
}

int transaction_commit(struct store *store, struct client *c, struct transaction *tx)
{
	struct view v = {.store = store, .client = c};
	const struct access *a;
	struct change *kept;

	if (tx->failed)
		return tx->failed;
	if (tx->before != store->top)
		TAILQ_FOREACH(a, &tx->accesses, link)
	if (!still_holds(store, tx, a))
		return EAGAIN;
	if (tx->created > 0 &&
	    client_exceeds(store, c, QUOTA_NODES, client_uses(store, c, QUOTA_NODES) + tx->created))
		return ENOSPC;
	/* Its trees are not looked at any more: let changes be made in place. */
	node_put(tx->before);
	node_put(tx->top);
	tx->before = tx->top = NULL;
	TAILQ_FOREACH(kept, &tx->changes, link)
	{
		path_again(&store->commit_path, kept->path);
		change(&v, &store->commit_path, kept->type, blob_get(kept->value),
		       perms_get(kept->perms));
	}
	return 0;
}
