/* SPDX-License-Identifier: MIT */
/*
 * Watches, kept by the path they watch: what happens to a node concerns the watches of each prefix of its path, one look-up a level. Who
 * may read neither the node nor its parent is not told.
 */
#include "xenstored/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell(struct store *store, struct watch *w, const char *path, uint32_t len,
		 struct client *cause)
{
	size_t token = strlen(w->token) + 1, said = len - w->relative + 1;
	struct xsd_sockmsg header = {.type = XS_WATCH_EVENT, .len = (uint32_t)(said + token)};

	if (header.len <= XENSTORE_PAYLOAD_MAX)
		outside_send(w->client, &header, path + w->relative, said, w->token, token, cause);
}

static bool may_know(const struct client *c, const struct perms *now, const struct perms *before,
		     const struct node *parent)
{
	return c->privileged || (before && (client_may(c, before) & PERM_READ)) ||
	       (now && (client_may(c, now) & PERM_READ)) ||
	       (parent && (client_may(c, parent->perms) & PERM_READ));
}

static const struct watched *watched_find(const struct store *store, const struct path *path,
					  uint32_t level)
{
	return (const struct watched *)table_find(&store->watched, path->s, path->prefix[level]);
}

void watch_fire(struct store *store, const struct path *path, const struct perms *now,
		const struct perms *before, struct client *cause)
{
	const struct node *parent;

	if (!store->watched.nr)
		return;
	parent = path->levels ? node_find(store->top, path, (int)path->levels - 1) : NULL;
	for (uint32_t level = 0; level <= path->levels; level++) {
		const struct watched *at = watched_find(store, path, level);
		struct watch *w;

		if (!at)
			continue;
		LIST_FOREACH(w, &at->watches, of_path)
		if ((w->depth < 0 || path->levels - level <= (uint32_t)w->depth) &&
		    may_know(w->client, now, before, parent))
			tell(store, w, path->s, path->len, cause);
	}
}

/* To the watches of exactly that path. */
static void fire_here(struct store *store, const struct watched *here, struct client *cause)
{
	static struct path path;
	const struct node *n, *parent;
	struct watch *w;

	path_again(&path, here->path);
	n = node_find(store->top, &path, (int)path.levels);
	if (!n)
		return;
	parent = node_find(store->top, &path, (int)path.levels - 1);
	LIST_FOREACH(w, &here->watches, of_path)
	if (may_know(w->client, n->perms, NULL, parent))
		tell(store, w, path.s, path.len, cause);
}

void watch_fire_below(struct store *store, const struct path *path, struct client *cause)
{
	const struct named *w;

	if (!node_find(store->top, path, (int)path->levels)->nr)
		return;
	for (size_t i = 0; i < store->watched.size; i++)
		for (w = store->watched.bucket[i]; w; w = w->chain)
			if (w->len > path->len && w->name[path->len] == '/' &&
			    !memcmp(w->name, path->s, path->len))
				fire_here(store, (const struct watched *)w, cause);
}

static void fire_special_at(struct store *store, const char *at, const struct node *rights,
			    const char *event, bool with_depth)
{
	const struct watched *here;
	struct watch *w;

	path_again(&store->commit_path, at);
	here = watched_find(store, &store->commit_path, 0);
	if (!here)
		return;
	LIST_FOREACH(w, &here->watches, of_path)
	if ((w->depth > 0) == with_depth && may_know(w->client, rights->perms, NULL, NULL))
		tell(store, w, event, (uint32_t)strlen(event), NULL);
}

/* Watches of "@x" without depth hear "@x"; those with depth 1, and those of "@x/5", hear "@x/5". */
void watch_fire_special(struct store *store, unsigned int special, unsigned int domid)
{
	const struct node *rights = store->top->child[1 + special];
	char event[48], name[32];

	snprintf(name, sizeof(name), "%.*s", rights->name_len, rights->name);
	snprintf(event, sizeof(event), "%s/%u", name, domid);
	fire_special_at(store, name, rights, name, false);
	fire_special_at(store, name, rights, event, true);
	fire_special_at(store, event, rights, event, false);
	fire_special_at(store, event, rights, event, true);
}

static struct watched *watched_at(struct store *store, const struct path *path)
{
	struct prefix at = path_whole(path);
	struct watched *here = (struct watched *)table_find(&store->watched, path->s, at);

	if (here)
		return here;
	here = xcalloc(1, sizeof(*here) + at.len + 1);
	here->named = (struct named){.hash = at.hash, .name = here->path, .len = at.len};
	memcpy(here->path, path->s, at.len);
	table_add(&store->watched, &here->named);
	return here;
}

static int64_t cost(const struct watch *w)
{
	return (int64_t)(sizeof(*w) + w->watched->named.len + strlen(w->token));
}

static void account(struct store *store, const struct watch *w, int sign)
{
	if (w->client->privileged)
		return;
	domain_use(store, w->client->domid, QUOTA_WATCHES, sign);
	domain_use(store, w->client->domid, QUOTA_MEMORY, sign * cost(w));
}

struct watch *watch_add(struct store *store, struct client *c, const struct path *path,
			const char *token, int depth)
{
	size_t n = strlen(token) + 1;
	struct watch *w = xmalloc(sizeof(*w) + n);

	w->client = c;
	w->depth = depth;
	w->relative = path->relative;
	memcpy(w->token, token, n);
	w->watched = watched_at(store, path);
	LIST_INSERT_HEAD(&w->watched->watches, w, of_path);
	TAILQ_INSERT_TAIL(&c->watches, w, of_client);
	account(store, w, 1);
	return w;
}

struct watch *watch_find(struct client *c, const struct path *path, const char *token)
{
	struct watch *w;

	TAILQ_FOREACH(w, &c->watches, of_client)
	if (w->watched->named.hash == path_whole(path).hash && !strcmp(w->watched->path, path->s) &&
	    !strcmp(w->token, token))
		return w;
	return NULL;
}

void watch_remove(struct store *store, struct watch *w)
{
	account(store, w, -1);
	LIST_REMOVE(w, of_path);
	TAILQ_REMOVE(&w->client->watches, w, of_client);
	if (LIST_EMPTY(&w->watched->watches)) {
		table_remove(&store->watched, &w->watched->named);
		free(w->watched);
	}
	free(w);
}
