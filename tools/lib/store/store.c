/* SPDX-License-Identifier: MIT */
/*
 * See store.h. Requests are laid one behind the other into a batch and sent with one write; answers come in the same order, with watch
 * events between them, which are kept for the loop. What was sent stays in the batch until it is answered, so that a new connection can
 * take it up again: outside a transaction every request here may be done twice. xs_wire.h has the format.
 */
#include "lib/store/store.h"

#include "lib/base/socket.h"
#include "lib/base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#define SOCKET "/run/xenstored/socket"

enum {
	BATCH_REQUESTS = 128,
	BATCH_BYTES = 16384, /* less than a socket holds: nobody waits for the other */
	ANSWER_S = 3,
	PATIENCE_MS = 5000, /* how long a request waits for a xenstored being started again */
	AGAIN_MS = 100,
	POLL_MS = 10,
	TRIES = 100, /* of a transaction */
};

#define NOBODYS UINT32_MAX /* the number of requests whose answers nobody waits for */

struct request {
	size_t at;    /* of its header among what is queued */
	char **value; /* where the answer goes; NULL: a failure is kept for the flush */
};

struct store_watch {
	struct store *store;
	struct store_watch *next;
	uint32_t token;
	void (*fired)(void *arg, const char *path);
	void *arg;
	size_t len;
	char request[]; /* path and token, each with its NUL */
};

struct store {
	struct loop *loop;
	struct loop_source *source, *later, *again; /* @later: events are there to be delivered */
	int fd;
	uint32_t tx, last_token;
	bool lost;	     /* the connection of the transaction @tx is gone */
	struct error failed; /* the first failure of a queued request since the last flush */
	size_t len; /* of the last value; and why there was none, ENOENT being the least of reasons */
	int errnum;
	struct text out, in, events; /* @events: paths and tokens, each with its NUL */
	struct request request[BATCH_REQUESTS];
	unsigned int nr, answered;
	struct store_watch *watches;
};

/* --- Messages ----------------------------------------------------------------------------------------- */

static void put_message(struct text *out, uint32_t type, uint32_t id, uint32_t tx,
			const char *payload, size_t len)
{
	struct xsd_sockmsg head = {type, id, tx, (uint32_t)len};

	text_add(out, &head, sizeof(head));
	text_add(out, payload, len);
}

static void fail(struct store *s, const struct error *e)
{
	if (!s->failed.class)
		s->failed = *e;
}

static int errnum_of(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (!strncmp(xsd_errors[i].errstring, name, len))
			return xsd_errors[i].errnum;
	return EIO;
}

/* A node that is gone already, or a watch that is there already, is just what was asked for. */
static bool is_fine(uint32_t type, int errnum)
{
	return !errnum || (errnum == ENOENT && (type == XS_RM || type == XS_UNWATCH)) ||
	       (errnum == EEXIST && type == XS_WATCH);
}

static int answer_take(struct store *s, const struct xsd_sockmsg *head, const char *payload)
{
	struct request *r = &s->request[s->answered];
	struct xsd_sockmsg asked;
	struct error e;
	int errnum;

	if (head->req_id == NOBODYS)
		return 1;
	if (s->answered == s->nr)
		return -1;
	memcpy(&asked, s->out.data + r->at, sizeof(asked));
	if (head->req_id != asked.req_id || (head->type != XS_ERROR && head->type != asked.type))
		return -1;
	s->answered++;
	errnum = head->type == XS_ERROR ? errnum_of(payload, head->len) : 0;
	if (r->value && !errnum) {
		*r->value = memcpy(xcalloc(1, head->len + 1), payload, head->len);
		s->len = head->len;
	} else if (r->value) {
		s->errnum = errnum != ENOENT || !s->errnum ? errnum : s->errnum;
	} else if (!is_fine(asked.type, errnum)) {
		error_errno(&e, ERROR_NONE, errnum, "xenstore: changing %.*s", (int)asked.len,
			    s->out.data + r->at + sizeof(asked));
		fail(s, &e);
	}
	return 1;
}

