/* SPDX-License-Identifier: MIT */
/* The machine and its hypervisor: info, dmesg, log, debug-keys. */
#include "xm/node.h"

#include "xm/verbs.h"

/* --- info ------------------------------------------------------------------------------------------------- */

static const struct info_line {
	const char *key;
	const char *value; /* its template; NULL: where the tables of -n come */
	unsigned char dialects;
} info_lines[] = {
	{"host", "{host:s}"},
	{"release", "{release:s}"},
	{"version", "{version:s}"},
	{"machine", "{machine:s}"},
	{"nr_cpus", "{nr_cpus:d}"},
	{"max_cpu_id", "{max_cpu_id:d}", ONLY_XL},
	{"nr_nodes", "{nr_nodes:d}"},
	{"cores_per_socket", "{cores_per_socket:d}"},
	{"threads_per_core", "{threads_per_core:d}"},
	{"cpu_mhz", "{cpu_khz:.3K}", ONLY_XL},
	{"cpu_mhz", "{cpu_khz:k}", ONLY_XM},
	{"hw_caps", "{hw_caps:s}"},
	{"virt_caps", "{virt_caps:s}"},
	{"total_memory", "{total_kb:M}"},
	{"free_memory", "{unclaimed_kb:M}"},
	{"sharing_freed_memory", "0", ONLY_XL},
	{"sharing_used_memory", "0", ONLY_XL},
	{"outstanding_claims", "{outstanding_kb:M}", ONLY_XL},
	{"free_cpus", "{free_cpus:d}"},
	{"", NULL},
	{"xen_major", "{xen_major:d}"},
	{"xen_minor", "{xen_minor:d}"},
	{"xen_extra", "{xen_extra:s}"},
	{"xen_version", "{xen_major:d}.{xen_minor:d}{xen_extra:s}", ONLY_XL},
	{"xen_caps", "{xen_caps:s}"},
	{"xen_scheduler", "{xen_scheduler:s}"},
	{"xen_pagesize", "{xen_pagesize:d}"},
	{"platform_params", "{platform_params:s}"},
	{"xen_changeset", "{xen_changeset:s}"},
	{"xen_commandline", "{xen_commandline:s}"},
	{"cc_compiler", "{cc_compiler:s}"},
	{"cc_compile_by", "{cc_compile_by:s}"},
	{"cc_compile_domain", "{cc_compile_domain:s}"},
	{"cc_compile_date", "{cc_compile_date:s}"},
	{"build_id", "{build_id:s}", ONLY_XL},
	{"xend_config_format", "4"},
};

static void info_tables(const json_t *node, bool xm, struct text *out)
{
	const json_t *row;
	size_t i;

	text_str(out, "cpu_topology           :\ncpu:    core    socket     node\n");
	rows_render(json_object_get(node, "topology"),
		    "{cpu:3d}:    {core:4d}     {socket:4d}     {node:4d}\n", out);
	if (!xm)
		text_str(out, "device topology        :\ndevice           node\n"
			      "No device topology data available\n");
	text_str(out, "numa_info              :\nnode:    memsize    memfree    distances\n");
	json_array_foreach(json_object_get(node, "numa"), i, row)
	{
		row_render(row, "{node:4d}:    {size_kb:6M}     {free_kb:6M}      ", out);
		numbers_render(json_object_get(row, "distances"), out);
		text_str(out, "\n");
	}
}

void info_render(json_t *node, enum config_dialect dialect, bool numa, const char *only,
		 struct text *out)
{
	bool xm = dialect == CONFIG_XM;

	json_object_set_new(node, "unclaimed_kb",
			    json_integer(member_number(node, "free_kb", 0) -
					 member_number(node, "outstanding_kb", 0)));
	for (size_t i = 0; i < sizeof(info_lines) / sizeof(info_lines[0]); i++) {
		const struct info_line *line = &info_lines[i];
		size_t before;

		if (!line->value && numa)
			info_tables(node, xm, out);
		if (!line->value || !in_dialect(line->dialects, dialect) ||
		    (only && !str_starts(line->key, only)))
			continue;
		if (!only)
			text_printf(out, "%-23s: ", line->key);
		before = out->len;
		row_render(node, line->value, out);
		text_str(out, xm && !only && out->len == before ? "(none)\n" : "\n");
	}
}

/* xm info -c: xend's settings. */
static void info_config(const json_t *node, struct text *out)
{
	json_t *config = json_object_get(json_object_get(node, "xend"), "config"), *v;
	const char *key;

	json_object_foreach(config, key, v)
	{
		autofree char *s = json_is_string(v) ? xstrdup(json_string_value(v))
						     : json_dumps(v, JSON_ENCODE_ANY);

		text_printf(out, "%-31s: %s\n", key, s && *s ? s : "(none)");
	}
}

int xm_info(struct xm *x)
{
	bool numa = option(x, "numa"), json = option(x, "json");
	json_auto_t *node =
		xend_json(x, "GET", numa || json ? "/v1/node" : "/v1/node?detail=0", NULL);

	if (!node || json)
		return put_json(x, node);
	if (option(x, "config"))
		info_config(node, &x->out);
	else
		info_render(node, x->dialect, numa, x->nr ? x->operand[0] : NULL, &x->out);
	return 0;
}

/* --- Messages --------------------------------------------------------------------------------------------- */

int xm_dmesg(struct xm *x)
{
	if (option(x, "clear"))
		return xend_request(x, "POST", "/v1/node/dmesg?clear=1", NULL, &x->out);
	return xend_request(x, "GET", "/v1/node/dmesg", NULL, &x->out);
}

int xm_log(struct xm *x)
{
	return xend_request(x, "GET", "/v1/node/log", NULL, &x->out);
}

int xm_debug_keys(struct xm *x)
{
	json_auto_t *answer = xend_json(x, "POST", "/v1/node/debug-keys",
					json_pack("{ss}", "keys", x->operand[0]));

	return answer ? 0 : -1;
}
