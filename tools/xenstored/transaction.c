/* SPDX-License-Identifier: MIT */
/*
 * Requests on the tree, with and without a transaction. A transaction holds the tree as it was at its begin and a second one with what it
 * changed. At its end, what it has seen must be the same in the tree of that moment, or all is dropped and the answer is EAGAIN; then its
 * changes are done again there, one by one. Two that see or change different nodes never disturb each other, even below the same parent.
 */
#include "xenstored/store.h"

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

	TAILQ_INIT(&tx->changes);
	for (tx->id = 1; transaction_find(c, tx->id); tx->id++)
		;
	tx->before = tx->top = store->top;
	store->top->refs += 2;
	TAILQ_INSERT_TAIL(&c->transactions, tx, link);
	store->nr_transactions++;
	domain_use(store, c->domid, QUOTA_TRANSACTIONS, 1);
	return tx;
}

void transaction_drop(struct transaction *tx, int failed)
{
	struct change *kept;

	while ((kept = TAILQ_FIRST(&tx->changes))) {
		TAILQ_REMOVE(&tx->changes, kept, link);
		blob_put(kept->blob);
		free(kept);
	}
	table_free(&tx->accesses);
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
	domain_use(store, c->domid, QUOTA_TRANSACTIONS, -1);
	free(tx);
}

/* --- Changes ------------------------------------------------------------------------------------- */

struct node *view_find(struct view *v, const struct path *path, int level, unsigned int seen)
{
	struct transaction *tx = v->tx;
	struct access *a;

	if (!tx || tx->failed)
		return node_find(v->store->top, path, level);
	/* The transaction depends on it. */
	a = table_find(&tx->accesses, path, (uint32_t)level);
	if (!a && client_exceeds(v->store, v->client, QUOTA_TRANSACTION_NODES,
				 (int64_t)tx->accesses.nr + 1)) {
		v->error = ENOSPC;
		transaction_drop(tx, ENOMEM);
		return NULL;
	}
	if (!a)
		a = table_add(&tx->accesses, path, (uint32_t)level, sizeof(*a));
	a->seen |= seen;
	return node_find(tx->top, path, level);
}

/* The owner pays, if @store counts at all. */
static void account(struct store *store, const struct node *n, int sign)
{
	if (!store)
		return;
	domain_use(store, node_owner(n), QUOTA_NODES, sign);
	domain_use(store, node_owner(n), QUOTA_MEMORY,
		   sign * (int64_t)(sizeof(*n) + n->name_len + blob_len(n->value)));
}

static void account_all(struct store *store, const struct node *n, int sign)
{
	account(store, n, sign);
	for (uint32_t i = 0; i < n->nr; i++)
		account_all(store, n->child[i], sign);
}

/* Made below @parent: its permissions, but a domain owns what it makes. */
static struct blob *inherit(const struct client *c, struct blob *parent)
{
	struct blob *own;

	if (c->privileged || parent->perm[0].domid == c->domid)
		return blob_get(parent);
	own = blob_new(parent->data, parent->len);
	own->perm[0].domid = c->domid;
	return own;
}

/* The node, with those above it that are not there. */
static struct node *make(struct view *v, struct node **top, const struct path *path)
{
	int level = (int)path->levels;
	struct node *n;

	while (!node_find(*top, path, level))
		level--;
	n = node_own(top, path, level);
	while (level++ < (int)path->levels) {
		n = node_add(n, path_component(path, (uint32_t)level),
			     inherit(v->client, n->perms));
		if (v->tx)
			v->tx->created++;
		else
			account(v->store, n, 1);
	}
	return n;
}

static int32_t owned(const struct node *n, uint16_t domid)
{
	int32_t nr = node_owner(n) == domid;

	for (uint32_t i = 0; i < n->nr; i++)
		nr += owned(n->child[i], domid);
	return nr;
}