/* One whole message off s->in, an event or an answer. 1: done, 0: it is not whole, -1: this is no xenstored. */
static int message_take(struct store *s)
{
	const char *payload = s->in.data + sizeof(struct xsd_sockmsg);
	struct xsd_sockmsg head;
	int rc = 1;

	if (s->in.len < sizeof(head))
		return 0;
	memcpy(&head, s->in.data, sizeof(head));
	if (head.len > XENSTORE_PAYLOAD_MAX)
		return -1;
	if (s->in.len < sizeof(head) + head.len)
		return 0;
	if (head.type != XS_WATCH_EVENT) {
		rc = answer_take(s, &head, payload);
	} else if (strnlen(payload, head.len) + 1 < head.len && !payload[head.len - 1]) {
		loop_timer_set(s->later, 1);
		text_add(&s->events, payload, head.len);
	}
	text_drop(&s->in, sizeof(head) + head.len);
	return rc;
}

/* All whole messages of what has come. -1: the connection is of no use any more. */
static int receive(struct store *s, int flags)
{
	ssize_t n = recv(s->fd, text_room(&s->in, 8192), 8192, flags);
	int rc = n > 0 ? 1 : -1;

	if (n < 0 && flags && errno == EAGAIN)
		return 0;
	s->in.len += n > 0 ? (size_t)n : 0;
	while (rc > 0)
		rc = message_take(s);
	return rc;
}

static int send_all(struct store *s, const struct text *t, size_t at)
{
	for (ssize_t n; at < t->len; at += (size_t)n) {
		n = send(s->fd, t->data + at, t->len - at, MSG_NOSIGNAL);
		if (n < 0)
			return -1;
	}
	return 0;
}

/* Sends what was not answered yet and takes the answers. */
static int converse(struct store *s)
{
	int rc = send_all(s, &s->out, s->request[s->answered].at);

	while (!rc && s->answered < s->nr)
		rc = receive(s, 0);
	return rc;
}

/* --- The connection ----------------------------------------------------------------------------------- */

static void readable(void *arg, uint32_t events);

static void disconnect(struct store *s)
{
	loop_remove(s->source);
	s->source = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->in.len = 0;
	s->lost = s->tx != 0;
	loop_timer_set(s->again, AGAIN_MS);
}

/* A new connection with every watch registered anew. */
static int reconnect(struct store *s)
{
	struct text again = {0};
	int rc;

	s->fd = socket_connect("XENSTORED_PATH", SOCKET, ANSWER_S);
	for (struct store_watch *w = s->watches; w; w = w->next)
		put_message(&again, XS_WATCH, NOBODYS, 0, w->request, w->len);
	rc = s->fd < 0 ? -1 : send_all(s, &again, 0);
	if (!rc) {
		loop_timer_set(s->again, 0);
		s->source = loop_fd(s->loop, s->fd, EPOLLIN, readable, s);
	}
	text_free(&again);
	return rc;
}

static void reconnect_timed(void *arg)
{
	struct store *s = arg;

	if (s->fd < 0 && reconnect(s))
		disconnect(s);
}

/* --- Requests ------------------------------------------------------------------------------------------- */

/* Sends what is queued and waits for the answers. A failure is the caller's, and that of the writes among what was queued. */
static int exchange(struct store *s, struct error *e)
{
	uint64_t end = loop_now() + PATIENCE_MS;
	struct error why = {0};

	while (s->answered < s->nr && !why.class) {
		if (s->lost) {
			error_set(&why, ERROR_RETRY, "xenstored was started again");
		} else if (loop_now() >= end) {
			error_set(&why, ERROR_ABSENT, "xenstored does not answer");
			error_hint(&why, "is it running?");
		} else if ((s->fd < 0 && reconnect(s)) || converse(s)) {
			disconnect(s);
			poll(NULL, 0, POLL_MS);
		}
	}
	s->nr = s->answered = 0;
	s->out.len = 0;
	if (!why.class)
		return 0;
	if (!s->request[0].value)
		fail(s, &why);
	if (e)
		*e = why;
	s->errnum = EIO;
	return -1;
}

