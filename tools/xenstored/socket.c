/* SPDX-License-Identifier: MIT */
/*
 * See socket.h. A client's answers leave in one call a round; a client that does not read is not listened to, and one that lets too much
 * pile up is left. Each transfer is described in the journal's file while it is under way, so that what was received and what was sent is
 * known whenever this process is killed.
 */
#include "xenstored/socket.h"

#include "lib/base/log.h"
#include "lib/base/socket.h"
#include "xenstored/keeper.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG_PAUSE (64u << 10) /* of answers: no further requests are read */
#define BACKLOG_MAX   (16u << 20)

/* The second one is for those who may only look. */
static struct listener {
	const char *path; /* NULL: there is none */
	int fd;
} listeners[2] = {{.fd = -1}, {.fd = -1}};

static struct loop *the_loop;
static void (*round_end)(void *arg);

static void transfer_begin(struct transfer *t, uint32_t client, const void *bytes, size_t len)
{
	t->client = 0; /* while it is only half described */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->bytes = (struct iovec){(void *)(uintptr_t)bytes, len};
	t->message.msg_hdr = (struct msghdr){.msg_iov = &t->bytes, .msg_iovlen = 1};
	t->message.msg_len = TRANSFER_NONE;
	t->at = journal_size();
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->client = client;
}

/*
 * The journal need not know of what only answers whole requests that have just come and changed nothing: where this process is killed, the
 * next one has their bytes still, and answers them again but for what was sent.
 */
static void prepare(struct conn *c)
{
	const struct transfer *in = &journal_transfers()->in;
	bool just_came = in->client == c->client->id && in->at == journal_size();

	if (!c->closing && !(just_came && !c->in.len && !c->in_logged && !c->out_logged))
		conn_note(c, 0);
}

/* So many bytes are with the client; the journal has the rest. */
static void sent(struct conn *c, size_t n)
{
	conn_note(c, n);
	journal_commit();
	conn_sent(c, n);
	/* Both transfers are over. First the one that came: without the other it would be answered again. */
	__atomic_store_n(&journal_transfers()->in.client, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&journal_transfers()->out.client, 0, __ATOMIC_RELEASE);
}

static void client_gone(struct client *client)
{
	journal_append(RECORD_GONE, client->id, 0);
	client_free(&the_store, client);
}

static void want(struct conn *c)
{
	size_t waiting = queue_len(&c->out);
	uint32_t events =
		(waiting < BACKLOG_PAUSE ? EPOLLIN : 0) | (waiting ? (uint32_t)EPOLLOUT : 0);

	if (events != c->events)
		loop_fd_events(c->source, events);
	c->events = events;
}

