/* SPDX-License-Identifier: MIT */
/*
 * /openapi.json: OpenAPI 3.0 made from the table of routes and the tables of members, so that it can never tell of another API than the
 * one that is served.
 */
#include "xend/api_request.h"

#include <jansson.h>
#include <string.h>

static const struct json_member health_members[] = {{"status", JSON_TEXT}, {0}};

/* What routes say they answer: a schema, or a text of some type. */
static const struct kind {
	const char *name;
	const struct json_member *tables[4];
	const char *type;
} kinds[] = {
	{"Domain", {api_domain_members}},
	{"Vcpu", {api_vcpu_members}},
	{"Scheduler", {api_scheduler_members}},
	{"Operation", {api_operation_members}},
	{"Health", {health_members}},
	{"Pool", {api_pool_members}},
	{"Device", {api_device_members}},
	{"Problem", {api_problem_members}, "application/problem+json"},
	{"Dump", {api_dump_members}},
	{"Node", {api_node_members, api_cpus_members, api_hypervisor_members}},
	{"text", {NULL}, "text/plain"},
	{"xml", {NULL}, "text/xml"},
	{"events", {NULL}, "text/event-stream"},
	{"object"}, /* anything */
};

static json_t *member_schema(enum json_type type)
{
	json_t *schema = json_pack("{s:s*, s:b}", "type", json_kinds[type].schema, "nullable", 1);

	if (type == JSON_CPUS)
		json_object_set_new(schema, "items", json_pack("{s:s}", "type", "integer"));
	return schema;
}

/* Of the members that @wanted names between blanks; NULL: all. */
static json_t *object_schema(const struct json_member *const *tables, const char *wanted)
{
	json_t *properties = json_object();

	for (; *tables; tables++)
		for (const struct json_member *m = *tables; m->name; m++)
			if (!wanted || str_has_word(wanted, m->name))
				json_object_set_new(properties, m->name, member_schema(m->type));
	return json_pack("{s:s, s:o}", "type", "object", "properties", properties);
}

/* {"application/json":{"schema":..}} of "Domain", "domains[]Domain", "object", "text"; @schema is one that is used instead, or NULL. */
static json_t *content(const char *answer, json_t *schema)
{
	const char *list = answer ? strstr(answer, "[]") : NULL;
	const char *name = list ? list + 2 : answer ? answer : "object";
	const struct kind *k = kinds;

	while (strcmp(k->name, name))
		k++;
	if (!schema)
		schema = k->tables[0] ? json_pack("{s:s+}", "$ref", "#/components/schemas/", name)
				      : json_pack("{s:s}", "type", k->type ? "string" : "object");
	if (list)
		schema = json_pack("{s:s, s:{s%:{s:s, s:o}}}", "type", "object", "properties",
				   answer, list - answer, "type", "array", "items", schema);
	return json_pack("{s:{s:o}}", k->type ? k->type : "application/json", "schema", schema);
}

static json_t *parameters(const struct route *row)
{
	json_t *list = json_array();

	for (const char *p = strchr(row->pattern, '{'); p; p = strchr(p + 1, '{'))
		json_array_append_new(list, json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", p + 1,
						      strcspn(p + 1, "}"), "in", "path", "required",
						      1, "schema", "type", "string"));
	if (row->flags & ROUTE_ASYNC)
		json_array_append_new(list, json_pack("{s:s, s:s, s:{s:s}}", "name", "async", "in",
						      "query", "schema", "type", "boolean"));
	return list;
}

static json_t *route_schema(const struct route *row)
{
	static const struct json_member *const asked[] = {api_asked_members, NULL};
	json_t *body = row->body ? object_schema(asked, row->body) : NULL;

	return json_pack("{s:s, s:o, s:o*, s:{s:{s:s, s:o*}, s:{s:s, s:o}}}", "summary",
			 row->summary, "parameters", parameters(row), "requestBody",
			 body ? json_pack("{s:o}", "content", content(row->answer, body)) : NULL,
			 "responses", row->answer ? "200" : "204", "description", "Done", "content",
			 row->answer ? content(row->answer, NULL) : NULL, "default", "description",
			 "Why it was not done", "content", content("Problem", NULL));
}

int api_openapi_get(struct api_request *r, struct error *e)
{
	json_t *paths = json_object(), *schemas = json_object();

	for (const struct route *row = api_routes; row->method; row++) {
		json_t *path = json_object_get(paths, row->pattern);
		char method[8] = "";

		for (size_t i = 0; row->method[i]; i++)
			method[i] = (char)(row->method[i] | 0x20);
		if (!path)
			json_object_set_new(paths, row->pattern, path = json_object());
		json_object_set_new(path, method, route_schema(row));
	}
	for (const struct kind *k = kinds; !k->type || k->tables[0]; k++)
		json_object_set_new(schemas, k->name, object_schema(k->tables, NULL));
	json_put_tree(&r->out, NULL,
		      json_pack("{s:s, s:{s:s, s:s}, s:o, s:{s:o}}", "openapi", "3.0.3", "info",
				"title", "xend", "version", "1", "paths", paths, "components",
				"schemas", schemas));
	return 0;
}
