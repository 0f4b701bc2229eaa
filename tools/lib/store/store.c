/* SPDX-License-Identifier: MIT */
/*
 * See store.h. Requests are laid one behind the other into a batch and sent with one write; answers come in the same order, with watch
 * events between them, which are kept for the loop. What was sent stays in the batch until it is answered, so that a new connection can
 * take it up again: outside a transaction every request here may be done twice. xs_wire.h has the format.
 */
#include "lib/store/store.h"

#include "lib/base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#define SOCKET "/run/xenstored/socket"

enum {
	BATCH_REQUESTS = 128,
	BATCH_BYTES = 16384, /* less than a socket holds: nobody waits for the other */
	ANSWER_S = 3,
	CONNECTIONS = 4, /* on which a request is tried */
	OPEN_MS = 5000,	 /* how long a request waits for a xenstored being started again */
	AGAIN_MS = 100,
	TRIES = 100, /* of a transaction */
};

struct request {
	size_t at; /* of its header in the batch */
	int errnum;
	char *answer;
	size_t len;
};

struct batch {
	struct text out;
	struct request request[BATCH_REQUESTS];
	unsigned int nr, answered;
};

struct event {
	struct event *next;
	uint32_t token;
	char path[];
};

struct store_watch {
	struct store *store;
	struct store_watch *next;
	uint32_t token;
	void (*fired)(void *arg, const char *path);
	void *arg;
	char path[];
};

struct store {
	struct loop *loop;
	struct loop_source *source, *later, *again; /* @later: events are there to be delivered */
	int fd;
	uint32_t tx, last_token;
	bool lost;	     /* the connection of the transaction @tx is gone */
	struct error failed; /* the first failure of a queued request since the last flush */
	struct batch batch;
	struct text in;
	struct store_watch *watches;
	struct event *events, **last_event;
	unsigned long exchanges, messages;
};

/* --- Messages ----------------------------------------------------------------------------------------- */

static void batch_clear(struct batch *b)
{
	for (unsigned int i = 0; i < b->nr; i++)
		free(b->request[i].answer);
	b->nr = b->answered = 0;
	b->out.len = 0;
}

static void batch_add(struct batch *b, uint32_t type, uint32_t tx, const char *payload, size_t len)
{
	struct xsd_sockmsg head = {type, b->nr, tx, (uint32_t)len};

	b->request[b->nr++] = (struct request){.at = b->out.len};
	text_add(&b->out, &head, sizeof(head));
	text_add(&b->out, payload, len);
}

static void event_keep(struct store *s, const char *payload, size_t len)
{
	size_t path_len = strnlen(payload, len) + 1;
	struct event *ev;

	if (!s->loop || path_len >= len)
		return;
	ev = xmalloc(sizeof(*ev) + path_len);
	ev->next = NULL;
	ev->token = (uint32_t)strtoul(payload + path_len, NULL, 16);
	memcpy(ev->path, payload, path_len);
	if (!s->events)
		loop_timer_set(s->later, 1);
	*s->last_event = ev;
	s->last_event = &ev->next;
}

static int errnum_of(const char *name)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (!strcmp(xsd_errors[i].errstring, name))
			return xsd_errors[i].errnum;
	return EIO;
}

static int answer_keep(struct batch *b, const struct xsd_sockmsg *head, const char *payload)
{
	struct request *r = &b->request[b->answered];
	struct xsd_sockmsg asked;

	if (b->answered == b->nr)
		return -1;
	memcpy(&asked, b->out.data + r->at, sizeof(asked));
	if (head->req_id != asked.req_id || (head->type != XS_ERROR && head->type != asked.type))
		return -1;
	r->len = head->len;
	r->answer = memcpy(xcalloc(1, r->len + 1), payload, r->len);
	r->errnum = head->type == XS_ERROR ? errnum_of(r->answer) : 0;
	b->answered++;
	return 1;
}