static void set(struct view *v, struct node **top, const struct path *path, uint32_t type,
		struct blob *blob)
{
	struct store *counts = v->tx ? NULL : v->store;
	struct node *n =
		type == XS_WRITE ? make(v, top, path) : node_own(top, path, (int)path->levels);
	struct blob *before = blob_get(n->perms), **at = type == XS_WRITE ? &n->value : &n->perms;

	account(counts, n, -1);
	blob_put(*at);
	*at = blob;
	account(counts, n, 1);
	if (counts)
		watch_fire(v->store, path, n->perms, before, v->client);
	blob_put(before);
}

static void remove_all(struct view *v, struct node **top, const struct path *path)
{
	struct node *n = node_find(*top, path, (int)path->levels);

	if (v->tx) {
		v->tx->created -= owned(n, v->client->domid);
	} else {
		/* While the parents can still say who may know. */
		watch_fire_below(v->store, path, v->client);
		watch_fire(v->store, path, n->perms, NULL, v->client);
		account_all(v->store, n, -1);
	}
	node_drop(node_own(top, path, (int)path->levels - 1), path_component(path, path->levels));
}

/* Does it in the view's tree; a transaction remembers it. */
void view_change(struct view *v, const struct path *path, uint32_t type, struct blob *blob)
{
	struct node **top = v->tx ? &v->tx->top : &v->store->top;
	struct change *kept;

	if (v->tx && v->tx->failed) {
		blob_put(blob);
		return;
	}
	if (v->tx) {
		kept = xmalloc(sizeof(*kept) + path->len + 1);
		kept->type = type;
		kept->blob = blob_get(blob);
		memcpy(kept->path, path->s, path->len + 1);
		TAILQ_INSERT_TAIL(&v->tx->changes, kept, link);
	}
	if (type == XS_RM)
		remove_all(v, top, path);
	else
		set(v, top, path, type, blob);
}

static bool too_big(const struct view *v, const struct blob *perms, size_t len, size_t names)
{
	return client_exceeds(v->store, v->client, QUOTA_NODE_SIZE,
			      (int64_t)(24 + perms_nr(perms) * 8 + len + names));
}

int view_write(struct view *v, const struct path *path, const void *data, size_t len)
{
	int level = (int)path->levels;
	const struct node *n;
	uint32_t made, name;

	while (!(n = view_find(v, path, level, 0)) && !v->error && level)
		level--;
	if (v->error)
		return v->error;
	if (!n)
		return EINVAL; /* special, and unknown */
	made = path->levels - (uint32_t)level;
	if (!v->client->privileged && !made && too_big(v, n->perms, len, node_names(n, NULL)))
		return ENOSPC;
	if (!v->client->privileged && made) {
		name = path_component(path, (uint32_t)level + 1).len + 1u;
		if (client_exceeds(v->store, v->client, QUOTA_NODES,
				   (v->tx ? v->tx->created : 0) + (int64_t)made) ||
		    too_big(v, n->perms, len, 0) ||
		    too_big(v, n->perms, blob_len(n->value), node_names(n, NULL) + name))
			return ENOSPC;
	}
	view_change(v, path, XS_WRITE, blob_new(data, len));
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

	path_parse(path, a->named.name, 0);
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
	const struct named *a;
	const struct change *kept;

	if (tx->failed)
		return tx->failed;
	if (tx->before != store->top)
		LIST_FOREACH(a, &tx->accesses.all, link)
	if (!still_holds(store, tx, (const struct access *)a))
		return EAGAIN;
	if (tx->created > 0 && client_exceeds(store, c, QUOTA_NODES, tx->created))
		return ENOSPC;
	/* Its trees are not looked at any more: let changes be made in place. */
	node_put(tx->before);
	node_put(tx->top);
	tx->before = tx->top = NULL;
	TAILQ_FOREACH(kept, &tx->changes, link)
	{
		path_parse(&store->commit_path, kept->path, 0);
		view_change(&v, &store->commit_path, kept->type, blob_get(kept->blob));
	}
	return 0;
}
