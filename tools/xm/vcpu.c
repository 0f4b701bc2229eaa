/* SPDX-License-Identifier: MIT */
/* What a domain may use: vcpu-list, vcpu-pin, vcpu-set, mem-set, mem-max. */
#include "xm/vcpu.h"

#include "xm/verbs.h"

#include <ctype.h>
#include <string.h>

static long nr_cpus(const json_t *node)
{
	return (long)member_number(node, "max_cpu_id", 0) + 1;
}

/* --- vcpu-list --------------------------------------------------------------------------------------------- */

static bool is_true(const json_t *object, const char *member)
{
	return json_is_true(json_object_get(object, member));
}

static void vcpu_row(const json_t *v, long cpus, bool xm, struct text *out)
{
	if (xm)
		text_str(out, " ");
	if (!is_true(v, "online"))
		text_str(out, "    -   --p");
	else
		text_printf(out, "%5lld   %c%c-", member_number(v, "cpu", 0),
			    is_true(v, "running") ? 'r' : '-', is_true(v, "blocked") ? 'b' : '-');
	row_render(v, xm ? " {cpu_ns:9.1t} " : " {cpu_ns:9.1t}  ", out);
	cpus_render(json_object_get(v, "hard"), cpus, xm, out);
	if (!xm) {
		text_str(out, " / ");
		cpus_render(json_object_get(v, "soft"), cpus, false, out);
	}
	text_str(out, "\n");
}

void vcpus_render(const json_t *domains, long cpus, enum config_dialect dialect, struct text *out)
{
	bool xm = dialect == CONFIG_XM;
	const json_t *d, *v;
	size_t i, k;

	text_printf(out, "%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State",
		    "Time(s)", xm ? "CPU Affinity" : "Affinity (Hard / Soft)");
	json_array_foreach(domains, i, d) json_array_foreach(json_object_get(d, "vcpus"), k, v)
	{
		row_render(d, "{name:-32s} {id:5d}", out);
		row_render(v, " {vcpu:5d}", out);
		vcpu_row(v, cpus, xm, out);
	}
}

/* Puts the array "vcpus" into each domain; those that do not run have none. */
static int vcpus_get(struct xm *x, json_t *domains)
{
	json_t *d;
	size_t i;

	json_array_foreach(domains, i, d) if (json_is_integer(json_object_get(d, "id")))
	{
		json_auto_t *answer =
			domain_call_id(x, "GET", member_number(d, "id", 0), "vcpus", NULL);

		if (!answer && x->error.class != ERROR_NOT_FOUND) /* not one that just went away */
			return -1;
		json_object_update(d, answer);
	}
	return 0;
}

int xm_vcpu_list(struct xm *x)
{
	json_auto_t *domains = domains_get(x, "id,uuid,name"), *node = NULL;

	if (!domains || vcpus_get(x, domains))
		return -1;
	if (option(x, "json"))
		return put_json(x, domains);
	node = xend_json(x, "GET", "/v1/node?detail=0", NULL);
	vcpus_render(domains, nr_cpus(node), x->dialect, &x->out);
	return node ? 0 : -1;
}

/* --- vcpu-pin ---------------------------------------------------------------------------------------------- */

/* "0-3,^1", "all", "nodes:1" as JSON's [0,2,3] for the host that @node describes; "-" leaves that affinity alone: null. */
static json_t *affinity(struct xm *x, const json_t *node, const char *spec)
{
	unsigned int nr = (unsigned int)nr_cpus(node);
	autofree unsigned int *node_of = xcalloc(nr, sizeof(*node_of));
	autofree struct cpu_set *set = xcalloc(1, sizeof(*set));
	const json_t *place;
	json_t *cpus;
	size_t i;

	if (!strcmp(spec, "-"))
		return json_null();
	json_array_foreach(json_object_get(node, "topology"), i, place)
	{
		long long cpu = member_number(place, "cpu", nr);

		if (cpu >= 0 && cpu < nr)
			node_of[cpu] = (unsigned int)member_number(place, "node", 0);
	}
	if (cpus_parse(spec, node_of, nr, set, &x->error))
		return NULL;
	cpus = json_array();
	for (unsigned int cpu = 0; cpu < CPUS_MOST; cpu++)
		if (cpu_set_has(set, cpu))
			json_array_append_new(cpus, json_integer(cpu));
	return cpus;
}

static int pin_dry(const json_t *node, const json_t *hard, const json_t *soft, struct text *out)
{
	text_str(out, "cpumap: ");
	if (json_is_array(hard))
		cpus_render(hard, nr_cpus(node), false, out);
	else
		text_str(out, "-");
	if (json_is_array(soft)) {
		text_str(out, " ");
		cpus_render(soft, nr_cpus(node), false, out);
	}
	text_str(out, "\n");
	return 0;
}

int xm_vcpu_pin(struct xm *x)
{
	json_auto_t *vcpu = NULL, *node = NULL, *hard = NULL, *soft = NULL;
	long n;

	if (!strcmp(x->operand[1], "all")) {
		vcpu = json_string("all");
	} else if (str_to_long(x->operand[1], 0, 8191, &n)) {
		vcpu = json_integer(n);
	} else {
		error_set(&x->error, ERROR_USAGE, "Invalid argument %s as VCPU", x->operand[1]);
		return error_hint(&x->error, "it is a number, or 'all'");
	}
	if (!(node = xend_json(x, "GET", "/v1/node", NULL)) ||
	    !(hard = affinity(x, node, x->operand[2])) ||
	    !(soft = affinity(x, node, x->nr > 3 ? x->operand[3] : "-")))
		return -1;
	if (x->dry_run)
		return pin_dry(node, hard, soft, &x->out);
	return domain_do(x, "PUT", "vcpus",
			 json_pack("{sOsOsOsb}", "vcpu", vcpu, "hard", hard, "soft", soft, "force",
				   option(x, "force") != NULL));
}

int xm_vcpu_set(struct xm *x)
{
	long n;

	if (!str_to_long(x->operand[1], 0, 8192, &n))
		return error_set(&x->error, ERROR_USAGE, "Invalid VCPU count '%s'", x->operand[1]);
	if (n < 1)
		return 0; /* quietly, as ever */
	return domain_do(x, "PUT", "vcpus",
			 json_pack("{sIsb}", "online", (json_int_t)n, "ignore_host",
				   option(x, "ignore-host") != NULL));
}

/* --- mem-set, mem-max ---------------------------------------------------------------------------------------- */

int memory_parse(const char *text, long *kb, struct error *e)
{
	static const char units[] = "bkmgt";
	char *end;
	double n = strtod(text, &end) / 1024;
	const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : units + 2;

	if (end == text || !isdigit((unsigned char)*text) || !unit || (*end && end[1])) {
		error_set(e, ERROR_USAGE, "invalid memory size: %s", text);
		return error_hint(e, "write 512 or 512m for MiB, 2g, 65536k");
	}
	for (; unit > units; unit--)
		n *= 1024;
	*kb = (long)n;
	return 0;
}

int xm_memory(struct xm *x)
{
	bool most = !strcmp(x->command->name, "mem-max");
	long kb;

	if (memory_parse(x->operand[1], &kb, &x->error))
		return -1;
	return domain_do(x, "PUT", "memory",
			 json_pack("{sI}", most ? "max_kb" : "target_kb", (json_int_t)kb));
}
