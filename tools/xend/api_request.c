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

static int hex_digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

/* %41 -> A, in place; %00 is left as it is. */
static void percent_decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		int high = *s == '%' ? hex_digit(s[1]) : -1;
		int low = high >= 0 ? hex_digit(s[2]) : -1;

		if (low >= 0 && (high || low)) {
			*to++ = (char)(high << 4 | low);
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static void split_path(struct api_request *r)
{
	char *p = r->uri, *query = strchr(p, '?');

	r->query = "";
	if (query) {
		*query = '\0';
		r->query = query + 1;
	}
	for (p = strtok(p, "/"); p && r->nr_segments < API_SEGMENTS_MOST; p = strtok(NULL, "/")) {
		percent_decode(p);
		r->segment[r->nr_segments++] = p;
	}
	if (p)
		r->nr_segments = API_SEGMENTS_MOST + 1; /* fits no pattern */
}

const char *api_query(const struct api_request *r, const char *name)
{
	static char value[512];
	size_t n = strlen(name);

	for (const char *p = r->query; *p;) {
		size_t len = strcspn(p, "&");

		if (!strncmp(p, name, n) && (len == n || p[n] == '=')) {
			snprintf(value, sizeof(value), "%.*s", len == n ? 0 : (int)(len - n - 1),
				 p + n + 1);
			percent_decode(value);
			return value;
		}
		p += len + (p[len] == '&');
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
	if (*r->allow)
		error_set(&e, ERROR_USAGE, "this resource has no method %.16s", method);
	else
		error_set(&e, ERROR_NOT_FOUND, "there is no such resource");
	if (!*r->allow)
		error_hint(&e, "GET /openapi.json lists them all");
	api_problem(r, *r->allow ? 405 : 404, &e);
}

void api_request_begin(struct api_request *r, const struct api_context *context, const char *method,
		       const char *uri)
{
	*r = (struct api_request){.context = context, .node = context->node};
	r->refuse = NULL;
	r->uri = xstrdup(uri);
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

#define IS(type) (1u << JSON_##type)

static const struct {
	const char *name, *meaning;
	unsigned int fits; /* types of jansson */
} body_types[] = {
	{"string", "a text", IS(STRING)},
	{"integer", "a whole number, not negative", IS(INTEGER)},
	{"boolean", "true or false", IS(TRUE) | IS(FALSE)},
	{"object", "an object", IS(OBJECT)},
	{"cpus", "a list of CPUs, [0,1], or null", IS(ARRAY) | IS(NULL)},
	{"vcpu", "a vCPU's number or \"all\"", IS(INTEGER) | IS(STRING)},
};

/* No number is negative; what is in an array is a CPU. */
static bool sane(const json_t *v)
{
	size_t i;
	json_t *cpu;

	json_array_foreach(v, i, cpu) if (!json_is_integer(cpu) || !sane(cpu) ||
					  json_integer_value(cpu) >= CPUS_MOST) return false;
	return !json_is_integer(v) || json_integer_value(v) >= 0;
}

/* The type's name behind "@name:" in @members, or NULL. */
static const char *member_type(const char *members, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = members; p && *p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL)
		if (!strncmp(p, name, n) && p[n] == ':')
			return p + n + 1;
	return NULL;
}

static int check_member(const char *members, const char *name, const json_t *value, struct error *e)
{
	const char *type = member_type(members, name);

	if (!type) {
		error_set(e, ERROR_USAGE, "the body has an unknown member '%.80s'", name);
		return *members ? error_hint(e, "it takes %.200s", members)
				: error_hint(e, "this request takes no body");
	}
	for (size_t i = 0; i < sizeof(body_types) / sizeof(body_types[0]); i++)
		if (str_starts(type, body_types[i].name) &&
		    (!(body_types[i].fits & 1u << json_typeof(value)) || !sane(value)))
			return error_set(e, ERROR_USAGE, "'%.80s' must be %s", name,
					 body_types[i].meaning);
	return 0;
}

static int check_required(const char *members, const json_t *body, struct error *e)
{
	for (const char *p = members; *p;) {
		size_t n = strcspn(p, ":"), len = strcspn(p, " ");
		char name[32];

		snprintf(name, sizeof(name), "%.*s", (int)n, p);
		if (p[len - 1] == '!' && !json_object_get(body, name))
			return error_set(e, ERROR_USAGE, "the body lacks '%s'", name);
		p += len + (p[len] == ' ');
	}
	return 0;
}

static int check_body(const struct api_request *r, struct error *e)
{
	const char *members = r->route->body ? r->route->body : "", *name;
	json_t *value;

	json_object_foreach(r->json, name,
			    value) if (check_member(members, name, value, e)) return -1;
	return check_required(members, r->json, e);
}

int api_body_tree(struct api_request *r, struct error *e)
{
	json_error_t je;

	r->json = r->body.len ? json_loadb(r->body.data, r->body.len, JSON_REJECT_DUPLICATES, &je)
			      : json_object();
	if (!r->json)
		return error_set(e, ERROR_USAGE, "the body is no JSON: line %d, column %d: %s",
				 je.line, je.column, je.text);
	if (!json_is_object(r->json))
		return error_set(e, ERROR_USAGE, "the body must be a JSON object");
	return 0;
}

static int parse_body(struct api_request *r, struct error *e)
{
	if (r->route->body && *r->route->body == '*')
		return 0;
	if (!r->route->body && !r->body.len)
		return 0;
	return api_body_tree(r, e) ? -1 : check_body(r, e);
}

bool api_body_bool(const struct api_request *r, const char *name)
{
	return json_is_true(json_object_get(r->json, name));
}

long api_body_number(const struct api_request *r, const char *name, long preset)
{
	const json_t *v = json_object_get(r->json, name);

	return json_is_integer(v) ? (long)json_integer_value(v) : preset;
}

const char *api_body_text(const struct api_request *r, const char *name)
{
	return json_string_value(json_object_get(r->json, name));
}

/* --- Answers --------------------------------------------------------------------------------------------- */

struct json_writer api_answer(struct api_request *r, int status)
{
	r->status = status;
	r->type = "application/json";
	r->answer.len = 0;
	return (struct json_writer){.out = &r->answer};
}

struct json_writer api_list(struct api_request *r, const char *name)
{
	struct json_writer w = api_answer(r, 200);

	json_begin(&w, NULL, '{');
	json_begin(&w, name, '[');
	return w;
}

int api_list_end(struct json_writer *w)
{
	json_end(w, ']');
	json_end(w, '}');
	return 0;
}

int api_answer_nothing(struct api_request *r)
{
	r->status = 204;
	r->type = NULL;
	r->answer.len = 0;
	return 0;
}

static int status_of(enum error_class class)
{
	static const struct {
		enum error_class class;
		int status;
	} known[] = {
		{ERROR_USAGE, 400},    {ERROR_PERMISSION, 403}, {ERROR_NOT_FOUND, 404},
		{ERROR_CONFLICT, 409}, {ERROR_CONFIG, 422},	{ERROR_UNSUPPORTED, 501},
		{ERROR_ABSENT, 503},   {ERROR_RETRY, 503},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].class == class)
			return known[i].status;
	return 500;
}

void api_put_error(struct json_writer *w, const char *key, const struct error *e, int status)
{
	if (!e) {
		json_put_text(w, key, NULL);
		return;
	}
	json_begin(w, key, '{');
	json_put_text(w, "type", "about:blank");
	json_put_text(w, "title", e->text);
	json_put_number(w, "status", status ? status : status_of(e->class));
	json_put_text(w, "class", error_class_name(e->class));
	if (*e->hint)
		json_put_text(w, "hint", e->hint);
	json_end(w, '}');
}

void api_problem(struct api_request *r, int status, const struct error *e)
{
	struct json_writer w = api_answer(r, status ? status : status_of(e->class));

	r->type = "application/problem+json";
	if (e->class == ERROR_RETRY && !r->retry_after)
		r->retry_after = 1;
	api_put_error(&w, NULL, e, status);
}

static void refuse(struct api_request *r, const struct error *e)
{
	if (r->refuse)
		r->refuse(r, e);
	else
		api_problem(r, 0, e);
}

/* --- Handling -------------------------------------------------------------------------------------------- */

static int find_domain(struct api_request *r, struct error *e)
{
	if (r->route->flags & ROUTE_RUNNING)
		r->domain = domain_find_running(r->node, r->segment[2], e);
	else if (r->route->flags & ROUTE_DOMAIN)
		r->domain = domain_find(r->node, r->segment[2], e);
	else
		return 0;
	return r->domain ? 0 : -1;
}

void api_dispatch(struct api_request *r)
{
	struct error e;

	if (!r->route)
		return;
	r->dispatching = true;
	if (parse_body(r, &e) || find_domain(r, &e) || r->route->handle(r, &e))
		refuse(r, &e);
	r->dispatching = false;
}

static void operation_ended(struct operation *op, void *arg)
{
	struct api_request *r = arg;
	struct error e = op->error;

	r->operation = NULL;
	if (op->state != OPERATION_DONE ||
	    (r->finish ? r->finish(r, op, &e) : api_answer_nothing(r)))
		refuse(r, &e);
	if (!r->dispatching && r->wake)
		r->wake(r);
}

int api_wait(struct api_request *r, struct operation *op,
	     int (*finish)(struct api_request *r, const struct operation *op, struct error *e))
{
	if (!op)
		return -1;
	if (api_query_flag(r, "async", false)) {
		struct json_writer w = api_answer(r, 202);

		r->location = xasprintf("/v1/operations/%llu", (unsigned long long)op->id);
		json_begin(&w, NULL, '{');
		api_put_operation(&w, "operation", op);
		json_end(&w, '}');
		return 0;
	}
	r->operation = op;
	r->finish = finish;
	operation_wait(op, operation_ended, r);
	return 0;
}
