/* SPDX-License-Identifier: MIT */
/*
 * The requests of the protocol, one function each, in a table. An operation either answers and returns 0, or changes nothing and returns
 * the errno to answer with. What changed the model, or the state of a transaction, is handed on to be remembered.
 */
#include "xenstored/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
	struct store *store;
	struct client *client;
	const struct message *message;
	struct view view;
};

static void answer(const struct request *r, uint32_t type, const void *a, size_t na, const void *b,
		   size_t nb)
{
	struct xsd_sockmsg header = r->message->header;

	header.type = type;
	header.len = (uint32_t)(na + nb);
	outside_send(r->client, &header, a, na, b, nb, NULL);
}

static void answer_error(const struct request *r, int errnum)
{
	const char *name = wire_error_name(errnum);

	answer(r, XS_ERROR, name, strlen(name) + 1, NULL, 0);
}

static int answer_data(const struct request *r, const void *data, size_t len)
{
	if (len > XENSTORE_PAYLOAD_MAX)
		return E2BIG;
	answer(r, r->message->header.type, data, len, NULL, 0);
	return 0;
}

static int answer_string(const struct request *r, const char *s)
{
	return answer_data(r, s, strlen(s) + 1);
}

static int answer_ok(const struct request *r)
{
	return answer_data(r, "OK", 3);
}

static int parse_path(struct request *r, const char *s, bool special_too)
{
	struct path *path = &r->store->path;

	if (!s || !path_parse(path, s, r->client->domid, special_too))
		return EINVAL;
	if (!r->client->privileged &&
	    client_exceeds(r->store, r->client, QUOTA_PATH, path_counted(path)))
		return EINVAL;
	return 0;
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

/* The node at @s if the client has all rights of @need; the answer depends on what of it is @seen. */
static int get(struct request *r, const char *s, unsigned int need, unsigned int seen,
	       struct node **n)
{
	const struct path *path = &r->store->path;
	int rc = parse_path(r, s, true);

	if (rc)
		return rc;
	*n = view_find(&r->view, path, (int)path->levels, seen);
	if (r->view.error)
		return r->view.error;
	if (!*n)
		return hide_errno(r, ENOENT, need);
	if ((client_may(r->client, (*n)->perms) & need) != need)
		return hide_errno(r, EACCES, need);
	return 0;
}

/* The same where special nodes are none. */
static int get_plain(struct request *r, const char *s, unsigned int need, unsigned int seen,
		     struct node **n)
{
	return s && *s == '@' ? EINVAL : get(r, s, need, seen, n);
}

/* --- Nodes ----------------------------------------------------------------------------------------- */

static int do_read(struct request *r)
{
	struct node *n;
	int rc = get_plain(r, wire_only_string(r->message), PERM_READ, SEEN_VALUE, &n);

	return rc ? rc : answer_data(r, blob_data(n->value), blob_len(n->value));
}

static int do_directory(struct request *r)
{
	struct text *names = &r->store->scratch;
	struct node *n;
	int rc = get_plain(r, wire_only_string(r->message), PERM_READ, SEEN_CHILDREN, &n);

	if (rc)
		return rc;
	names->len = 0;
	node_names(n, names);
	return answer_data(r, names->data, names->len);
}

/* Another one for another list of names. */
static size_t listing_generation(const struct text *names, char *text, size_t size)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < names->len; i++)
		hash = (hash ^ (unsigned char)names->data[i]) * 0x9e3779b97f4a7c15ull;
	return (size_t)snprintf(text, size, "%llu", (unsigned long long)hash) + 1;
}

/* As many whole names from the offset on as fit; behind the last one an empty one. */
static int do_directory_part(struct request *r)
{
	struct text *names = &r->store->scratch;
	size_t offset, len, generation_len;
	const char *string[2];
	char generation[24];
	struct node *n;
	long value;
	int rc;

	if (wire_strings(r->message, string, 2) != 2)
		return EINVAL;
	rc = get_plain(r, string[0], PERM_READ, SEEN_CHILDREN, &n);
	if (rc)
		return rc;
	if (!str_to_long(string[1], 0, INT32_MAX, &value))
		return EINVAL;
	names->len = 0;
	node_names(n, names);
	generation_len = listing_generation(names, generation, sizeof(generation));
	text_add(names, "", 1);
	offset = (size_t)value < names->len - 1 ? (size_t)value : names->len - 1;
	len = names->len - offset;
	if (len > XENSTORE_PAYLOAD_MAX - generation_len) {
		len = XENSTORE_PAYLOAD_MAX - generation_len;
		while (len && names->data[offset + len - 1])
			len--;
	}
	answer(r, XS_DIRECTORY_PART, generation, generation_len, names->data + offset, len);
	return 0;
}

