/* SPDX-License-Identifier: MIT */
/* Requests about the machine: what it is, its logs, its CPU pools, and whether this daemon is well. */
#include "xend/api_request.h"
#include "xend/settings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_BYTES_MOST (1 << 20)

static int answer_text(struct api_request *r, struct text *t)
{
	text_free(&r->answer);
	r->answer = *t;
	r->status = 200;
	r->type = "text/plain; charset=utf-8";
	return 0;
}

/* --- The machine ------------------------------------------------------------------------------------------- */

static const struct json_member node_members[] = {
	JSON_MEMBERS(struct node_info, host, release, version, machine, nr_cpus, max_cpu_id,
		     nr_nodes, cores_per_socket, threads_per_core, cpu_khz, total_kb, free_kb,
		     outstanding_kb, free_cpus, xen_major, xen_minor, xen_extra, xen_caps,
		     xen_scheduler, xen_pagesize, platform_params, xen_changeset, xen_commandline,
		     cc_compiler, cc_compile_by, cc_compile_domain, cc_compile_date, build_id),
};

/* The words that xl info prints. */
static void put_capabilities(struct json_writer *w, const struct node_info *i)
{
	struct text t = {0};

	for (int k = 0; k < 8; k++)
		text_printf(&t, "%s%08x", k ? ":" : "", i->hw_caps[k]);
	json_put_text(w, "hw_caps", t.data);
	t.len = 0;
	text_printf(&t, "%s%s%s%s%s%s", i->pv ? " pv" : "", i->hvm ? " hvm" : "",
		    i->hvm_directio ? " hvm_directio" : "", i->pv_directio ? " pv_directio" : "",
		    i->hap ? " hap" : "", i->shadow ? " shadow" : "");
	json_put_text(w, "virt_caps", t.len ? t.data + 1 : "");
	text_free(&t);
}

static const struct json_member numa_members[] = {
	JSON_MEMBERS(struct numa_node, size_kb, free_kb),
};
static const struct json_member place_members[] = {
	JSON_MEMBERS(struct cpu_place, core, socket, node),
};

