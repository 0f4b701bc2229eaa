/* SPDX-License-Identifier: MIT */
/* Requests that do something to a domain that is there: its life, its vCPUs, its memory, its share of the CPUs. */
#include "xend/api_request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int done(struct api_request *r, int rc)
{
	return rc ? rc : api_answer_nothing(r);
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

int api_pause(struct api_request *r, struct error *e)
{
	return done(r, domain_pause(r->node, r->domain, e));
}

int api_unpause(struct api_request *r, struct error *e)
{
	return done(r, domain_unpause(r->node, r->domain, e));
}

int api_shutdown(struct api_request *r, struct error *e)
{
	const char *reason = api_body_text(r, "reason");

	return api_wait(r, domain_shutdown(r->node, r->domain, reason ? reason : "poweroff", e),
			NULL);
}

int api_reboot(struct api_request *r, struct error *e)
{
	return api_wait(r, domain_shutdown(r->node, r->domain, "reboot", e), NULL);
}

int api_destroy(struct api_request *r, struct error *e)
{
	return api_wait(r, domain_destroy(r->node, r->domain, e), NULL);
}

int api_trigger(struct api_request *r, struct error *e)
{
	long vcpu = api_body_number(r, "vcpu", 0);

	if (vcpu > UINT16_MAX)
		return error_set(e, ERROR_USAGE, "there is no vCPU %ld", vcpu);
	return done(r, domain_trigger(r->node, r->domain, api_body_text(r, "trigger"),
				      (uint32_t)vcpu, e));
}

int api_sysrq(struct api_request *r, struct error *e)
{
	const char *key = api_body_text(r, "key");

	if (strlen(key) != 1)
		return error_set(e, ERROR_USAGE, "a SysRq key is one letter");
	return done(r, domain_sysrq(r->node, r->domain, *key, e));
}

int api_rename(struct api_request *r, struct error *e)
{
	return done(r, domain_rename(r->node, r->domain, api_body_text(r, "name"), e));
}

static int finish_dump(struct api_request *r, const struct operation *op, struct error *e)
{
	struct json_writer w = api_answer(r, 200);

	json_begin(&w, NULL, '{');
	json_put_text(&w, "file", domain_dump_file(op));
	json_end(&w, '}');
	return 0;
}

int api_dump_core(struct api_request *r, struct error *e)
{
	const char *file = api_body_text(r, "file");

	if (file && *file != '/')
		return error_set(e, ERROR_USAGE, "the file %.100s must be named from / on", file);
	return api_wait(r, domain_dump(r->node, r->domain, file, api_body_bool(r, "live"), e),
			finish_dump);
}

/* --- vCPUs ---------------------------------------------------------------------------------------------------- */

static const struct json_member vcpu_members[] = {
	JSON_MEMBERS(struct vcpu_state, vcpu, cpu, online, blocked, running, cpu_ns, hard, soft),
};

int api_vcpus_get(struct api_request *r, struct error *e)
{
	struct vcpu_state *v;
	struct json_writer w;
	size_t nr;

	if (domain_vcpus(r->node, r->domain, &v, &nr, e))
		return -1;
	w = api_list(r, "vcpus");
	for (size_t i = 0; i < nr; i++) {
		json_begin(&w, NULL, '{');
		json_put_members(&w, &v[i], vcpu_members);
		json_end(&w, '}');
	}
	free(v);
	return api_list_end(&w);
}

/* The list of CPUs called @name; NULL where it is not given, or null. Its members were checked with the body. */
static const struct cpu_set *read_cpus(const struct api_request *r, const char *name,
				       struct cpu_set *set)
{
	const json_t *list = json_object_get(r->json, name);
	const json_t *cpu;
	size_t i;

	if (!json_is_array(list))
		return NULL;
	memset(set, 0, sizeof(*set));
	json_array_foreach(list, i, cpu)
	{
		uint64_t n = (uint64_t)json_integer_value(cpu);

		set->word[n / 64] |= 1ull << n % 64;
	}
	return set;
}

static int pin(struct api_request *r, struct error *e)
{
	const char *all = api_body_text(r, "vcpu");
	struct cpu_set hard, soft;

	if (all && strcmp(all, "all"))
		return error_set(e, ERROR_USAGE, "'vcpu' must be a number or \"all\"");
	return domain_pin(r->node, r->domain, api_body_number(r, "vcpu", -1),
			  read_cpus(r, "hard", &hard), read_cpus(r, "soft", &soft),
			  api_body_bool(r, "force"), e);
}

int api_vcpus_put(struct api_request *r, struct error *e)
{
	long online = api_body_number(r, "online", -1);
	bool pinning = json_object_get(r->json, "vcpu");

	if (pinning == (online >= 0))
		return error_set(e, ERROR_USAGE, "the body must have either 'online' or 'vcpu'");
	if (pinning)
		return done(r, pin(r, e));
	if (!online || online > UINT16_MAX)
		return error_set(e, ERROR_USAGE, "%ld is no number of vCPUs", online);
	return done(r, domain_set_vcpus(r->node, r->domain, (uint32_t)online,
					api_body_bool(r, "ignore_host"), e));
}

/* --- Memory, scheduling ------------------------------------------------------------------------------------- */

int api_memory_put(struct api_request *r, struct error *e)
{
	long target = api_body_number(r, "target_kb", -1), most = api_body_number(r, "max_kb", -1);

	if ((target < 0) == (most < 0))
		return error_set(e, ERROR_USAGE,
				 "the body must have either 'target_kb' or 'max_kb'");
	if (target >= 0)
		return done(r, domain_set_target(r->node, r->domain, (uint64_t)target, e));
	return done(r, domain_set_max(r->node, r->domain, (uint64_t)most, e));
}

static const struct json_member scheduler_members[] = {
	JSON_MEMBERS(struct scheduler_values, scheduler, weight, cap),
};

static int put_scheduler(struct json_writer *w, struct node *n, struct domain *d, struct error *e)
{
	struct scheduler_values v;

	if (domain_scheduler(n, d, &v, e))
		return -1;
	json_begin(w, NULL, '{');
	json_put_size(w, "id", d->id);
	json_put_text(w, "name", d->name);
	json_put_text(w, "cpupool", domain_pool(n, d));
	json_put_members(w, &v, scheduler_members);
	json_end(w, '}');
	return 0;
}

int api_scheduler_get(struct api_request *r, struct error *e)
{
	struct json_writer w = api_answer(r, 200);

	return put_scheduler(&w, r->node, r->domain, e);
}

int api_schedulers_get(struct api_request *r, struct error *e)
{
	struct json_writer w;

	if (domains_refresh(r->node, e))
		return -1;
	w = api_list(r, "schedulers");
	for (struct domain *d = domain_next(r->node, NULL); d; d = domain_next(r->node, d))
		if (d->present)
			put_scheduler(&w, r->node, d, NULL); /* one that just went is left out */
	return api_list_end(&w);
}

int api_scheduler_put(struct api_request *r, struct error *e)
{
	const char *name = api_body_text(r, "scheduler");
	struct scheduler_values v;

	if (name && domain_scheduler(r->node, r->domain, &v, e))
		return -1;
	if (name && strcmp(name, v.scheduler))
		return error_set(e, ERROR_CONFLICT, "%s is scheduled by %s, not by %.40s",
				 r->domain->name, v.scheduler, name);
	return done(r, domain_set_scheduler(r->node, r->domain, api_body_number(r, "weight", -1),
					    api_body_number(r, "cap", -1), e));
}
