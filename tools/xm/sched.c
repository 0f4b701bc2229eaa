/* SPDX-License-Identifier: MIT */
/* Schedulers and CPU pools: sched-credit, sched-credit2, cpupool-list. */
#include "xm/sched.h"

#include "lib/base/sxp.h"
#include "xm/verbs.h"

#include <stdlib.h>
#include <string.h>

static bool is(const json_t *object, const char *member, const char *value)
{
	return !strcmp(member_text(object, member, ""), value);
}

/* --- As text ------------------------------------------------------------------------------------------- */

void sched_pool_render(const json_t *pool, struct text *out)
{
	static const struct {
		const char *member, *fmt;
	} values[] = {{"tslice_ms", " tslice=%lldms"},
		      {"ratelimit_us", " ratelimit=%lldus"},
		      {"migration_delay_us", " migration-delay=%lldus"}};
	size_t before;

	text_printf(out, "Cpupool %s:", member_text(pool, "name", ""));
	before = out->len;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (member_number(pool, values[i].member, -1) >= 0) {
			char value[64];

			snprintf(value, sizeof(value), values[i].fmt,
				 member_number(pool, values[i].member, 0));
			text_str(out, value);
		}
	text_str(out, out->len == before ? " [sched params unavailable]\n" : "\n");
}

