/* SPDX-License-Identifier: MIT */
/*
 * See api.h: libmicrohttpd inside our loop, on the Unix socket and on TCP. It decides who may ask (SO_PEERCRED, or http_guard.h), and hands
 * whole requests to api_request.h. A connection has one deadline: for its request to come in, or for its answer to be taken; a request
 * that waits for an operation has none, but its client's hang-up is watched for. One timer looks at all of them once a second, while
 * there are any.
 */
#include "xend/api.h"

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/socket.h"
#include "xend/api_request.h"
#include "xend/http_guard.h"
#include "xend/settings.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CONNECTIONS_MOST 64
#define CONNECTIONS_EACH 16	    /* from one address */
#define POOL_BYTES	 (17 << 10) /* a connection's headers and buffer: 16 KiB of headers fit */
#define REQUEST_MS	 10000
#define ANSWER_MS	 60000
#define SWEEP_MS	 1000
#define SOON_MS		 1 /* until a round that the library's descriptor does not tell of */
#define STREAM_BLOCK	 4096
#define BACKLOG		 64

struct server {
	struct server *next;
	struct MHD_Daemon *daemon;
	struct loop_source *source;
	bool tcp, xenapi_only;
	unsigned int nr_connections;
	regex_t hosts_allow; /* if @tcp; empty allows everyone */
	char *key, *cert;    /* NULL: no TLS */
};

struct connection {
	struct api_request request; /* the current one; first, as wake() knows nothing else */
	bool complete, suspended;
	struct connection *next;
	struct server *server;
	struct MHD_Connection *mhd;
	struct event_stream *stream;
	struct pollfd fd;
	uint64_t deadline;
};

static struct node *node;
static struct server *servers;
static struct connection *connections;
static struct loop_source *sweeper, *again;

/* --- Rounds ------------------------------------------------------------------------------------------------- */

static void run(void *arg, uint32_t events)
{
	const struct server *s = arg;
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(s->daemon);
	/* What it has read but not handled it tells by a timeout of 0. */
	if (MHD_get_timeout(s->daemon, &ms) == MHD_YES && !ms)
		loop_timer_set(again, SOON_MS);
}

static void run_all(void *arg)
{
	for (struct server *s = servers; s; s = s->next)
		run(s, 0);
}

/* --- Connections -------------------------------------------------------------------------------------------- */

static void suspend(struct connection *c)
{
	c->suspended = true;
	MHD_suspend_connection(c->mhd);
}

static void wake(struct api_request *r)
{
	struct connection *c = (struct connection *)r;

	if (!c->suspended)
		return;
	c->suspended = false;
	MHD_resume_connection(c->mhd);
	loop_timer_set(again, SOON_MS);
}

static void sweep(void *arg)
{
	for (struct connection *c = connections; c; c = c->next) {
		if (c->suspended && !c->stream && poll(&c->fd, 1, 0))
			wake(&c->request); /* its client hung up */
		if (c->deadline >= loop_now())
			continue;
		if (c->request.uri)
			log_info("API: a client was too slow");
		shutdown(c->fd.fd, SHUT_RDWR); /* the library sees the end and closes */
		c->deadline = UINT64_MAX;
	}
	if (!connections)
		loop_timer_set(sweeper, 0);
}

static struct connection *connection_begin(struct server *s, struct MHD_Connection *mhd)
{
	struct connection *c = xcalloc(1, sizeof(*c));

	s->nr_connections++;
	c->server = s;
	c->mhd = mhd;
	c->fd.fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	c->fd.events = POLLRDHUP;
	c->deadline = loop_now() + REQUEST_MS;
	c->next = connections;
	if (!connections)
		loop_timer_set(sweeper, SWEEP_MS);
	return connections = c;
}

static void connection_notify(void *arg, struct MHD_Connection *mhd, void **context,
			      enum MHD_ConnectionNotificationCode what)
{
	struct connection *c = *context, **p = &connections;
	struct server *s = arg;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		*context = connection_begin(s, mhd);
	if (!c)
		return;
	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	/* At the limit the library accepts no more until its next round, which nothing else would begin. */
	if (s->nr_connections-- == CONNECTIONS_MOST)
		loop_timer_set(again, SOON_MS);
	free(c);
}

/* The entry of xen-api-server may say who connects. */
static enum MHD_Result may_connect(void *arg, const struct sockaddr *from, socklen_t len)
{
	const struct server *s = arg;
	char host[64];

	if (getnameinfo(from, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST))
		return MHD_NO;
	if (!regexec(&s->hosts_allow, host, 0, NULL, 0))
		return MHD_YES;
	return address_is_loopback(host) && !regexec(&s->hosts_allow, "localhost", 0, NULL, 0);
}

/* --- Requests: begin and end ------------------------------------------------------------------------------ */

static void *request_new(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct connection *c =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

	c->request.uri = xstrdup(uri);
	return c;
}

static void request_completed(void *arg, struct MHD_Connection *mhd, void **context,
			      enum MHD_RequestTerminationCode why)
{
	struct connection *c = *context;

