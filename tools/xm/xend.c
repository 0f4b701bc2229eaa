/* SPDX-License-Identifier: MIT */
/*
 * xend's API: HTTP/1.0 over its Unix socket, so that each answer ends where its connection does. A request that only reads is repeated
 * once when there is no whole answer (xend was restarted); one that acts never is. What comes is xend's, but is checked as if it were
 * not: lengths are limited and a malformed answer is an error.
 */
#include "xm/xm.h"

#include "lib/base/socket.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define XEND_SOCKET "/run/xend/api.sock"

enum { ANSWER_MOST = 64 << 20, PIECE = 16 << 10 };

static int xend_connect(struct xm *x)
{
	int fd = socket_connect("XEND_API_SOCKET", XEND_SOCKET, 0);

	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM) {
		error_set(&x->error, ERROR_PERMISSION, "Most commands need root access");
		return error_hint(&x->error, "try again as root, or as a member of group xen");
	}
	error_set(&x->error, ERROR_ABSENT, "Unable to connect to xend: %s. Is xend running?",
		  strerror(errno));
	return error_hint(&x->error, "'xend start' or 'systemctl start xend' starts it");
}

/* What comes until the connection's end. */
static bool exchange(int fd, const struct text *request, struct text *answer)
{
	ssize_t n;

	if (send(fd, request->data, request->len, MSG_NOSIGNAL) != (ssize_t)request->len)
		return false;
	while ((n = recv(fd, text_room(answer, PIECE), PIECE, 0)) > 0 && answer->len < ANSWER_MOST)
		answer->len += (size_t)n;
	answer->data[answer->len] = '\0';
	return !n;
}

/* Cuts the head from an answer; the status in it, or 0 where the answer is none, or not whole. */
static int answer_status(struct text *answer)
{
	char *end = strstr(answer->data, "\r\n\r\n"), *length;
	size_t announced;
	int status;

	if (!end || sscanf(answer->data, "HTTP/1.%*1d %3d", &status) != 1)
		return 0;
	*end = '\0';
	length = strcasestr(answer->data, "\r\nContent-Length:");
	announced = length ? strtoul(strchr(length, ':') + 1, NULL, 10) : 0;
	text_drop(answer, (size_t)(end - answer->data) + 4);
	return length && answer->len != announced ? 0 : status;
}

/* {"title": ..., "class": ..., "hint": ...}, or whatever else came with a status that is no success. */
static int problem(struct xm *x, int status, const struct text *body)
{
	json_auto_t *j = json_loadb(body->data, body->len, 0, NULL);
	const char *title = member_text(j, "title", NULL), *detail = member_text(j, "detail", NULL);

	error_set(&x->error, error_class_named(member_text(j, "class", "failed")), "%s%s%s",
		  title ? title : "xend refused the request", detail ? ": " : "",
		  detail ? detail : "");
	if (title)
		return error_hint(&x->error, "%s", member_text(j, "hint", ""));
	return error_hint(&x->error, "the HTTP status was %d; see /var/log/xen/xend.log", status);
}

int xend_request(struct xm *x, const char *method, const char *path, const char *body,
		 struct text *out)
{
	int tries = strcmp(method, "GET") ? 1 : 2, status = 0, fd;
	struct text request = {0};

	text_printf(&request, "%s %s HTTP/1.0\r\nHost: xend\r\n", method, path);
	if (body)
		text_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			    strlen(body));
	text_printf(&request, "\r\n%s", body ? body : "");
	while (!status && tries-- && (fd = xend_connect(x)) >= 0) {
		text_free(out);
		status = exchange(fd, &request, out) ? answer_status(out) : 0;
		close(fd);
		if (!status && tries)
			usleep(200000);
		else if (!status) {
			error_set(&x->error, ERROR_ABSENT, "xend went away before it answered");
			error_hint(&x->error, "what was asked for may be done or not: look before "
					      "repeating it");
		}
	}
	text_free(&request);
	if (status / 100 == 2)
		return 0;
	if (status)
		problem(x, status, out);
	text_free(out);
	return -1;
}

json_t *xend_json(struct xm *x, const char *method, const char *path, json_t *body)
{
	autofree char *sent = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct text answer = {0};
	json_t *j = json_null();
	json_error_t fault;

	json_decref(body);
	if (xend_request(x, method, path, sent, &answer))
		return NULL;
	if (answer.len && !(j = json_loadb(answer.data, answer.len, JSON_DECODE_ANY, &fault)))
		error_set(&x->error, ERROR_FAILED, "xend's answer is no JSON: %s", fault.text);
	text_free(&answer);
	return j;
}

json_t *array_get(struct xm *x, const char *path, const char *member)
{
	json_auto_t *answer = xend_json(x, "GET", path, NULL);
	json_t *array = json_object_get(answer, member);

	if (json_is_array(array))
		return json_incref(array);
	if (answer)
		error_set(&x->error, ERROR_FAILED, "xend's answer has no list '%s'", member);
	return NULL;
}

/* --- Domains ------------------------------------------------------------------------------------------ */

char *domain_path(const char *domain, const char *tail)
{
	struct text t = {0};

	text_str(&t, "/v1/domains/");
	for (const char *p = domain; *p; p++)
		text_printf(&t, isalnum((unsigned char)*p) || strchr("-._~", *p) ? "%c" : "%%%02X",
			    (unsigned char)*p);
	text_printf(&t, "%s%s", tail ? "/" : "", tail ? tail : "");
	return text_take(&t);
}

json_t *domain_call(struct xm *x, const char *method, const char *domain, const char *tail,
		    json_t *body)
{
	autofree char *path = domain_path(domain, tail);

	return xend_json(x, method, path, body);
}

json_t *domain_call_id(struct xm *x, const char *method, long long id, const char *tail,
		       json_t *body)
{
	char domain[24];

	snprintf(domain, sizeof(domain), "%lld", id);
	return domain_call(x, method, domain, tail, body);
}

int domain_do(struct xm *x, const char *method, const char *tail, json_t *body)
{
	json_auto_t *answer = domain_call(x, method, x->operand[0], tail, body);

	return answer ? 0 : -1;
}

static bool runs(const json_t *d)
{
	return json_is_integer(json_object_get(d, "id"));
}

json_t *domains_get(struct xm *x, const char *fields)
{
	autofree char *path =
		xasprintf("/v1/domains%s%s", fields ? "?fields=" : "", fields ? fields : "");
	json_t *array = x->nr ? json_array() : array_get(x, path, "domains");

	for (size_t i = json_array_size(array); x->dialect == CONFIG_XL && i-- > 0;)
		if (!runs(json_array_get(array, i)))
			json_array_remove(array, i);
	for (int i = 0; i < x->nr; i++) {
		json_t *d = domain_call(x, "GET", x->operand[i], NULL, NULL);

		if (d && x->dialect == CONFIG_XL && !runs(d)) {
			error_set(&x->error, ERROR_NOT_FOUND, "Domain '%s' does not run",
				  x->operand[i]);
			json_decref(d);
			d = NULL;
		}
		if (!d) {
			json_decref(array);
			return NULL;
		}
		json_array_append_new(array, d);
	}
	return array;
}

long domain_id(struct xm *x)
{
	json_auto_t *d = domain_call(x, "GET", x->operand[0], NULL, NULL);

	if (runs(d))
		return (long)member_number(d, "id", -1);
	if (!d)
		return -1;
	error_set(&x->error, ERROR_CONFLICT, "Domain '%s' does not run", x->operand[0]);
	return error_hint(&x->error, "'xm start %s' starts it", x->operand[0]);
}
