/* SPDX-License-Identifier: MIT */
/* list, vm-list, claims, domid, domname, domstate. */
#include "xm/list.h"

#include "xm/list_long.h"
#include "xm/verbs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELDS_SHORT "id,name,memory_kb,vcpus_online,state,cpu_ns"

/* --- As text ------------------------------------------------------------------------------------------- */

void state_for_xm(const char *state, char out[7])
{
	snprintf(out, 7, "%.6s", state);
	if (strlen(out) < 6)
		return;
	if (out[4] == 'c')
		out[3] = '-';
	else
		out[4] = '-';
}

const char *state_word(const char *state)
{
	static const struct {
		char letter;
		const char *word;
	} words[] = {{'c', "crashed"},
		     {'s', "shutdown"},
		     {'p', "paused"},
		     {'r', "running"},
		     {'b', "idle"}};
	char xm[7];

	state_for_xm(state, xm);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strchr(xm, words[i].letter))
			return words[i].word;
	return "idle";
}

static double seconds(const json_t *d)
{
	return (float)member_number(d, "cpu_ns", 0) / 1e9;
}

static void row_xl(const json_t *d, struct text *out)
{
	text_printf(out, "%-40s %5lld %5lld %5lld     %s  %8.1f", member_text(d, "name", ""),
		    member_number(d, "id", -1), member_number(d, "memory_kb", 0) / 1024,
		    member_number(d, "vcpus_online", 0), member_text(d, "state", "------"),
		    seconds(d));
}

static void row_xm(const json_t *d, struct text *out)
{
	char state[7] = "", id[24] = "";

	if (member_number(d, "id", -1) >= 0) {
		snprintf(id, sizeof(id), "%lld", member_number(d, "id", 0));
		state_for_xm(member_text(d, "state", "------"), state);
	}
	text_printf(out, "%-40s %5s %5lld %5lld %10s %8.1f", member_text(d, "name", ""), id,
		    member_number(d, "memory_kb", 0) / 1024, member_number(d, "vcpus_online", 0),
		    state, seconds(d));
}

static void row_columns(const json_t *d, const struct list_columns *c, size_t i, struct text *out)
{
	long long reason = member_number(d, "shutdown_reason", -1);

	if (c->verbose) {
		text_printf(out, " %s", member_text(d, "uuid", ""));
		if (reason >= 0)
			text_printf(out, " %8llx", (unsigned long long)reason);
		else
			text_printf(out, " %8s", "-");
	}
	if (c->claims)
		text_printf(out, " %5lld", member_number(d, "outstanding_kb", 0) / 1024);
	if (c->verbose || c->label)
		text_printf(out, " %16s", "-");
	if (c->pool)
		text_printf(out, "%16s", member_text(d, "cpupool", ""));
	if (c->nodes)
		text_printf(out, " %s", json_string_value(json_array_get(c->nodes, i)));
}

void list_render(const json_t *domains, enum config_dialect dialect, const struct list_columns *c,
		 struct text *out)
{
	const json_t *d;
	size_t i;

	if (dialect == CONFIG_XM)
		text_printf(out, "%-40s %5s %5s %5s %10s %9s%s", "Name", "ID", "Mem", "VCPUs",
			    "State", "Time(s)", c->label ? " Label     " : "");
	else
		text_printf(
			out,
			"Name                                        ID   Mem VCPUs\tState\tTime(s)%s%s%s%s%s",
			c->verbose
				? "   UUID                            Reason-Code\tSecurity Label"
				: "",
			c->label && !c->verbose ? "   Security Label" : "",
			c->claims ? "  Claimed" : "", c->pool ? "         Cpupool" : "",
			c->nodes ? " NODE Affinity" : "");
	text_str(out, "\n");
	json_array_foreach(domains, i, d)
	{
		if (dialect == CONFIG_XM) {
			row_xm(d, out);
			text_str(out, c->label ? " INACTIVE  " : "");
		} else {
			row_xl(d, out);
			row_columns(d, c, i, out);
		}
		text_str(out, "\n");
	}
}

void vm_list_render(const json_t *domains, struct text *out)
{
	const json_t *d;
	size_t i;

	text_str(out, "UUID                                  ID    name\n");
	json_array_foreach(domains, i, d)
		text_printf(out, "%s  %lld    %-30s\n", member_text(d, "uuid", ""),
			    member_number(d, "id", 0), member_text(d, "name", ""));
}

/* --- NUMA nodes of each domain -------------------------------------------------------------------------- */

/* The nodes of the CPUs that the domain's vCPUs may and would rather run on. */
static char *domain_nodes(struct xm *x, const json_t *node, const char *domain)
{
	json_t *answer = domain_call(x, "GET", domain, "vcpus", NULL, NULL), *list = json_array();
	const json_t *places = json_object_get(node, "topology"), *v, *cpu;
	long nr = (long)member_number(node, "nr_nodes", 1);
	bool *in = xcalloc((size_t)nr, sizeof(*in));
	struct text out = {0};
	size_t i, k;

	json_array_foreach(json_object_get(answer, "vcpus"), i, v)
		json_array_foreach(json_object_get(v, "soft"), k, cpu)
	{
		const json_t *place = json_array_get(places, (size_t)json_integer_value(cpu));
		long long n = member_number(place, "node", 0);

		if (n >= 0 && n < nr)
			in[n] = true;
	}
	for (long n = 0; n < nr; n++)
		if (in[n])
			json_array_append_new(list, json_integer(n));
	cpus_render(list, nr, false, &out);
	json_decref(list);
	json_decref(answer);
	free(in);
	return text_take(&out);
}

