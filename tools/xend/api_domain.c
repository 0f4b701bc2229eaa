/* SPDX-License-Identifier: MIT */
/* Requests about domains: what they are. A listing asks the hypervisor once and xenstore not at all, unless ?detail=1 wants it to. */
#include "xend/api_request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* --- A domain as JSON -------------------------------------------------------------------------------------- */

enum field {
	FIELD_ID,
	FIELD_UUID,
	FIELD_NAME,
	FIELD_MEMORY,
	FIELD_MAX_MEMORY,
	FIELD_VCPUS_ONLINE,
	FIELD_VCPUS_MAX,
	FIELD_STATE,
	FIELD_REASON,
	FIELD_CPU,
	FIELD_SSID,
	FIELD_POOL,
	FIELD_STARTED,
	FIELD_MANAGED,
	FIELD_TYPE,
	FIELD_LINGERS,
	FIELD_TARGET,
	FIELD_TTY, /* these cost a read of xenstore each */
	FIELDS
};

#define ALL_FIELDS   ((1u << FIELDS) - 1)
#define CHEAP_FIELDS ((1u << FIELD_TARGET) - 1)

/* In the order of enum field; api_schemas and ?fields= read it. */
const char api_domain_schema[] =
	"id:integer uuid:string name:string memory_kb:integer max_memory_kb:integer "
	"vcpus_online:integer vcpus_max:integer state:string shutdown_reason:integer "
	"cpu_ns:integer ssid:integer cpupool:string started_at:integer managed:boolean "
	"type:string lingers:string target_kb:integer console_tty:string";

static const char *type_of(const struct domain *d)
{
	bool hvm = d->info.flags & XEN_DOMINF_hvm_guest;

	return !hvm ? "pv" : d->config && d->config->type == DOMAIN_PVH ? "pvh" : "hvm";
}

/* -1 and the like become null. */
static void put_known(struct json_writer *w, const char *key, bool known, uint64_t value)
{
	if (known)
		json_put_size(w, key, value);
	else
		json_put_text(w, key, NULL);
}

static void put_state(struct json_writer *w, const struct domain *d)
{
	char state[7];

	domain_state(d, state);
	json_put_text(w, "state", state);
}

static void put_field(struct json_writer *w, struct node *n, const struct domain *d,
		      enum field field)
{
	int reason;

	switch (field) {
	case FIELD_ID:
		return put_known(w, "id", d->present, d->id);
	case FIELD_UUID:
		return json_put_text(w, "uuid", d->uuid);
	case FIELD_NAME:
		return json_put_text(w, "name", d->name);
	case FIELD_MEMORY:
		return json_put_size(w, "memory_kb", domain_memory_kb(d));
	case FIELD_MAX_MEMORY:
		return put_known(w, "max_memory_kb", domain_max_memory_kb(d) != UINT64_MAX,
				 domain_max_memory_kb(d));
	case FIELD_VCPUS_ONLINE:
		return json_put_size(w, "vcpus_online", domain_vcpus_online(d));
	case FIELD_VCPUS_MAX:
		return json_put_size(w, "vcpus_max", domain_vcpus_max(d));
	case FIELD_STATE:
		return put_state(w, d);
	case FIELD_REASON:
		reason = domain_shutdown_reason(d);
		return put_known(w, "shutdown_reason", reason >= 0, (uint64_t)reason);
	case FIELD_CPU:
		return json_put_size(w, "cpu_ns", d->info.cpu_time);
	case FIELD_SSID:
		return json_put_size(w, "ssid", d->info.ssidref);
	case FIELD_POOL:
		return json_put_text(w, "cpupool", d->present ? domain_pool(n, d) : NULL);
	case FIELD_STARTED:
		return put_known(w, "started_at", d->started_at > 0, (uint64_t)d->started_at);
	case FIELD_MANAGED:
		return json_put_bool(w, "managed", d->managed);
	case FIELD_TYPE:
		return json_put_text(w, "type", type_of(d));
	case FIELD_LINGERS:
		return json_put_text(w, "lingers", *d->lingers ? d->lingers : NULL);
	case FIELD_TARGET:
		return json_put_size(w, "target_kb", domain_target_kb(n, d));
	case FIELD_TTY:
		return json_put_text(w, "console_tty", d->console_tty);
	case FIELDS:
		break;
	}
}

static void put_domain(struct json_writer *w, struct node *n, const struct domain *d,
		       unsigned int wanted)
{
	json_begin(w, NULL, '{');
	for (unsigned int left = wanted; left; left &= left - 1)
		put_field(w, n, d, (enum field)__builtin_ctz(left));
	json_end(w, '}');
}

/* The place of the field called the first @n bytes of @name, or FIELDS. */
static unsigned int field_named(const char *name, size_t n)
{
	unsigned int i = 0;

	for (const char *p = api_domain_schema; p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL) {
		if (!strncmp(p, name, n) && p[n] == ':')
			return i;
		i++;
	}
	return FIELDS;
}