/* A node that is there or can be made. */
static int write_node(struct request *r, const char *s, const char *data, size_t len)
{
	struct node *n;
	int rc = get_plain(r, s, PERM_WRITE, 0, &n);

	if (!rc && !data)
		return answer_ok(r);
	if (!rc || rc == ENOENT)
		rc = view_write(&r->view, &r->store->path, data, len);
	return rc ? rc : answer_ok(r);
}

static int do_write(struct request *r)
{
	const struct message *m = r->message;
	const char *string[1], *data;

	if (!wire_strings(m, string, 1))
		return EINVAL;
	data = string[0] + strlen(string[0]) + 1;
	return write_node(r, string[0], data, (size_t)(m->data + m->header.len - data));
}

static int do_mkdir(struct request *r)
{
	return write_node(r, wire_only_string(r->message), NULL, 0);
}

static int do_rm(struct request *r)
{
	const struct path *path = &r->store->path;
	struct node *n;
	int rc = get_plain(r, wire_only_string(r->message), PERM_WRITE, 0, &n);

	if (rc == ENOENT) /* fine if its parent is there */
		return view_find(&r->view, path, (int)path->levels - 1, 0) ? answer_ok(r) : ENOENT;
	if (rc)
		return rc;
	if (!path->levels)
		return EINVAL;
	view_remove(&r->view, path);
	return answer_ok(r);
}

static int do_get_perms(struct request *r)
{
	struct text *out = &r->store->scratch;
	struct node *n;
	int rc = get(r, wire_only_string(r->message), PERM_READ, 0, &n);

	if (rc)
		return rc;
	out->len = 0;
	for (uint32_t i = 0; i < n->perms->nr; i++)
		out->len += wire_perm_text(n->perms->perm[i], text_room(out, WIRE_PERM_TEXT));
	return answer_data(r, out->data, out->len);
}

/* Domains that are not there get no rights, so that the next one of that number does not have them. */
static int parse_perms(struct request *r, const char **string, unsigned int nr,
		       struct perms **perms)
{
	struct perm perm[XENSTORE_PAYLOAD_MAX / 3];
	uint32_t kept = 0;

	for (unsigned int i = 0; i < nr; i++) {
		struct perm *p = &perm[kept];

		if (!wire_perm_parse(string[i], p))
			return EINVAL;
		if (!p->domid || r->store->domain[p->domid] || outside_exists(p->domid))
			kept++;
		else if (!i)
			return ENOENT;
		if (p->domid && kept && p == &perm[kept - 1])
			domain_know(r->store, p->domid);
	}
	*perms = perms_new(perm, kept);
	return 0;
}

static int do_set_perms(struct request *r)
{
	const char *string[XENSTORE_PAYLOAD_MAX / 3];
	unsigned int nr = wire_strings(r->message, string, XENSTORE_PAYLOAD_MAX / 3);
	struct perms *perms;
	struct node *n;
	int rc;

	if (nr < 2 || nr > XENSTORE_PAYLOAD_MAX / 3)
		return EINVAL;
	if (client_exceeds(r->store, r->client, QUOTA_PERMS, nr - 1))
		return ENOSPC;
	rc = get(r, string[0], PERM_WRITE | PERM_OWNER, 0, &n);
	if (!rc)
		rc = parse_perms(r, string + 1, nr - 1, &perms);
	if (rc)
		return rc;
	if (!r->client->privileged && perms->perm[0].domid != n->perms->perm[0].domid) {
		perms_put(perms);
		return EPERM;
	}
	view_set_perms(&r->view, &r->store->path, perms);
	return answer_ok(r);
}

/* --- Watches ------------------------------------------------------------------------------------------ */

