/* SPDX-License-Identifier: MIT */
/* What ends, stops or pokes a domain: pause, unpause, destroy, shutdown, reboot, reset, trigger, sysrq, rename, dump-core, delete. */
#include "xm/verbs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int act(struct xm *x, const struct call *call, const char *action, struct error *e)
{
	return domain_do(x, "POST", call->operand[0], action, NULL, e);
}

int xm_pause(struct xm *x, const struct call *call, struct error *e)
{
	return act(x, call, "pause", e);
}

int xm_unpause(struct xm *x, const struct call *call, struct error *e)
{
	return act(x, call, "unpause", e);
}

int xm_reset(struct xm *x, const struct call *call, struct error *e)
{
	return act(x, call, "reset", e);
}

int xm_destroy(struct xm *x, const struct call *call, struct error *e)
{
	const char *d = call->operand[0];

	if ((!strcmp(d, "0") || !strcmp(d, "Domain-0")) && !call_option(call, "force")) {
		error_set(e, ERROR_CONFLICT, "Not destroying domain 0");
		return error_hint(e, "'poweroff' in domain 0 ends this machine");
	}
	return act(x, call, "destroy", e);
}

int xm_delete(struct xm *x, const struct call *call, struct error *e)
{
	return domain_do(x, "DELETE", call->operand[0], NULL, NULL, e);
}

int xm_trigger(struct xm *x, const struct call *call, struct error *e)
{
	long vcpu = 0;

	if (call->nr > 2 && !str_to_long(call->operand[2], 0, 8191, &vcpu))
		return error_set(e, ERROR_USAGE, "Invalid VCPU '%s'", call->operand[2]);
	return domain_do(x, "POST", call->operand[0], "trigger",
			 json_pack("{sssI}", "trigger", call->operand[1], "vcpu", (json_int_t)vcpu),
			 e);
}

int xm_sysrq(struct xm *x, const struct call *call, struct error *e)
{
	if (strlen(call->operand[1]) != 1)
		return error_set(e, ERROR_USAGE, "Invalid sysrq '%s': it is one letter",
				 call->operand[1]);
	return domain_do(x, "POST", call->operand[0], "sysrq",
			 json_pack("{ss}", "key", call->operand[1]), e);
}

int xm_rename(struct xm *x, const struct call *call, struct error *e)
{
	return domain_do(x, "POST", call->operand[0], "rename",
			 json_pack("{ss}", "name", call->operand[1]), e);
}

/* --- dump-core ----------------------------------------------------------------------------------------------- */

int xm_dump_core(struct xm *x, const struct call *call, struct error *e)
{
	const char *after = call_option(call, "crash")	 ? "destroy"
			    : call_option(call, "reset") ? "reset"
							 : NULL;
	json_t *body = json_pack("{sb}", "live", call_option(call, "live") != NULL), *answer;
	char *cwd;

	if (call->nr > 1 && call->operand[1][0] == '/') {
		json_object_set_new(body, "file", json_string(call->operand[1]));
	} else if (call->nr > 1) {
		cwd = getcwd(NULL, 0);
		json_object_set_new(body, "file",
				    json_sprintf("%s/%s", cwd ? cwd : "", call->operand[1]));
		free(cwd);
	}
	if (x->dialect == CONFIG_XM)
		printf("Dumping core of domain: %s ...\n", call->operand[0]);
	fflush(stdout);
	answer = domain_call(x, "POST", call->operand[0], "dump-core", body, e);
	if (!answer)
		return -1;
	if (call->nr < 2)
		fprintf(stderr, "The core is %s\n", member_text(answer, "file", "written"));
	json_decref(answer);
	return after ? act(x, call, after, e) : 0;
}

/* --- shutdown, reboot: asked of the guest, then waited for ------------------------------------------------- */

struct ending {
	long id;
	long operation; /* 0: not to be looked at any more */
	char *name;
};

/* The operation that asks the guest: 1 while it is under way, 0 done, -1 failed. */
static int ending_asked(struct xm *x, struct ending *w, struct error *e)
{
	char path[48];
	const char *state;
	json_t *op;
	int rc = 1;

	snprintf(path, sizeof(path), "/v1/operations/%ld", w->operation);
	op = client_json(&x->client, "GET", path, NULL, NULL);
	state = member_text(op, "state", "done");
	if (!strcmp(state, "failed") || !strcmp(state, "cancelled")) {
		const json_t *problem = json_object_get(op, "error");

		rc = error_set(e, error_class_named(member_text(problem, "class", "failed")), "%s",
			       member_text(problem, "title", "the guest did not end"));
		error_hint(e, "%s", member_text(problem, "hint", ""));
	} else if (strcmp(state, "running") != 0) {
		rc = w->operation = 0;
	}
	json_decref(op);
	return rc;
}

