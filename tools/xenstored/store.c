/* SPDX-License-Identifier: MIT */
/*
 * Clients and domains, and what they may: permissions, quotas. Quotas bind domains other than 0; what they use is counted for all but
 * domain 0. A domain is known from its introduction, or from the first permission that names it, until it is gone; then nothing in the
 * store belongs to its number any more.
 */
#include "xenstored/store.h"

#include <stdlib.h>
#include <string.h>

const struct quota_info quota_info[QUOTA_NR] = {
	[QUOTA_NODES] = {"nodes", "nodes", "Nodes per domain", 1000},
	[QUOTA_WATCHES] = {"watches", "watches", "Watches per domain", 128},
	[QUOTA_TRANSACTIONS] = {"transactions", "transactions", "Transactions per domain", 10},
	[QUOTA_OUTSTANDING] = {"outstanding", "outstanding", "Outstanding requests per domain", 20},
	[QUOTA_MEMORY] = {"memory", "memory", "Total Xenstore memory per domain (error level)",
			  5 * 512 * 1024},
	[QUOTA_TRANSACTION_NODES] = {"transaction-nodes", "transaction-nodes",
				     "Max. number of accessed nodes per transaction", 1024},
	[QUOTA_NODE_SIZE] = {"node-size", "size", "Max. size of a node", 2048},
	[QUOTA_PATH] = {"path-max", "path-length", "Max. length of a node path", 2048},
	[QUOTA_PERMS] = {"permissions", "node-permissions", "Max. number of permissions per node",
			 5},
};

enum quota quota_named(const char *name)
{
	unsigned int q = 0;

	while (q < QUOTA_NR && strcmp(quota_info[q].name, name) &&
	       strcmp(quota_info[q].option, name))
		q++;
	return q;
}

static const char *const special_name[NR_SPECIAL] = {"@releaseDomain", "@introduceDomain"};

void store_init(struct store *store)
{
	struct perms *tools = perms_new(&(struct perm){0, 0}, 1);

	store->quota_soft_memory = 2 * 1024 * 1024;
	TAILQ_INIT(&store->clients);
	TAILQ_INIT(&store->domains);
	for (unsigned int q = 0; q < QUOTA_NR; q++)
		store->quota[q] = quota_info[q].value;
	store->top = xcalloc(1, sizeof(*store->top));
	store->top->refs = 1;
	store->top->perms = tools;
	node_add(store->top, (struct component){"", 0}, perms_get(tools), NULL);
	for (unsigned int i = 0; i < NR_SPECIAL; i++)
		node_add(store->top,
			 (struct component){special_name[i], (uint16_t)strlen(special_name[i])},
			 perms_get(tools), NULL);
}

void store_free(struct store *store)
{
	struct client *c;
	struct domain *d;

	while ((c = TAILQ_FIRST(&store->clients)))
		client_free(store, c);
	while ((d = TAILQ_FIRST(&store->domains))) {
		TAILQ_REMOVE(&store->domains, d, link);
		free(d);
	}
	node_put(store->top);
	table_free(&store->watched);
	text_free(&store->scratch);
	memset(store, 0, sizeof(*store));
}

struct client *client_new(struct store *store, uint32_t id, uint16_t domid)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->id = id;
	c->domid = domid;
	c->privileged = !domid;
	c->target = -1;
	TAILQ_INIT(&c->watches);
	TAILQ_INIT(&c->transactions);
	TAILQ_INSERT_TAIL(&store->clients, c, link);
	return c;
}

void client_reset(struct store *store, struct client *c)
{
	struct transaction *tx;
	struct watch *w;

	while ((w = TAILQ_FIRST(&c->watches)))
		watch_remove(store, w);
	while ((tx = TAILQ_FIRST(&c->transactions)))
		transaction_free(store, c, tx);
}

void client_free(struct store *store, struct client *c)
{
	client_reset(store, c);
	TAILQ_REMOVE(&store->clients, c, link);
	free(c);
}

struct client *client_known(struct store *store, uint32_t id)
{
	struct client *c;

	if (id < CLIENT_TOOLS)
		return store->domain[id] ? store->domain[id]->client : NULL;
	TAILQ_FOREACH(c, &store->clients, link)
	if (c->id == id)
		return c;
	return client_new(store, id, 0);
}

static bool means(const struct client *c, struct perm p)
{
	return p.domid == c->domid || p.domid == c->target;
}

unsigned int client_may(const struct client *c, const struct perms *perms)
{
	if (c->privileged || means(c, perms->perm[0]))
		return PERM_READ | PERM_WRITE | PERM_OWNER;
	for (uint32_t i = 1; i < perms->nr; i++)
		if (means(c, perms->perm[i]))
			return perms->perm[i].bits;
	return perms->perm[0].bits;
}

/* --- Domains and quotas ------------------------------------------------------------------------ */

struct domain *domain_know(struct store *store, unsigned int domid)
{
	struct domain *d = store->domain[domid];

	if (d)
		return d;
	d = xcalloc(1, sizeof(*d));
	d->domid = (uint16_t)domid;
	store->domain[domid] = d;
	TAILQ_INSERT_TAIL(&store->domains, d, link);
	outside_known(d);
	return d;
}