static int do_watch(struct request *r)
{
	struct path *path = &r->store->path;
	const char *string[3];
	unsigned int nr = wire_strings(r->message, string, 3);
	struct xsd_sockmsg header = {.type = XS_WATCH_EVENT};
	long depth = -1;
	int rc;

	if (nr < 2 || nr > 3 || (nr == 3 && !str_to_long(string[2], 0, INT32_MAX, &depth)))
		return EINVAL;
	rc = parse_path(r, string[0], true);
	if (rc)
		return rc;
	if (watch_find(r->client, path, string[1]))
		return EEXIST;
	if (client_exceeds(r->store, r->client, QUOTA_WATCHES,
			   client_uses(r->store, r->client, QUOTA_WATCHES) + 1))
		return E2BIG;
	watch_add(r->store, r->client, path, string[1], (int)depth);
	answer_ok(r);
	/* Once at the beginning: the client need not look for itself. */
	header.len = (uint32_t)(strlen(string[0]) + strlen(string[1]) + 2);
	outside_send(r->client, &header, string[0], strlen(string[0]) + 1, string[1],
		     strlen(string[1]) + 1, NULL);
	return 0;
}

static int do_unwatch(struct request *r)
{
	const char *string[2];
	struct watch *w;
	int rc;

	if (wire_strings(r->message, string, 2) != 2)
		return EINVAL;
	rc = parse_path(r, string[0], true);
	if (rc)
		return rc;
	w = watch_find(r->client, &r->store->path, string[1]);
	if (!w)
		return ENOENT;
	watch_remove(r->store, w);
	return answer_ok(r);
}

static int do_reset_watches(struct request *r)
{
	client_reset(r->store, r->client);
	return answer_ok(r);
}

/* --- Transactions --------------------------------------------------------------------------------------- */

static int do_transaction_start(struct request *r)
{
	char id[16];

	if (r->view.tx)
		return EBUSY;
	if (client_exceeds(r->store, r->client, QUOTA_TRANSACTIONS,
			   client_uses(r->store, r->client, QUOTA_TRANSACTIONS) + 1))
		return ENOSPC;
	snprintf(id, sizeof(id), "%u", transaction_new(r->client, r->store)->id);
	return answer_string(r, id);
}

static int do_transaction_end(struct request *r)
{
	const char *how = wire_only_string(r->message);
	int rc = 0;

	if (!how || (strcmp(how, "T") && strcmp(how, "F")))
		return EINVAL;
	if (!r->view.tx)
		return ENOENT;
	if (*how == 'T')
		rc = transaction_commit(r->store, r->client, r->view.tx);
	transaction_free(r->store, r->client, r->view.tx);
	r->view.tx = NULL;
	return rc ? rc : answer_ok(r);
}

/* --- Domains ----------------------------------------------------------------------------------------------- */

static int do_introduce(struct request *r)
{
	const char *string[3];
	unsigned int domid;
	long gfn, port;
	int rc;

	if (wire_strings(r->message, string, 3) < 3 || !wire_domid(string[0], &domid))
		return EINVAL;
	if (!domid || domid >= 0x7ff0 || !str_to_long(string[2], 1, INT32_MAX, &port) ||
	    !str_to_long(string[1], INT64_MIN, INT64_MAX, &gfn))
		return EINVAL;
	rc = domain_introduce(r->store, domid, (uint64_t)gfn, (uint32_t)port);
	return rc ? rc : answer_ok(r);
}

/* The introduced domain named by the only argument. */
static int get_domain(struct request *r, struct domain **d)
{
	const char *s = wire_only_string(r->message);
	unsigned int domid;

	if (!s || !wire_domid(s, &domid) || !domid)
		return EINVAL;
	*d = r->store->domain[domid];
	return *d && (*d)->introduced ? 0 : ENOENT;
}

static int do_release(struct request *r)
{
	struct domain *d;
	int rc = get_domain(r, &d);

	if (rc)
		return rc;
	domain_forget(r->store, d);
	return answer_ok(r);
}

static int do_resume(struct request *r)
{
	struct domain *d;
	int rc = get_domain(r, &d);

	if (rc)
		return rc;
	d->shutdown = false;
	return answer_ok(r);
}

static int do_set_target(struct request *r)
{
	unsigned int domid, target;
	const char *string[2];
	struct domain *d, *t;

	if (wire_strings(r->message, string, 2) < 2 || !wire_domid(string[0], &domid) ||
	    !wire_domid(string[1], &target))
		return EINVAL;
	d = r->store->domain[domid];
	t = r->store->domain[target];
	if (!d || !d->introduced || !t || !t->introduced)
		return ENOENT;
	d->client->target = (int32_t)target;
	return answer_ok(r);
}

static int do_get_domain_path(struct request *r)
{
	const char *s = wire_only_string(r->message);
	unsigned int domid;
	char path[32];

	if (!s || !wire_domid(s, &domid))
		return EINVAL;
	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	return answer_string(r, path);
}

