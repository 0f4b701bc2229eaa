/* SPDX-License-Identifier: MIT */
/* Requests that do something to a domain that is there: its life, its vCPUs, its memory, its share of the CPUs. */
#include "xend/api_request.h"

#include <stdlib.h>
#include <string.h>

/* --- Life ----------------------------------------------------------------------------------------------------- */

int api_shutdown(struct api_request *r, struct error *e)
{
	const char *reason = r->asked.reason ? r->asked.reason : "poweroff";

	return api_wait(r, domain_shutdown(r->node, r->domain, reason, e), NULL);
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
	long vcpu = r->asked.vcpu == API_NO_VCPU ? 0 : r->asked.vcpu;

	if (vcpu < 0 || vcpu > UINT16_MAX)
		return error_set(e, ERROR_USAGE, "there is no vCPU %ld", vcpu);
	return domain_trigger(r->node, r->domain, r->asked.trigger, (uint32_t)vcpu, e);
}

int api_sysrq(struct api_request *r, struct error *e)
{
	if (strlen(r->asked.key) != 1)
		return error_set(e, ERROR_USAGE, "a SysRq key is one letter");
	return domain_sysrq(r->node, r->domain, *r->asked.key, e);
}

int api_rename(struct api_request *r, struct error *e)
{
	return domain_rename(r->node, r->domain, r->asked.name, e);
}

const struct json_member api_dump_members[] = {
	JSON_MEMBER("file", struct operation, result),
	{0},
};

static int finish_dump(struct api_request *r, struct error *e)
{
	json_put_object(&r->out, NULL, r->operation, api_dump_members, JSON_ALL);
	return 0;
}

int api_dump_core(struct api_request *r, struct error *e)
{
	const char *file = r->asked.file;

	if (file && *file != '/')
		return error_set(e, ERROR_USAGE, "the file %.100s must be named from / on", file);
	return api_wait(r, domain_dump(r->node, r->domain, file, r->asked.live, e), finish_dump);
}

/* --- vCPUs ---------------------------------------------------------------------------------------------------- */

const struct json_member api_vcpu_members[] = {
	JSON_MEMBERS(struct vcpu_state, vcpu, cpu, online, blocked, running, cpu_ns, hard, soft),
};

int api_vcpus_get(struct api_request *r, struct error *e)
{
	struct vcpu_state *v;
	size_t nr;

	if (domain_vcpus(r->node, r->domain, &v, &nr, e))
		return -1;
	api_answer_array(r, "vcpus", v, nr, sizeof(*v), api_vcpu_members);
	free(v);
	return 0;
}

int api_vcpus_put(struct api_request *r, struct error *e)
{
	const struct api_asked *a = &r->asked;
	bool pinning = a->vcpu != API_NO_VCPU;

	if (pinning == (a->online >= 0))
		return error_set(e, ERROR_USAGE, "the body must have either 'online' or 'vcpu'");
	if (pinning)
		return domain_pin(r->node, r->domain, a->vcpu, &a->hard, &a->soft, a->force, e);
	return domain_set_vcpus(r->node, r->domain, a->online, a->ignore_host, e);
}

/* --- Memory, scheduling ------------------------------------------------------------------------------------- */

int api_memory_put(struct api_request *r, struct error *e)
{
	long target = r->asked.target_kb, most = r->asked.max_kb;

	if ((target < 0) == (most < 0))
		return error_set(e, ERROR_USAGE,
				 "the body must have either 'target_kb' or 'max_kb'");
	return target >= 0 ? domain_set_target(r->node, r->domain, (uint64_t)target, e)
			   : domain_set_max(r->node, r->domain, (uint64_t)most, e);
}

const struct json_member api_scheduler_members[] = {
	{"id", JSON_OTHER},
	{"name", JSON_OTHER},
	{"cpupool", JSON_OTHER},
	JSON_MEMBERS(struct scheduler_values, scheduler, weight, cap),
};

static int put_scheduler(struct json_writer *w, struct node *n, struct domain *d, struct error *e)
{
	struct scheduler_values v;

	if (domain_scheduler(n, d, &v, e))
		return -1;
	json_begin(w, NULL, '{');
	json_put_number(w, "id", d->id);
	json_put_text(w, "name", d->name);
	json_put_text(w, "cpupool", node_pool_name(n, d->info.cpupool));
	json_put_members(w, &v, api_scheduler_members, JSON_ALL);
	json_end(w);
	return 0;
}

int api_scheduler_get(struct api_request *r, struct error *e)
{
	return put_scheduler(&r->out, r->node, r->domain, e);
}

int api_schedulers_get(struct api_request *r, struct error *e)
{
	api_list(r, "schedulers");
	if (domains_refresh(r->node, e))
		return -1;
	for (struct domain *d = domain_next(r->node, NULL); d; d = domain_next(r->node, d))
		if (d->present)
			put_scheduler(&r->out, r->node, d,
				      NULL); /* one that just went is left out */
	return 0;
}

int api_scheduler_put(struct api_request *r, struct error *e)
{
	const char *name = r->asked.scheduler;
	struct scheduler_values v;

	if (name && domain_scheduler(r->node, r->domain, &v, e))
		return -1;
	if (name && strcmp(name, v.scheduler))
		return error_set(e, ERROR_CONFLICT, "%s is scheduled by %s, not by %.40s",
				 r->domain->name, v.scheduler, name);
	return domain_set_scheduler(r->node, r->domain, r->asked.weight, r->asked.cap, e);
}
