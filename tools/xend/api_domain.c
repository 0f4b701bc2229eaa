/* SPDX-License-Identifier: MIT */
/* Requests about domains: what they are. A listing asks the hypervisor once and xenstore not at all, unless ?detail=1 wants it to. */
#include "xend/api_request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* --- A domain as JSON -------------------------------------------------------------------------------------- */

/* As it is shown; what is -1 or NULL is not known, or does not apply. */
struct shown {
	long id, max_memory_kb, shutdown_reason, started_at;
	const char *uuid, *name, *cpupool, *type, *lingers, *console_tty;
	uint64_t memory_kb, cpu_ns, target_kb;
	uint32_t vcpus_online, vcpus_max, ssid;
	char state[7];
	bool managed;
};

/* The first two cost a look into xenstore each. */
const struct json_member api_domain_members[] = {
	JSON_MEMBERS(struct shown, target_kb, console_tty, id, uuid, name, memory_kb, max_memory_kb,
		     vcpus_online, vcpus_max, state, shutdown_reason, cpu_ns, ssid, cpupool,
		     started_at, managed, type, lingers),
};

enum { FIELD_TARGET = 1, FIELD_TTY = 2 };

static void put_domain(struct json_writer *w, struct node *n, const struct domain *d,
		       unsigned long wanted)
{
	struct shown s = {
		.id = d->present ? (long)d->id : -1,
		.uuid = d->uuid,
		.name = d->name,
		.memory_kb = domain_memory_kb(d),
		.max_memory_kb = (long)domain_max_memory_kb(d),
		.vcpus_online = domain_vcpus_online(d),
		.vcpus_max = domain_vcpus_max(d),
		.shutdown_reason = domain_shutdown_reason(d),
		.cpu_ns = d->info.cpu_time,
		.ssid = d->info.ssidref,
		.cpupool = d->present ? node_pool_name(n, d->info.cpupool) : NULL,
		.started_at = d->started_at ? d->started_at : -1,
		.managed = d->managed,
		.type = d->info.flags & XEN_DOMINF_hvm_guest ? "hvm" : "pv",
		.lingers = *d->lingers ? d->lingers : NULL,
		.target_kb = wanted & FIELD_TARGET ? domain_target_kb(n, d) : 0,
		.console_tty = d->console_tty,
	};

	domain_state(d, s.state);
	json_put_object(w, NULL, &s, api_domain_members, wanted);
}

static int wanted_fields(const struct api_request *r, unsigned long *wanted, struct error *e)
{
	bool detail = api_query_flag(r, "detail", false);
	const char *list = api_query(r, "fields");

	*wanted = list ? 0 : detail ? JSON_ALL : ~(FIELD_TARGET | FIELD_TTY);
	while (list && *list) {
		size_t n = strcspn(list, ",");
		const struct json_member *m = json_member_find(api_domain_members, list, n);

		if (!m) {
			error_set(e, ERROR_USAGE, "a domain has no field '%.*s'",
				  (int)(n < 80 ? n : 80), list);
			return error_hint(e, "the fields are those of GET /v1/domains/0");
		}
		*wanted |= 1ul << (m - api_domain_members);
		list += n + (list[n] == ',');
	}
	return 0;
}

/* --- Listing and one ---------------------------------------------------------------------------------------- */

int api_domains_get(struct api_request *r, struct error *e)
{
	unsigned long wanted;

	if (wanted_fields(r, &wanted, e) || domains_refresh(r->node, e))
		return -1;
	api_list(r, "domains");
	for (struct domain *d = domain_next(r->node, NULL); d; d = domain_next(r->node, d)) {
		if (wanted & FIELD_TTY && domain_refresh(r->node, d, true, NULL))
			continue; /* gone meanwhile */
		put_domain(&r->out, r->node, d, wanted);
	}
	return 0;
}

/* @d NULL: the error is set. */
static int answer_domain(struct api_request *r, int status, struct domain *d, struct error *e)
{
	if (!d || domain_refresh(r->node, d, true, e))
		return -1;
	r->status = status;
	if (status == 201)
		r->location = xasprintf("/v1/domains/%s", d->uuid);
	put_domain(&r->out, r->node, d, JSON_ALL);
	return 0;
}

int api_domain_get(struct api_request *r, struct error *e)
{
	return answer_domain(r, 200, r->domain, e);
}

/* --- Configurations ----------------------------------------------------------------------------------------- */

/* The domain an operation was about, once it is done. */
static int finish_domain(struct api_request *r, struct error *e)
{
	const struct operation *op = r->operation;
	struct domain *d = domain_by_uuid(r->node, op->uuid);

	if (!d)
		error_set(e, ERROR_NOT_FOUND, "domain %s is done and gone again", op->domain);
	return answer_domain(r, strcmp(op->kind, "create") ? 200 : 201, d, e);
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

int api_domains_post(struct api_request *r, struct error *e)
{
	struct domain_config c = {0};
	int rc = read_config(r->asked.config, &c, e);

	if (!rc && r->asked.start)
		rc = api_wait(r, domain_create(r->node, &c, r->asked.paused, r->asked.managed, e),
			      finish_domain);
	else if (!rc)
		rc = answer_domain(r, 201, domain_define(r->node, &c, e), e);
	config_free(&c);
	return rc;
}

int api_config_get(struct api_request *r, struct error *e)
{
	if (!r->domain->config)
		return error_set(
			e, ERROR_NOT_FOUND,
			"nothing is known of the configuration of %s: it was made elsewhere",
			r->domain->name);
	json_put_tree(&r->out, NULL, config_to_json(r->domain->config));
	return 0;
}

int api_config_put(struct api_request *r, struct error *e)
{
	struct domain_config c = {0};
	int rc = read_config(r->json, &c, e);

	if (!rc)
		rc = domain_set_config(r->node, r->domain, &c, e);
	config_free(&c);
	return rc;
}

int api_reset(struct api_request *r, struct error *e)
{
	return api_wait(r, domain_reset(r->node, r->domain, e), finish_domain);
}

int api_start_managed(struct api_request *r, struct error *e)
{
	return api_wait(r, domain_start(r->node, r->domain, r->asked.paused, e), finish_domain);
}