static void finish(struct conn *c)
{
	struct transfer *t = &journal_transfers()->out;
	int fd = c->fd;

	if (!c->closing && queue_len(&c->out)) {
		transfer_begin(t, c->client->id, queue_first(&c->out), queue_len(&c->out));
		if (sendmmsg(fd, &t->message, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ||
		    errno == EAGAIN || errno == EINTR)
			sent(c, t->message.msg_len == TRANSFER_NONE ? 0 : t->message.msg_len);
		else
			c->closing = true;
	}
	if (queue_len(&c->out) > BACKLOG_MAX) {
		log_warning("client %u does not read its events; it is left", c->client->id);
		c->closing = true;
	}
	if (!c->closing) {
		want(c);
		return;
	}
	/* Committed while the descriptor still holds the id. Nobody takes it up again. */
	shutdown(fd, SHUT_RDWR);
	client_gone(c->client);
	journal_commit();
	close(fd);
}

static void end(struct conn *c)
{
	loop_remove(c->source);
}

static const struct conn_kind socket_kind = {prepare, finish, end};

/* @n bytes lie with the transfer. The file it is in may go while they are served. */
static void received(struct conn *c, size_t n)
{
	static char bytes[sizeof(journal_transfers()->bytes)];

	memcpy(bytes, journal_transfers()->bytes, n);
	if (n && conn_input(&the_store, c, bytes, n)) {
		log_warning("client %u sent an overlong request", c->client->id);
		n = 0;
	}
	if (!n)
		c->closing = true;
	conn_touch(c);
}

static void ready(void *arg, uint32_t events)
{
	struct transfers *t = journal_transfers();
	struct conn *c = arg;

	if (events & EPOLLIN) {
		transfer_begin(&t->in, c->client->id, t->bytes, sizeof(t->bytes));
		if (recvmmsg(c->fd, &t->in.message, 1, MSG_DONTWAIT, NULL) == 1)
			received(c, t->in.message.msg_len);
		else if (errno != EAGAIN && errno != EINTR)
			received(c, 0);
	} else if (events & (EPOLLERR | EPOLLHUP)) {
		received(c, 0);
	}
	if (events & EPOLLOUT)
		conn_touch(c);
	round_end(NULL);
}

static void serve(int fd, bool read_only)
{
	struct conn *c = conn_of(client_known(&the_store, CLIENT_SOCKET + (uint32_t)fd));

	c->client->read_only = read_only;
	c->fd = fd;
	c->events = EPOLLIN;
	c->source = loop_fd(the_loop, fd, EPOLLIN, ready, c);
	conn_restored(c, &socket_kind);
}

static void arrive(void *arg, uint32_t events)
{
	const struct listener *l = arg;
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		serve(fd, l == &listeners[1]);
}

/* --- Restart ------------------------------------------------------------------------------------------- */

/* If it is one of ours: the socket somebody listened on before, or a client's. */
static void find_again(int fd)
{
	struct sockaddr_un name = {0};
	socklen_t len = sizeof(name), int_len = sizeof(int);
	int listens = 0;

	if (getsockname(fd, (struct sockaddr *)&name, &len) || name.sun_family != AF_UNIX)
		return;
	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len);
	/* The second path may begin as the first. */
	for (struct listener *l = listeners + 1; l >= listeners; l--) {
		if (!l->path || !str_starts(name.sun_path, l->path))
			continue;
		if (listens)
			l->fd = fd;
		else
			serve(fd, l == &listeners[1]);
		return;
	}
}

/* What a transfer moved if it was cut off behind its success, and the connection it was for. */
static uint32_t cut_off(const struct transfer *t, struct conn **c)
{
	if (t->client < CLIENT_SOCKET || t->at != journal_size() ||
	    t->message.msg_len == TRANSFER_NONE)
		return 0;
	*c = conn_of(client_known(&the_store, t->client));
	return t->message.msg_len;
}

int sockets_open(struct loop *loop, const char *path, const char *path_ro,
		 void (*at_end)(void *arg), struct error *e)
{
	const struct transfers *t = journal_transfers();
	struct client *client, *next;
	struct conn *from, *to;
	uint32_t in = cut_off(&t->in, &from), out = cut_off(&t->out, &to);

	the_loop = loop;
	round_end = at_end;
	listeners[0].path = path;
	listeners[1].path = path_ro;
	keeper_descriptors(find_again);
	if (in)
		received(from, in);
	if (out && out <= queue_len(&to->out))
		sent(to, out);
	/* What others wait for may go out before its answer. */
	if (in)
		sent(from, 0);
	for (client = TAILQ_FIRST(&the_store.clients); client; client = next) {
		next = TAILQ_NEXT(client, link);
		if (client->id >= CLIENT_SOCKET && !conn_of(client)->source)
			client_gone(client);
	}
	for (struct listener *l = listeners; l < listeners + 2 && l->path; l++) {
		if (l->fd < 0)
			l->fd = socket_listen(l->path, l == &listeners[1] ? 0660 : 0600, e);
		if (l->fd < 0)
			return -1;
		loop_fd(loop, l->fd, EPOLLIN, arrive, l);
	}
	return 0;
}
