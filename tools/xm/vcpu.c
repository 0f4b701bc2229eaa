/* SPDX-License-Identifier: MIT */
/* vCPUs: vcpu-list, vcpu-pin, vcpu-set. */
#include "xm/vcpu.h"

#include "xm/verbs.h"

#include <stdlib.h>
#include <string.h>

/* --- vcpu-list --------------------------------------------------------------------------------------------- */

void vcpu_head_render(enum config_dialect dialect, struct text *out)
{
	text_printf(out, "%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State",
		    "Time(s)", dialect == CONFIG_XM ? "CPU Affinity" : "Affinity (Hard / Soft)");
}

static void vcpu_row(const json_t *domain, const json_t *v, long nr_cpus, bool xm, struct text *out)
{
	text_printf(out, "%-32s %5lld %5lld", member_text(domain, "name", ""),
		    member_number(domain, "id", 0), member_number(v, "vcpu", 0));
	if (!json_is_true(json_object_get(v, "online")))
		text_str(out, xm ? "     -   --p" : "    -   --p");
	else
		text_printf(out, "%s%5lld %s%c%c-", xm ? " " : "", member_number(v, "cpu", 0), "  ",
			    json_is_true(json_object_get(v, "running")) ? 'r' : '-',
			    json_is_true(json_object_get(v, "blocked")) ? 'b' : '-');
	text_printf(out, " %9.1f %s", (float)member_number(v, "cpu_ns", 0) / 1e9, xm ? "" : " ");
	cpus_render(json_object_get(v, "hard"), nr_cpus, xm, out);
	if (!xm) {
		text_str(out, " / ");
		cpus_render(json_object_get(v, "soft"), nr_cpus, false, out);
	}
	text_str(out, "\n");
}

void vcpu_rows_render(const json_t *domain, const json_t *vcpus, long nr_cpus,
		      enum config_dialect dialect, struct text *out)
{
	const json_t *v;
	size_t i;

	json_array_foreach(vcpus, i, v) vcpu_row(domain, v, nr_cpus, dialect == CONFIG_XM, out);
}

/* Puts the array "vcpus" into each domain; those that do not run have none. */
static int vcpus_get(struct xm *x, json_t *domains, struct error *e)
{
	json_t *d;
	size_t i;

	json_array_foreach(domains, i, d)
	{
		char id[24];
		json_t *answer;

		if (!json_is_integer(json_object_get(d, "id")))
			continue;
		snprintf(id, sizeof(id), "%lld", member_number(d, "id", 0));
		answer = domain_call(x, "GET", id, "vcpus", NULL, e);
		if (!answer && e->class != ERROR_NOT_FOUND) /* not one that just went away */
			return -1;
		json_object_update(d, answer);
		json_decref(answer);
	}
	return 0;
}

static int vcpus_print(struct xm *x, const struct call *call, const json_t *domains,
		       struct error *e)
{
	json_t *node, *d;
	struct text out = {0};
	size_t i;

	if (call->json)
		return put_json(domains, e);
	node = client_json(&x->client, "GET", "/v1/node?detail=0", NULL, e);
	if (!node)
		return -1;
	vcpu_head_render(x->dialect, &out);
	json_array_foreach(domains, i, d)
		vcpu_rows_render(d, json_object_get(d, "vcpus"),
				 (long)member_number(node, "max_cpu_id", 0) + 1, x->dialect, &out);
	json_decref(node);
	return put(&out, e);
}

int xm_vcpu_list(struct xm *x, const struct call *call, struct error *e)
{
	json_t *domains = domains_get(x, call->operand, call->nr, "id,uuid,name", e);
	int rc;

	if (!domains)
		return -1;
	rc = vcpus_get(x, domains, e) ? -1 : vcpus_print(x, call, domains, e);
	json_decref(domains);
	return rc;
}

/* --- vcpu-pin ---------------------------------------------------------------------------------------------- */

/* "-" leaves that affinity alone: null. */
static json_t *affinity(const json_t *node, const char *spec, struct error *e)
{
	return !spec || !strcmp(spec, "-") ? json_null() : cpus_to_json(node, spec, e);
}

static int pin_dry(const json_t *node, const json_t *hard, const json_t *soft, struct error *e)
{
	long nr = (long)member_number(node, "max_cpu_id", 0) + 1;
	struct text out = {0};

	text_str(&out, "cpumap: ");
	if (json_is_array(hard))
		cpus_render(hard, nr, false, &out);
	else
		text_str(&out, "-");
	if (json_is_array(soft)) {
		text_str(&out, " ");
		cpus_render(soft, nr, false, &out);
	}
	text_str(&out, "\n");
	return put(&out, e);
}

static json_t *which_vcpu(const char *s, struct error *e)
{
	long n;

	if (!strcmp(s, "all"))
		return json_string("all");
	if (str_to_long(s, 0, 8191, &n))
		return json_integer(n);
	error_set(e, ERROR_USAGE, "Invalid argument %s as VCPU", s);
	error_hint(e, "it is a number, or 'all'");
	return NULL;
}

int xm_vcpu_pin(struct xm *x, const struct call *call, struct error *e)
{
	json_t *vcpu = which_vcpu(call->operand[1], e);
	json_t *node = vcpu ? client_json(&x->client, "GET", "/v1/node", NULL, e) : NULL;
	json_t *hard = node ? affinity(node, call->operand[2], e) : NULL;
	json_t *soft = hard ? affinity(node, call->nr > 3 ? call->operand[3] : NULL, e) : NULL;
	int rc = -1;

	if (soft && x->dry_run)
		rc = pin_dry(node, hard, soft, e);
	else if (soft)
		rc = domain_do(x, "PUT", call->operand[0], "vcpus",
			       json_pack("{sOsOsOsb}", "vcpu", vcpu, "hard", hard, "soft", soft,
					 "force", call_option(call, "force") != NULL),
			       e);
	json_decref(soft);
	json_decref(hard);
	json_decref(node);
	json_decref(vcpu);
	return rc;
}

int xm_vcpu_set(struct xm *x, const struct call *call, struct error *e)
{
	long n;

	if (!str_to_long(call->operand[1], 0, 8192, &n))
		return error_set(e, ERROR_USAGE, "Invalid VCPU count '%s'", call->operand[1]);
	if (n < 1)
		return 0; /* quietly, as ever */
	return domain_do(x, "PUT", call->operand[0], "vcpus",
			 json_pack("{sIsb}", "online", (json_int_t)n, "ignore_host",
				   call_option(call, "ignore-host") != NULL),
			 e);
}
