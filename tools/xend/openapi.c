/* SPDX-License-Identifier: MIT */
/*
 * /openapi.json: OpenAPI 3.0 made from the table of routes, so that it can never tell of another API than the one that is served. All
 * texts in it are the table's and need no escapes.
 */
#include "xend/api_request.h"

#include <string.h>

static void put_type(struct text *t, const char *type, size_t n)
{
	if (!strncmp(type, "cpus", n))
		text_str(t,
			 "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"nullable\":true}");
	else if (!strncmp(type, "vcpu", n))
		text_str(t, "{}"); /* a number or "all" */
	else
		text_printf(t, "{\"type\":\"%.*s\",\"nullable\":true}", (int)n, type);
}

/* "name:type! name:type" as an object's schema. */
static void put_object(struct text *t, const char *members)
{
	text_str(t, "{\"type\":\"object\",\"properties\":{");
	for (const char *p = members; *p; p += strspn(p, "! ")) {
		size_t name = strcspn(p, ":"), type = strcspn(p + name + 1, "! ");

		text_printf(t, "%s\"%.*s\":", p == members ? "" : ",", (int)name, p);
		p += name + 1;
		put_type(t, p, type);
		p += type;
	}
	text_str(t, "}}");
}

/* "Domain", "domains[]Domain", "object", or a text of some kind. */
static void put_answer(struct text *t, const char *answer)
{
	const char *list = strstr(answer, "[]");

	if (list)
		text_printf(
			t,
			"{\"type\":\"object\",\"properties\":{\"%.*s\":{\"type\":\"array\",\"items\":"
			"{\"$ref\":\"#/components/schemas/%s\"}}}}",
			(int)(list - answer), answer, list + 2);
	else if (api_schema(answer))
		text_printf(t, "{\"$ref\":\"#/components/schemas/%s\"}", answer);
	else
		text_printf(t, "{\"type\":\"%s\"}", strcmp(answer, "object") ? "string" : answer);
}

static const char *media_type(const char *answer)
{
	return !strcmp(answer, "text")	   ? "text/plain"
	       : !strcmp(answer, "xml")	   ? "text/xml"
	       : !strcmp(answer, "events") ? "text/event-stream"
					   : "application/json";
}

static void put_parameters(struct text *t, const struct route *row)
{
	const char *comma = "";

	text_str(t, ",\"parameters\":[");
	for (const char *p = strchr(row->pattern, '{'); p; p = strchr(p + 1, '{'), comma = ",")
		text_printf(t,
			    "%s{\"name\":\"%.*s\",\"in\":\"path\",\"required\":true,"
			    "\"schema\":{\"type\":\"string\"}}",
			    comma, (int)strcspn(p + 1, "}"), p + 1);
	if (row->flags & ROUTE_ASYNC)
		text_printf(
			t,
			"%s{\"name\":\"async\",\"in\":\"query\",\"schema\":{\"type\":\"boolean\"}}",
			comma);
	text_str(t, "]");
}

static void put_route(struct text *t, const struct route *row)
{
	text_str(t, "\"");
	for (const char *p = row->method; *p; p++)
		text_printf(t, "%c", *p | 0x20);
	text_printf(t, "\":{\"summary\":\"%s\"", row->summary);
	put_parameters(t, row);
	if (row->body) {
		text_printf(t, ",\"requestBody\":{\"content\":{\"%s\":{\"schema\":",
			    row->answer ? media_type(row->answer) : media_type(""));
		put_object(t, *row->body == '*' ? "" : row->body);
		text_str(t, "}}}");
	}
	text_printf(t, ",\"responses\":{\"%s\":{\"description\":\"Done\"",
		    row->answer ? "200" : "204");
	if (row->answer) {
		text_printf(t, ",\"content\":{\"%s\":{\"schema\":", media_type(row->answer));
		put_answer(t, row->answer);
		text_str(t, "}}");
	}
	text_str(t, "},\"default\":{\"description\":\"Why it was not done\",\"content\":{"
		    "\"application/problem+json\":{\"schema\":");
	put_answer(t, "Problem");
	text_str(t, "}}}}}");
}

/* Rows of one path stand together in the document, wherever they are in the table. */
static void put_path(struct text *t, const struct route *first)
{
	for (const struct route *row = api_routes; row < first; row++)
		if (!strcmp(row->pattern, first->pattern))
			return; /* told with its first row */
	text_printf(t, "%s\"%s\":{", first == api_routes ? "" : ",", first->pattern);
	for (const struct route *row = first; row->method; row++) {
		if (strcmp(row->pattern, first->pattern))
			continue;
		text_str(t, row == first ? "" : ",");
		put_route(t, row);
	}
	text_str(t, "}");
}

int api_openapi_get(struct api_request *r, struct error *e)
{
	struct text *t = api_answer(r, 200).out;
	const char *name;

	text_str(
		t,
		"{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"xend\",\"version\":\"1\"},\"paths\":{");
	for (const struct route *row = api_routes; row->method; row++)
		put_path(t, row);
	text_str(t, "},\"components\":{\"schemas\":{");
	for (unsigned int i = 0; (name = api_schema_name(i)); i++) {
		text_printf(t, "%s\"%s\":", i ? "," : "", name);
		put_object(t, api_schema(name));
	}
	text_str(t, "}}}");
	return 0;
}