static void queue(struct store *s, uint32_t type, const char *payload, size_t len, char **value)
{
	struct error e;

	if (len > XENSTORE_PAYLOAD_MAX) {
		error_set(&e, ERROR_FAILED, "xenstore: %.60s...: too long", payload);
		fail(s, &e);
		return;
	}
	if (s->nr == BATCH_REQUESTS || s->out.len > BATCH_BYTES)
		exchange(s, NULL);
	s->request[s->nr] = (struct request){s->out.len, value};
	put_message(&s->out, type, s->nr++, s->tx, payload, len);
}

/* What is queued, then this one; the answer, of s->len bytes, is the caller's. NULL: @e says why, unless there is no such folder. */
static char *ask(struct store *s, uint32_t type, const char *payload, struct error *e)
{
	char *value = NULL;

	s->errnum = 0;
	queue(s, type, payload, strlen(payload) + 1, &value);
	if (!exchange(s, e) && !value && (type != XS_DIRECTORY || s->errnum != ENOENT))
		error_errno(e, ERROR_NONE, s->errnum, "xenstore: %s", payload);
	return value;
}

char *store_read(struct store *s, const char *path, struct error *e)
{
	return ask(s, XS_READ, path, e);
}

long store_read_long(struct store *s, const char *path, long otherwise)
{
	autofree char *text = store_read(s, path, NULL);
	long value;

	return text && str_to_long(text, INT64_MIN, INT64_MAX, &value) ? value : otherwise;
}

int store_read_each(struct store *s, const char *folder, const char *const *names, size_t nr,
		    char **values, struct error *e)
{
	int rc;

	memset(values, 0, nr * sizeof(*values));
	s->errnum = 0;
	for (size_t i = 0; i < nr; i++) {
		autofree char *path = xasprintf("%s%s%s", folder, *folder ? "/" : "", names[i]);

		queue(s, XS_READ, path, strlen(path) + 1, &values[i]);
	}
	rc = exchange(s, e);
	if (!rc && s->errnum && s->errnum != ENOENT)
		rc = error_errno(e, ERROR_NONE, s->errnum, "xenstore: reading %s/%s...", folder,
				 names[0]);
	if (rc)
		store_values_free(values, nr);
	return rc;
}

void store_values_free(char **values, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(values[i]);
		values[i] = NULL;
	}
}

int store_list(struct store *s, const char *path, char ***names, size_t *nr, struct error *e)
{
	autofree char *block = ask(s, XS_DIRECTORY, path, e);
	size_t n = 0;
	char *p;

	*names = NULL;
	*nr = 0;
	if (!block && s->errnum != ENOENT)
		return -1;
	for (size_t i = 0; block && i < s->len; i++)
		n += !block[i];
	if (!n)
		return 0;
	*names = xmalloc(n * sizeof(**names) + s->len);
	p = memcpy(*names + n, block, s->len);
	for (; *nr < n; p += strlen(p) + 1)
		(*names)[(*nr)++] = p;
	return 0;
}

void store_put(struct store *s, const char *path, const char *name, const char *fmt, ...)
{
	struct text t = {0};
	va_list ap;

	text_printf(&t, "%s%s%s%c", path, name ? "/" : "", name ? name : "", '\0');
	va_start(ap, fmt);
	text_vprintf(&t, fmt, ap);
	va_end(ap);
	queue(s, XS_WRITE, t.data, t.len, NULL);
	text_free(&t);
}

void store_put_folder(struct store *s, const char *path)
{
	queue(s, XS_MKDIR, path, strlen(path) + 1, NULL);
}

void store_put_removed(struct store *s, const char *path)
{
	queue(s, XS_RM, path, strlen(path) + 1, NULL);
}

void store_put_permissions(struct store *s, const char *path, const char *perms)
{
	autofree char *words = xasprintf("%s,%s", path, perms);
	size_t len = strlen(words) + 1;

	for (char *p = words; (p = strchr(p, ',')); p++)
		*p = '\0';
	queue(s, XS_SET_PERMS, words, len, NULL);
}

int store_flush(struct store *s, struct error *e)
{
	exchange(s, NULL);
	if (!s->failed.class)
		return 0;
	if (e)
		*e = s->failed;
	s->failed.class = ERROR_NONE;
	return -1;
}

