/* SPDX-License-Identifier: MIT */
/*
 * The model: the tree of nodes, clients with their watches and transactions, domains with what they use of their quotas. It does no I/O:
 * what goes out leaves through the functions outside_..., and the same requests in the same order give the same state, which is what the
 * journal relies on. Functions return 0 or a positive errno of the protocol.
 *
 * Values and permissions are immutable and counted, so that a transaction that has read a node holds what it saw without a copy.
 */
#pragma once

#include "lib/base/text.h"
#include "xenstored/path.h"
#include "xenstored/wire.h"

/* --- Nodes ---------------------------------------------------------------------------------------- */

/* A value, or permissions: the first one is the owner's and holds what everybody else may do. */
struct blob {
	uint32_t refs, len;
	union {
		char data[0];
		struct perm perm[0];
	};
};

struct node {
	uint32_t refs;
	uint32_t nr;
	struct blob *perms;
	struct blob *value;  /* NULL: empty */
	struct node **child; /* @nr, in the order they were made */
	uint32_t recent;     /* index of the child that was found last; may be stale */
	uint16_t name_len;
	char name[];
};

/* --- Clients ---------------------------------------------------------------------------------------- */

/* Ids below this are domains'; this one is for what nobody asked for; from the next on there is one for each socket. */
#define CLIENT_TOOLS  0x10000
#define CLIENT_SOCKET (CLIENT_TOOLS + 1)

struct watch {
	TAILQ_ENTRY(watch) of_client;
	LIST_ENTRY(watch) of_path;
	struct watched *watched;
	struct client *client;
	int32_t depth;	   /* -1: any */
	uint32_t relative; /* bytes to leave out of paths told to the client */
	char token[];
};

/* All watches of one path. */
struct watched {
	struct named named;
	LIST_HEAD(, watch) watches;
};

struct client {
	TAILQ_ENTRY(client) link;
	uint32_t id;
	uint16_t domid;
	bool privileged, read_only;
	struct domain *domain; /* not NULL of one that is not privileged */
	TAILQ_HEAD(, watch) watches;
	TAILQ_HEAD(, transaction) transactions;
	struct conn *connection; /* of the layer above */
};

/* --- Transactions ------------------------------------------------------------------------------------- */

enum {
	SEEN_VALUE = 1,	   /* besides the node's being there or not, and its permissions */
	SEEN_CHILDREN = 2, /* their names */
};

/* A path that a transaction depends on. */
struct access {
	struct named named;
	unsigned int seen;
};

/* What is to be done at its end: XS_WRITE of a value (also making the node), XS_SET_PERMS or XS_RM. */
struct change {
	TAILQ_ENTRY(change) link;
	uint32_t type;
	struct blob *blob;
	char path[];
};

struct transaction {
	TAILQ_ENTRY(transaction) link;
	struct node *before, *top; /* the tree at its begin, and as it made it */
	struct table accesses;
	TAILQ_HEAD(, change) changes;
	uint32_t id;
	int32_t created; /* nodes, for the quota */
	int failed;	 /* the errno it will end with, or 0 */
};

/* --- Domains and quotas ------------------------------------------------------------------------------ */

enum quota {
	/* What a domain uses at the moment */
	QUOTA_NODES,
	QUOTA_WATCHES,
	QUOTA_TRANSACTIONS,
	QUOTA_OUTSTANDING,
	QUOTA_MEMORY,
	/* Limits of single things */
	QUOTA_TRANSACTION_NODES,
	QUOTA_NODE_SIZE,
	QUOTA_PATH,
	QUOTA_PERMS,
	QUOTA_SOFT_MEMORY, /* who uses more is only told of */
	QUOTA_NR,
	QUOTA_COUNTED = QUOTA_TRANSACTION_NODES,
	QUOTA_HARD = QUOTA_SOFT_MEMORY
};

struct quota_info {
	const char *name, *option, *meaning;
	uint32_t value;
};
extern const struct quota_info quota_info[QUOTA_NR];
/* The first one from @q on that has this name; QUOTA_NR if there is none. */
enum quota quota_named(enum quota q, const char *name);

struct domain {
	/* What the journal keeps of it: */
	uint64_t gfn;
	uint32_t port;	/* the domain's end of the event channel */
	int32_t target; /* the domain it may act for, or -1 */
	uint8_t introduced, shutdown;
	/* and the rest */
	bool told; /* that it uses much memory */
	uint16_t domid;
	TAILQ_ENTRY(domain) link;
	struct client *client;
	int64_t used[QUOTA_NR];
};

/* --- The store ------------------------------------------------------------------------------------------- */

/* The children of a store's @top, behind the root. */
enum { SPECIAL_RELEASE, SPECIAL_INTRODUCE, NR_SPECIAL };

struct store {
	struct node *top; /* above the root and the special nodes; has no name itself */
	struct table watched;
	TAILQ_HEAD(, client) clients;
	struct domain *domain[65536];
	TAILQ_HEAD(, domain) domains; /* the same ones */
	uint32_t quota[QUOTA_NR];     /* 0: no limit */
	uint32_t nr_transactions;
	bool keep_orphans;
	struct path path;	 /* of the request being served */
	struct path commit_path; /* of the entry or node at work below it */
	struct text scratch;
};

