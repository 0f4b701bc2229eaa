/* SPDX-License-Identifier: MIT */
/* list, vm-list, claims, domid, domname, domstate. */
#include "xm/list.h"

#include "xm/verbs.h"

#include <string.h>
#include <strings.h>

#define FIELDS_SHORT "id,name,memory_kb,vcpus_online,state,cpu_ns"

/* --- As text ------------------------------------------------------------------------------------------- */

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

/* What xl adds behind the columns of always, where one of those bits is wanted. */
static const struct {
	unsigned int wanted;
	const char *head, *row;
} more_columns[] = {
	{LIST_VERBOSE, "   UUID                            Reason-Code\tSecurity Label",
	 " {uuid:s} {shutdown_reason=-:8x}"},
	{LIST_LABEL, "   Security Label", ""},
	{LIST_CLAIMS, "  Claimed", " {outstanding_kb:5M}"},
	{LIST_VERBOSE | LIST_LABEL, "", "                -"},
	{LIST_POOL, "         Cpupool", "{cpupool:16s}"},
	{LIST_NODES, " NODE Affinity", " {nodes:s}"},
};

static void list_xl(const json_t *domains, unsigned int columns, struct text *out)
{
	struct text row = {0};

	if (columns & LIST_VERBOSE)
		columns &= ~(unsigned int)LIST_LABEL; /* it has its own */
	text_str(out, "Name                                        ID   Mem VCPUs\tState\tTime(s)");
	text_str(&row, "{name:-40s} {id=-1:5d} {memory_kb:5M} {vcpus_online:5d}     "
		       "{state=------:s}  {cpu_ns:8.1t}");
	for (size_t i = 0; i < sizeof(more_columns) / sizeof(more_columns[0]); i++) {
		if (!(columns & more_columns[i].wanted))
			continue;
		text_str(out, more_columns[i].head);
		text_str(&row, more_columns[i].row);
	}
	text_str(out, "\n");
	text_str(&row, "\n");
	rows_render(domains, row.data, out);
	text_free(&row);
}

static void list_xm(const json_t *domains, bool label, struct text *out)
{
	json_t *d;
	size_t i;

	text_printf(out, "%-40s %5s %5s %5s %10s %9s%s\n", "Name", "ID", "Mem", "VCPUs", "State",
		    "Time(s)", label ? " Label     " : "");
	json_array_foreach(domains, i, d)
	{
		char state[7] = "";

		if (member_number(d, "id", -1) >= 0)
			state_for_xm(member_text(d, "state", "------"), state);
		if (!member_is(d, "state", state))
			json_object_set_new(d, "state", json_string(state));
	}
	rows_render(domains,
		    label ? "{name:-40s} {id=:5d} {memory_kb:5M} {vcpus_online:5d} {state:10s} "
			    "{cpu_ns:8.1t} INACTIVE  \n"
			  : "{name:-40s} {id=:5d} {memory_kb:5M} {vcpus_online:5d} {state:10s} "
			    "{cpu_ns:8.1t}\n",
		    out);
}

void list_render(const json_t *domains, enum config_dialect dialect, unsigned int columns,
		 struct text *out)
{
	if (dialect == CONFIG_XM)
		list_xm(domains, columns & LIST_LABEL, out);
	else
		list_xl(domains, columns, out);
}

/* --- NUMA nodes of each domain -------------------------------------------------------------------------- */

/* The nodes of the CPUs that the domain's vCPUs may and would rather run on. */
static void domain_nodes(struct xm *x, const json_t *node, json_t *domain)
{
	json_auto_t *answer = domain_call(x, "GET", member_text(domain, "name", ""), "vcpus", NULL);
	json_auto_t *list = json_array();
	const json_t *places = json_object_get(node, "topology"), *v, *cpu;
	long nr = (long)member_number(node, "nr_nodes", 1);
	autofree bool *in = xcalloc((size_t)nr, sizeof(*in));
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
	json_object_set_new(domain, "nodes", json_string(out.data));
	text_free(&out);
}

static int nodes_get(struct xm *x, const json_t *domains)
{
	json_auto_t *node = xend_json(x, "GET", "/v1/node", NULL);
	json_t *d;
	size_t i;

	json_array_foreach(domains, i, d) if (node) domain_nodes(x, node, d);
	return node ? 0 : -1;
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

		if ((state && !state_matches(d, state)) || (pool && !member_is(d, "cpupool", pool)))
			json_array_remove(domains, i);
	}
}

int xm_list(struct xm *x)
{
	const char *state = option(x, "state"), *pool = option(x, "pool");
	unsigned int columns = (option(x, "verbose") ? LIST_VERBOSE : 0) |
			       (option(x, "context") || option(x, "label") ? LIST_LABEL : 0) |
			       (option(x, "cpupool") ? LIST_POOL : 0) |
			       (option(x, "numa") ? LIST_NODES : 0);
	bool json = option(x, "json"), details = option(x, "long");
	bool more = json || details || state || pool || columns & (LIST_VERBOSE | LIST_POOL);
	json_t *domains;

	if (x->dialect == CONFIG_XM && columns & LIST_VERBOSE) {
		fputs("Option -v is deprecated.  Please use xm vcpu-list instead.\n", stderr);
		return xm_vcpu_list(x);
	}
	domains = x->answer = domains_get(x, more ? NULL : FIELDS_SHORT);
	if (!domains)
		return -1;
	list_filter(domains, state, pool);
	if (details)
		return list_long(x, domains);
	if (json)
		return put_json(x, domains);
	if (columns & LIST_NODES && nodes_get(x, domains))
		return -1;
	list_render(domains, x->dialect, columns, &x->out);
	return 0;
}

int xm_claims(struct xm *x)
{
	json_auto_t *domains = domains_get(x, NULL);

	if (domains)
		list_render(domains, CONFIG_XL, LIST_CLAIMS, &x->out);
	return domains ? 0 : -1;
}

int xm_vm_list(struct xm *x)
{
	json_auto_t *domains = domains_get(x, "id,uuid,name");

	return rows_put(x, domains, VM_HEAD, VM_ROW);
}

int xm_domid(struct xm *x)
{
	long id = domain_id(x);

	text_printf(&x->out, "%ld\n", id);
	return id < 0 ? -1 : 0;
}

int xm_domname(struct xm *x)
{
	json_auto_t *d = NULL;
	long id;

	if (!str_to_long(x->operand[0], 0, 65535, &id))
		return error_set(&x->error, ERROR_USAGE, "Invalid domain id '%s'", x->operand[0]);
	d = domain_call(x, "GET", x->operand[0], NULL, NULL);
	row_render(d, "{name:s}\n", &x->out);
	return d ? 0 : -1;
}

int xm_domstate(struct xm *x)
{
	json_auto_t *d = domain_call(x, "GET", x->operand[0], NULL, NULL);

	text_printf(&x->out, "%s\n",
		    member_number(d, "id", -1) < 0 ? "shutoff"
						   : state_word(member_text(d, "state", "------")));
	return d ? 0 : -1;
}
