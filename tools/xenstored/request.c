/* SPDX-License-Identifier: MIT */
/*
 * The requests of the protocol, one function each, in a table. An operation either answers and returns 0, or changes nothing and returns
 * the errno to answer with. What changed the model, or the state of a transaction, is handed on to be remembered.
 */
#include "xenstored/store.h"

#include <xen/xen.h>

#include <string.h>

#define STRINGS_MOST (XENSTORE_PAYLOAD_MAX / 3) /* more than a node can have permissions */

struct request {
	struct store *store;
	struct client *client;
	const struct message *message;
	struct view view;
	/* As the operation's flags say */
	const char **string;
	unsigned int nr;
	unsigned int domid;
	struct domain *domain;
	struct node *node;
	/* The answer: "OK" unless it says something else, which may lie in @out, empty at first */
	struct text *out;
	const void *data;
	size_t len;
	const struct watch *added; /* it hears its first event behind the answer */
};

static int answer(struct request *r, const void *data, size_t len)
{
	r->data = data;
	r->len = len;
	return len > XENSTORE_PAYLOAD_MAX ? E2BIG : 0;
}

static int answer_out(struct request *r)
{
	return answer(r, r->out->data, r->out->len);
}

static int answer_string(struct request *r, const char *s)
{
	return answer(r, s, strlen(s) + 1);
}

/* Who may not touch the nearest parent there is, does not learn whether the node is there. */
static int hide_errno(struct request *r, int errnum, unsigned int need)
{
	const struct path *path = &r->store->path;
	const struct node *n = NULL;

	if (r->client->privileged)
		return errnum;
	for (int level = (int)path->levels - 1; level >= 0 && !n; level--) {
		n = view_find(&r->view, path, level, 0);
		if (r->view.error)
			return r->view.error;
	}
	return n && (client_may(r->client, n->perms) & need) ? errnum : EACCES;
}

/* --- Nodes ----------------------------------------------------------------------------------------- */

static int do_read(struct request *r)
{
	const struct blob *value = r->node->value;

	return answer(r, value ? value->data : "", blob_len(value));
}

static int do_directory(struct request *r)
{
	node_names(r->node, r->out);
	return answer_out(r);
}

/* A generation, another one for another list; as many whole names from the offset on as fit; behind the last one an empty one. */
static int do_directory_part(struct request *r)
{
	enum { FIRST = 17 };
	struct text *names = r->out;
	uint64_t hash = 0;
	long skip;

	if (!str_to_long(r->string[1], 0, INT32_MAX, &skip))
		return EINVAL;
	text_add(names, "0123456789abcdef", FIRST);
	node_names(r->node, names);
	for (size_t i = FIRST; i < names->len; i++)
		hash = (hash ^ (unsigned char)names->data[i]) * 0x9e3779b97f4a7c15ull;
	snprintf(names->data, FIRST, "%016llx", (unsigned long long)hash);
	if ((size_t)skip > names->len - FIRST)
		skip = (long)names->len - FIRST;
	text_add(names, "", 1);
	names->len -= (size_t)skip;
	memmove(names->data + FIRST, names->data + FIRST + skip, names->len - FIRST);
	while (names->len > XENSTORE_PAYLOAD_MAX || names->data[names->len - 1])
		names->len--;
	return answer_out(r);
}

static int do_write(struct request *r)
{
	const struct message *m = r->message;
	const char *data = r->string[0] + strlen(r->string[0]) + 1;

	return view_write(&r->view, &r->store->path, data,
			  (size_t)(m->data + m->header.len - data));
}

static int do_mkdir(struct request *r)
{
	return r->node ? 0 : view_write(&r->view, &r->store->path, NULL, 0);
}

static int do_rm(struct request *r)
{
	const struct path *path = &r->store->path;

	if (!r->node) /* fine if its parent is there */
		return view_find(&r->view, path, (int)path->levels - 1, 0) ? 0 : ENOENT;
	if (!path->levels)
		return EINVAL;
	view_change(&r->view, path, XS_RM, NULL);
	return 0;
}

static int do_get_perms(struct request *r)
{
	const struct blob *perms = r->node->perms;

	for (uint32_t i = 0; i < perms_nr(perms); i++)
		r->out->len += wire_perm_text(perms->perm[i], text_room(r->out, WIRE_PERM_TEXT));
	return answer_out(r);
}