void domain_use(struct store *store, unsigned int domid, enum quota what, int64_t delta)
{
	struct domain *d = store->domain[domid];

	if (!d)
		return;
	d->used[what] += delta;
	if (what == QUOTA_OUTSTANDING && d->used[what] < 0)
		d->used[what] = 0; /* of an earlier domain of this number */
}

int64_t client_uses(const struct store *store, const struct client *c, enum quota what)
{
	return store->domain[c->domid] ? store->domain[c->domid]->used[what] : 0;
}

bool client_exceeds(const struct store *store, const struct client *c, enum quota what,
		    int64_t value)
{
	return !c->privileged && store->quota[what] && value > store->quota[what];
}

int domain_introduce(struct store *store, unsigned int domid, uint64_t gfn, uint32_t port)
{
	struct domain *d = domain_know(store, domid);
	bool again = d->introduced;
	int rc;

	d->gfn = gfn;
	d->port = port;
	if (!d->client)
		d->client = client_new(store, domid, (uint16_t)domid);
	rc = outside_introduce(store, d, again);
	if (rc && !again) {
		client_free(store, d->client);
		d->client = NULL;
	}
	if (rc)
		return rc;
	d->introduced = true;
	d->shutdown = false;
	client_reset(store, d->client);
	if (!again && domid)
		watch_fire_special(store, SPECIAL_INTRODUCE, domid);
	return 0;
}

void domain_shut_down(struct store *store, struct domain *d)
{
	d->shutdown = true;
	watch_fire_special(store, SPECIAL_RELEASE, d->domid);
}

/* The same permissions without @domid; its nodes that stay (the root, with keep_orphans) go to domain 0. */
static struct perms *perms_without(const struct perms *old, unsigned int domid)
{
	struct perm kept[XENSTORE_PAYLOAD_MAX / 3 + 1] = {old->perm[0]};
	uint32_t nr = 1;

	if (kept[0].domid == domid)
		kept[0].domid = 0;
	for (uint32_t i = 1; i < old->nr; i++)
		if (old->perm[i].domid != domid)
			kept[nr++] = old->perm[i];
	return perms_new(kept, nr);
}

static bool names_domain(const struct perms *p, unsigned int domid)
{
	for (uint32_t i = 0; i < p->nr; i++)
		if (p->perm[i].domid == domid)
			return true;
	return false;
}

struct leaving {
	unsigned int domid;
	bool keep_orphans;
	struct text gone, other; /* paths, each with its NUL: nodes it owns, and such as name it */
};

static void leave_node(void *arg, const char *path, const struct node *n, const struct node *parent)
{
	struct leaving *l = arg;
	bool orphan = n->perms->perm[0].domid == l->domid && n->name_len && !l->keep_orphans;

	if (names_domain(n->perms, l->domid))
		text_add(orphan ? &l->gone : &l->other, path, strlen(path) + 1);
}

static void leave_tree(struct store *store, unsigned int domid)
{
	struct leaving l = {domid, store->keep_orphans, {0}, {0}};
	struct path *path = &store->commit_path;
	struct view v = {.store = store};
	struct text at = {0};
	const struct node *n;

	node_walk(store->top, &at, leave_node, &l);
	for (const char *s = l.gone.data; s && s < l.gone.data + l.gone.len; s += strlen(s) + 1) {
		path_again(path, s);
		if (node_find(store->top, path,
			      (int)path->levels)) /* else it went with its parent */
			view_remove(&v, path);
	}
	for (const char *s = l.other.data; s && s < l.other.data + l.other.len;
	     s += strlen(s) + 1) {
		path_again(path, s);
		n = node_find(store->top, path, (int)path->levels);
		if (n)
			view_set_perms(&v, path, perms_without(n->perms, domid));
	}
	text_free(&at);
	text_free(&l.gone);
	text_free(&l.other);
}

void domain_forget(struct store *store, struct domain *d)
{
	unsigned int domid = d->domid;
	bool introduced = d->introduced;
	struct client *c;

	if (d->client)
		client_reset(store, d->client); /* it hears nothing of its own end */
	leave_tree(store, domid);
	if (introduced)
		outside_release(store, d);
	if (d->client)
		client_free(store, d->client);
	TAILQ_FOREACH(c, &store->clients, link)
	if (c->target == (int32_t)domid)
		c->target = -1;
	store->domain[domid] = NULL;
	TAILQ_REMOVE(&store->domains, d, link);
	free(d);
	if (introduced)
		watch_fire_special(store, SPECIAL_RELEASE, domid);
}

static void count_node(void *arg, const char *path, const struct node *n, const struct node *parent)
{
	int64_t *nodes = arg;

	nodes[n->perms->perm[0].domid]++;
}

bool store_sound(struct store *store, struct text *out)
{
	static int64_t nodes[65536];
	size_t before = out->len;
	struct text path = {0};
	struct domain *d;

	memset(nodes, 0, sizeof(nodes));
	node_walk(store->top, &path, count_node, nodes);
	text_free(&path);
	TAILQ_FOREACH(d, &store->domains, link)
	if (d->domid && d->used[QUOTA_NODES] != nodes[d->domid])
		text_printf(out, "domain %u owns %lld nodes and is charged for %lld\n", d->domid,
			    (long long)nodes[d->domid], (long long)d->used[QUOTA_NODES]);
	return out->len == before;
}