/* One whole message off s->in, an event or the answer @b waits for. 1: done, 0: it is not whole, -1: this is no xenstored. */
static int message_take(struct store *s, struct batch *b)
{
	struct xsd_sockmsg head;
	int rc = 1;

	if (s->in.len < sizeof(head))
		return 0;
	memcpy(&head, s->in.data, sizeof(head));
	if (head.len > XENSTORE_PAYLOAD_MAX)
		return -1;
	if (s->in.len < sizeof(head) + head.len)
		return 0;
	if (head.type == XS_WATCH_EVENT)
		event_keep(s, s->in.data + sizeof(head), head.len);
	else
		rc = answer_keep(b, &head, s->in.data + sizeof(head));
	text_drop(&s->in, sizeof(head) + head.len);
	return rc;
}

/* Sends the unanswered rest of @b and takes the answers. -1: the connection is of no use any more. */
static int converse(struct store *s, struct batch *b)
{
	size_t at = b->answered < b->nr ? b->request[b->answered].at : b->out.len;
	ssize_t n = 0;

	for (; at < b->out.len && n >= 0; at += n > 0 ? (size_t)n : 0)
		n = send(s->fd, b->out.data + at, b->out.len - at, MSG_NOSIGNAL);
	while (n >= 0) {
		int rc = message_take(s, b); /* also events behind the last answer */

		if (rc < 0 || (!rc && b->answered == b->nr))
			return rc;
		if (rc)
			continue;
		n = recv(s->fd, text_room(&s->in, 8192), 8192, 0);
		if (!n)
			return -1;
		s->in.len += n > 0 ? (size_t)n : 0;
	}
	return -1;
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
	if (s->again)
		loop_timer_set(s->again, AGAIN_MS);
}