/* Domains that are not there get no rights, so that the next one of that number does not have them. */
static int parse_perms(struct request *r, struct perm *perm, uint32_t *kept)
{
	for (unsigned int i = 1; i < r->nr; i++) {
		struct perm *p = &perm[*kept];

		if (!wire_perm_parse(r->string[i], p))
			return EINVAL;
		if (!p->domid || r->store->domain[p->domid] || outside_exists(p->domid)) {
			if (p->domid)
				domain_know(r->store, p->domid);
			++*kept;
		} else if (i == 1) {
			return ENOENT;
		}
	}
	return 0;
}

static int do_set_perms(struct request *r)
{
	struct perm perm[STRINGS_MOST];
	uint32_t kept = 0;
	int rc;

	if (client_exceeds(r->store, r->client, QUOTA_PERMS, r->nr - 1))
		return ENOSPC;
	rc = parse_perms(r, perm, &kept);
	if (rc)
		return rc;
	if (!r->client->privileged && perm[0].domid != node_owner(r->node))
		return EPERM;
	view_change(&r->view, &r->store->path, XS_SET_PERMS, blob_new(perm, kept * sizeof(*perm)));
	return 0;
}

/* --- Watches ------------------------------------------------------------------------------------------ */

static int do_watch(struct request *r)
{
	long depth = -1;

	if (r->nr == 3 && !str_to_long(r->string[2], 0, INT32_MAX, &depth))
		return EINVAL;
	if (watch_find(r->client, &r->store->path, r->string[1]))
		return EEXIST;
	if (client_exceeds(r->store, r->client, QUOTA_WATCHES, 1))
		return E2BIG;
	r->added = watch_add(r->store, r->client, &r->store->path, r->string[1], (int)depth);
	return 0;
}

static int do_unwatch(struct request *r)
{
	struct watch *w = watch_find(r->client, &r->store->path, r->string[1]);

	if (!w)
		return ENOENT;
	watch_remove(r->store, w);
	return 0;
}

static int do_reset_watches(struct request *r)
{
	client_reset(r->store, r->client);
	return 0;
}

/* --- Transactions --------------------------------------------------------------------------------------- */

static int do_transaction_start(struct request *r)
{
	if (r->view.tx)
		return EBUSY;
	if (client_exceeds(r->store, r->client, QUOTA_TRANSACTIONS, 1))
		return ENOSPC;
	text_printf(r->out, "%u%c", transaction_new(r->client, r->store)->id, '\0');
	return answer_out(r);
}

static int do_transaction_end(struct request *r)
{
	const char *how = r->string[0];
	int rc = 0;

	if (strcmp(how, "T") && strcmp(how, "F"))
		return EINVAL;
	if (!r->view.tx)
		return ENOENT;
	if (*how == 'T')
		rc = transaction_commit(r->store, r->client, r->view.tx);
	transaction_free(r->store, r->client, r->view.tx);
	return rc;
}

/* --- Domains ----------------------------------------------------------------------------------------------- */

static int do_introduce(struct request *r)
{
	long gfn, port;

	if (!r->domid || r->domid >= DOMID_FIRST_RESERVED ||
	    !str_to_long(r->string[2], 1, INT32_MAX, &port) ||
	    !str_to_long(r->string[1], INT64_MIN, INT64_MAX, &gfn))
		return EINVAL;
	return domain_introduce(r->store, r->domid, (uint64_t)gfn, (uint32_t)port);
}

static int do_release(struct request *r)
{
	domain_forget(r->store, r->domain);
	return 0;
}

static int do_resume(struct request *r)
{
	r->domain->shutdown = false;
	return 0;
}

static int do_set_target(struct request *r)
{
	unsigned int target;

	if (!wire_domid(r->string[1], &target))
		return EINVAL;
	if (!r->store->domain[target] || !r->store->domain[target]->introduced)
		return ENOENT;
	r->domain->target = (int32_t)target;
	return 0;
}

static int do_get_domain_path(struct request *r)
{
	text_printf(r->out, "/local/domain/%u%c", r->domid, '\0');
	return answer_out(r);
}

static int do_is_domain_introduced(struct request *r)
{
	bool is = r->domid == DOMID_SELF || (r->domain && r->domain->introduced);

	return answer_string(r, is ? "T" : "F");
}

