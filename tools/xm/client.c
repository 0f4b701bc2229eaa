/* SPDX-License-Identifier: MIT */
/* See client.h. What the server sends is xend's, but is checked as if it were not: lengths are limited and a malformed answer is an error. */
#include "xm/client.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BODY_MOST = 64 << 20, HEAD_MOST = 64 << 10 };

struct head {
	int status;
	long length; /* -1: not said */
	bool chunked, close;
};

void client_init(struct client *c)
{
	*c = (struct client){.fd = -1};
	signal(SIGPIPE, SIG_IGN);
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	text_free(&c->in);
}

static int client_connect(struct client *c, struct error *e)
{
	const char *path = getenv("XEND_API_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int errnum;

	if (c->fd >= 0)
		return 0;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path ? path : XEND_SOCKET);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && !connect(c->fd, (struct sockaddr *)&address, sizeof(address)))
		return 0;
	errnum = errno;
	client_close(c);
	if (errnum == EACCES || errnum == EPERM) {
		error_set(e, ERROR_PERMISSION, "Most commands need root access");
		return error_hint(e, "try again as root, or as a member of group xen");
	}
	error_set(e, ERROR_ABSENT, "Unable to connect to xend: %s. Is xend running?",
		  strerror(errnum));
	return error_hint(e, "'xend start' or 'systemctl start xend' starts it");
}

/* Nothing (-1) when the connection ended or failed. */
static int client_fill(struct client *c)
{
	ssize_t n;

	do
		n = recv(c->fd, text_room(&c->in, 65536), 65536, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -1;
	c->in.len += (size_t)n;
	c->in.data[c->in.len] = '\0';
	return 0;
}

static int client_send(struct client *c, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The next line, without its end, cut from what was received; NULL: the connection ended. The caller frees. */
static char *client_line(struct client *c)
{
	char *end, *line;
	size_t len;

	while (!c->in.len || !(end = memchr(c->in.data, '\n', c->in.len)))
		if (c->in.len > HEAD_MOST || client_fill(c))
			return NULL;
	len = (size_t)(end - c->in.data);
	line = xmalloc(len + 1);
	memcpy(line, c->in.data, len);
	line[len && line[len - 1] == '\r' ? len - 1 : len] = '\0';
	text_drop(&c->in, len + 1);
	return line;
}

static void head_field(struct head *h, const char *line)
{
	if (!strncasecmp(line, "content-length:", 15))
		h->length = strtol(line + 15, NULL, 10);
	else if (!strncasecmp(line, "transfer-encoding:", 18))
		h->chunked = strcasestr(line, "chunked");
	else if (!strncasecmp(line, "connection:", 11))
		h->close = strcasestr(line, "close");
}

static int client_head(struct client *c, struct head *h)
{
	char *line = client_line(c);
	bool more;

	*h = (struct head){.length = -1};
	if (!line || sscanf(line, "HTTP/1.%*1d %3d", &h->status) != 1)
		h->status = 0;
	free(line);
	if (!h->status)
		return -1;
	do {
		line = client_line(c);
		if (!line)
			return -1;
		more = *line;
		head_field(h, line);
		free(line);
	} while (more);
	return 0;
}

static int client_take(struct client *c, size_t n, struct text *out)
{
	if (n > BODY_MOST || out->len + n > BODY_MOST)
		return -1;
	while (c->in.len < n)
		if (client_fill(c))
			return -1;
	text_add(out, c->in.data, n);
	text_drop(&c->in, n);
	return 0;
}

static int client_chunks(struct client *c, struct text *out)
{
	for (;;) {
		char *line = client_line(c);
		unsigned long n = line ? strtoul(line, NULL, 16) : 0;
		bool ok = line && strspn(line, "0123456789abcdefABCDEF");

		free(line);
		if (!ok || client_take(c, n, out))
			return -1;
		line = client_line(c);
		ok = line && !*line;
		free(line);
		if (!n || !ok)
			return ok ? 0 : -1;
	}
}

static int client_body(struct client *c, const struct head *h, struct text *out)
{
	if (h->status == 204 || h->status == 304)
		return 0;
	if (h->chunked)
		return client_chunks(c, out);
	if (h->length >= 0)
		return client_take(c, (size_t)h->length, out);
	while (!client_fill(c))
		if (c->in.len > BODY_MOST)
			return -1;
	return client_take(c, c->in.len, out);
}

static int client_exchange(struct client *c, const char *method, const char *path, const char *body,
			   struct head *h, struct text *out)
{
	struct text request = {0};
	int rc;

	text_printf(&request, "%s %s HTTP/1.1\r\nHost: xend\r\n", method, path);
	if (body)
		text_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			    strlen(body));
	text_str(&request, "\r\n");
	text_str(&request, body ? body : "");
	rc = client_send(c, request.data, request.len);
	text_free(&request);
	do
		rc = rc || client_head(c, h) ? -1 : 0;
	while (!rc && h->status / 100 == 1);
	if (rc || client_body(c, h, out))
		return -1;
	if (h->close || (h->length < 0 && !h->chunked && h->status != 204))
		client_close(c);
	return 0;
}

/* {"title": ..., "class": ..., "hint": ...}, or whatever else came with a status that is no success. */
static int problem(int status, const struct text *body, struct error *e)
{
	json_t *j = json_loadb(body->data ? body->data : "", body->len, 0, NULL);
	const char *title = json_string_value(json_object_get(j, "title"));
	const char *detail = json_string_value(json_object_get(j, "detail"));
	const char *class = json_string_value(json_object_get(j, "class"));
	const char *hint = json_string_value(json_object_get(j, "hint"));

	error_set(e, class ? error_class_named(class) : ERROR_FAILED, "%s%s%s",
		  title ? title : "xend refused the request", detail ? ": " : "",
		  detail ? detail : "");
	if (!title)
		error_hint(e, "the HTTP status was %d; see /var/log/xen/xend.log", status);
	else if (hint)
		error_hint(e, "%s", hint);
	json_decref(j);
	return -1;
}

int client_request(struct client *c, const char *method, const char *path, const char *body,
		   struct text *out, struct error *e)
{
	struct text answer = {0};
	struct head h = {0};
	int tries = strcmp(method, "GET") ? 1 : 2, rc = -1;

	while (rc && tries--) {
		bool again = c->fd >= 0;

		if (client_connect(c, e))
			return -1;
		text_free(&answer);
		rc = client_exchange(c, method, path, body, &h, &answer);
		if (!rc)
			break;
		client_close(c);
		if (!again && tries)
			usleep(200000);
	}
	if (rc) {
		error_set(e, ERROR_ABSENT, "xend went away before it answered");
		error_hint(e, "what was asked for may be done or not: look before repeating it");
	} else if (h.status / 100 != 2) {
		rc = problem(h.status, &answer, e);
	} else if (out) {
		*out = answer;
		return 0;
	}
	text_free(&answer);
	return rc;
}

json_t *client_json(struct client *c, const char *method, const char *path, json_t *body,
		    struct error *e)
{
	char *sent = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct text answer = {0};
	json_t *j = NULL;
	json_error_t fault;
	int rc = client_request(c, method, path, sent, &answer, e);

	free(sent);
	json_decref(body);
	if (rc)
		return NULL;
	if (!answer.len)
		j = json_null();
	else if (!(j = json_loadb(answer.data, answer.len, JSON_DECODE_ANY, &fault)))
		error_set(e, ERROR_FAILED, "xend's answer is no JSON: %s", fault.text);
	text_free(&answer);
	return j;
}
