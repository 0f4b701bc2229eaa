/* SPDX-License-Identifier: MIT */
/* See api_request.h: from a method, a path and a body to the row of the table, and from what the row's handler says to an answer. */
#include "xend/api_request.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- Paths and queries ---------------------------------------------------------------------------------- */

/* %41 -> A, in place; %00 is left as it is. */
static void percent_decode(char *s)
{
	char *to = s;

	for (; (*to = *s); to++, s++) {
		char digits[3] = {s[0] == '%' ? s[1] : '\0', s[1] ? s[2] : '\0'}, *end;
		long c = strtol(digits, &end, 16);

		if (end == digits + 2 && c > 0 && isxdigit((unsigned char)*digits)) {
			*to = (char)c;
			s += 2;
		}
	}
}

static void split_path(struct api_request *r)
{
	char *query = strchrnul(r->uri, '?'), *p;

	r->query = *query ? query + 1 : query;
	*query = '\0';
	for (p = strtok(r->uri, "/"); p && r->nr_segments < API_SEGMENTS_MOST;
	     p = strtok(NULL, "/")) {
		percent_decode(p);
		r->segment[r->nr_segments++] = p;
	}
	if (p)
		r->nr_segments = API_SEGMENTS_MOST + 1; /* fits no pattern */
}

const char *api_query(const struct api_request *r, const char *name)
{
	static char value[512];
	size_t n = strlen(name), len;

	for (const char *p = r->query; *p; p += len + (p[len] == '&')) {
		len = strcspn(p, "&");
		if (strncmp(p, name, n) || (len != n && p[n] != '='))
			continue;
		snprintf(value, sizeof(value), "%.*s", len == n ? 0 : (int)(len - n - 1),
			 p + n + 1);
		percent_decode(value);
		return value;
	}
	return NULL;
}

bool api_query_flag(const struct api_request *r, const char *name, bool preset)
{
	const char *value = api_query(r, name);

	return value ? strcmp(value, "0") && strcasecmp(value, "false") : preset;
}

/* --- The table ------------------------------------------------------------------------------------------- */

static bool pattern_fits(const char *pattern, const struct api_request *r)
{
	unsigned int i = 0;

	while (*pattern == '/' && pattern[1] && i < r->nr_segments) {
		size_t n = strcspn(++pattern, "/");

		if (*pattern != '{' && (strncmp(pattern, r->segment[i], n) || r->segment[i][n]))
			return false;
		pattern += n;
		i++;
	}
	return i == r->nr_segments && (!*pattern || !strcmp(pattern, "/"));
}

static void find_route(struct api_request *r, const char *method)
{
	struct error e;

	if (!strcmp(method, "HEAD"))
		method = "GET";
	for (const struct route *row = api_routes; row->method; row++) {
		size_t used = strlen(r->allow);

		if (!pattern_fits(row->pattern, r))
			continue;
		if (!strcmp(row->method, method)) {
			r->route = row;
			return;
		}
		snprintf(r->allow + used, sizeof(r->allow) - used, "%s%s", used ? ", " : "",
			 row->method);
	}
	error_set(&e, ERROR_USAGE, "this resource has no method %.16s", method);
	if (!*r->allow) {
		error_set(&e, ERROR_NOT_FOUND, "there is no such resource");
		error_hint(&e, "GET /openapi.json lists them all");
	}
	api_problem(r, *r->allow ? 405 : 404, &e);
}

void api_request_begin(struct api_request *r, struct node *n, const char *method, char *uri)
{
	*r = (struct api_request){
		.node = n,
		.uri = uri,
		.out.out = &r->answer,
		.asked = {API_NO_VCPU, -1, -1, -1, -1, -1, -1, -1, -1, .start = true},
	};
	split_path(r);
	find_route(r, method);
}

void api_request_end(struct api_request *r)
{
	if (r->operation)
		operation_forget(r->operation, r);
	json_decref(r->json);
	text_free(&r->body);
	text_free(&r->answer);
	free(r->location);
	free(r->uri);
	*r = (struct api_request){0};
}

/* --- Bodies ---------------------------------------------------------------------------------------------- */

const struct json_member api_asked_members[] = {
	{"vcpu", JSON_OTHER, offsetof(struct api_asked, vcpu)},
	JSON_MEMBERS(struct api_asked, online, target_kb, max_kb, weight, cap, tslice_ms,
		     ratelimit_us, migration_delay_us, ignore_host, force, paused, managed, start,
		     fallback, live, scheduler, keys, reason, trigger, key, name, file, config,
		     hard, soft),
};

static int read_member(struct api_request *r, const char *name, json_t *value, struct error *e)
{
	const struct json_member *m = json_member_find(api_asked_members, name, strlen(name));
	const char *taken = r->route->body ? r->route->body : "";

	if (!m || !str_has_word(taken, name)) {
		error_set(e, ERROR_USAGE, "the body has an unknown member '%.80s'", name);
		return *taken ? error_hint(e, "it takes %.200s", taken)
			      : error_hint(e, "this request takes no body");
	}
	if (!json_read_member(value, m, &r->asked))
		return error_set(e, ERROR_USAGE, "'%.80s' must be %s", name,
				 json_kinds[m->type].meaning);
	return 0;
}

