/* SPDX-License-Identifier: MIT */
/* What ends, stops or pokes a domain: pause, unpause, destroy, shutdown, reboot, reset, trigger, sysrq, rename, dump-core, delete. */
#include "xm/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The command's name is the action's. */
int xm_act(struct xm *x)
{
	return domain_do(x, "POST", x->command->name, NULL);
}

int xm_destroy(struct xm *x)
{
	const char *d = x->operand[0];

	if ((!strcmp(d, "0") || !strcmp(d, "Domain-0")) && !option(x, "force")) {
		error_set(&x->error, ERROR_CONFLICT, "Not destroying domain 0");
		return error_hint(&x->error, "'poweroff' in domain 0 ends this machine");
	}
	return xm_act(x);
}

int xm_delete(struct xm *x)
{
	return domain_do(x, "DELETE", NULL, NULL);
}

int xm_trigger(struct xm *x)
{
	long vcpu = 0;

	if (x->nr > 2 && !str_to_long(x->operand[2], 0, 8191, &vcpu))
		return error_set(&x->error, ERROR_USAGE, "Invalid VCPU '%s'", x->operand[2]);
	return domain_do(x, "POST", "trigger",
			 json_pack("{sssI}", "trigger", x->operand[1], "vcpu", (json_int_t)vcpu));
}

int xm_sysrq(struct xm *x)
{
	if (strlen(x->operand[1]) != 1)
		return error_set(&x->error, ERROR_USAGE, "Invalid sysrq '%s': it is one letter",
				 x->operand[1]);
	return domain_do(x, "POST", "sysrq", json_pack("{ss}", "key", x->operand[1]));
}

int xm_rename(struct xm *x)
{
	return domain_do(x, "POST", "rename", json_pack("{ss}", "name", x->operand[1]));
}

int xm_dump_core(struct xm *x)
{
	const char *after = option(x, "crash") ? "destroy" : option(x, "reset") ? "reset" : NULL;
	const char *name = x->nr > 1 ? x->operand[1] : NULL;
	autofree char *cwd = getcwd(NULL, 0);
	autofree char *file =
		name && *name != '/' ? xasprintf("%s/%s", cwd ? cwd : "", name) : NULL;
	json_auto_t *answer = NULL;

	if (x->dialect == CONFIG_XM)
		text_printf(&x->out, "Dumping core of domain: %s ...\n", x->operand[0]);
	if (put(x))
		return -1;
	answer = domain_call(x, "POST", x->operand[0], "dump-core",
			     json_pack("{sbss*}", "live", option(x, "live") != NULL, "file",
				       file ? file : name));
	if (!answer)
		return -1;
	if (!name)
		fprintf(stderr, "The core is %s\n", member_text(answer, "file", "written"));
	return after ? domain_do(x, "POST", after, NULL) : 0;
}

/* --- shutdown, reboot: asked of the guest, then waited for ------------------------------------------------- */

/* Whether the operation that asks the guest failed; once it is done "operation" is taken out of @d. */
static int ending_asked(struct xm *x, json_t *d)
{
	json_auto_t *op = NULL;
	const json_t *problem;
	char path[48];

	if (!json_object_get(d, "operation"))
		return 0;
	snprintf(path, sizeof(path), "/v1/operations/%lld", member_number(d, "operation", 0));
	op = xend_json(x, "GET", path, NULL);
	problem = json_object_get(op, "error");
	if (member_is(op, "state", "failed") || member_is(op, "state", "cancelled")) {
		error_set(&x->error, error_class_named(member_text(problem, "class", "failed")),
			  "%s", member_text(problem, "title", "the guest did not end"));
		return error_hint(&x->error, "%s", member_text(problem, "hint", ""));
	}
	if (!member_is(op, "state", "running"))
		json_object_del(d, "operation");
	return 0;
}

/* 1 while the domain still runs, 0 when it ended, -1 when xend cannot say. */
static int ending_look(struct xm *x, const json_t *was)
{
	long long id = member_number(was, "id", 0), reason;
	json_auto_t *d = domain_call_id(x, "GET", id, NULL, NULL);

	if (!d && x->error.class != ERROR_NOT_FOUND)
		return -1;
	reason = member_number(d, "shutdown_reason", -1);
	if (d && reason < 0)
		return 1;
	if (x->dialect == CONFIG_XM)
		printf("Domain %s terminated\n", member_text(was, "name", ""));
	else if (d)
		fprintf(stderr, "Domain %lld has been shut down, reason code %lld\n", id, reason);
	else
		fprintf(stderr, "Domain %lld has been destroyed\n", id);
	return 0;
}

static int endings_wait(struct xm *x, json_t *domains)
{
	if (x->dialect == CONFIG_XL)
		fprintf(stderr, "Waiting for %zu domains\n", json_array_size(domains));
	for (; json_array_size(domains); usleep(json_array_size(domains) ? 200000 : 0))
		for (size_t i = 0; i < json_array_size(domains);) {
			json_t *d = json_array_get(domains, i);
			int runs = ending_look(x, d);

			if (runs < 0 || (runs && ending_asked(x, d)))
				return -1;
			if (runs)
				i++;
			else
				json_array_remove(domains, i);
		}
	if (x->dialect == CONFIG_XM)
		puts("All domains terminated");
	return 0;
}

/* The operation's id goes into @d. */
static int ending_ask(struct xm *x, const char *reason, json_t *d)
{
	autofree char *tail = xasprintf("%s?async=1", x->command->name);
	long long id = member_number(d, "id", -1);
	json_auto_t *answer = NULL;

	if (id < 0)
		return error_set(&x->error, ERROR_CONFLICT, "Domain '%s' does not run",
				 member_text(d, "name", ""));
	if (x->dialect == CONFIG_XL)
		fprintf(stderr, "%s domain %lld\n", reason ? "Shutting down" : "Rebooting", id);
	answer = domain_call_id(
		x, "POST", id, tail,
		json_pack("{sbss*}", "fallback", option(x, "fallback") != NULL, "reason", reason));
	json_object_set(d, "operation",
			json_object_get(json_object_get(answer, "operation"), "id"));
	return answer ? 0 : -1;
}

int xm_end(struct xm *x)
{
	const char *reason = option(x, "halt")	   ? "halt"
			     : option(x, "reboot") ? "reboot"
						   : "poweroff";
	bool all = option(x, "all");
	json_auto_t *domains = NULL;
	int rc = 0;

	if (all == (x->nr > 0))
		return error_set(&x->error, ERROR_USAGE, "'%s %s' takes either -a or a domain",
				 x->program, x->command->name);
	domains = domains_get(x, "id,name");
	for (size_t i = json_array_size(domains); all && i-- > 0;)
		if (member_number(json_array_get(domains, i), "id", 0) == 0)
			json_array_remove(domains, i);
	if (!strcmp(x->command->name, "reboot"))
		reason = NULL;
	for (size_t i = 0; i < json_array_size(domains); i++)
		rc |= ending_ask(x, reason, json_array_get(domains, i));
	if (!domains || rc)
		return -1;
	return option(x, "wait") ? endings_wait(x, domains) : 0;
}