static int do_control(struct request *r)
{
	int rc = outside_control(r->store, r->string, r->nr, r->out);

	if (rc)
		return rc;
	if (r->out->len > XENSTORE_PAYLOAD_MAX - 1)
		r->out->len = XENSTORE_PAYLOAD_MAX - 1;
	text_add(r->out, "", 1);
	return answer_out(r);
}

/* --- The table ------------------------------------------------------------------------------------------------ */

enum {
	FOR_TOOLS = 1,	   /* privileged clients only */
	NO_TX = 2,	   /* the transaction's id is ignored */
	CHANGES = 4,	   /* to be remembered when it succeeds */
	READ_ONLY_TOO = 8, /* allowed on the read-only socket */
	/* What the payload is: */
	WHOLE = 16,	 /* strings and nothing behind the last NUL */
	DOMID = 32,	 /* the first one is a domain's number */
	INTRODUCED = 64, /* of one that is, and not domain 0 */
	PATH = 128,	 /* the first one is a path */
	NODE = 256,	 /* that of a node */
	SPECIAL = 512,	 /* which may be a special one */
	ABSENT = 1024	 /* and need not be there */
};

#define ASKS   (NODE | WHOLE | READ_ONLY_TOO)
#define MAKES  (NODE | ABSENT | CHANGES)
#define TOOLS  (FOR_TOOLS | NO_TX)
#define DOMAIN (DOMID | INTRODUCED)

static const struct operation {
	const char *name;
	int (*serve)(struct request *r);
	uint16_t flags, least, most; /* strings */
	uint8_t need, seen;	     /* rights; what of the node the answer depends on */
} operations[XS_TYPE_COUNT] = {
	[XS_CONTROL] = {"CONTROL", do_control, TOOLS, 1, 16},
	[XS_DIRECTORY] = {"DIRECTORY", do_directory, ASKS, 1, 1, PERM_READ, SEEN_CHILDREN},
	[XS_READ] = {"READ", do_read, ASKS, 1, 1, PERM_READ, SEEN_VALUE},
	[XS_GET_PERMS] = {"GET_PERMS", do_get_perms, ASKS | SPECIAL, 1, 1, PERM_READ},
	[XS_WATCH] = {"WATCH", do_watch, PATH | NO_TX | CHANGES | READ_ONLY_TOO, 2, 3},
	[XS_UNWATCH] = {"UNWATCH", do_unwatch, PATH | NO_TX | CHANGES | READ_ONLY_TOO, 2, 2},
	[XS_TRANSACTION_START] = {"TRANSACTION_START", do_transaction_start,
				  CHANGES | READ_ONLY_TOO, 0, UINT16_MAX},
	[XS_TRANSACTION_END] = {"TRANSACTION_END", do_transaction_end,
				WHOLE | CHANGES | READ_ONLY_TOO, 1, 1},
	[XS_INTRODUCE] = {"INTRODUCE", do_introduce, DOMID | TOOLS | CHANGES, 3, UINT16_MAX},
	[XS_RELEASE] = {"RELEASE", do_release, WHOLE | DOMAIN | TOOLS | CHANGES, 1, 1},
	[XS_GET_DOMAIN_PATH] = {"GET_DOMAIN_PATH", do_get_domain_path,
				DOMID | WHOLE | READ_ONLY_TOO, 1, 1},
	[XS_WRITE] = {"WRITE", do_write, MAKES, 1, UINT16_MAX, PERM_WRITE},
	[XS_MKDIR] = {"MKDIR", do_mkdir, MAKES | WHOLE, 1, 1, PERM_WRITE},
	[XS_RM] = {"RM", do_rm, MAKES | WHOLE, 1, 1, PERM_WRITE},
	[XS_SET_PERMS] = {"SET_PERMS", do_set_perms, NODE | SPECIAL | CHANGES, 2, STRINGS_MOST,
			  PERM_WRITE | PERM_OWNER},
	[XS_WATCH_EVENT] = {"WATCH_EVENT"},
	[XS_ERROR] = {"ERROR"},
	[XS_IS_DOMAIN_INTRODUCED] = {"IS_DOMAIN_INTRODUCED", do_is_domain_introduced,
				     DOMID | TOOLS | WHOLE | READ_ONLY_TOO, 1, 1},
	[XS_RESUME] = {"RESUME", do_resume, WHOLE | DOMAIN | TOOLS | CHANGES, 1, 1},
	[XS_SET_TARGET] = {"SET_TARGET", do_set_target, DOMAIN | TOOLS | CHANGES, 2, UINT16_MAX},
	[XS_RESET_WATCHES] = {"RESET_WATCHES", do_reset_watches, CHANGES | READ_ONLY_TOO, 0,
			      UINT16_MAX},
	[XS_DIRECTORY_PART] = {"DIRECTORY_PART", do_directory_part, NODE | READ_ONLY_TOO, 2, 2,
			       PERM_READ, SEEN_CHILDREN},
};

