/* SPDX-License-Identifier: MIT */
/* Schedulers and CPU pools: sched-credit, sched-credit2, cpupool-list. */
#include "xm/sched.h"

#include "lib/base/sxp.h"
#include "xm/verbs.h"

#include <stdio.h>
#include <string.h>

#define SCHED_HEAD "Name                                ID Weight  Cap\n"
#define SCHED_ROW  "{name:-33s} {id:4d} {weight:6d} {cap:4d}\n"

#define POOL_HEAD     "Name               CPUs   Sched     Active   Domain count\n"
#define POOL_ROW      "{name:-19s}{cpus:3d} {scheduler:9s}       y       {domains:4d}\n"
#define POOL_CPU_HEAD "Name               CPU list\n"

/* --- As text ------------------------------------------------------------------------------------------- */

void sched_pool_render(const json_t *pool, struct text *out)
{
	static const char *const values[][2] = {
		{"tslice_ms", " tslice={tslice_ms:d}ms"},
		{"ratelimit_us", " ratelimit={ratelimit_us:d}us"},
		{"migration_delay_us", " migration-delay={migration_delay_us:d}us"}};
	size_t before;

	row_render(pool, "Cpupool {name:s}:", out);
	before = out->len;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (member_number(pool, values[i][0], -1) >= 0)
			row_render(pool, values[i][1], out);
	text_str(out, out->len == before ? " [sched params unavailable]\n" : "\n");
}

void sched_render(const json_t *pools, const json_t *values, const char *scheduler,
		  const char *pool, enum config_dialect dialect, struct text *out)
{
	const json_t *p, *v;
	size_t i, k;

	json_array_foreach(pools, i, p)
	{
		const char *name = member_text(p, "name", "");

		if (!member_is(p, "scheduler", scheduler) || (pool && strcmp(pool, name)))
			continue;
		if (dialect == CONFIG_XL)
			sched_pool_render(p, out);
		text_str(out, SCHED_HEAD);
		json_array_foreach(values, k, v) if (member_is(v, "cpupool", name))
			row_render(v, SCHED_ROW, out);
	}
}

void pools_render(const json_t *pools, bool cpus, struct text *out)
{
	const json_t *p;
	size_t i;

	text_str(out, cpus ? POOL_CPU_HEAD : POOL_HEAD);
	if (!cpus)
		rows_render(pools, POOL_ROW, out);
	else
		json_array_foreach(pools, i, p)
		{
			row_render(p, "{name:-19s}", out);
			numbers_render(json_object_get(p, "cpus"), out);
			text_str(out, "\n");
		}
}

/* --- sched-credit, sched-credit2 --------------------------------------------------------------------------- */

static const json_t *pool_find(struct xm *x, const json_t *pools, const char *name)
{
	const json_t *pool;
	size_t i;

	json_array_foreach(pools, i, pool) if (member_is(pool, "name", name)) return pool;
	error_set(&x->error, ERROR_NOT_FOUND, "Pool '%s' does not exist", name);
	return NULL;
}

static int list_all(struct xm *x, const char *scheduler, const json_t *pools)
{
	const char *pool = option(x, "cpupool");
	json_auto_t *values = NULL;

	if (pool && !pool_find(x, pools, pool))
		return -1;
	values = array_get(x, "/v1/schedulers", "schedulers");
	if (!values || option(x, "json"))
		return put_json(x, values);
	sched_render(pools, values, scheduler, pool, x->dialect, &x->out);
	return 0;
}

/* -s: shows the pool's parameters, or sets those in @parameters. */
static int pool_parameters(struct xm *x, const json_t *pools, json_t *parameters)
{
	const char *name = option(x, "cpupool");
	const json_t *pool = name ? pool_find(x, pools, name) : json_array_get(pools, 0);
	json_auto_t *answer = NULL;
	char path[64];

	if (!pool)
		return -1;
	if (!json_object_size(parameters)) {
		sched_pool_render(pool, &x->out);
		return 0;
	}
	snprintf(path, sizeof(path), "/v1/pools/%lld", member_number(pool, "id", 0));
	answer = xend_json(x, "PUT", path, json_incref(parameters));
	return answer ? 0 : -1;
}