	if (!c)
		return;
	if (c->stream)
		events_close(c->stream);
	api_request_end(&c->request);
	c->stream = NULL;
	c->complete = false;
	c->deadline = loop_now() + REQUEST_MS;
	*context = NULL;
}

static const char *header(const struct connection *c, const char *name)
{
	return MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, name);
}

/* --- Who may ask ------------------------------------------------------------------------------------------- */

static bool refused(struct connection *c, int status, const char *text, const char *hint)
{
	struct error e;

	error_set(&e, status == 404 || status == 413 ? ERROR_USAGE : ERROR_PERMISSION, "%s", text);
	error_hint(&e, "%s", hint);
	api_problem(&c->request, status, &e);
	return false;
}

static bool has_token(struct connection *c)
{
	const char *given = header(c, "Authorization");
	bool bearer = given && !strncasecmp(given, "Bearer ", 7);

	if (given && guard_asks(node->settings->token_file, bearer ? given + 7 : "",
				&c->request.retry_after))
		return true;
	if (c->request.retry_after)
		return refused(c, 429, "too many wrong tokens came",
			       "wait as long as Retry-After says");
	c->request.challenge = true;
	return refused(c, 401, given ? "the token is not known" : "a token is missing",
		       "send Authorization: Bearer TOKEN with a line of xend-token-file");
}

static bool may_ask_tcp(struct connection *c)
{
	const struct server *s = c->server;
	unsigned int flags = c->request.route ? c->request.route->flags : 0;
	const char *host = header(c, "Host");

	if (!guard_host_good(host, node->settings->http_hosts))
		return refused(c, 403, "this host is not served here",
			       "add the name to xend-http-hosts in xend-config.sxp");
	if (!guard_origin_good(header(c, "Origin"), host, s->key))
		return refused(c, 403, "pages of other origins may not use this", "");
	if (s->xenapi_only && !(flags & ROUTE_OPEN))
		return refused(c, 404, "only XenAPI is served here", "");
	return flags & ROUTE_OPEN || has_token(c);
}

/* False: the answer is set. */
static bool may_ask(struct connection *c)
{
	const char *length = header(c, "Content-Length");

	if (c->server->tcp && !may_ask_tcp(c))
		return false;
	if (!c->server->tcp && !c->request.trusted)
		return refused(c, 403, "only root and members of the group xen may use this",
			       "ask the administrator to add you to the group xen");
	if (length && strtoull(length, NULL, 10) > API_BODY_MOST)
		return refused(c, 413, "the body is larger than 1 MiB", "");
	return c->request.route;
}

/* --- Answering --------------------------------------------------------------------------------------------- */

static enum MHD_Result queue(struct connection *c, struct MHD_Response *response)
{
	const struct api_request *r = &c->request;
	bool tcp = c->server->tcp;
	enum MHD_Result rc;
	char seconds[16];

	if (!response)
		return MHD_NO;
	snprintf(seconds, sizeof(seconds), "%u", r->retry_after);
	/* One without a value is not added. */
	MHD_add_response_header(response, "Content-Type", r->type);
	MHD_add_response_header(response, "Location", r->location);
	MHD_add_response_header(response, "Allow", r->status == 405 ? r->allow : NULL);
	MHD_add_response_header(response, "WWW-Authenticate", r->challenge ? "Bearer" : NULL);
	MHD_add_response_header(response, "Retry-After", r->retry_after ? seconds : NULL);
	MHD_add_response_header(response, "Cache-Control", tcp ? "no-store" : NULL);
	MHD_add_response_header(response, "X-Content-Type-Options", tcp ? "nosniff" : NULL);
	c->complete = true;
	c->deadline = loop_now() + ANSWER_MS;
	rc = MHD_queue_response(c->mhd, (unsigned int)r->status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result answer(struct connection *c)
{
	struct text *t = &c->request.answer;
	size_t len = t->len;

	return queue(c, MHD_create_response_from_buffer(len, text_take(t), MHD_RESPMEM_MUST_FREE));
}

static ssize_t read_stream(void *arg, uint64_t position, char *buffer, size_t most)
{
	struct connection *c = arg;
	ssize_t n = events_read(c->stream, buffer, most);

	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	c->deadline = loop_now() + ANSWER_MS;
	if (!n)
		suspend(c);
	return n;
}

static enum MHD_Result begin_stream(struct connection *c)
{
	struct error e;

	c->stream = events_open(&c->request, header(c, "Last-Event-ID"), &e);
	if (!c->stream) {
		api_problem(&c->request, 0, &e);
		return answer(c);
	}
	c->request.status = 200;
	c->request.type = "text/event-stream";
	return queue(c, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK,
							  read_stream, c, NULL));
}

/* --- Handling ----------------------------------------------------------------------------------------------- */

static enum MHD_Result handle_complete(struct connection *c)
{
	struct api_request *r = &c->request;