int store_introduce(struct store *s, uint32_t domid, unsigned long mfn, uint32_t port,
		    struct error *e)
{
	char words[64];
	int len = snprintf(words, sizeof(words), "%u%c%lu%c%u", domid, '\0', mfn, '\0', port);

	queue(s, XS_INTRODUCE, words, (size_t)len + 1, NULL);
	return store_flush(s, e);
}

/* --- Transactions --------------------------------------------------------------------------------------- */

/* ERROR_RETRY in @e: to be done again. */
static int transaction_once(struct store *s, int (*fn)(struct store *s, void *arg, struct error *e),
			    void *arg, struct error *e)
{
	autofree char *id = ask(s, XS_TRANSACTION_START, "", e), *end = NULL;
	int rc;

	if (!id)
		return -1;
	s->tx = (uint32_t)strtoul(id, NULL, 10);
	rc = fn(s, arg, e);
	if (!rc)
		rc = store_flush(s, e);
	if (!rc || !s->lost)
		end = ask(s, XS_TRANSACTION_END, rc ? "F" : "T", rc ? NULL : e);
	if (s->lost)
		e->class = ERROR_RETRY;
	s->tx = 0;
	s->lost = false;
	s->failed.class = ERROR_NONE;
	return end ? rc : -1;
}

int store_transaction(struct store *s, int (*fn)(struct store *s, void *arg, struct error *e),
		      void *arg, struct error *e)
{
	struct error mine = {.class = ERROR_RETRY};
	int rc = store_flush(s, e);

	if (rc)
		return rc;
	rc = -1;
	for (int tries = 0; rc && mine.class == ERROR_RETRY && tries < TRIES; tries++)
		rc = transaction_once(s, fn, arg, &mine);
	if (rc && e)
		*e = mine;
	return rc;
}

/* --- Watches -------------------------------------------------------------------------------------------- */

static void dispatch(void *arg)
{
	struct store *s = arg;
	struct text now = s->events;

	s->events = (struct text){0};
	for (const char *path = now.data, *token; path < now.data + now.len;
	     path = token + strlen(token) + 1) {
		struct store_watch *w = s->watches;

		token = path + strlen(path) + 1;
		while (w && w->token != strtoul(token, NULL, 16))
			w = w->next;
		if (w)
			w->fired(w->arg, path);
	}
	text_free(&now);
	exchange(s, NULL);
}

static void readable(void *arg, uint32_t events)
{
	struct store *s = arg;

	if (receive(s, MSG_DONTWAIT))
		disconnect(s);
	dispatch(s);
}

struct store_watch *store_watch(struct store *s, const char *path,
				void (*fired)(void *arg, const char *path), void *arg)
{
	size_t room = strlen(path) + sizeof("\0ffffffff");
	struct store_watch *w = xmalloc(sizeof(*w) + room);

	*w = (struct store_watch){s, s->watches, ++s->last_token, fired, arg};
	w->len = (size_t)snprintf(w->request, room, "%s%c%x", path, '\0', w->token) + 1;
	s->watches = w;
	queue(s, XS_WATCH, w->request, w->len, NULL);
	return w;
}

void store_unwatch(struct store_watch *w)
{
	struct store_watch **at;

	if (!w)
		return;
	for (at = &w->store->watches; *at != w; at = &(*at)->next)
		;
	*at = w->next;
	queue(w->store, XS_UNWATCH, w->request, w->len, NULL);
	free(w);
}

/* --- Beginning and end ---------------------------------------------------------------------------------- */

struct store *store_open(struct loop *loop)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->fd = -1;
	s->loop = loop;
	s->later = loop_timer(loop, 0, false, dispatch, s);
	s->again = loop_timer(loop, 0, false, reconnect_timed, s);
	return s;
}

void store_close(struct store *s)
{
	if (s->fd >= 0)
		exchange(s, NULL);
	disconnect(s);
	loop_remove(s->later);
	loop_remove(s->again);
	for (struct store_watch *w; (w = s->watches); free(w))
		s->watches = w->next;
	text_free(&s->out);
	text_free(&s->events);
	text_free(&s->in);
	free(s);
}