static void put_numa(struct json_writer *w, const struct node_info *info)
{
	json_begin(w, "numa", '[');
	for (uint32_t i = 0; i < info->nr_numa; i++) {
		const struct numa_node *numa = &info->numa[i];

		json_begin(w, NULL, '{');
		json_put_size(w, "node", i);
		json_put_members(w, numa, numa_members);
		json_begin(w, "distances", '[');
		for (uint32_t j = 0; j < info->nr_numa; j++)
			json_put_size(w, NULL, numa->distances[j]);
		json_end(w, ']');
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_topology(struct json_writer *w, const struct node_info *info)
{
	json_begin(w, "topology", '[');
	for (uint32_t i = 0; i < info->nr_places; i++) {
		const struct cpu_place *p = &info->cpus[i];

		if (p->core == UINT32_MAX)
			continue; /* not there */
		json_begin(w, NULL, '{');
		json_put_size(w, "cpu", i);
		json_put_members(w, p, place_members);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_self(struct json_writer *w, const struct node *n)
{
	json_begin(w, "xend", '{');
	json_put_number(w, "pid", getpid());
	json_put_number(w, "started_at", n->started_at);
	if (n->settings)
		json_put_tree(w, "config", xend_settings_to_json(n->settings));
	json_end(w, '}');
}

int api_node_get(struct api_request *r, struct error *e)
{
	bool detail = api_query_flag(r, "detail", true);
	struct node_info info;
	struct json_writer w;

	if (node_info(r->node, detail, &info, e))
		return -1;
	w = api_answer(r, 200);
	json_begin(&w, NULL, '{');
	json_put_members(&w, &info, node_members);
	put_capabilities(&w, &info);
	if (detail) {
		put_numa(&w, &info);
		put_topology(&w, &info);
	}
	put_self(&w, r->node);
	json_end(&w, '}');
	node_info_free(&info);
	return 0;
}

/* --- Logs, keys -------------------------------------------------------------------------------------------- */

static int answer_dmesg(struct api_request *r, bool clear, struct error *e)
{
	struct text t = {0};

	if (node_dmesg(r->node, clear, &t, e)) {
		text_free(&t);
		return -1;
	}
	return answer_text(r, &t);
}

int api_dmesg_get(struct api_request *r, struct error *e)
{
	if (api_query_flag(r, "clear", false))
		return error_set(e, ERROR_USAGE, "clearing takes the method POST");
	return answer_dmesg(r, false, e);
}

int api_dmesg_clear(struct api_request *r, struct error *e)
{
	return answer_dmesg(r, api_query_flag(r, "clear", false), e);
}

int api_log_get(struct api_request *r, struct error *e)
{
	const char *bytes = api_query(r, "bytes");
	long most = LOG_BYTES_MOST;
	struct text t = {0};

	if (bytes && !str_to_long(bytes, 1, LOG_BYTES_MOST, &most))
		return error_set(e, ERROR_USAGE, "bytes=%.40s: it takes a number up to %d", bytes,
				 LOG_BYTES_MOST);
	if (node_log(r->node, (size_t)most, &t, e)) {
		text_free(&t);
		return -1;
	}
	return answer_text(r, &t);
}

int api_debug_keys(struct api_request *r, struct error *e)
{
	const char *keys = api_body_text(r, "keys");

	if (!*keys)
		return error_set(e, ERROR_USAGE, "'keys' is empty");
	return node_debug_keys(r->node, keys, e) ? -1 : api_answer_nothing(r);
}

/* --- CPU pools --------------------------------------------------------------------------------------------- */

static const struct json_member pool_members[] = {
	JSON_MEMBERS(struct pool, id, name, scheduler, cpus, domains, tslice_ms, ratelimit_us,
		     migration_delay_us),
};

int api_pools_get(struct api_request *r, struct error *e)
{
	struct json_writer w;
	struct pool *pools;
	size_t nr;

	if (node_pools(r->node, &pools, &nr, e))
		return -1;
	w = api_list(r, "pools");
	for (size_t i = 0; i < nr; i++) {
		json_begin(&w, NULL, '{');
		json_put_members(&w, &pools[i], pool_members);
		json_end(&w, '}');
	}
	free(pools);
	return api_list_end(&w);
}

/* @which: a name or an id. */
static long pool_id(struct node *n, const char *which, struct error *e)
{
	struct pool *pools;
	long id = -1, number;
	size_t nr;

	if (node_pools(n, &pools, &nr, e))
		return -1;
	if (!str_to_long(which, 0, UINT32_MAX, &number))
		number = -1;
	for (size_t i = 0; i < nr && id < 0; i++)
		if (pools[i].id == number || !strcmp(pools[i].name, which))
			id = pools[i].id;
	free(pools);
	return id < 0 ? error_set(e, ERROR_NOT_FOUND, "there is no CPU pool %.80s", which) : id;
}

int api_pool_put(struct api_request *r, struct error *e)
{
	long id = pool_id(r->node, r->segment[2], e);

	if (id < 0 || node_pool_set(r->node, (uint32_t)id, api_body_number(r, "tslice_ms", -1),
				    api_body_number(r, "ratelimit_us", -1),
				    api_body_number(r, "migration_delay_us", -1), e))
		return -1;
	return api_answer_nothing(r);
}

/* --- The daemon -------------------------------------------------------------------------------------------- */

int api_health_get(struct api_request *r, struct error *e)
{
	const struct node *n = r->node;
	bool well = n->ready && !n->stopping;
	struct json_writer w = api_answer(r, well ? 200 : 503);

	json_begin(&w, NULL, '{');
	json_put_text(&w, "status", well ? "ok" : n->stopping ? "stopping" : "recovering");
	json_end(&w, '}');
	return 0;
}