static int wanted_fields(const struct api_request *r, unsigned int *wanted, struct error *e)
{
	const char *list = api_query(r, "fields");

	*wanted = api_query_flag(r, "detail", false) ? ALL_FIELDS : CHEAP_FIELDS;
	if (!list)
		return 0;
	*wanted = 0;
	while (*list) {
		size_t n = strcspn(list, ",");
		unsigned int field = field_named(list, n);

		if (field == FIELDS) {
			error_set(e, ERROR_USAGE, "a domain has no field '%.*s'",
				  (int)(n < 80 ? n : 80), list);
			return error_hint(e, "the fields are %s", "those of GET /v1/domains/0");
		}
		*wanted |= 1u << field;
		list += n + (list[n] == ',');
	}
	return 0;
}

/* --- Listing and one ---------------------------------------------------------------------------------------- */

int api_domains_get(struct api_request *r, struct error *e)
{
	unsigned int wanted;
	struct json_writer w;

	if (wanted_fields(r, &wanted, e) || domains_refresh(r->node, e))
		return -1;
	w = api_list(r, "domains");
	for (struct domain *d = domain_next(r->node, NULL); d; d = domain_next(r->node, d)) {
		if (wanted & 1u << FIELD_TTY && domain_refresh(r->node, d, true, NULL))
			continue; /* gone meanwhile */
		put_domain(&w, r->node, d, wanted);
	}
	return api_list_end(&w);
}

int api_answer_domain(struct api_request *r, int status, struct domain *d)
{
	struct json_writer w = api_answer(r, status);

	put_domain(&w, r->node, d, ALL_FIELDS);
	return 0;
}

int api_domain_get(struct api_request *r, struct error *e)
{
	if (domain_refresh(r->node, r->domain, true, e))
		return -1;
	return api_answer_domain(r, 200, r->domain);
}

int api_domain_delete(struct api_request *r, struct error *e)
{
	return domain_delete(r->node, r->domain, e) ? -1 : api_answer_nothing(r);
}

/* --- Configurations ----------------------------------------------------------------------------------------- */

/* The domain an operation was about, once it is done. */
static int finish_domain(struct api_request *r, const struct operation *op, struct error *e)
{
	struct domain *d = domain_by_uuid(r->node, op->uuid);
	bool created = !strcmp(op->kind, "create");

	if (!d)
		return error_set(e, ERROR_NOT_FOUND, "domain %s is done and gone again",
				 op->domain);
	if (domain_refresh(r->node, d, true, e))
		return -1;
	if (created)
		r->location = xasprintf("/v1/domains/%s", op->uuid);
	return api_answer_domain(r, created ? 201 : 200, d);
}

static int read_config(const json_t *json, struct domain_config *c, struct error *e)
{
	struct diagnostics found = {0};
	int rc = config_from_json(json, c, &found);

	if (rc)
		diagnostics_to_error(&found, e);
	diagnostics_free(&found);
	return rc;
}

static int define(struct api_request *r, struct domain_config *c, struct error *e)
{
	struct domain *d = domain_define(r->node, c, e);

	if (!d)
		return -1;
	r->location = xasprintf("/v1/domains/%s", d->uuid);
	return api_answer_domain(r, 201, d);
}

int api_domains_post(struct api_request *r, struct error *e)
{
	struct create_options options = {.paused = api_body_bool(r, "paused"),
					 .managed = api_body_bool(r, "managed")};
	const json_t *start = json_object_get(r->json, "start");
	struct domain_config c = {0};
	int rc = read_config(json_object_get(r->json, "config"), &c, e);

	if (!rc && start && json_is_false(start))
		rc = define(r, &c, e);
	else if (!rc)
		rc = api_wait(r, domain_create(r->node, &c, &options, e), finish_domain);
	config_free(&c);
	return rc;
}

int api_config_get(struct api_request *r, struct error *e)
{
	struct json_writer w;

	if (!r->domain->config)
		return error_set(
			e, ERROR_NOT_FOUND,
			"nothing is known of the configuration of %s: it was made elsewhere",
			r->domain->name);
	w = api_answer(r, 200);
	json_put_tree(&w, NULL, config_to_json(r->domain->config));
	return 0;
}

int api_config_put(struct api_request *r, struct error *e)
{
	struct domain_config c = {0};
	int rc = api_body_tree(r, e);

	if (rc)
		return rc;
	rc = read_config(r->json, &c, e);
	if (!rc)
		rc = domain_set_config(r->node, r->domain, &c, e);
	config_free(&c);
	return rc ? rc : api_answer_nothing(r);
}

int api_reset(struct api_request *r, struct error *e)
{
	return api_wait(r, domain_reset(r->node, r->domain, e), finish_domain);
}

int api_start_managed(struct api_request *r, struct error *e)
{
	return api_wait(r, domain_start(r->node, r->domain, api_body_bool(r, "paused"), e),
			finish_domain);
}
