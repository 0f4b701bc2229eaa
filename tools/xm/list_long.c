/* SPDX-License-Identifier: MIT */
/* See list_long.h. A domain whose configuration nobody here knows is shown by what the hypervisor says of it. */
#include "xm/list_long.h"

#include "lib/base/file.h"
#include "lib/base/sxp.h"
#include "xm/list.h"

#include <stdlib.h>
#include <string.h>

#define XL_CONF "/etc/xen/xl.conf"

static json_t *config_made_up(const json_t *d)
{
	long long kb = member_number(d, "memory_kb", 0);

	return json_pack("{s{ss ss} s{sI sI s{} s{} s{} s{}}}", "c_info", "type",
			 member_text(d, "type", "pv"), "name", member_text(d, "name", ""), "b_info",
			 "max_memkb", member_number(d, "max_memory_kb", kb), "target_memkb",
			 member_number(d, "target_kb", kb), "sched_params", "type.pv", "arch_arm",
			 "arch_x86");
}

/* With what libxl has filled in once a domain runs. */
static json_t *config_running(const json_t *config)
{
	struct diagnostics found = {0};
	struct domain_config c = {0};
	json_t *json = config_from_json(config, &c, &found) ? json_deep_copy(config)
							    : config_to_json_running(&c);

	config_free(&c);
	diagnostics_free(&found);
	return json;
}

json_t *long_config(const json_t *domain, const json_t *config, const json_t *values)
{
	json_t *c = config ? config_running(config) : config_made_up(domain);
	json_t *info = json_object_get(c, "b_info"), *sched = json_object_get(info, "sched_params");

	if (values && sched) {
		json_object_clear(sched);
		json_object_set_new(sched, "sched",
				    json_string(member_text(values, "scheduler", "")));
		json_object_set(sched, "weight", json_object_get(values, "weight"));
		json_object_set(sched, "cap", json_object_get(values, "cap"));
	}
	return c;
}

/* --- SXP -------------------------------------------------------------------------------------------------- */

static void sxp_number(struct sxp *x, const char *name, const char *fmt, double value)
{
	char text[40];

	snprintf(text, sizeof(text), fmt, value);
	sxp_pair(x, name, text);
}

static struct sxp *sxp_made_up(const json_t *d)
{
	struct sxp *x = sxp_add(sxp_list(), sxp_atom("domain"));

	sxp_number(x, "domid", "%.0f", (double)member_number(d, "id", 0));
	sxp_pair(x, "name", member_text(d, "name", ""));
	sxp_pair(x, "uuid", member_text(d, "uuid", ""));
	sxp_number(x, "vcpus", "%.0f", (double)member_number(d, "vcpus_max", 1));
	sxp_number(x, "memory", "%.0f", (double)(member_number(d, "memory_kb", 0) / 1024));
	sxp_number(x, "maxmem", "%.0f", (double)(member_number(d, "max_memory_kb", 0) / 1024));
	return x;
}

struct sxp *long_sxp(const json_t *d, const json_t *config)
{
	struct diagnostics found = {0};
	struct domain_config c = {0};
	struct sxp *x = NULL;
	char state[7];

	if (config && !config_from_json(config, &c, &found))
		x = config_to_sxp(&c, (long)member_number(d, "id", -1));
	if (!x)
		x = sxp_made_up(d);
	config_free(&c);
	diagnostics_free(&found);
	if (member_number(d, "id", -1) < 0)
		return x;
	state_for_xm(member_text(d, "state", "------"), state);
	if (!sxp_child(x, "online_vcpus"))
		sxp_number(x, "online_vcpus", "%.0f", (double)member_number(d, "vcpus_online", 0));
	sxp_number(x, "start_time", "%.2f", (double)member_number(d, "started_at", 0));
	sxp_number(x, "cpu_time", "%.9f", (double)member_number(d, "cpu_ns", 0) / 1e9);
	sxp_pair(x, "state", state);
	sxp_pair(x, "status", "2");
	return x;
}

/* --- Printing ----------------------------------------------------------------------------------------------- */

/* xl.conf's output_format="sxp" */
static bool wants_sxp(void)
{
	char *text = file_read(XL_CONF, 1 << 16, NULL, NULL), *line, *rest = text, value[8] = "";

	while (rest && (line = strsep(&rest, "\n")))
		sscanf(line, " output_format = %*[\"']%7[a-z]", value);
	free(text);
	return !strcmp(value, "sxp");
}

/* NULL where nothing is known of it. */
static json_t *config_of(struct xm *x, const json_t *d)
{
	char id[40];

	snprintf(id, sizeof(id), "%lld", member_number(d, "id", 0));
	return domain_call(x, "GET",
			   json_is_integer(json_object_get(d, "id")) ? id
								     : member_text(d, "uuid", ""),
			   "config", NULL, NULL);
}

static const json_t *values_of(const json_t *schedulers, const json_t *d)
{
	const json_t *v;
	size_t i;

	json_array_foreach(schedulers, i, v) if (member_number(v, "id", -1) ==
						 member_number(d, "id", -2)) return v;
	return NULL;
}

static int print_sxp(struct xm *x, const json_t *domains, struct error *e)
{
	struct text out = {0};
	const json_t *d;
	size_t i;

	json_array_foreach(domains, i, d)
	{
		json_t *config = config_of(x, d);
		struct sxp *s = long_sxp(d, config);

		sxp_print(s, true, &out);
		if (out.len && out.data[out.len - 1] != '\n')
			text_str(&out, "\n");
		sxp_free(s);
		json_decref(config);
	}
	return put(&out, e);
}

static int print_json(struct xm *x, const json_t *domains, struct error *e)
{
	json_t *schedulers = array_get(x, "/v1/schedulers", "schedulers", NULL);
	json_t *list = json_array();
	struct text out = {0};
	const json_t *d;
	size_t i;

	json_array_foreach(domains, i, d)
	{
		json_t *config = config_of(x, d);

		json_array_append_new(
			list, json_pack("{sOso}", "domid", json_object_get(d, "id"), "config",
					long_config(d, config, values_of(schedulers, d))));
		json_decref(config);
	}
	config_print_json(list, &out);
	text_str(&out, "\n");
	json_decref(list);
	json_decref(schedulers);
	return put(&out, e);
}

int list_long(struct xm *x, const json_t *domains, struct error *e)
{
	if (x->dialect == CONFIG_XM || wants_sxp())
		return print_sxp(x, domains, e);
	return print_json(x, domains, e);
}