static int do_is_domain_introduced(struct request *r)
{
	const char *s = wire_only_string(r->message);
	unsigned int domid;
	bool is;

	if (!s || !wire_domid(s, &domid))
		return EINVAL;
	is = domid == 0x7ff0 || (r->store->domain[domid] && r->store->domain[domid]->introduced);
	return answer_string(r, is ? "T" : "F");
}

static int do_control(struct request *r)
{
	const char *word[16];
	unsigned int nr = wire_strings(r->message, word, 16);
	struct text *out = &r->store->scratch;
	int rc;

	if (!nr || nr > 16)
		return EINVAL;
	out->len = 0;
	rc = outside_control(r->store, word, nr, out);
	if (rc)
		return rc;
	if (out->len > XENSTORE_PAYLOAD_MAX - 1)
		out->len = XENSTORE_PAYLOAD_MAX - 1;
	text_add(out, "", 1);
	return answer_data(r, out->data, out->len);
}

/* --- The table ------------------------------------------------------------------------------------------------ */

enum {
	FOR_TOOLS = 1,	  /* privileged clients only */
	NO_TX = 2,	  /* the transaction's id is ignored */
	CHANGES = 4,	  /* to be remembered when it succeeds */
	READ_ONLY_TOO = 8 /* allowed on the read-only socket */
};

static const struct operation {
	int (*serve)(struct request *r);
	unsigned int flags;
} operations[XS_TYPE_COUNT] = {
	[XS_CONTROL] = {do_control, FOR_TOOLS | NO_TX},
	[XS_DIRECTORY] = {do_directory, READ_ONLY_TOO},
	[XS_READ] = {do_read, READ_ONLY_TOO},
	[XS_GET_PERMS] = {do_get_perms, READ_ONLY_TOO},
	[XS_WATCH] = {do_watch, NO_TX | CHANGES | READ_ONLY_TOO},
	[XS_UNWATCH] = {do_unwatch, NO_TX | CHANGES | READ_ONLY_TOO},
	[XS_TRANSACTION_START] = {do_transaction_start, CHANGES | READ_ONLY_TOO},
	[XS_TRANSACTION_END] = {do_transaction_end, CHANGES | READ_ONLY_TOO},
	[XS_INTRODUCE] = {do_introduce, FOR_TOOLS | NO_TX | CHANGES},
	[XS_RELEASE] = {do_release, FOR_TOOLS | NO_TX | CHANGES},
	[XS_GET_DOMAIN_PATH] = {do_get_domain_path, READ_ONLY_TOO},
	[XS_WRITE] = {do_write, CHANGES},
	[XS_MKDIR] = {do_mkdir, CHANGES},
	[XS_RM] = {do_rm, CHANGES},
	[XS_SET_PERMS] = {do_set_perms, CHANGES},
	[XS_IS_DOMAIN_INTRODUCED] = {do_is_domain_introduced, FOR_TOOLS | NO_TX | READ_ONLY_TOO},
	[XS_RESUME] = {do_resume, FOR_TOOLS | NO_TX | CHANGES},
	[XS_SET_TARGET] = {do_set_target, FOR_TOOLS | NO_TX | CHANGES},
	[XS_RESET_WATCHES] = {do_reset_watches, CHANGES | READ_ONLY_TOO},
	[XS_DIRECTORY_PART] = {do_directory_part, READ_ONLY_TOO},
};

static int refuse(const struct request *r, const struct operation *op)
{
	if (!op || !op->serve)
		return ENOSYS;
	if ((op->flags & FOR_TOOLS) && (!r->client->privileged))
		return EACCES;
	if (r->client->read_only && !(op->flags & READ_ONLY_TOO))
		return EROFS;
	return 0;
}

void store_request(struct store *store, struct client *c, const struct message *m)
{
	const struct xsd_sockmsg *header = &m->header;
	const struct operation *op =
		header->type < XS_TYPE_COUNT ? &operations[header->type] : NULL;
	struct request r = {store, c, m, {.store = store, .client = c}};
	int rc = refuse(&r, op);
	bool in_tx;

	if (!rc && header->tx_id && !(op->flags & NO_TX)) {
		r.view.tx = transaction_find(c, header->tx_id);
		if (!r.view.tx)
			rc = ENOENT;
	}
	in_tx = r.view.tx;
	if (!rc)
		rc = op->serve(&r);
	if (in_tx || (!rc && (op->flags & CHANGES)))
		outside_changed(c, m);
	if (rc)
		answer_error(&r, rc);
}
