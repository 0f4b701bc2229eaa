/* SPDX-License-Identifier: MIT */
/* See list.h. A domain whose configuration nobody here knows is shown by what the hypervisor says of it. */
#include "lib/base/file.h"
#include "lib/base/sxp.h"
#include "xm/list.h"

#include <stdio.h>
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
							    : spec_to_json(&domain_kind, &c, true);

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

struct pair {
	const char *name, *template;
};

static void sxp_pairs(struct sxp *x, const json_t *d, const struct pair *pairs, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct text value = {0};

		if (!sxp_child(x, pairs[i].name)) {
			row_render(d, pairs[i].template, &value);
			sxp_pair(x, pairs[i].name, value.data ? value.data : "");
		}
		text_free(&value);
	}
}

struct sxp *long_sxp(const json_t *d, const json_t *config)
{
	static const struct pair made_up[] = {
		{"domid", "{id:d}"},	     {"name", "{name:s}"},
		{"uuid", "{uuid:s}"},	     {"vcpus", "{vcpus_max=1:d}"},
		{"memory", "{memory_kb:M}"}, {"maxmem", "{max_memory_kb:M}"}};
	static const struct pair running[] = {{"online_vcpus", "{vcpus_online:d}"},
					      {"start_time", "{started_at:d}.00"},
					      {"cpu_time", "{cpu_ns:.9T}"}};
	struct diagnostics found = {0};
	struct domain_config c = {0};
	struct sxp *x = NULL;
	char state[7];

	if (config && !config_from_json(config, &c, &found)) {
		x = config_to_sxp(&c, (long)member_number(d, "id", -1));
	} else {
		x = sxp_named("domain");
		sxp_pairs(x, d, made_up, sizeof(made_up) / sizeof(made_up[0]));
	}
	config_free(&c);
	diagnostics_free(&found);
	if (member_number(d, "id", -1) < 0)
		return x;
	sxp_pairs(x, d, running, sizeof(running) / sizeof(running[0]));
	state_for_xm(member_text(d, "state", "------"), state);
	sxp_pair(x, "state", state);
	sxp_pair(x, "status", "2");
	return x;
}

/* --- Printing ----------------------------------------------------------------------------------------------- */

/* xl.conf's output_format="sxp" */
static bool wants_sxp(void)
{
	autofree char *text = file_read(XL_CONF, 1 << 16, NULL, NULL);
	char *line, *rest = text, value[8] = "";

	while (rest && (line = strsep(&rest, "\n")))
		sscanf(line, " output_format = %*[\"']%7[a-z]", value);
	return !strcmp(value, "sxp");
}

static const json_t *values_of(const json_t *schedulers, const json_t *d)
{
	const json_t *v;
	size_t i;

	json_array_foreach(schedulers, i, v) if (member_number(v, "id", -1) ==
						 member_number(d, "id", -2)) return v;
	return NULL;
}

int list_long(struct xm *x, const json_t *domains)
{
	bool sxp = x->dialect == CONFIG_XM || wants_sxp();
	json_auto_t *schedulers = sxp ? NULL : array_get(x, "/v1/schedulers", "schedulers");
	json_auto_t *list = json_array();
	const json_t *d;
	size_t i;

	json_array_foreach(domains, i, d)
	{
		json_t *id = json_object_get(d, "id");
		json_auto_t *config =
			json_is_integer(id)
				? domain_call_id(x, "GET", json_integer_value(id), "config", NULL)
				: domain_call(x, "GET", member_text(d, "uuid", ""), "config", NULL);

		if (sxp) {
			struct sxp *s = long_sxp(d, config);

			sxp_print(s, true, &x->out);
			if (x->out.data[x->out.len - 1] != '\n')
				text_str(&x->out, "\n");
			sxp_free(s);
		} else {
			json_array_append_new(
				list, json_pack("{sOso}", "domid", id, "config",
						long_config(d, config, values_of(schedulers, d))));
		}
	}
	if (!sxp) {
		config_print_json(list, &x->out);
		text_str(&x->out, "\n");
	}
	return 0;
}
