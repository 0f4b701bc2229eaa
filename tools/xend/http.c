/* SPDX-License-Identifier: MIT */
/*
 * See http.h. A connection has one deadline: for its request to come in, or for its answer to be taken; a request that waits for an
 * operation has none, but its client's hang-up is watched for. One timer looks at all of them once a second, while there are any.
 */
#include "xend/http.h"

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/socket.h"
#include "xend/api_request.h"
#include "xend/events.h"
#include "xend/http_guard.h"
#include "xend/settings.h"

#include <microhttpd.h>
#include <netdb.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MOST 64
#define CONNECTIONS_EACH 16 /* from one address */
#define HEADERS_MOST	 (16 << 10)
#define POOL_BYTES \
	(20 << 10) /* a connection's: headers both ways and the buffer; cleared for each request */
#define REQUEST_MS   10000
#define ANSWER_MS    60000
#define SWEEP_MS     1000
#define STREAM_BLOCK 4096

struct server {
	struct server *next;
	struct http *http;
	struct MHD_Daemon *daemon;
	struct loop_source *source;
	bool tcp, tls, xenapi_only;
	unsigned int nr_connections;
	char *hosts_allow; /* an extended regular expression; NULL: everyone */
	char *key, *cert;
};

struct connection {
	struct connection *next, **back;
	struct server *server;
	struct http_request *request; /* the current one */
	int fd;
	bool trusted;
	uint64_t deadline;
};

struct http {
	struct loop *loop;
	const struct api_context *context;
	struct guard *guard;
	struct server *servers;
	struct connection *connections;
	struct loop_source *sweep, *again;
	bool sweeping;
	int again_fd; /* an eventfd: the library has work that its descriptor does not tell of */
};

struct http_request {
	struct api_request api;
	char *uri;
	struct connection *connection;
	struct MHD_Connection *mhd;
	struct event_stream *stream;
	struct loop_source *hangup;
	bool begun, complete, suspended;
};

/* --- Rounds ------------------------------------------------------------------------------------------------- */

static void run_again(struct http *h)
{
	eventfd_write(h->again_fd, 1);
}

static void run(void *arg, uint32_t events)
{
	struct server *s = arg;
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(s->daemon);
	/* What it has read but not handled it tells by a timeout of 0. */
	if (MHD_get_timeout(s->daemon, &ms) == MHD_YES && !ms)
		run_again(s->http);
}

static void run_all(void *arg, uint32_t events)
{
	struct http *h = arg;
	eventfd_t value;

	eventfd_read(h->again_fd, &value);
	for (struct server *s = h->servers; s; s = s->next)
		run(s, 0);
}

static void sweep(void *arg)
{
	struct http *h = arg;
	uint64_t now = loop_now();

	for (struct connection *c = h->connections; c; c = c->next) {
		if (c->deadline >= now)
			continue;
		if (c->request)
			log_info("API: a client was too slow");
		shutdown(c->fd, SHUT_RDWR); /* the library sees the end and closes */
		c->deadline = UINT64_MAX;
	}
	if (!h->connections) {
		loop_timer_set(h->sweep, 0);
		h->sweeping = false;
	}
}

/* --- Connections -------------------------------------------------------------------------------------------- */

static void connection_begin(struct server *s, struct MHD_Connection *mhd, void **context)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct connection *c = xcalloc(1, sizeof(*c));
	struct http *h = s->http;

	s->nr_connections++;
	c->server = s;
	c->fd = info->connect_fd;
	c->trusted = !s->tcp && socket_peer_trusted(c->fd);
	c->deadline = loop_now() + REQUEST_MS;
	c->next = h->connections;
	c->back = &h->connections;
	if (c->next)
		c->next->back = &c->next;
	h->connections = c;
	*context = c;
	if (!h->sweeping) {
		loop_timer_set(h->sweep, SWEEP_MS);
		h->sweeping = true;
	}
}

static void connection_end(struct connection *c)
{
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	/* At the limit the library accepts no more until its next round, which nothing else would begin. */
	if (c->server->nr_connections-- == CONNECTIONS_MOST)
		run_again(c->server->http);
	free(c);
}

static void connection_notify(void *arg, struct MHD_Connection *mhd, void **context,
			      enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		connection_begin(arg, mhd, context);
	else if (*context)
		connection_end(*context);
}