static int read_body(struct api_request *r, struct error *e)
{
	const char *taken = r->route->body ? r->route->body : "", *name;
	size_t needed = r->route->flags & ROUTE_FIRST ? strcspn(taken, " ") : 0;
	json_error_t je;
	json_t *value;

	if (*taken == '*')
		return 0;
	r->json = r->body.len ? json_loadb(r->body.data, r->body.len, JSON_REJECT_DUPLICATES, &je)
			      : json_object();
	if (!r->json)
		return error_set(e, ERROR_USAGE, "the body is no JSON: line %d, column %d: %s",
				 je.line, je.column, je.text);
	if (!json_is_object(r->json))
		return error_set(e, ERROR_USAGE, "the body must be a JSON object");
	if (*taken == '{')
		return 0;
	json_object_foreach(r->json, name, value) if (read_member(r, name, value, e)) return -1;
	if (needed && !json_object_getn(r->json, taken, needed))
		return error_set(e, ERROR_USAGE, "the body lacks '%.*s'", (int)needed, taken);
	return 0;
}

/* --- Answers --------------------------------------------------------------------------------------------- */

void api_list(struct api_request *r, const char *name)
{
	json_begin(&r->out, NULL, '{');
	json_begin(&r->out, name, '[');
}

void api_answer_array(struct api_request *r, const char *name, const void *objects, size_t nr,
		      size_t size, const struct json_member *members)
{
	api_list(r, name);
	for (size_t i = 0; i < nr; i++)
		json_put_object(&r->out, NULL, (const char *)objects + i * size, members, JSON_ALL);
}

static int status_of(enum error_class class)
{
	static const short known[] = {
		[ERROR_USAGE] = 400,	  [ERROR_CONFIG] = 422, [ERROR_NOT_FOUND] = 404,
		[ERROR_CONFLICT] = 409,	  [ERROR_ABSENT] = 503, [ERROR_UNSUPPORTED] = 501,
		[ERROR_PERMISSION] = 403, [ERROR_RETRY] = 503,
	};

	return known[class] ? known[class] : 500;
}

struct problem {
	const char *type, *title, *class, *hint;
	long status;
};

const struct json_member api_problem_members[] = {
	JSON_MEMBERS(struct problem, type, title, status, class, hint),
};

void api_put_error(struct json_writer *w, const char *key, const struct error *e, int status)
{
	const struct problem p = {"about:blank", e->text, error_class_name(e->class),
				  *e->hint ? e->hint : NULL, status ? status : status_of(e->class)};

	json_put_object(w, key, &p, api_problem_members, JSON_ALL);
}

void api_problem(struct api_request *r, int status, const struct error *e)
{
	r->status = status ? status : status_of(e->class);
	r->type = "application/problem+json";
	r->answer.len = 0;
	r->out = (struct json_writer){.out = &r->answer};
	if (e->class == ERROR_RETRY && !r->retry_after)
		r->retry_after = 1;
	api_put_error(&r->out, NULL, e, status);
}

/* --- Handling -------------------------------------------------------------------------------------------- */

static int handle(struct api_request *r, struct error *e)
{
	const struct route *row = r->route;

	if (read_body(r, e))
		return -1;
	if (row->flags & ROUTE_RUNNING)
		r->domain = domain_find_running(r->node, r->segment[2], e);
	else if (row->flags & ROUTE_DOMAIN)
		r->domain = domain_find(r->node, r->segment[2], e);
	if (row->flags & (ROUTE_RUNNING | ROUTE_DOMAIN) && !r->domain)
		return -1;
	return row->act ? row->act(r->node, r->domain, e) : row->handle(r, e);
}

/* What has not been answered, and does not wait, is done. */
static void settle(struct api_request *r, int rc, const struct error *e)
{
	if (rc && r->refuse)
		r->refuse(r, e);
	else if (rc)
		api_problem(r, 0, e);
	else if (!r->status && !r->operation)
		r->status = r->answer.len ? 200 : 204;
	while (r->out.depth)
		json_end(&r->out);
	if (!r->type && r->answer.len)
		r->type = "application/json";
}

void api_dispatch(struct api_request *r)
{
	struct error e;

	if (r->route)
		settle(r, handle(r, &e), &e);
}

static void operation_ended(struct operation *op, void *arg)
{
	struct api_request *r = arg;
	struct error e = op->error;
	int rc = op->state != OPERATION_DONE || (r->finish && r->finish(r, &e));

	r->operation = NULL;
	settle(r, rc, &e);
	if (r->wake)
		r->wake(r);
}

int api_wait(struct api_request *r, struct operation *op, api_handler *finish)
{
	if (!op)
		return -1;
	if (!api_query_flag(r, "async", false)) {
		r->operation = op;
		r->finish = r->finish ? r->finish : finish;
		operation_wait(op, operation_ended, r);
		return 0;
	}
	r->status = 202;
	r->location = xasprintf("/v1/operations/%llu", (unsigned long long)op->id);
	json_begin(&r->out, NULL, '{');
	api_put_operation(&r->out, "operation", op);
	return 0;
}