static json_t *nodes_of(struct xm *x, const json_t *domains, struct error *e)
{
	json_t *node = client_json(&x->client, "GET", "/v1/node", NULL, e), *all = json_array();
	const json_t *d;
	size_t i;

	json_array_foreach(domains, i, d)
	{
		char *s = domain_nodes(x, node, member_text(d, "name", ""));

		json_array_append_new(all, json_string(s));
		free(s);
	}
	json_decref(node);
	if (node)
		return all;
	json_decref(all);
	return NULL;
}

/* --- Commands --------------------------------------------------------------------------------------------- */

/* xm's --state: does the domain have it? */
static bool state_matches(const json_t *d, const char *wanted)
{
	static const struct {
		const char *name, *letters;
	} states[] = {{"running", "rb"}, {"paused", "p"}, {"shutdown", "s"},
		      {"crashed", "c"},	 {"dying", "d"},  {"blocked", "b"}};
	bool runs = member_number(d, "id", -1) >= 0;
	char state[7];

	if (!strcasecmp(wanted, "all"))
		return true;
	if (!strcasecmp(wanted, "halted") || !strcasecmp(wanted, "shutoff"))
		return !runs;
	state_for_xm(member_text(d, "state", "------"), state);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!strcasecmp(wanted, states[i].name))
			return runs && strpbrk(state, states[i].letters);
	return false;
}

static void list_filter(json_t *domains, const char *state, const char *pool)
{
	for (size_t i = json_array_size(domains); i-- > 0;) {
		const json_t *d = json_array_get(domains, i);

		if ((state && !state_matches(d, state)) ||
		    (pool && strcmp(pool, member_text(d, "cpupool", ""))))
			json_array_remove(domains, i);
	}
}

static int list_print(struct xm *x, const struct call *call, const json_t *domains, struct error *e)
{
	struct list_columns columns = {
		.verbose = call_option(call, "verbose"),
		.label = call_option(call, "context") || call_option(call, "label"),
		.pool = call_option(call, "cpupool"),
	};
	json_t *nodes = NULL;
	struct text out = {0};

	if (call->json)
		return put_json(domains, e);
	if (call_option(call, "numa") && !(nodes = nodes_of(x, domains, e)))
		return -1;
	columns.nodes = nodes;
	list_render(domains, x->dialect, &columns, &out);
	json_decref(nodes);
	return put(&out, e);
}

int xm_list(struct xm *x, const struct call *call, struct error *e)
{
	const char *state = call_option(call, "state"), *pool = call_option(call, "pool");
	bool more = call->json || state || pool || call_option(call, "verbose") ||
		    call_option(call, "cpupool") || call_option(call, "long");
	json_t *domains;
	int rc;

	if (x->dialect == CONFIG_XM && call_option(call, "verbose")) {
		fputs("Option -v is deprecated.  Please use xm vcpu-list instead.\n", stderr);
		return xm_vcpu_list(x, call, e);
	}
	domains = domains_get(x, call->operand, call->nr, more ? NULL : FIELDS_SHORT, e);
	if (!domains)
		return -1;
	list_filter(domains, state, pool);
	rc = call_option(call, "long") ? list_long(x, domains, e) : list_print(x, call, domains, e);
	json_decref(domains);
	return rc;
}

int xm_claims(struct xm *x, const struct call *call, struct error *e)
{
	static const struct list_columns columns = {.claims = true};
	json_t *domains = domains_get(x, NULL, 0, NULL, e);
	struct text out = {0};

	if (!domains)
		return -1;
	list_render(domains, CONFIG_XL, &columns, &out);
	json_decref(domains);
	return put(&out, e);
}

int xm_vm_list(struct xm *x, const struct call *call, struct error *e)
{
	json_t *domains = domains_get(x, NULL, 0, "id,uuid,name", e);
	struct text out = {0};
	int rc;

	if (!domains)
		return -1;
	if (call->json) {
		rc = put_json(domains, e);
	} else {
		vm_list_render(domains, &out);
		rc = put(&out, e);
	}
	json_decref(domains);
	return rc;
}

int xm_domid(struct xm *x, const struct call *call, struct error *e)
{
	struct text out = {0};
	long id;

	if (domain_id(x, call->operand[0], &id, e))
		return -1;
	text_printf(&out, "%ld\n", id);
	return put(&out, e);
}

static int put_line(const char *line, struct error *e)
{
	struct text out = {0};

	text_printf(&out, "%s\n", line);
	return put(&out, e);
}

int xm_domname(struct xm *x, const struct call *call, struct error *e)
{
	json_t *d;
	long id;
	int rc;

	if (!str_to_long(call->operand[0], 0, 65535, &id))
		return error_set(e, ERROR_USAGE, "Invalid domain id '%s'", call->operand[0]);
	d = domain_call(x, "GET", call->operand[0], NULL, NULL, e);
	if (!d)
		return -1;
	rc = put_line(member_text(d, "name", ""), e);
	json_decref(d);
	return rc;
}

int xm_domstate(struct xm *x, const struct call *call, struct error *e)
{
	json_t *d = domain_call(x, "GET", call->operand[0], NULL, NULL, e);
	int rc;

	if (!d)
		return -1;
	rc = put_line(json_is_integer(json_object_get(d, "id"))
			      ? state_word(member_text(d, "state", "------"))
			      : "shutoff",
		      e);
	json_decref(d);
	return rc;
}