static const struct operation *operation_of(uint32_t type)
{
	return type < XS_TYPE_COUNT && operations[type].name ? &operations[type] : NULL;
}

const char *request_name(uint32_t type)
{
	const struct operation *op = operation_of(type);

	return op ? op->name : "?";
}

static int find_domain(struct request *r, const struct operation *op)
{
	if (!wire_domid(r->string[0], &r->domid) || (!r->domid && (op->flags & INTRODUCED)))
		return EINVAL;
	r->domain = r->store->domain[r->domid];
	return (op->flags & INTRODUCED) && !(r->domain && r->domain->introduced) ? ENOENT : 0;
}

/* The node if the client has all rights that are needed. */
static int find_node(struct request *r, const struct operation *op)
{
	const struct path *path = &r->store->path;

	if (path->s[0] == '@' && !(op->flags & SPECIAL))
		return EINVAL;
	r->node = view_find(&r->view, path, (int)path->levels, op->seen);
	if (r->view.error)
		return r->view.error;
	if (r->node && (client_may(r->client, r->node->perms) & op->need) == op->need)
		return 0;
	return hide_errno(r, r->node ? EACCES : ENOENT, op->need);
}

static int parse(struct request *r, const struct operation *op)
{
	const struct message *m = r->message;
	struct path *path = &r->store->path;
	int rc = 0;

	r->nr = wire_strings(m, r->string, STRINGS_MOST);
	if (r->nr < op->least || r->nr > op->most ||
	    ((op->flags & WHOLE) && m->data[m->header.len - 1]))
		return EINVAL;
	if (op->flags & DOMID)
		rc = find_domain(r, op);
	if ((op->flags & (PATH | NODE)) &&
	    (!path_parse(path, r->string[0], r->client->domid) ||
	     (!r->client->privileged &&
	      client_exceeds(r->store, r->client, QUOTA_PATH, path_counted(path)))))
		return EINVAL;
	if (op->flags & NODE)
		rc = find_node(r, op);
	return rc == ENOENT && (op->flags & ABSENT) ? 0 : rc;
}

static int serve(struct request *r, const struct operation *op)
{
	uint32_t id = r->message->header.tx_id;
	int rc;

	if (!op || !op->serve)
		return ENOSYS;
	if ((op->flags & FOR_TOOLS) && !r->client->privileged)
		return EACCES;
	if (r->client->read_only && !(op->flags & READ_ONLY_TOO))
		return EROFS;
	if (id && !(op->flags & NO_TX)) {
		r->view.tx = transaction_find(r->client, id);
		if (!r->view.tx)
			return ENOENT;
	}
	rc = parse(r, op);
	return rc ? rc : op->serve(r);
}

void store_request(struct store *store, struct client *c, const struct message *m)
{
	static const char *string[STRINGS_MOST];
	const struct operation *op = operation_of(m->header.type);
	struct request r = {.store = store,
			    .client = c,
			    .message = m,
			    .view = {.store = store, .client = c},
			    .string = string,
			    .out = &store->scratch,
			    .data = "OK",
			    .len = 3};
	struct xsd_sockmsg header = m->header;
	int rc;

	store->scratch.len = 0;
	rc = serve(&r, op);
	if (r.view.tx || (!rc && (op->flags & CHANGES)))
		outside_changed(c, m);
	if (rc) {
		header.type = XS_ERROR;
		answer_string(&r, wire_error_name(rc));
	}
	header.len = (uint32_t)r.len;
	outside_send(c, &header, r.data, r.len, NULL, 0, NULL);
	/* Once at the beginning: the client need not look for itself. */
	if (r.added)
		watch_tell(r.added, store->path.s, store->path.len, NULL);
}
