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

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG_PAUSE (64u << 10) /* of answers: no further requests are read */
#define BACKLOG_MAX   (16u << 20)

struct peer {
	struct conn conn;
	int fd;
	uint32_t events;
	struct loop_source *source;
};

/* The second one is for those who may only look. */
static struct listener {
	const char *path; /* NULL: there is none */
	int fd;
	bool read_only;
} listeners[2] = {{.fd = -1}, {.fd = -1, .read_only = true}};

static struct loop *the_loop;
static void (*round_end)(void);

static void peer_free(struct peer *p)
{
	loop_remove(p->source);
	conn_done(&p->conn);
	client_free(&the_store, p->conn.client);
	free(p);
}

static void peer_close(struct peer *p)
{
	int fd = p->fd;

	/* Committed while the descriptor still holds the id. Nobody takes it up again. */
	shutdown(fd, SHUT_RDWR);
	journal_append(RECORD_CLOSE, p->conn.client->id, 0);
	journal_commit();
	peer_free(p);
	close(fd);
}

static void want(struct peer *p)
{
	size_t waiting = conn_waiting(&p->conn);
	uint32_t events =
		(waiting < BACKLOG_PAUSE ? EPOLLIN : 0) | (waiting ? (uint32_t)EPOLLOUT : 0);

	if (events != p->events)
		loop_fd_events(p->source, events);
	p->events = events;
}

static void prepare(struct conn *c)
{
	if (!c->closing)
		conn_note(c, 0);
}

/* So many bytes are with the client. */
static void sent(struct conn *c, size_t n)
{
	conn_note(c, (uint32_t)n);
	journal_commit();
	conn_sent(c, n);
}

static void finish(struct conn *c)
{
	struct peer *p = (struct peer *)c; /* its first member */
	struct transfer *t = &journal_transfers()->out;

	if (!c->closing && conn_waiting(c)) {
		transfer_begin(t, c->client->id, c->out.data + c->out_sent, conn_waiting(c));
		if (sendmmsg(p->fd, &t->message, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
			sent(c, t->message.msg_len);
		else if (errno != EAGAIN && errno != EINTR)
			c->closing = true;
	}
	if (conn_waiting(c) > BACKLOG_MAX) {
		log_warning("client %u does not read its events; it is left", c->client->id);
		c->closing = true;
	}
	if (c->closing)
		peer_close(p);
	else
		want(p);
}

static const struct conn_kind socket_kind = {prepare, finish};

/* @n bytes lie with the transfer. The file it is in may move while they are served. */
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
	struct peer *p = arg;

	if (events & EPOLLIN) {
		transfer_begin(&t->in, p->conn.client->id, t->bytes, sizeof(t->bytes));
		if (recvmmsg(p->fd, &t->in.message, 1, MSG_DONTWAIT, NULL) == 1)
			received(&p->conn, t->in.message.msg_len);
		else if (errno != EAGAIN && errno != EINTR)
			received(&p->conn, 0);
	} else if (events & (EPOLLERR | EPOLLHUP)) {
		received(&p->conn, 0);
	}
	if (events & EPOLLOUT)
		conn_touch(&p->conn);
	round_end();
}

static struct peer *client_peer(struct client *client)
{
	struct peer *p = client->connection;

	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	conn_init(&p->conn, &socket_kind, client);
	p->fd = (int)(client->id - CLIENT_SOCKET);
	return p;
}

static void peer_serve(int fd, bool read_only)
{
	struct peer *p = client_peer(client_known(&the_store, CLIENT_SOCKET + (uint32_t)fd));

	p->conn.client->read_only = read_only;
	p->events = EPOLLIN;
	p->source = loop_fd(the_loop, fd, EPOLLIN, ready, p);
	conn_restored(&p->conn);
	if (conn_waiting(&p->conn))
		conn_touch(&p->conn);
}

static void arrive(void *arg, uint32_t events)
{
	const struct listener *l = arg;
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	peer_serve(fd, l->read_only);
}

static int listen_at(struct listener *l, struct error *e)
{
	if (!l->path)
		return 0;
	if (l->fd < 0)
		l->fd = socket_listen(l->path, l->read_only ? 0660 : 0600, e);
	if (l->fd < 0)
		return -1;
	loop_fd(the_loop, l->fd, EPOLLIN, arrive, l);
	return 0;
}

/* --- Restart ------------------------------------------------------------------------------------------- */

bool socket_load(struct store *store, const struct record *r)
{
	struct client *c;

	if (r->client <= CLIENT_TOOLS)
		return false;
	c = client_known(store, r->client);
	if (r->kind == RECORD_IO)
		conn_load(&client_peer(c)->conn, r);
	else if (r->kind == RECORD_CLOSE)
		peer_free(client_peer(c));
	return true;
}

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
	for (int i = 1; i >= 0; i--) {
		struct listener *l = &listeners[i];

		if (!l->path || !str_starts(name.sun_path, l->path))
			continue;
		if (listens)
			l->fd = fd;
		else
			peer_serve(fd, l->read_only);
		return;
	}
}

static void drop_others(void)
{
	struct client *c, *next;

	for (c = TAILQ_FIRST(&the_store.clients); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->id < CLIENT_SOCKET || client_peer(c)->source)
			continue;
		journal_append(RECORD_CLOSE, c->id, 0);
		peer_free(client_peer(c));
	}
}

/* The connection a transfer was for, if it was cut off. */
static struct conn *cut_off(const struct transfer *t, uint32_t n)
{
	return n && t->client > CLIENT_TOOLS
		       ? &client_peer(client_known(&the_store, t->client))->conn
		       : NULL;
}

int sockets_open(struct loop *loop, const char *path, const char *path_ro, void (*at_end)(void),
		 struct error *e)
{
	const struct transfers *t = journal_transfers();
	uint32_t in = transfer_cut_off(&t->in), out = transfer_cut_off(&t->out);
	struct conn *c;

	the_loop = loop;
	round_end = at_end;
	listeners[0].path = path;
	listeners[1].path = path_ro;
	keeper_descriptors(find_again);
	if ((c = cut_off(&t->out, out)) && out <= conn_waiting(c))
		sent(c, out);
	if ((c = cut_off(&t->in, in)))
		received(c, in);
	drop_others();
	return listen_at(&listeners[0], e) || listen_at(&listeners[1], e) ? -1 : 0;
}