/* 1 while the domain still runs, 0 when it ended, -1 when xend cannot say. */
static int ending_look(struct xm *x, const struct ending *w, struct error *e)
{
	char id[24];
	json_t *d;
	long long reason;

	snprintf(id, sizeof(id), "%ld", w->id);
	d = domain_call(x, "GET", id, NULL, NULL, e);
	if (!d && e->class != ERROR_NOT_FOUND)
		return -1;
	reason = member_number(d, "shutdown_reason", -1);
	json_decref(d);
	if (d && reason < 0)
		return 1;
	if (x->dialect == CONFIG_XM)
		printf("Domain %s terminated\n", w->name);
	else if (d)
		fprintf(stderr, "Domain %ld has been shut down, reason code %lld\n", w->id, reason);
	else
		fprintf(stderr, "Domain %ld has been destroyed\n", w->id);
	return 0;
}

static int endings_wait(struct xm *x, struct ending *list, size_t nr, struct error *e)
{
	if (x->dialect == CONFIG_XL)
		fprintf(stderr, "Waiting for %zu domains\n", nr);
	for (size_t left = nr; left; usleep(left ? 200000 : 0))
		for (size_t i = 0; i < nr; i++) {
			int rc = list[i].id < 0 ? 1 : ending_look(x, &list[i], e);

			if (rc < 0 || (rc && list[i].operation && ending_asked(x, &list[i], e) < 0))
				return -1;
			if (!rc) {
				list[i].id = -1;
				list[i].operation = 0;
				left--;
			}
		}
	if (x->dialect == CONFIG_XM)
		puts("All domains terminated");
	return 0;
}

static int ending_ask(struct xm *x, const char *action, const char *reason, bool fallback,
		      struct ending *w, struct error *e)
{
	json_t *body = json_pack("{sb}", "fallback", fallback), *answer;
	char id[24];

	if (reason)
		json_object_set_new(body, "reason", json_string(reason));
	if (x->dialect == CONFIG_XL)
		fprintf(stderr, "%s domain %ld\n", reason ? "Shutting down" : "Rebooting", w->id);
	snprintf(id, sizeof(id), "%ld", w->id);
	answer = domain_call(x, "POST", id, action, body, e);
	w->operation = (long)member_number(json_object_get(answer, "operation"), "id", 0);
	json_decref(answer);
	return answer ? 0 : -1;
}

/* The domains meant: the one named, or with -a all but domain 0. */
static json_t *endings_meant(struct xm *x, const struct call *call, struct error *e)
{
	bool all = call_option(call, "all");
	json_t *domains;

	if (all == (call->nr > 0)) {
		error_set(e, ERROR_USAGE, "'%s %s' takes either -a or a domain", x->program,
			  call->command->name);
		return NULL;
	}
	domains = domains_get(x, call->operand, call->nr, "id,name", e);
	for (size_t i = json_array_size(domains); all && i-- > 0;)
		if (member_number(json_array_get(domains, i), "id", 0) == 0)
			json_array_remove(domains, i);
	return domains;
}

static int end_domains(struct xm *x, const struct call *call, const char *action,
		       const char *reason, struct error *e)
{
	json_t *domains = endings_meant(x, call, e), *d;
	size_t nr = json_array_size(domains), i;
	struct ending *list = xcalloc(nr, sizeof(*list));
	int rc = domains ? 0 : -1;

	json_array_foreach(domains, i, d)
	{
		list[i].id = (long)member_number(d, "id", -1);
		list[i].name = xstrdup(member_text(d, "name", ""));
		if (list[i].id < 0)
			rc = error_set(e, ERROR_CONFLICT, "Domain '%s' does not run", list[i].name);
		else
			rc |= ending_ask(x, action, reason, call_option(call, "fallback"), &list[i],
					 e);
	}
	if (!rc && call_option(call, "wait"))
		rc = endings_wait(x, list, nr, e);
	for (i = 0; i < nr; i++)
		free(list[i].name);
	free(list);
	json_decref(domains);
	return rc;
}

int xm_shutdown(struct xm *x, const struct call *call, struct error *e)
{
	const char *reason = call_option(call, "halt")	   ? "halt"
			     : call_option(call, "reboot") ? "reboot"
							   : "poweroff";

	return end_domains(x, call, "shutdown?async=1", reason, e);
}

int xm_reboot(struct xm *x, const struct call *call, struct error *e)
{
	return end_domains(x, call, "reboot?async=1", NULL, e);
}