static int socket_connect(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = ANSWER_S};
	const char *path = getenv("XENSTORED_PATH");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(to.sun_path, path ? path : SOCKET, sizeof(to.sun_path) - 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (fd < 0 || !connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	close(fd);
	return -1;
}

static void batch_watch(struct batch *b, uint32_t type, const struct store_watch *w)
{
	struct text t = {0};

	text_printf(&t, "%s%c%x%c", w->path, '\0', w->token, '\0');
	batch_add(b, type, 0, t.data, t.len);
	text_free(&t);
}

/* A new connection with every watch registered anew. */
static int reconnect(struct store *s)
{
	struct batch *b = xcalloc(1, sizeof(*b));
	int rc;

	s->fd = socket_connect();
	rc = s->fd < 0;
	for (struct store_watch *w = s->watches; w && !rc; w = w->next) {
		batch_watch(b, XS_WATCH, w);
		rc = converse(s, b);
		batch_clear(b);
	}
	if (rc) {
		disconnect(s);
	} else if (s->loop) {
		loop_timer_set(s->again, 0);
		s->source = loop_fd(s->loop, s->fd, EPOLLIN, readable, s);
	}
	text_free(&b->out);
	free(b);
	return rc;
}

static int connected(struct store *s, struct error *e)
{
	uint64_t end = loop_now() + OPEN_MS;

	while (s->fd < 0 && reconnect(s)) {
		if (loop_now() >= end) {
			error_set(e, ERROR_ABSENT, "xenstored does not answer");
			return error_hint(e, "is it running?");
		}
		poll(NULL, 0, 10);
	}
	return 0;
}

static void reconnect_timed(void *arg)
{
	struct store *s = arg;

	if (s->fd < 0)
		reconnect(s);
}

/* --- Requests ------------------------------------------------------------------------------------------- */

/* Sends what is queued and waits for the answers, which are in the batch then; after -1 the batch is empty. */
static int exchange(struct store *s, struct error *e)
{
	struct batch *b = &s->batch;
	int rc = 0;

	s->exchanges += b->nr > 0;
	s->messages += b->nr;
	for (int tries = 0; b->answered < b->nr && !rc; tries++) {
		if (s->lost)
			rc = error_set(e, ERROR_RETRY, "xenstored was started again");
		else if (tries == CONNECTIONS)
			rc = error_set(e, ERROR_ABSENT, "xenstored does not answer");
		else
			rc = connected(s, e);
		if (!rc && converse(s, b))
			disconnect(s);
	}
	if (rc)
		batch_clear(b);
	return rc;
}

/* A node that is gone already, or a watch that is there already, is just what was asked for. */
static bool is_fine(uint32_t type, int errnum)
{
	return !errnum || (errnum == ENOENT && (type == XS_RM || type == XS_UNWATCH)) ||
	       (errnum == EEXIST && type == XS_WATCH);
}

static int request_error(const struct batch *b, const struct request *r, struct error *e)
{
	const char *path = b->out.data + r->at + sizeof(struct xsd_sockmsg);
	struct xsd_sockmsg head;

	memcpy(&head, b->out.data + r->at, sizeof(head));
	if (is_fine(head.type, r->errnum))
		return 0;
	return error_errno(e, ERROR_NONE, r->errnum, "xenstore: %s %.*s",
			   head.type == XS_READ || head.type == XS_DIRECTORY ? "reading"
									     : "changing",
			   (int)head.len, path);
}

static void fail(struct store *s, const struct error *e)
{
	if (!s->failed.class)
		s->failed = *e;
}

/* Keeps the first failure among the first @nr answered requests. */
static void judge(struct store *s, unsigned int nr)
{
	struct error e;

	for (unsigned int i = 0; i < nr; i++)
		if (request_error(&s->batch, &s->batch.request[i], &e))
			fail(s, &e);
}

static void settle(struct store *s)
{
	struct error e;

	if (exchange(s, &e))
		fail(s, &e);
	judge(s, s->batch.nr);
	batch_clear(&s->batch);
}

static void queue(struct store *s, uint32_t type, const char *payload, size_t len)
{
	struct error e;

	if (len > XENSTORE_PAYLOAD_MAX) {
		error_set(&e, ERROR_FAILED, "xenstore: %.60s...: too long", payload);
		fail(s, &e);
		return;
	}
	if (s->batch.nr == BATCH_REQUESTS || s->batch.out.len > BATCH_BYTES)
		settle(s);
	batch_add(&s->batch, type, s->tx, payload, len);
}

/* What is queued, then this one; the answer is the caller's. NULL: @e says why. */
static char *ask(struct store *s, uint32_t type, const char *payload, size_t *len, struct error *e)
{
	struct batch *b = &s->batch;
	struct request *r;
	char *answer = NULL;
	unsigned int before;

	queue(s, type, payload, strlen(payload) + 1);
	before = b->nr - 1;
	if (exchange(s, e)) {
		if (before && e)
			fail(s, e);
		return NULL;
	}
	judge(s, before);
	r = &b->request[before];
	if (!request_error(b, r, e)) {
		answer = r->answer;
		*len = r->len;
		r->answer = NULL;
	}
	batch_clear(b);
	return answer;
}

char *store_read(struct store *s, const char *path, struct error *e)
{
	struct error mine;
	size_t len;

	return ask(s, XS_READ, path, &len, e ? e : &mine);
}

long store_read_long(struct store *s, const char *path, long otherwise)
{
	char *text = store_read(s, path, NULL);
	long value;

	if (!text || !str_to_long(text, INT64_MIN, INT64_MAX, &value))
		value = otherwise;
	free(text);
	return value;
}

/* Takes the answers of the reads that the batch is made of. */
static int take_values(struct store *s, char **values, struct error *e)
{
	struct batch *b = &s->batch;
	int rc = exchange(s, e);

	for (unsigned int i = 0; i < b->nr && !rc; i++) {
		struct request *r = &b->request[i];

		if (r->errnum) {
			rc = r->errnum == ENOENT ? 0 : request_error(b, r, e);
		} else {
			values[i] = r->answer;
			r->answer = NULL;
		}
	}
	batch_clear(b);
	return rc;
}

int store_read_each(struct store *s, const char *folder, const char *const *names, size_t nr,
		    char **values, struct error *e)
{
	struct text path = {0};
	int rc = 0;

	memset(values, 0, nr * sizeof(*values));
	settle(s);
	for (size_t i = 0, first = 0; i < nr && !rc; i++) {
		path.len = 0;
		text_printf(&path, "%s%s%s", folder, *folder ? "/" : "", names[i]);
		batch_add(&s->batch, XS_READ, s->tx, path.data, path.len + 1);
		if (s->batch.nr == BATCH_REQUESTS || s->batch.out.len > BATCH_BYTES ||
		    i + 1 == nr) {
			rc = take_values(s, values + first, e);
			first = i + 1;
		}
	}
	if (rc)
		store_values_free(values, nr);
	text_free(&path);
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
	struct error mine;
	size_t len = 0, n = 0;
	char *block = ask(s, XS_DIRECTORY, path, &len, &mine), *p;

	*names = NULL;
	*nr = 0;
	for (size_t i = 0; i < len; i++)
		n += !block[i];
	if (n) {
		*names = xmalloc(n * sizeof(**names) + len);
		p = memcpy(*names + n, block, len);
		for (; *nr < n; p += strlen(p) + 1)
			(*names)[(*nr)++] = p;
	}
	free(block);
	if (block || mine.class == ERROR_NOT_FOUND)
		return 0;
	if (e)
		*e = mine;
	return -1;
}

static void put(struct store *s, const char *path, const char *name, const char *fmt, va_list ap)
{
	struct text t = {0};

	text_printf(&t, "%s%s%s%c", path, name ? "/" : "", name ? name : "", '\0');
	text_vprintf(&t, fmt, ap);
	queue(s, XS_WRITE, t.data, t.len);
	text_free(&t);
}

void store_put(struct store *s, const char *path, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(s, path, name, fmt, ap);
	va_end(ap);
}

void store_put_folder(struct store *s, const char *path)
{
	queue(s, XS_MKDIR, path, strlen(path) + 1);
}

void store_put_removed(struct store *s, const char *path)
{
	queue(s, XS_RM, path, strlen(path) + 1);
}

/* Queues @fmt as printed, with NULs for its commas: the words of a request. */
static void put_words(struct store *s, uint32_t type, const char *fmt, ...)
{
	struct text t = {0};
	va_list ap;

	va_start(ap, fmt);
	text_vprintf(&t, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < t.len; i++)
		if (t.data[i] == ',')
			t.data[i] = '\0';
	queue(s, type, t.data, t.len + 1);
	text_free(&t);
}

void store_put_permissions(struct store *s, const char *path, const char *perms)
{
	put_words(s, XS_SET_PERMS, "%s,%s", path, perms);
}

int store_flush(struct store *s, struct error *e)
{
	settle(s);
	if (!s->failed.class)
		return 0;
	if (e)
		*e = s->failed;
	s->failed.class = ERROR_NONE;
	return -1;
}

int store_write(struct store *s, const char *path, struct error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(s, path, NULL, fmt, ap);
	va_end(ap);
	return store_flush(s, e);
}

int store_remove(struct store *s, const char *path, struct error *e)
{
	store_put_removed(s, path);
	return store_flush(s, e);
}

int store_introduce(struct store *s, uint32_t domid, unsigned long mfn, uint32_t port,
		    struct error *e)
{
	put_words(s, XS_INTRODUCE, "%u,%lu,%u", domid, mfn, port);
	return store_flush(s, e);
}

int store_release(struct store *s, uint32_t domid, struct error *e)
{
	put_words(s, XS_RELEASE, "%u", domid);
	return store_flush(s, e);
}

/* --- Transactions --------------------------------------------------------------------------------------- */

/* Ends the transaction; 0: what was done counts. */
static int transaction_end(struct store *s, bool commit, struct error *e)
{
	size_t len;
	char *answer = ask(s, XS_TRANSACTION_END, commit ? "T" : "F", &len, e);

	free(answer);
	return answer ? 0 : -1;
}

/* ERROR_RETRY in @e: to be done again. */
static int transaction_once(struct store *s, int (*fn)(struct store *s, void *arg, struct error *e),
			    void *arg, struct error *e)
{
	struct error ignored;
	size_t len;
	char *id = ask(s, XS_TRANSACTION_START, "", &len, e);
	int rc;

	if (!id)
		return -1;
	s->tx = (uint32_t)strtoul(id, NULL, 10);
	free(id);
	rc = fn(s, arg, e);
	if (!rc)
		rc = store_flush(s, e);
	if (!rc)
		rc = transaction_end(s, true, e);
	else if (!s->lost)
		transaction_end(s, false, &ignored);
	if (s->lost)
		e->class = ERROR_RETRY;
	s->tx = 0;
	s->lost = false;
	s->failed.class = ERROR_NONE;
	return rc;
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

	while (s->events) {
		struct event *ev = s->events;
		struct store_watch *w = s->watches;

		s->events = ev->next;
		if (!s->events)
			s->last_event = &s->events;
		while (w && w->token != ev->token)
			w = w->next;
		if (w)
			w->fired(w->arg, ev->path);
		free(ev);
	}
	if (s->batch.nr)
		settle(s);
}

static void readable(void *arg, uint32_t events)
{
	struct store *s = arg;
	ssize_t n = recv(s->fd, text_room(&s->in, 8192), 8192, MSG_DONTWAIT);
	int rc = n > 0 ? 1 : -1;

	if (n < 0 && errno == EAGAIN)
		return;
	s->in.len += n > 0 ? (size_t)n : 0;
	while (rc > 0)
		rc = message_take(s, &s->batch);
	if (rc < 0)
		disconnect(s);
	dispatch(s);
}

struct store_watch *store_watch(struct store *s, const char *path,
				void (*fired)(void *arg, const char *path), void *arg)
{
	struct store_watch *w = xmalloc(sizeof(*w) + strlen(path) + 1);

	*w = (struct store_watch){s, s->watches, ++s->last_token, fired, arg};
	strcpy(w->path, path);
	s->watches = w;
	if (s->batch.nr == BATCH_REQUESTS)
		settle(s);
	batch_watch(&s->batch, XS_WATCH, w);
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
	if (w->store->batch.nr == BATCH_REQUESTS)
		settle(w->store);
	batch_watch(&w->store->batch, XS_UNWATCH, w);
	free(w);
}

/* --- Beginning and end ---------------------------------------------------------------------------------- */

struct store *store_open(struct loop *loop, struct error *e)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->fd = -1;
	s->loop = loop;
	s->last_event = &s->events;
	if (loop) {
		s->later = loop_timer(loop, 0, false, dispatch, s);
		s->again = loop_timer(loop, 0, false, reconnect_timed, s);
	}
	if (connected(s, e)) {
		store_close(s);
		return NULL;
	}
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->batch.nr && s->fd >= 0)
		settle(s);
	disconnect(s);
	loop_remove(s->later);
	loop_remove(s->again);
	for (struct event *ev; (ev = s->events); free(ev))
		s->events = ev->next;
	for (struct store_watch *w; (w = s->watches); free(w))
		s->watches = w->next;
	batch_clear(&s->batch);
	text_free(&s->batch.out);
	text_free(&s->in);
	free(s);
}

void store_counts(const struct store *s, unsigned long *exchanges, unsigned long *messages)
{
	*exchanges = s->exchanges;
	*messages = s->messages;
}