static void sched_head(struct text *out)
{
	text_printf(out, "%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
}

static void sched_row(const json_t *v, struct text *out)
{
	text_printf(out, "%-33s %4lld %6lld %4lld\n", member_text(v, "name", ""),
		    member_number(v, "id", 0), member_number(v, "weight", 0),
		    member_number(v, "cap", 0));
}

void sched_render(const json_t *pools, const json_t *values, const char *scheduler,
		  const char *pool, enum config_dialect dialect, struct text *out)
{
	const json_t *p, *v;
	size_t i, k;

	json_array_foreach(pools, i, p)
	{
		if (!is(p, "scheduler", scheduler) || (pool && !is(p, "name", pool)))
			continue;
		if (dialect == CONFIG_XL)
			sched_pool_render(p, out);
		sched_head(out);
		json_array_foreach(values, k, v) if (is(v, "cpupool", member_text(p, "name", "")))
			sched_row(v, out);
	}
}

void pools_render(const json_t *pools, bool cpus, struct text *out)
{
	const json_t *p, *cpu;
	size_t i, k;

	text_printf(out, "%-19s%s\n", "Name",
		    cpus ? "CPU list" : "CPUs   Sched     Active   Domain count");
	json_array_foreach(pools, i, p)
	{
		text_printf(out, "%-19s", member_text(p, "name", ""));
		if (cpus)
			json_array_foreach(json_object_get(p, "cpus"), k, cpu)
				text_printf(out, "%s%lld", k ? "," : "", json_integer_value(cpu));
		else
			text_printf(out, "%3zu %9s       y       %4lld",
				    json_array_size(json_object_get(p, "cpus")),
				    member_text(p, "scheduler", ""),
				    member_number(p, "domains", 0));
		text_str(out, "\n");
	}
}

/* --- sched-credit, sched-credit2 --------------------------------------------------------------------------- */

static const json_t *pool_find(const json_t *pools, const char *name, struct error *e)
{
	const json_t *p;
	size_t i;

	json_array_foreach(pools, i, p) if (is(p, "name", name)) return p;
	error_set(e, ERROR_NOT_FOUND, "Pool '%s' does not exist", name);
	return NULL;
}

static int list_all(struct xm *x, const struct call *call, const char *scheduler,
		    const json_t *pools, struct error *e)
{
	const char *pool = call_option(call, "cpupool");
	json_t *values;
	struct text out = {0};
	int rc;

	if (pool && !pool_find(pools, pool, e))
		return -1;
	values = array_get(x, "/v1/schedulers", "schedulers", e);
	if (!values)
		return -1;
	if (call->json) {
		rc = put_json(values, e);
	} else {
		sched_render(pools, values, scheduler, pool, x->dialect, &out);
		rc = put(&out, e);
	}
	json_decref(values);
	return rc;
}

/* -s: the pool's parameters; NULL body: none to set. */
static int pool_parameters(struct xm *x, const struct call *call, const json_t *pools, json_t *body,
			   struct error *e)
{
	const char *name = call_option(call, "cpupool");
	const json_t *pool = name ? pool_find(pools, name, e) : json_array_get(pools, 0);
	json_t *answer;
	struct text out = {0};
	char path[64];

	if (!pool) {
		json_decref(body);
		return -1;
	}
	if (!json_object_size(body)) {
		json_decref(body);
		sched_pool_render(pool, &out);
		return put(&out, e);
	}
	snprintf(path, sizeof(path), "/v1/pools/%lld", member_number(pool, "id", 0));
	answer = client_json(&x->client, "PUT", path, body, e);
	json_decref(answer);
	return answer ? 0 : -1;
}

static int one_domain(struct xm *x, const struct call *call, const char *domain,
		      const char *scheduler, struct error *e)
{
	json_t *values = domain_call(x, "GET", domain, "scheduler", NULL, e);
	struct text out = {0};
	int rc;

	if (!values)
		return -1;
	if (!is(values, "scheduler", scheduler)) {
		rc = error_set(e, ERROR_CONFLICT, "Domain '%s' is scheduled by %s, not by %s",
			       domain, member_text(values, "scheduler", "?"), scheduler);
	} else if (call->json) {
		rc = put_json(values, e);
	} else {
		sched_head(&out);
		sched_row(values, &out);
		rc = put(&out, e);
	}
	json_decref(values);
	return rc;
}

/* {"weight": 512, ...} of the options that were given, their member's names in @names; NULL with the error set. */
static json_t *numbers(const struct call *call, const char *const (*names)[2], struct error *e)
{
	json_t *body = json_object();

	for (; (*names)[0]; names++) {
		long n = -1;

		if (call_number(call, (*names)[0], 0, 1000000000, &n, e)) {
			json_decref(body);
			return NULL;
		}
		if (n >= 0)
			json_object_set_new(body, (*names)[1], json_integer(n));
	}
	return body;
}

static int sched_check(const struct call *call, const json_t *domain, const json_t *pool,
		       struct error *e)
{
	bool set = call_option(call, "schedparam");

	if ((set || call_option(call, "cpupool")) &&
	    (call_option(call, "domain") || json_object_size(domain)))
		return error_set(
			e, ERROR_USAGE,
			"Specifying a cpupool or schedparam is not allowed with domain options");
	if (!call_option(call, "domain") && json_object_size(domain))
		return error_set(e, ERROR_USAGE, "Must specify a domain");
	if (!set && json_object_size(pool))
		return error_set(e, ERROR_USAGE,
				 "Must specify schedparam to set schedule parameter values");
	return 0;
}

static int sched(struct xm *x, const struct call *call, const char *scheduler, struct error *e)
{
	static const char *const of_domain[][2] = {{"weight", "weight"}, {"cap", "cap"}, {NULL}};
	static const char *const of_pool[][2] = {{"tslice_ms", "tslice_ms"},
						 {"ratelimit_us", "ratelimit_us"},
						 {"migration_delay_us", "migration_delay_us"},
						 {NULL}};
	const char *domain = call_option(call, "domain");
	json_t *values = numbers(call, of_domain, e);
	json_t *parameters = values ? numbers(call, of_pool, e) : NULL, *pools = NULL;
	int rc = -1;

	if (!parameters || sched_check(call, values, parameters, e))
		goto out;
	if (json_object_size(values)) {
		json_object_set_new(values, "scheduler", json_string(scheduler));
		rc = domain_do(x, "PUT", domain, "scheduler", json_incref(values), e);
	} else if (domain) {
		rc = one_domain(x, call, domain, scheduler, e);
	} else if ((pools = array_get(x, "/v1/pools", "pools", e))) {
		rc = call_option(call, "schedparam")
			     ? pool_parameters(x, call, pools, json_incref(parameters), e)
			     : list_all(x, call, scheduler, pools, e);
	}
out:
	json_decref(pools);
	json_decref(parameters);
	json_decref(values);
	return rc;
}

int xm_sched_credit(struct xm *x, const struct call *call, struct error *e)
{
	return sched(x, call, "credit", e);
}

int xm_sched_credit2(struct xm *x, const struct call *call, struct error *e)
{
	return sched(x, call, "credit2", e);
}

/* --- cpupool-list -------------------------------------------------------------------------------------------- */

static void pool_sxp(const json_t *p, struct text *out)
{
	struct sxp *x = sxp_add(sxp_list(), sxp_atom("cpu_pool"));
	struct sxp *cpus = sxp_add(sxp_list(), sxp_atom("host_CPUs"));
	const json_t *cpu;
	char text[24];
	size_t i;

	sxp_pair(x, "name_label", member_text(p, "name", ""));
	snprintf(text, sizeof(text), "%lld", member_number(p, "id", 0));
	sxp_pair(x, "poolid", text);
	sxp_pair(x, "sched_policy", member_text(p, "scheduler", ""));
	json_array_foreach(json_object_get(p, "cpus"), i, cpu)
	{
		snprintf(text, sizeof(text), "%lld", json_integer_value(cpu));
		sxp_add(cpus, sxp_atom(text));
	}
	sxp_add(x, cpus);
	sxp_print(x, true, out);
	text_str(out, "\n");
	sxp_free(x);
}

int xm_cpupool_list(struct xm *x, const struct call *call, struct error *e)
{
	json_t *pools = array_get(x, "/v1/pools", "pools", e), *p;
	struct text out = {0};
	int rc = pools ? 0 : -1;
	size_t i;

	if (pools && call->nr && !pool_find(pools, call->operand[0], e))
		rc = -1;
	for (i = json_array_size(pools); call->nr && i-- > 0;)
		if (!is(json_array_get(pools, i), "name", call->operand[0]))
			json_array_remove(pools, i);
	if (!rc && call->json) {
		rc = put_json(pools, e);
	} else if (!rc) {
		if (call_option(call, "long"))
			json_array_foreach(pools, i, p) pool_sxp(p, &out);
		else
			pools_render(pools, call_option(call, "cpus"), &out);
		rc = put(&out, e);
	}
	json_decref(pools);
	return rc;
}
