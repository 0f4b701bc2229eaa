/* SPDX-License-Identifier: MIT */
/* Requests about the machine: what it is, its logs, its CPU pools, and whether this daemon is well. */
#include "xend/api_request.h"
#include "xend/settings.h"

#include "lib/hyper/hyper.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_BYTES_MOST (1 << 20)

/* --- The machine ------------------------------------------------------------------------------------------- */

const struct json_member api_node_members[] = {
	{"hw_caps", JSON_OTHER},
	{"virt_caps", JSON_OTHER},
	{"platform_params", JSON_OTHER},
	{"numa", JSON_OTHER},
	{"topology", JSON_OTHER},
	{"xend", JSON_OTHER},
	JSON_MEMBER("host", struct node_info, host.nodename),
	JSON_MEMBER("release", struct node_info, host.release),
	JSON_MEMBER("version", struct node_info, host.version),
	JSON_MEMBER("machine", struct node_info, host.machine),
	JSON_MEMBER("xen_scheduler", struct node_info, scheduler),
	JSON_MEMBERS(struct node_info, total_kb, free_kb, outstanding_kb, free_cpus),
};

const struct json_member api_cpus_members[] = {
	JSON_MEMBERS(struct xen_sysctl_physinfo, nr_cpus, max_cpu_id, nr_nodes, cores_per_socket,
		     threads_per_core, cpu_khz),
};

#define XEN(name, member) JSON_MEMBER(name, struct hyper_version, member)

const struct json_member api_hypervisor_members[] = {
	XEN("xen_major", major),
	XEN("xen_minor", minor),
	XEN("xen_extra", extra),
	XEN("xen_caps", capabilities),
	XEN("xen_pagesize", page_size),
	XEN("xen_changeset", changeset),
	XEN("xen_commandline", commandline),
	XEN("cc_compiler", compile.compiler),
	XEN("cc_compile_by", compile.compile_by),
	XEN("cc_compile_domain", compile.compile_domain),
	XEN("cc_compile_date", compile.compile_date),
	JSON_MEMBERS(struct hyper_version, build_id),
};

/* Between blanks, and behind the first one. */
static void put_words(struct json_writer *w, const char *key, struct text *t)
{
	json_put_text(w, key, t->len ? t->data + 1 : "");
	t->len = 0;
}

/* The words that xl info prints. */
static void put_capabilities(struct json_writer *w, const struct node_info *i)
{
	uint32_t can = i->physical.capabilities;
	bool pv = can & XEN_SYSCTL_PHYSCAP_pv, hvm = can & XEN_SYSCTL_PHYSCAP_hvm;
	bool direct = can & XEN_SYSCTL_PHYSCAP_directio;
	struct text t = {0};

	for (int k = 0; k < 8; k++)
		text_printf(&t, ":%08x", i->physical.hw_cap[k]);
	put_words(w, "hw_caps", &t);
	text_printf(&t, "%s%s%s%s%s%s", pv ? " pv" : "", hvm ? " hvm" : "",
		    hvm && direct ? " hvm_directio" : "", pv && direct ? " pv_directio" : "",
		    can & XEN_SYSCTL_PHYSCAP_hap ? " hap" : "",
		    can & XEN_SYSCTL_PHYSCAP_shadow ? " shadow" : "");
	put_words(w, "virt_caps", &t);
	if (i->xen->virt_start)
		text_printf(&t, " virt_start=0x%llx", (unsigned long long)i->xen->virt_start);
	put_words(w, "platform_params", &t);
	text_free(&t);
}

static void put_places(struct json_writer *w, const struct node_info *info)
{
	static const struct json_member members[] = {
		JSON_MEMBERS(xen_sysctl_cputopo_t, core, socket, node),
	};

	json_begin(w, "numa", '[');
	for (uint32_t i = 0; i < info->nr_numa; i++) {
		bool there = info->numa[i].memsize != XEN_INVALID_MEM_SZ;

		json_begin(w, NULL, '{');
		json_put_number(w, "node", i);
		json_put_number(w, "size_kb", there ? info->numa[i].memsize / 1024 : 0);
		json_put_number(w, "free_kb", there ? info->numa[i].memfree / 1024 : 0);
		json_begin(w, "distances", '[');
		for (uint32_t j = 0; j < info->nr_numa; j++)
			json_put_number(w, NULL, info->distances[i][j]);
		json_end(w);
		json_end(w);
	}
	json_end(w);
	json_begin(w, "topology", '[');
	for (uint32_t i = 0; i < info->nr_places; i++) {
		if (info->places[i].core == XEN_INVALID_CORE_ID)
			continue;
		json_begin(w, NULL, '{');
		json_put_number(w, "cpu", i);
		json_put_members(w, &info->places[i], members, JSON_ALL);
		json_end(w);
	}
	json_end(w);
}