/* store.c: makes a store of zeroes an empty one without quotas. */
void store_init(struct store *store);
void store_free(struct store *store);
/* What is wrong with the counts goes to @out; true if nothing is. */
bool store_sound(struct store *store, struct text *out);
struct client *client_new(struct store *store, uint32_t id, uint16_t domid);
void client_free(struct store *store, struct client *c);
/* Ends its watches and transactions. */
void client_reset(struct store *store, struct client *c);
/* The one with that id; a domain's is there or NULL, a socket's is made. */
struct client *client_known(struct store *store, uint32_t id);
/* PERM_READ, PERM_WRITE, PERM_OWNER, as @c has them. */
unsigned int client_may(const struct client *c, const struct blob *perms);
/* Would it, with so many more, or with a single thing of that size? */
bool client_exceeds(const struct store *store, const struct client *c, enum quota what,
		    int64_t more);

/* Domains. domain_know() makes the record if it is new. */
struct domain *domain_know(struct store *store, unsigned int domid);
/* What a domain used changes. Nothing is counted for domain 0, nor for one that is not known, as the owner of a node may be. */
void domain_use(struct store *store, unsigned int domid, enum quota what, int64_t delta);
int domain_introduce(struct store *store, unsigned int domid, uint64_t gfn, uint32_t port);
void domain_shut_down(struct store *store, struct domain *d);
/* It is gone, or released: its connection, the nodes it owns, what others let it do. */
void domain_forget(struct store *store, struct domain *d);

/* tree.c: the tree itself, without permissions, watches or quotas. */
struct blob *blob_new(const void *data, size_t len); /* NULL for no bytes */
struct blob *blob_get(struct blob *b);
void blob_put(struct blob *b);
static inline uint32_t blob_len(const struct blob *b)
{
	return b ? b->len : 0;
}
static inline uint32_t perms_nr(const struct blob *perms)
{
	return perms->len / (uint32_t)sizeof(struct perm);
}
static inline uint16_t node_owner(const struct node *n)
{
	return n->perms->perm[0].domid;
}
void node_put(struct node *n);
/* What is at @path's @level, or NULL. Level -1 is @top. */
struct node *node_find(struct node *top, const struct path *path, int level);
/* The same for what is there, to be changed. */
struct node *node_own(struct node **top, const struct path *path, int level);
/* Changes; what is given becomes the node's. */
struct node *node_add(struct node *parent, struct component name, struct blob *perms);
void node_drop(struct node *parent, struct component name);
/* The names of the children, each with its NUL, if @out is not NULL; returns their length. */
size_t node_names(const struct node *n, struct text *out);
/* All nodes below @top, parents first; @path is @top's to begin with. */
typedef void node_visit(void *arg, const char *path, const struct node *n,
			const struct node *parent);
void node_walk(const struct node *top, struct text *path, node_visit *visit, void *arg);

/* watch.c */
/* Something happened to @path. The right to know is by the permissions it has @now and had @before, either may be NULL. */
void watch_fire(struct store *store, const struct path *path, const struct blob *now,
		const struct blob *before, struct client *cause);
/* All below @path is about to go. */
void watch_fire_below(struct store *store, const struct path *path, struct client *cause);
void watch_fire_special(struct store *store, unsigned int special, unsigned int domid);
/* An event for one watch alone. */
void watch_tell(const struct watch *w, const char *path, uint32_t len, struct client *cause);
struct watch *watch_add(struct store *store, struct client *c, const struct path *path,
			const char *token, int depth);
struct watch *watch_find(struct client *c, const struct path *path, const char *token);
void watch_remove(struct store *store, struct watch *w);

/* transaction.c: the tree as a request sees it: with a transaction, through that. */
struct view {
	struct store *store;
	struct client *client; /* NULL: what happens is nobody's doing */
	struct transaction *tx;
	int error; /* set when a look-up would exceed the transaction's quota */
};
struct transaction *transaction_new(struct client *c, struct store *store);
struct transaction *transaction_find(struct client *c, uint32_t id);
/* Gives up what it holds; it will end with @failed, and what is asked of it meanwhile is answered from the store. */
void transaction_drop(struct transaction *tx, int failed);
void transaction_free(struct store *store, struct client *c, struct transaction *tx);
/* EAGAIN if what it depends on has changed. It stays the caller's to free. */
int transaction_commit(struct store *store, struct client *c, struct transaction *tx);

/* @seen: what the answer depends on. */
struct node *view_find(struct view *v, const struct path *path, int level, unsigned int seen);
/* As the client may: within the quotas. The node need not be there. */
int view_write(struct view *v, const struct path *path, const void *data, size_t len);
/* XS_SET_PERMS or XS_RM, unconditionally, of a node that is there; @perms becomes the node's. */
void view_change(struct view *v, const struct path *path, uint32_t type, struct blob *perms);

/* request.c: serves one message of @c. */
void store_request(struct store *store, struct client *c, const struct message *m);
/* "WRITE" for XS_WRITE, "?" for what there is not. */
const char *request_name(uint32_t type);

/* --- What the layer above gives -------------------------------------------------------------------------- */

/* A message to @to of two parts; @cause: whose request made this event, or NULL. */
void outside_send(struct client *to, const struct xsd_sockmsg *header, const void *a, size_t na,
		  const void *b, size_t nb, struct client *cause);
/* Takes up the connection to a domain; @again: there is one, whose event channel is to be renewed. 0 or an errno. */
int outside_introduce(struct store *store, struct domain *d, bool again);
/* The client's connection ends, if it has one. */
void outside_release(struct client *c);
/* Is there a domain of that number? */
bool outside_exists(unsigned int domid);
/* @m changed the model, or a transaction: all that is needed to change it so again. */
void outside_changed(struct client *c, const struct message *m);
/* A domain not known before is now, or it is in another state without a request. */
void outside_known(struct domain *d);
/* XS_CONTROL. */
int outside_control(struct store *store, const char **word, unsigned int nr, struct text *answer);
