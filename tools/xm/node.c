/* SPDX-License-Identifier: MIT */
/* The machine and its hypervisor: info, dmesg, log, debug-keys. */
#include "xm/node.h"

#include "xm/verbs.h"

#include <stdlib.h>
#include <string.h>

/* --- info ------------------------------------------------------------------------------------------------- */

enum info_form {
	INFO_TEXT,
	INFO_NUMBER,
	INFO_MIB,  /* of a number of KiB */
	INFO_FREE, /* free less what is claimed */
	INFO_MHZ,
	INFO_VERSION, /* 4.17.7 */
	INFO_NOTHING, /* what never is other than 0 here */
	INFO_NUMA,    /* the tables of -n */
};

static const struct info_line {
	const char *key;
	const char *member; /* NULL: as the key */
	enum info_form form;
	bool only_xl;
} info_lines[] = {
	{"host"},
	{"release"},
	{"version"},
	{"machine"},
	{"nr_cpus", NULL, INFO_NUMBER},
	{"max_cpu_id", NULL, INFO_NUMBER, true},
	{"nr_nodes", NULL, INFO_NUMBER},
	{"cores_per_socket", NULL, INFO_NUMBER},
	{"threads_per_core", NULL, INFO_NUMBER},
	{"cpu_mhz", "cpu_khz", INFO_MHZ},
	{"hw_caps"},
	{"virt_caps"},
	{"total_memory", "total_kb", INFO_MIB},
	{"free_memory", "free_kb", INFO_FREE},
	{"sharing_freed_memory", NULL, INFO_NOTHING, true},
	{"sharing_used_memory", NULL, INFO_NOTHING, true},
	{"outstanding_claims", "outstanding_kb", INFO_MIB, true},
	{"free_cpus", NULL, INFO_NUMBER},
	{"", NULL, INFO_NUMA},
	{"xen_major", NULL, INFO_NUMBER},
	{"xen_minor", NULL, INFO_NUMBER},
	{"xen_extra"},
	{"xen_version", NULL, INFO_VERSION, true},
	{"xen_caps"},
	{"xen_scheduler"},
	{"xen_pagesize", NULL, INFO_NUMBER},
	{"platform_params"},
	{"xen_changeset"},
	{"xen_commandline"},
	{"cc_compiler"},
	{"cc_compile_by"},
	{"cc_compile_domain"},
	{"cc_compile_date"},
	{"build_id", NULL, INFO_TEXT, true},
};

static void info_value(const json_t *node, const struct info_line *line, bool xm, struct text *out)
{
	const char *member = line->member ? line->member : line->key;
	long long n = member_number(node, member, 0);

	switch (line->form) {
	case INFO_TEXT:
		text_str(out, member_text(node, member, ""));
		break;
	case INFO_NUMBER:
	case INFO_NOTHING:
		text_printf(out, "%lld", n);
		break;
	case INFO_MIB:
		text_printf(out, "%lld", n / 1024);
		break;
	case INFO_FREE:
		text_printf(out, "%lld", (n - member_number(node, "outstanding_kb", 0)) / 1024);
		break;
	case INFO_MHZ:
		text_printf(out, xm ? "%lld" : "%lld.%03lld", n / 1000, n % 1000);
		break;
	case INFO_VERSION:
		text_printf(out, "%lld.%lld%s", member_number(node, "xen_major", 0),
			    member_number(node, "xen_minor", 0),
			    member_text(node, "xen_extra", ""));
		break;
	case INFO_NUMA:
		break;
	}
}

static void info_pair(const struct info_style *style, const char *key, const char *value,
		      struct text *out)
{
	if (style->only && str_starts(key, style->only))
		text_printf(out, "%s\n", value);
	else if (!style->only)
		text_printf(out, "%-23s: %s\n", key,
			    *value || style->dialect == CONFIG_XL ? value : "(none)");
}

