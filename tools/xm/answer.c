/* SPDX-License-Identifier: MIT */
/* What the API answers, as the commands use it: members of objects, paths of domains, sets of CPUs, sizes. */
#include "xm/xm.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long long member_number(const json_t *object, const char *name, long long otherwise)
{
	const json_t *v = json_object_get(object, name);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

const char *member_text(const json_t *object, const char *name, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : otherwise;
}

int put(struct text *out, struct error *e)
{
	bool ok = !out->len || fwrite(out->data, 1, out->len, stdout) == out->len;

	text_free(out);
	if (ok && !fflush(stdout))
		return 0;
	return error_set(e, ERROR_FAILED, "standard output cannot be written");
}

int put_json(const json_t *json, struct error *e)
{
	char *s = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY);
	struct text out = {0};

	text_str(&out, s);
	text_str(&out, "\n");
	free(s);
	return put(&out, e);
}

/* --- Domains ------------------------------------------------------------------------------------------ */

char *domain_path(const char *domain, const char *tail)
{
	struct text t = {0};

	text_str(&t, "/v1/domains/");
	for (const char *p = domain; *p; p++)
		if (isalnum((unsigned char)*p) || strchr("-._~", *p))
			text_add(&t, p, 1);
		else
			text_printf(&t, "%%%02X", (unsigned char)*p);
	if (tail)
		text_printf(&t, "/%s", tail);
	return text_take(&t);
}

json_t *domain_call(struct xm *x, const char *method, const char *domain, const char *tail,
		    json_t *body, struct error *e)
{
	char *path = domain_path(domain, tail);
	json_t *answer = client_json(&x->client, method, path, body, e);

	free(path);
	return answer;
}

int domain_do(struct xm *x, const char *method, const char *domain, const char *tail, json_t *body,
	      struct error *e)
{
	json_t *answer = domain_call(x, method, domain, tail, body, e);

	json_decref(answer);
	return answer ? 0 : -1;
}

json_t *array_get(struct xm *x, const char *path, const char *member, struct error *e)
{
	json_t *answer = client_json(&x->client, "GET", path, NULL, e);
	json_t *array = json_incref(json_object_get(answer, member));

	json_decref(answer);
	if (answer && !json_is_array(array)) {
		json_decref(array);
		array = NULL;
		error_set(e, ERROR_FAILED, "xend's answer has no list '%s'", member);
	}
	return array;
}

static json_t *domains_all(struct xm *x, const char *fields, struct error *e)
{
	char *path = xasprintf("/v1/domains%s%s", fields ? "?fields=" : "", fields ? fields : "");
	json_t *array = array_get(x, path, "domains", e);

	free(path);
	for (size_t i = json_array_size(array); x->dialect == CONFIG_XL && i-- > 0;)
		if (!json_is_integer(json_object_get(json_array_get(array, i), "id")))
			json_array_remove(array, i);
	return array;
}

json_t *domains_get(struct xm *x, char *const *names, int nr, const char *fields, struct error *e)
{
	json_t *array;

	if (!nr)
		return domains_all(x, fields, e);
	array = json_array();
	for (int i = 0; i < nr; i++) {
		json_t *d = domain_call(x, "GET", names[i], NULL, NULL, e);

		if (!d || (x->dialect == CONFIG_XL && !json_is_integer(json_object_get(d, "id")))) {
			if (d)
				error_set(e, ERROR_NOT_FOUND, "Domain '%s' does not run", names[i]);
			json_decref(d);
			json_decref(array);
			return NULL;
		}
		json_array_append_new(array, d);
	}
	return array;
}

int domain_id(struct xm *x, const char *domain, long *id, struct error *e)
{
	json_t *d = domain_call(x, "GET", domain, NULL, NULL, e);

	if (!d)
		return -1;
	*id = (long)member_number(d, "id", -1);
	json_decref(d);
	if (*id >= 0)
		return 0;
	error_set(e, ERROR_CONFLICT, "Domain '%s' does not run", domain);
	return error_hint(e, "'xm start %s' starts it", domain);
}

/* --- CPUs, sizes --------------------------------------------------------------------------------------- */

void cpus_render(const json_t *cpus, long nr_cpus, bool xm, struct text *out)
{
	size_t n = json_array_size(cpus);
	const char *comma = "";

	if (!n || (long)n >= nr_cpus) {
		text_str(out, !n ? (xm ? "no cpus" : "none") : xm ? "any cpu" : "all");
		return;
	}
	for (size_t i = 0, last; i < n; i = last + 1) {
		long long first = json_integer_value(json_array_get(cpus, i));

		for (last = i; last + 1 < n; last++)
			if (json_integer_value(json_array_get(cpus, last + 1)) !=
			    first + (long long)(last + 1 - i))
				break;
		text_printf(out, "%s%lld", comma, first);
		if (last > i)
			text_printf(out, "-%lld", first + (long long)(last - i));
		comma = ",";
	}
}

json_t *cpus_to_json(const json_t *node, const char *spec, struct error *e)
{
	unsigned int nr = (unsigned int)member_number(node, "max_cpu_id", 0) + 1;
	unsigned int *node_of = xcalloc(nr, sizeof(*node_of));
	const json_t *places = json_object_get(node, "topology"), *place;
	struct cpu_set *set = xcalloc(1, sizeof(*set));
	json_t *cpus = NULL;
	size_t i;

	json_array_foreach(places, i, place) if (member_number(place, "cpu", nr) < nr)
		node_of[member_number(place, "cpu", 0)] =
			(unsigned int)member_number(place, "node", 0);
	if (!cpus_parse(spec, node_of, nr, set, e)) {
		cpus = json_array();
		for (unsigned int cpu = 0; cpu < CPUS_MOST; cpu++)
			if (cpu_set_has(set, cpu))
				json_array_append_new(cpus, json_integer(cpu));
	}
	free(set);
	free(node_of);
	return cpus;
}

int memory_parse(const char *text, long *kb, struct error *e)
{
	static const char units[] = "bkmgt";
	char *end;
	double n = strtod(text, &end);
	const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : units + 2;

	if (end == text || !isdigit((unsigned char)*text) || !unit || (*end && end[1])) {
		error_set(e, ERROR_USAGE, "invalid memory size: %s", text);
		return error_hint(e, "write 512 or 512m for MiB, 2g, 65536k");
	}
	n /= 1024;
	for (; unit > units; unit--)
		n *= 1024;
	*kb = (long)n;
	return 0;
}