static int one_domain(struct xm *x, const char *domain, const char *scheduler)
{
	json_auto_t *values = domain_call(x, "GET", domain, "scheduler", NULL);

	if (values && !member_is(values, "scheduler", scheduler))
		return error_set(&x->error, ERROR_CONFLICT,
				 "Domain '%s' is scheduled by %s, not by %s", domain,
				 member_text(values, "scheduler", "?"), scheduler);
	if (!values || option(x, "json"))
		return put_json(x, values);
	text_str(&x->out, SCHED_HEAD);
	row_render(values, SCHED_ROW, &x->out);
	return 0;
}

/* {"weight": 512, ...} of the options @names that were given; NULL with the error set. */
static json_t *numbers(struct xm *x, const char *const *names)
{
	json_t *body = json_object();

	for (; *names; names++) {
		long n = -1;

		if (option_number(x, *names, 0, 1000000000, &n)) {
			json_decref(body);
			return NULL;
		}
		if (n >= 0)
			json_object_set_new(body, *names, json_integer(n));
	}
	return body;
}

int xm_sched(struct xm *x)
{
	static const char *const of_domain[] = {"weight", "cap", NULL};
	static const char *const of_pool[] = {"tslice_ms", "ratelimit_us", "migration_delay_us",
					      NULL};
	const char *domain = option(x, "domain"), *set = option(x, "schedparam");
	const char *scheduler = x->command->name + strlen("sched-"), *wrong = NULL;
	json_auto_t *values = numbers(x, of_domain);
	json_auto_t *parameters = values ? numbers(x, of_pool) : NULL, *pools = NULL;

	if (!parameters)
		return -1;
	if ((set || option(x, "cpupool")) && (domain || json_object_size(values)))
		wrong = "Specifying a cpupool or schedparam is not allowed with domain options";
	else if (!domain && json_object_size(values))
		wrong = "Must specify a domain";
	else if (!set && json_object_size(parameters))
		wrong = "Must specify schedparam to set schedule parameter values";
	if (wrong)
		return error_set(&x->error, ERROR_USAGE, "%s", wrong);
	if (json_object_size(values)) {
		json_auto_t *answer = NULL;

		json_object_set_new(values, "scheduler", json_string(scheduler));
		answer = domain_call(x, "PUT", domain, "scheduler", json_incref(values));
		return answer ? 0 : -1;
	}
	if (domain)
		return one_domain(x, domain, scheduler);
	pools = array_get(x, "/v1/pools", "pools");
	if (!pools)
		return -1;
	return set ? pool_parameters(x, pools, parameters) : list_all(x, scheduler, pools);
}

/* --- cpupool-list -------------------------------------------------------------------------------------------- */

static void pool_sxp(const json_t *p, struct text *out)
{
	static const char *const pairs[][2] = {
		{"name_label", "name"}, {"poolid", "id"}, {"sched_policy", "scheduler"}};
	struct sxp *x = sxp_named("cpu_pool"), *cpus = sxp_named("host_CPUs");
	const json_t *cpu;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		sxp_add(x, sxp_add_json(sxp_named(pairs[i][0]), json_object_get(p, pairs[i][1])));
	json_array_foreach(json_object_get(p, "cpus"), i, cpu) sxp_add_json(cpus, cpu);
	sxp_add(x, cpus);
	sxp_print(x, true, out);
	text_str(out, "\n");
	sxp_free(x);
}

int xm_cpupool_list(struct xm *x)
{
	json_auto_t *pools = array_get(x, "/v1/pools", "pools");
	const json_t *p;
	size_t i;

	if (pools && x->nr && !pool_find(x, pools, x->operand[0]))
		return -1;
	for (i = json_array_size(pools); x->nr && i-- > 0;)
		if (!member_is(json_array_get(pools, i), "name", x->operand[0]))
			json_array_remove(pools, i);
	if (!pools || option(x, "json"))
		return put_json(x, pools);
	if (option(x, "long"))
		json_array_foreach(pools, i, p) pool_sxp(p, &x->out);
	else
		pools_render(pools, option(x, "cpus"), &x->out);
	return 0;
}