/* The entry of xen-api-server may say who connects. */
static enum MHD_Result may_connect(void *arg, const struct sockaddr *from, socklen_t len)
{
	const struct server *s = arg;
	char host[64] = "";
	regex_t allow;
	bool fits;

	if (!s->hosts_allow)
		return MHD_YES;
	if (getnameinfo(from, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST) ||
	    regcomp(&allow, s->hosts_allow, REG_EXTENDED | REG_NOSUB))
		return MHD_NO;
	fits = !regexec(&allow, host, 0, NULL, 0) ||
	       (address_is_loopback(host) && !regexec(&allow, "localhost", 0, NULL, 0));
	regfree(&allow);
	return fits ? MHD_YES : MHD_NO;
}

/* --- Requests: begin and end ------------------------------------------------------------------------------ */

static void wake(struct api_request *r)
{
	struct http_request *req = (struct http_request *)r;

	if (!req->suspended)
		return;
	req->suspended = false;
	MHD_resume_connection(req->mhd);
	run_again(req->connection->server->http);
}

static void *request_new(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct http_request *req = xcalloc(1, sizeof(*req));

	req->uri = xstrdup(uri);
	req->mhd = mhd;
	req->connection =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	req->connection->request = req;
	return req;
}

static void request_completed(void *arg, struct MHD_Connection *mhd, void **context,
			      enum MHD_RequestTerminationCode why)
{
	struct http_request *req = *context;

	if (!req)
		return;
	req->connection->request = NULL;
	req->connection->deadline = loop_now() + REQUEST_MS;
	loop_remove(req->hangup);
	if (req->stream)
		events_close(req->stream);
	api_request_end(&req->api);
	free(req->uri);
	free(req);
	*context = NULL;
}

static const char *header(const struct http_request *req, const char *name)
{
	return MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, name);
}

/* --- Who may ask ------------------------------------------------------------------------------------------- */

static bool refused(struct http_request *req, int status, const char *text, const char *hint)
{
	struct error e;

	error_set(&e,
		  status == 404 || status == 413 || status == 431 ? ERROR_USAGE : ERROR_PERMISSION,
		  "%s", text);
	error_hint(&e, "%s", hint);
	api_problem(&req->api, status, &e);
	return false;
}

static bool count_failure(struct api_request *r)
{
	struct http_request *req = (struct http_request *)r;

	r->retry_after = guard_failed(req->connection->server->http->guard);
	return r->retry_after > 0;
}

bool http_password_good(struct api_request *r, const char *password)
{
	struct http_request *req = (struct http_request *)r;

	if (guard_token_good(req->connection->server->http->guard, password))
		return true;
	count_failure(r);
	return false;
}

static bool has_token(struct http_request *req)
{
	const char *given = header(req, "Authorization");

	if (given && !strncasecmp(given, "Bearer ", 7) &&
	    guard_token_good(req->connection->server->http->guard, given + 7))
		return true;
	if (given && count_failure(&req->api))
		return refused(req, 429, "too many wrong tokens came",
			       "wait as long as Retry-After says");
	req->api.challenge = true;
	return refused(req, 401, given ? "the token is not known" : "a token is missing",
		       "send Authorization: Bearer TOKEN with a line of xend-token-file");
}

static bool may_ask_tcp(struct http_request *req)
{
	const struct server *s = req->connection->server;
	const struct route *route = req->api.route;
	const char *host = header(req, "Host");

	if (!guard_host_good(s->http->guard, host))
		return refused(req, 403, "this host is not served here",
			       "add the name to xend-http-hosts in xend-config.sxp");
	if (!guard_origin_good(header(req, "Origin"), host, s->tls))
		return refused(req, 403, "pages of other origins may not use this", "");
	if (s->xenapi_only && !(route && route->flags & ROUTE_XENAPI))
		return refused(req, 404, "only XenAPI is served here", "");
	return (route && route->flags & ROUTE_OPEN) || has_token(req);
}

/* False: the answer is set. */
static bool may_ask(struct http_request *req)
{
	const char *length = header(req, "Content-Length");

	if (req->connection->server->tcp) {
		if (!may_ask_tcp(req))
			return false;
	} else if (!req->connection->trusted) {
		return refused(req, 403, "only root and members of the group xen may use this",
			       "ask the administrator to add you to the group xen");
	}
	if (MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
		    ->header_size > HEADERS_MOST)
		return refused(req, 431, "the headers are larger than 16 KiB", "");
	if (length && strtoull(length, NULL, 10) > API_BODY_MOST)
		return refused(req, 413, "the body is larger than 1 MiB", "");
	return req->api.route;
}

