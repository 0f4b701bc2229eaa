/* SPDX-License-Identifier: MIT */
/*
 * Clients and domains, and what they may: permissions, quotas. Quotas bind domains other than 0; what they use is counted for all but
 * domain 0. A domain is known from its introduction, or from the first permission that names it, until it is gone; then nothing in the
 * store belongs to its number any more.
 */
#include "xenstored/store.h"

#include "lib/base/log.h"

#include <string.h>

const struct quota_info quota_info[QUOTA_NR] = {
	[QUOTA_NODES] = {"nodes", "nodes", "Nodes per domain", 1000},
	[QUOTA_WATCHES] = {"watches", "watches", "Watches per domain", 128},
	[QUOTA_TRANSACTIONS] = {"transactions", "transactions", "Transactions per domain", 10},
	[QUOTA_OUTSTANDING] = {"outstanding", "outstanding", "Outstanding requests per domain", 20},
	[QUOTA_MEMORY] = {"memory", "memory", "Total Xenstore memory per domain (error level)",
			  5 * 512 * 1024},
	[QUOTA_SOFT_MEMORY] = {"memory", "memory",
			       "Total Xenstore memory per domain (warning level)", 2 * 1024 * 1024},
	[QUOTA_TRANSACTION_NODES] = {"transaction-nodes", "transaction-nodes",
				     "Max. number of accessed nodes per transaction", 1024},
	[QUOTA_NODE_SIZE] = {"node-size", "size", "Max. size of a node", 2048},
	[QUOTA_PATH] = {"path-max", "path-length", "Max. length of a node path", 2048},
	[QUOTA_PERMS] = {"permissions", "node-permissions", "Max. number of permissions per node",
			 5},
};

enum quota quota_named(enum quota q, const char *name)
{
	while (q < QUOTA_NR && strcmp(quota_info[q].name, name) &&
	       strcmp(quota_info[q].option, name))
		q++;
	return q;
}

static const char *const special_name[NR_SPECIAL] = {"@releaseDomain", "@introduceDomain"};

void store_init(struct store *store)
{
	struct blob *tools = blob_new(&(struct perm){0, 0}, sizeof(struct perm));

	TAILQ_INIT(&store->clients);
	TAILQ_INIT(&store->domains);
	store->top = xcalloc(1, sizeof(*store->top));
	store->top->refs = 1;
	store->top->perms = tools;
	node_add(store->top, (struct component){"", 0}, blob_get(tools));
	for (unsigned int i = 0; i < NR_SPECIAL; i++)
		node_add(store->top,
			 (struct component){special_name[i], (uint16_t)strlen(special_name[i])},
			 blob_get(tools));
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
	c->domain = store->domain[domid];
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
	outside_release(c);
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
	return p.domid == c->domid || p.domid == c->domain->target;
}

unsigned int client_may(const struct client *c, const struct blob *perms)
{
	if (c->privileged || means(c, perms->perm[0]))
		return PERM_READ | PERM_WRITE | PERM_OWNER;
	for (uint32_t i = 1; i < perms_nr(perms); i++)
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
	d->target = -1;
	store->domain[domid] = d;
	TAILQ_INSERT_TAIL(&store->domains, d, link);
	outside_known(d);
	return d;
}

void domain_use(struct store *store, unsigned int domid, enum quota what, int64_t delta)
{
	struct domain *d = store->domain[domid];

	if (!d || !domid)
		return;
	d->used[what] += delta;
	if (what == QUOTA_OUTSTANDING && d->used[what] < 0)
		d->used[what] = 0; /* of an earlier domain of this number */
	if (what != QUOTA_MEMORY || d->told || !store->quota[QUOTA_SOFT_MEMORY] ||
	    d->used[what] <= store->quota[QUOTA_SOFT_MEMORY])
		return;
	d->told = true;
	log_warning("domain %u uses %lld bytes of the store's memory", domid,
		    (long long)d->used[what]);
}

bool client_exceeds(const struct store *store, const struct client *c, enum quota what,
		    int64_t more)
{
	return !c->privileged && store->quota[what] &&
	       more + c->domain->used[what] > store->quota[what];
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
	outside_known(d);
	watch_fire_special(store, SPECIAL_RELEASE, d->domid);
}

/* The same permissions without @domid; its nodes that stay (the root, with keep_orphans) go to domain 0. */
static struct blob *perms_without(const struct blob *old, unsigned int domid)
{
	struct perm kept[XENSTORE_PAYLOAD_MAX / 3 + 1] = {old->perm[0]};
	uint32_t nr = 1;

	if (kept[0].domid == domid)
		kept[0].domid = 0;
	for (uint32_t i = 1; i < perms_nr(old); i++)
		if (old->perm[i].domid != domid)
			kept[nr++] = old->perm[i];
	return blob_new(kept, nr * sizeof(kept[0]));
}

struct leaving {
	struct store *store;
	unsigned int domid;
};

static void leave_node(void *arg, const char *at, const struct node *n, const struct node *parent)
{
	const struct leaving *l = arg;
	struct path *path = &l->store->commit_path;
	struct view v = {.store = l->store};
	uint32_t i = 0;

	while (i < perms_nr(n->perms) && n->perms->perm[i].domid != l->domid)
		i++;
	if (i == perms_nr(n->perms))
		return;
	path_parse(path, at, 0);
	if (!node_find(l->store->top, path, (int)path->levels))
		return; /* it went with its parent */
	if (node_owner(n) == l->domid && n->name_len && !l->store->keep_orphans)
		view_change(&v, path, XS_RM, NULL);
	else
		view_change(&v, path, XS_SET_PERMS, perms_without(n->perms, l->domid));
}

/* On the way through the tree as it is now, which is held meanwhile. */
static void leave_tree(struct store *store, unsigned int domid)
{
	struct leaving l = {store, domid};
	struct node *now = store->top;
	struct text at = {0};

	now->refs++;
	node_walk(now, &at, leave_node, &l);
	node_put(now);
	text_free(&at);
}

void domain_forget(struct store *store, struct domain *d)
{
	unsigned int domid = d->domid;
	bool introduced = d->introduced;
	struct domain *friend;

	if (d->client)
		client_reset(store, d->client); /* it hears nothing of its own end */
	leave_tree(store, domid);
	if (d->client)
		client_free(store, d->client);
	TAILQ_FOREACH(friend, &store->domains, link)
	if (friend->target == (int32_t)domid)
		friend->target = -1;
	store->domain[domid] = NULL;
	TAILQ_REMOVE(&store->domains, d, link);
	free(d);
	if (introduced)
		watch_fire_special(store, SPECIAL_RELEASE, domid);
}

static void count_node(void *arg, const char *path, const struct node *n, const struct node *parent)
{
	int64_t *nodes = arg;

	nodes[node_owner(n)]++;
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