int api_node_get(struct api_request *r, struct error *e)
{
	bool detail = api_query_flag(r, "detail", true);
	autofree struct node_info *info = node_info(r->node, detail, e);

	if (!info)
		return -1;
	json_begin(&r->out, NULL, '{');
	json_put_members(&r->out, info, api_node_members, JSON_ALL);
	json_put_members(&r->out, &info->physical, api_cpus_members, JSON_ALL);
	json_put_members(&r->out, info->xen, api_hypervisor_members, JSON_ALL);
	put_capabilities(&r->out, info);
	if (detail)
		put_places(&r->out, info);
	json_begin(&r->out, "xend", '{');
	json_put_number(&r->out, "pid", getpid());
	json_put_number(&r->out, "started_at", r->node->started_at);
	if (r->node->settings)
		json_put_tree(&r->out, "config", xend_settings_to_json(r->node->settings));
	return 0;
}

/* --- Logs, keys -------------------------------------------------------------------------------------------- */

static struct text *plain_text(struct api_request *r)
{
	r->status = 200;
	r->type = "text/plain; charset=utf-8";
	return &r->answer;
}

int api_dmesg(struct api_request *r, struct error *e)
{
	bool clear = api_query_flag(r, "clear", false);

	if (clear && !strcmp(r->route->method, "GET"))
		return error_set(e, ERROR_USAGE, "clearing takes the method POST");
	return node_dmesg(r->node, clear, plain_text(r), e);
}

int api_log_get(struct api_request *r, struct error *e)
{
	const char *bytes = api_query(r, "bytes");
	long most = LOG_BYTES_MOST;

	if (bytes && !str_to_long(bytes, 1, LOG_BYTES_MOST, &most))
		return error_set(e, ERROR_USAGE, "bytes=%.40s: it takes a number up to %d", bytes,
				 LOG_BYTES_MOST);
	return node_log(r->node, (size_t)most, plain_text(r), e);
}

int api_debug_keys(struct api_request *r, struct error *e)
{
	if (!*r->asked.keys)
		return error_set(e, ERROR_USAGE, "'keys' is empty");
	return hyper_debug_keys(r->node->hyper, r->asked.keys, e);
}

/* --- CPU pools --------------------------------------------------------------------------------------------- */

const struct json_member api_pool_members[] = {
	JSON_MEMBERS(struct pool, id, name, scheduler, cpus, domains, tslice_ms, ratelimit_us,
		     migration_delay_us),
};

int api_pools_get(struct api_request *r, struct error *e)
{
	struct pool *pools;
	size_t nr;

	if (node_pools(r->node, &pools, &nr, e))
		return -1;
	api_answer_array(r, "pools", pools, nr, sizeof(*pools), api_pool_members);
	free(pools);
	return 0;
}

int api_pool_put(struct api_request *r, struct error *e)
{
	const struct api_asked *a = &r->asked;
	struct pool pool;

	if (node_pool_find(r->node, r->segment[2], &pool, e))
		return -1;
	return node_pool_set(r->node, &pool, a->tslice_ms, a->ratelimit_us, a->migration_delay_us,
			     e);
}

/* --- The daemon -------------------------------------------------------------------------------------------- */

int api_health_get(struct api_request *r, struct error *e)
{
	const struct node *n = r->node;
	bool well = n->ready && !n->stopping;

	r->status = well ? 200 : 503;
	json_begin(&r->out, NULL, '{');
	json_put_text(&r->out, "status", well ? "ok" : n->stopping ? "stopping" : "recovering");
	return 0;
}