	c->complete = true;
	if (!r->status && r->route->flags & ROUTE_STREAM)
		return begin_stream(c);
	if (!r->status)
		api_dispatch(r);
	if (r->status)
		return answer(c);
	c->deadline = UINT64_MAX;
	suspend(c);
	return MHD_YES;
}

/* Called when the headers are there, for each part of the body, behind it, and after a wait. */
static enum MHD_Result handle(void *arg, struct MHD_Connection *mhd, const char *url,
			      const char *method, const char *version, const char *data, size_t *n,
			      void **context)
{
	struct connection *c = *context;
	struct api_request *r = &c->request;

	if (!r->node) {
		api_request_begin(r, node, method, r->uri);
		r->trusted = !c->server->tcp && socket_peer_trusted(c->fd.fd);
		r->wake = wake;
		return may_ask(c) ? MHD_YES : answer(c);
	}
	if (!*n && c->complete)
		return r->status ? answer(c) : MHD_NO; /* it hung up */
	if (!*n)
		return handle_complete(c);
	if (!r->status && r->body.len + *n > API_BODY_MOST)
		refused(c, 413, "the body is larger than 1 MiB", "");
	if (!r->status)
		text_add(&r->body, data, *n);
	*n = 0;
	return MHD_YES;
}

/* --- Servers ------------------------------------------------------------------------------------------------ */

static void log_library(void *arg, const char *fmt, va_list ap)
{
	char line[512];

	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug("API: %s", line);
}

/* Ended by api_stop(). */
static struct server *server_new(void)
{
	struct server *s = xcalloc(1, sizeof(*s));

	s->next = servers;
	return servers = s;
}

/* On @fd, which may be -1, with the error set. */
static int server_start(struct server *s, int fd, const char *name, struct error *e)
{
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_library, NULL},
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MOST, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, NULL},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, s->tcp ? CONNECTIONS_EACH : 0, NULL},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)request_new, s},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_completed, s},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_notify, s},
		{s->key ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, s->key},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, s->cert},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			     (s->tcp ? 0 : MHD_USE_SUPPRESS_DATE_NO_CLOCK) |
			     (s->key ? MHD_USE_TLS : 0);

	if (fd < 0)
		return -1;
	s->daemon = MHD_start_daemon(flags, 0, s->tcp ? may_connect : NULL, s, handle, s,
				     MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	if (!s->daemon)
		return error_set(e, ERROR_FAILED, "HTTP on %s cannot be served%s", name,
				 s->key ? ": key and certificate do not fit" : "");
	s->source = loop_fd(node->loop,
			    MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
			    EPOLLIN, run, s);
	log_info("API on %s", name);
	/* The listening socket enters the library's epoll set in its first round. */
	run(s, 0);
	return 0;
}

/* On a numeric address: no name is looked up, a slow name server cannot hold the daemon. */
static int tcp_listen(const struct listener_settings *l, struct error *e)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				       .ai_socktype = SOCK_STREAM};
	struct addrinfo *a;
	int fd, on = 1;
	char port[16];

	snprintf(port, sizeof(port), "%ld", l->port);
	if (getaddrinfo(l->address, port, &hints, &a))
		return error_set(e, ERROR_CONFIG, "%.60s is no numeric IP address", l->address);
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, BACKLOG)) {
		error_errno(e, ERROR_NONE, errno, "%s port %s cannot be listened on", l->address,
			    port);
		close(fd);
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}

static int serve_tcp(const struct listener_settings *l, struct error *e)
{
	struct server *s = server_new();
	char name[120];
	bool good;

	s->tcp = true;
	s->xenapi_only = l->xenapi_only;
	if (guard_read(node->settings->token_file, "", &good, e) ||
	    (*l->key_file && !(s->key = file_read(l->key_file, 1 << 20, NULL, e))) ||
	    (*l->key_file && !(s->cert = file_read(l->cert_file, 1 << 20, NULL, e))))
		return -1;
	if (regcomp(&s->hosts_allow, l->hosts_allow, REG_EXTENDED | REG_NOSUB))
		return error_set(e, ERROR_CONFIG, "'%.60s' is no regular expression",
				 l->hosts_allow);
	snprintf(name, sizeof(name), "%s port %ld%s", l->address, l->port, s->key ? " (TLS)" : "");
	return server_start(s, tcp_listen(l, e), name, e);
}

int api_start(struct node *n, struct error *e)
{
	const struct xend_settings *settings = n->settings;
	int rc;

	node = n;
	sweeper = loop_timer(n->loop, 0, true, sweep, NULL);
	again = loop_timer(n->loop, 0, false, run_all, NULL);
	rc = server_start(server_new(), socket_listen(settings->api_socket, 0660, e),
			  settings->api_socket, e);
	for (size_t i = 0; !rc && i < settings->nr_listeners; i++)
		rc = serve_tcp(&settings->listeners[i], e);
	if (rc)
		api_stop();
	return rc;
}

void api_stop(void)
{
	/* The library does not end with suspended connections. */
	for (struct connection *c = connections; c; c = c->next)
		wake(&c->request);
	for (struct server *s; (s = servers); free(s)) {
		servers = s->next;
		loop_remove(s->source);
		if (s->daemon)
			MHD_stop_daemon(s->daemon); /* closes the listening socket too */
		regfree(&s->hosts_allow);
		free(s->key);
		free(s->cert);
	}
	loop_remove(sweeper);
	loop_remove(again);
}