static void info_tables(const json_t *node, bool xm, struct text *out)
{
	const json_t *row, *distance;
	size_t i, k;

	text_str(out, "cpu_topology           :\ncpu:    core    socket     node\n");
	json_array_foreach(json_object_get(node, "topology"), i, row)
		text_printf(out, "%3lld:    %4lld     %4lld     %4lld\n",
			    member_number(row, "cpu", 0), member_number(row, "core", 0),
			    member_number(row, "socket", 0), member_number(row, "node", 0));
	if (!xm)
		text_str(out, "device topology        :\ndevice           node\n"
			      "No device topology data available\n");
	text_str(out, "numa_info              :\nnode:    memsize    memfree    distances\n");
	json_array_foreach(json_object_get(node, "numa"), i, row)
	{
		text_printf(out, "%4lld:    %6lld     %6lld      ", member_number(row, "node", 0),
			    member_number(row, "size_kb", 0) / 1024,
			    member_number(row, "free_kb", 0) / 1024);
		json_array_foreach(json_object_get(row, "distances"), k, distance)
			text_printf(out, "%s%lld", k ? "," : "", json_integer_value(distance));
		text_str(out, "\n");
	}
}

void info_render(const json_t *node, const struct info_style *style, struct text *out)
{
	bool xm = style->dialect == CONFIG_XM;

	for (size_t i = 0; i < sizeof(info_lines) / sizeof(info_lines[0]); i++) {
		const struct info_line *line = &info_lines[i];
		struct text value = {0};

		if (line->form == INFO_NUMA && style->numa)
			info_tables(node, xm, out);
		if (line->form == INFO_NUMA || (xm && line->only_xl))
			continue;
		info_value(node, line, xm, &value);
		info_pair(style, line->key, value.data ? value.data : "", out);
		text_free(&value);
	}
	info_pair(style, "xend_config_format", "4", out);
}

/* xm info -c: xend's settings. */
static void info_config(const json_t *node, struct text *out)
{
	json_t *config = json_object_get(json_object_get(node, "xend"), "config"), *v;
	const char *key;

	json_object_foreach(config, key, v)
	{
		char *s = json_is_string(v) ? xstrdup(json_string_value(v))
					    : json_dumps(v, JSON_ENCODE_ANY);

		text_printf(out, "%-31s: %s\n", key, s && *s ? s : "(none)");
		free(s);
	}
}

int xm_info(struct xm *x, const struct call *call, struct error *e)
{
	struct info_style style = {.dialect = x->dialect,
				   .numa = call_option(call, "numa"),
				   .only = call->nr ? call->operand[0] : NULL};
	bool detail = style.numa || call->json;
	json_t *node =
		client_json(&x->client, "GET", detail ? "/v1/node" : "/v1/node?detail=0", NULL, e);
	struct text out = {0};
	int rc;

	if (!node)
		return -1;
	if (call->json) {
		rc = put_json(node, e);
	} else {
		if (call_option(call, "config"))
			info_config(node, &out);
		else
			info_render(node, &style, &out);
		rc = put(&out, e);
	}
	json_decref(node);
	return rc;
}

/* --- Messages --------------------------------------------------------------------------------------------- */

static int put_answer(struct xm *x, const char *method, const char *path, struct error *e)
{
	struct text out = {0};

	return client_request(&x->client, method, path, NULL, &out, e) ? -1 : put(&out, e);
}

int xm_dmesg(struct xm *x, const struct call *call, struct error *e)
{
	if (call_option(call, "clear"))
		return put_answer(x, "POST", "/v1/node/dmesg?clear=1", e);
	return put_answer(x, "GET", "/v1/node/dmesg", e);
}

int xm_log(struct xm *x, const struct call *call, struct error *e)
{
	return put_answer(x, "GET", "/v1/node/log", e);
}

int xm_debug_keys(struct xm *x, const struct call *call, struct error *e)
{
	json_t *answer = client_json(&x->client, "POST", "/v1/node/debug-keys",
				     json_pack("{ss}", "keys", call->operand[0]), e);

	json_decref(answer);
	return answer ? 0 : -1;
}