/* --- Answering --------------------------------------------------------------------------------------------- */

static void add_headers(const struct http_request *req, struct MHD_Response *response)
{
	const struct api_request *r = &req->api;
	char number[16];

	if (r->type)
		MHD_add_response_header(response, "Content-Type", r->type);
	if (r->location)
		MHD_add_response_header(response, "Location", r->location);
	if (r->status == 405)
		MHD_add_response_header(response, "Allow", r->allow);
	if (r->challenge)
		MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	if (r->retry_after) {
		snprintf(number, sizeof(number), "%u", r->retry_after);
		MHD_add_response_header(response, "Retry-After", number);
	}
	if (req->connection->server->tcp) {
		MHD_add_response_header(response, "Cache-Control", "no-store");
		MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	}
}

static enum MHD_Result queue(struct http_request *req, unsigned int status,
			     struct MHD_Response *response)
{
	enum MHD_Result rc;

	if (!response)
		return MHD_NO;
	add_headers(req, response);
	req->complete = true;
	req->connection->deadline = loop_now() + ANSWER_MS;
	rc = MHD_queue_response(req->mhd, status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result answer(struct http_request *req)
{
	struct text *t = &req->api.answer;
	size_t len = t->len;

	return queue(req, (unsigned int)req->api.status,
		     MHD_create_response_from_buffer(len, text_take(t), MHD_RESPMEM_MUST_FREE));
}

/* --- The stream of events ---------------------------------------------------------------------------------- */

static void wake_stream(void *arg)
{
	wake(arg);
}

static ssize_t read_stream(void *arg, uint64_t position, char *buffer, size_t most)
{
	struct http_request *req = arg;
	ssize_t n = events_read(req->stream, buffer, most);

	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	req->connection->deadline = loop_now() + ANSWER_MS;
	if (!n) {
		req->suspended = true;
		MHD_suspend_connection(req->mhd);
	}
	return n;
}

static enum MHD_Result begin_stream(struct http_request *req)
{
	struct error e;

	req->stream = events_open(req->api.context->events, header(req, "Last-Event-ID"),
				  wake_stream, req, &e);
	if (!req->stream) {
		api_problem(&req->api, 0, &e);
		return answer(req);
	}
	req->api.type = "text/event-stream";
	return queue(req, 200,
		     MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
						       req, NULL));
}

/* --- Handling ----------------------------------------------------------------------------------------------- */

static void hung_up(void *arg, uint32_t events)
{
	struct http_request *req = arg;
	struct error e;

	loop_remove(req->hangup);
	req->hangup = NULL;
	if (req->api.operation)
		operation_forget(req->api.operation, &req->api);
	req->api.operation = NULL;
	error_set(&e, ERROR_FAILED, "the client is gone");
	api_problem(&req->api, 0, &e);
	wake(&req->api);
}

static enum MHD_Result wait_for_answer(struct http_request *req)
{
	req->suspended = true;
	req->connection->deadline = UINT64_MAX;
	req->hangup = loop_fd(req->connection->server->http->loop, req->connection->fd, EPOLLRDHUP,
			      hung_up, req);
	MHD_suspend_connection(req->mhd);
	return MHD_YES;
}

static enum MHD_Result handle_complete(struct http_request *req)
{
	req->complete = true;
	if (req->api.route && req->api.route->flags & ROUTE_STREAM)
		return begin_stream(req);
	req->api.trusted = req->connection->trusted;
	req->api.wake = wake;
	if (!req->api.status)
		api_dispatch(&req->api);
	return req->api.status ? answer(req) : wait_for_answer(req);
}

static void take_body(struct http_request *req, const char *data, size_t n)
{
	if (req->api.status)
		return;
	if (req->api.body.len + n > API_BODY_MOST)
		refused(req, 413, "the body is larger than 1 MiB", "");
	else
		text_add(&req->api.body, data, n);
}

/* Called when the headers are there, for each part of the body, behind it, and after a wait. */
static enum MHD_Result handle(void *arg, struct MHD_Connection *mhd, const char *url,
			      const char *method, const char *version, const char *data, size_t *n,
			      void **context)
{
	struct server *s = arg;
	struct http_request *req = *context;

	if (!req->begun) {
		req->begun = true;
		api_request_begin(&req->api, s->http->context, method, req->uri);
		return may_ask(req) ? MHD_YES : answer(req);
	}
	if (*n) {
		take_body(req, data, *n);
		*n = 0;
		return MHD_YES;
	}
	if (!req->complete)
		return handle_complete(req);
	loop_remove(req->hangup);
	req->hangup = NULL;
	return answer(req);
}

/* --- Servers ------------------------------------------------------------------------------------------------ */

static void log_library(void *arg, const char *fmt, va_list ap)
{
	char line[512];

	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug("API: %s", line);
}

static struct MHD_Daemon *daemon_start(struct server *s, int fd)
{
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MOST, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, NULL},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, s->tcp ? CONNECTIONS_EACH : 0, NULL},
		{s->tls ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, s->key},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, s->cert},
		{MHD_OPTION_END, 0, NULL},
	};

	flags |= s->tls ? MHD_USE_TLS : 0;
	flags |= s->tcp ? 0 : MHD_USE_SUPPRESS_DATE_NO_CLOCK;
	return MHD_start_daemon(flags, 0, s->tcp ? may_connect : NULL, s, handle, s,
				MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
				MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK,
				request_new, s, MHD_OPTION_NOTIFY_COMPLETED, request_completed, s,
				MHD_OPTION_NOTIFY_CONNECTION, connection_notify, s,
				MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static void server_free(struct server *s)
{
	loop_remove(s->source);
	if (s->daemon)
		MHD_stop_daemon(s->daemon); /* closes the listening socket too */
	free(s->hosts_allow);
	free(s->key);
	free(s->cert);
	free(s);
}

static int server_start(struct http *h, struct server *s, int fd, const char *name, struct error *e)
{
	s->http = h;
	s->daemon = daemon_start(s, fd);
	if (!s->daemon)
		return error_set(e, ERROR_FAILED, "HTTP on %s cannot be served%s", name,
				 s->tls ? ": key and certificate do not fit" : "");
	s->source =
		loop_fd(h->loop, MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
			EPOLLIN, run, s);
	s->next = h->servers;
	h->servers = s;
	log_info("API on %s", name);
	/* The listening socket enters the library's epoll set in its first round. */
	run(s, 0);
	return 0;
}

int http_serve_unix(struct http *h, const char *path, struct error *e)
{
	struct server *s = xcalloc(1, sizeof(*s));
	int fd = socket_listen(path, 0660, e);

	if (fd >= 0 && !server_start(h, s, fd, path, e))
		return 0;
	server_free(s);
	return -1;
}

static int load_tls(struct server *s, const struct listener_settings *l, struct error *e)
{
	if (!l->key_file)
		return 0;
	s->tls = true;
	s->key = file_read(l->key_file, 1 << 20, NULL, e);
	s->cert = s->key ? file_read(l->cert_file, 1 << 20, NULL, e) : NULL;
	return s->cert ? 0 : -1;
}

int http_serve_tcp(struct http *h, const struct listener_settings *l, struct error *e)
{
	struct server *s = xcalloc(1, sizeof(*s));
	char *name = xasprintf("%s port %ld%s", l->address, l->port, l->key_file ? " (TLS)" : "");
	int rc, fd = -1;

	s->tcp = true;
	s->xenapi_only = l->xenapi_only;
	s->hosts_allow = l->hosts_allow && *l->hosts_allow ? xstrdup(l->hosts_allow) : NULL;
	rc = guard_load(h->guard, e);
	if (!rc)
		rc = load_tls(s, l, e);
	if (!rc)
		rc = fd = tcp_listen(l->address, l->port, e);
	if (rc >= 0)
		rc = server_start(h, s, fd, name, e);
	if (rc)
		server_free(s);
	free(name);
	return rc;
}

struct http *http_new(struct loop *loop, const struct api_context *context, struct guard *guard)
{
	struct http *h = xcalloc(1, sizeof(*h));

	*h = (struct http){.loop = loop, .context = context, .guard = guard};
	h->sweep = loop_timer(loop, 0, true, sweep, h);
	h->again_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->again = loop_fd(loop, h->again_fd, EPOLLIN, run_all, h);
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	/* The library does not end with suspended connections. */
	for (struct connection *c = h->connections; c; c = c->next)
		if (c->request)
			wake(&c->request->api);
	while (h->servers) {
		struct server *s = h->servers;

		h->servers = s->next;
		server_free(s);
	}
	loop_remove(h->sweep);
	loop_remove(h->again);
	close(h->again_fd);
	free(h);
}
