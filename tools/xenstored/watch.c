/* SPDX-License-Identifier: MIT */
/*
 * Watches, kept by the path they watch: what happens to a node concerns the watches of each prefix of its path, one look-up a level. Who
 * may read neither the node nor its parent is not told.
 */
#include "xenstored/store.h"

#include <string.h>

void watch_tell(const struct watch *w, const char *path, uint32_t len, struct client *cause)
{
	size_t token = strlen(w->token) + 1, said = len - w->relative + 1;
	struct xsd_sockmsg header = {.type = XS_WATCH_EVENT, .len = (uint32_t)(said + token)};

	if (header.len <= XENSTORE_PAYLOAD_MAX)
		outside_send(w->client, &header, path + w->relative, said, w->token, token, cause);
}

static bool may_know(const struct client *c, const struct blob *now, const struct blob *before,
		     const struct node *parent)
{
	return c->privileged || (before && (client_may(c, before) & PERM_READ)) ||
	       (now && (client_may(c, now) & PERM_READ)) ||
	       (parent && (client_may(c, parent->perms) & PERM_READ));
}

void watch_fire(struct store *store, const struct path *path, const struct blob *now,
		const struct blob *before, struct client *cause)
{
	const struct watched *at;
	const struct node *parent;
	const struct watch *w;

	if (!store->watched.nr)
		return;
	parent = path->levels ? node_find(store->top, path, (int)path->levels - 1) : NULL;
	for (uint32_t level = 0; level <= path->levels; level++) {
		at = table_find(&store->watched, path, level);
		if (!at)
			continue;
		LIST_FOREACH(w, &at->watches, of_path)
		if ((w->depth < 0 || path->levels - level <= (uint32_t)w->depth) &&
		    may_know(w->client, now, before, parent))
			watch_tell(w, path->s, path->len, cause);
	}
}

/* To the watches of exactly that path. */
static void fire_here(struct store *store, const struct watched *here, struct client *cause)
{
	static struct path path;
	const struct node *n, *parent;
	const struct watch *w;

	path_parse(&path, here->named.name, 0);
	n = node_find(store->top, &path, (int)path.levels);
	if (!n)
		return;
	parent = node_find(store->top, &path, (int)path.levels - 1);
	LIST_FOREACH(w, &here->watches, of_path)
	if (may_know(w->client, n->perms, NULL, parent))
		watch_tell(w, path.s, path.len, cause);
}

void watch_fire_below(struct store *store, const struct path *path, struct client *cause)
{
	const struct named *w;

	if (!node_find(store->top, path, (int)path->levels)->nr)
		return;
	LIST_FOREACH(w, &store->watched.all, link)
	if (w->len > path->len && w->name[path->len] == '/' && !memcmp(w->name, path->s, path->len))
		fire_here(store, (const struct watched *)w, cause);
}

/* Watches of "@x" without depth hear "@x"; those with depth 1, and those of "@x/5", hear "@x/5". */
void watch_fire_special(struct store *store, unsigned int special, unsigned int domid)
{
	const struct node *rights = store->top->child[1 + special];
	char name[32], below[48], *const event[2] = {name, below};
	const struct watched *here;
	const struct watch *w;

	snprintf(name, sizeof(name), "%.*s", rights->name_len, rights->name);
	snprintf(below, sizeof(below), "%s/%u", name, domid);
	for (int i = 0; i < 2; i++) {
		path_parse(&store->commit_path, event[i], 0);
		here = table_find(&store->watched, &store->commit_path, 0);
		for (w = here ? LIST_FIRST(&here->watches) : NULL; w; w = LIST_NEXT(w, of_path)) {
			const char *said = event[i || w->depth > 0];

			if (may_know(w->client, rights->perms, NULL, NULL))
				watch_tell(w, said, (uint32_t)strlen(said), NULL);
		}
	}
}

static void account(struct store *store, const struct watch *w, int sign)
{
	domain_use(store, w->client->domid, QUOTA_WATCHES, sign);
	domain_use(store, w->client->domid, QUOTA_MEMORY,
		   sign * (int64_t)(sizeof(*w) + w->watched->named.len + strlen(w->token)));
}

struct watch *watch_add(struct store *store, struct client *c, const struct path *path,
			const char *token, int depth)
{
	struct watched *here = table_find(&store->watched, path, path->levels);
	size_t n = strlen(token) + 1;
	struct watch *w = xmalloc(sizeof(*w) + n);

	w->client = c;
	w->depth = depth;
	w->relative = path->relative;
	memcpy(w->token, token, n);
	w->watched = here ?: table_add(&store->watched, path, path->levels, sizeof(*here));
	LIST_INSERT_HEAD(&w->watched->watches, w, of_path);
	TAILQ_INSERT_TAIL(&c->watches, w, of_client);
	account(store, w, 1);
	return w;
}

struct watch *watch_find(struct client *c, const struct path *path, const char *token)
{
	struct watch *w;

	TAILQ_FOREACH(w, &c->watches, of_client)
	if (w->watched->named.hash == path->prefix[path->levels].hash &&
	    !strcmp(w->watched->named.name, path->s) && !strcmp(w->token, token))
		return w;
	return NULL;
}

void watch_remove(struct store *store, struct watch *w)
{
	account(store, w, -1);
	LIST_REMOVE(w, of_path);
	TAILQ_REMOVE(&w->client->watches, w, of_client);
	if (LIST_EMPTY(&w->watched->watches))
		table_remove(&store->watched, &w->watched->named);
	free(w);
}
