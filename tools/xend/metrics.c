/* SPDX-License-Identifier: MIT */
/*
 * Figures of the host and its domains in Prometheus' text format. It wants all samples of a name together, so each family walks the domains
 * anew; the hypervisor is asked once. Labels are the domain's name and uuid: its id changes with every start. Devices' counters come from
 * the back ends' drivers by way of sysfs.
 */
#include "xend/api_request.h"

#include "lib/base/file.h"
#include "lib/hyper/hyper.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

const char *metrics_sysfs = "/sys";

static void family(struct text *out, const char *name, const char *type, const char *help)
{
	text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and newline are escaped. */
static void put_escaped(struct text *out, const char *value)
{
	for (; *value; value++)
		text_printf(out, strchr("\\\"\n", *value) ? "\\%c" : "%c",
			    *value == '\n' ? 'n' : *value);
}

/* name{domain="..",uuid="..",label="value"} figure; of nanoseconds it is seconds. */
static void sample(struct text *out, const char *name, const struct domain *d, const char *label,
		   const char *value, uint64_t figure)
{
	bool ns = strstr(name, "_seconds_");

	text_printf(out, "%s{domain=\"", name);
	put_escaped(out, d->name);
	text_printf(out, "\",uuid=\"%s\"", d->uuid);
	if (label) {
		text_printf(out, ",%s=\"", label);
		put_escaped(out, value);
		text_str(out, "\"");
	}
	text_printf(out, "} %llu", (ull)(ns ? figure / 1000000000 : figure));
	if (ns)
		text_printf(out, ".%09llu", (ull)(figure % 1000000000));
	text_str(out, "\n");
}

/* --- Of each domain ---------------------------------------------------------------------------------------- */

static void put_cpu(struct node *n, struct domain *d, const char *name, struct text *out)
{
	sample(out, name, d, NULL, NULL, d->info.cpu_time);
}

static void put_vcpus(struct node *n, struct domain *d, const char *name, struct text *out)
{
	struct vcpu_state *v;
	size_t nr;

	if (domain_vcpus(n, d, &v, &nr, NULL))
		return; /* it just went */
	for (size_t i = 0; i < nr; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%u", v[i].vcpu);
		sample(out, name, d, "vcpu", number, v[i].cpu_ns);
	}
	free(v);
}

static void put_memory(struct node *n, struct domain *d, const char *name, struct text *out)
{
	uint64_t most = domain_max_memory_kb(d);

	sample(out, name, d, "kind", "current", domain_memory_kb(d) << 10);
	sample(out, name, d, "kind", "target", domain_target_kb(n, d) << 10);
	if (most != UINT64_MAX)
		sample(out, name, d, "kind", "max", most << 10);
}

static void put_state(struct node *n, struct domain *d, const char *name, struct text *out)
{
	static const char *const names[] = {"running",	"blocked", "paused",
					    "shutdown", "crashed", "dying"};
	char state[7];

	domain_state(d, state);
	for (int i = 0; i < 6; i++)
		sample(out, name, d, "state", names[i], state[i] == "rbpscd"[i]);
}

static const struct {
	const char *name, *type, *help;
	void (*put)(struct node *n, struct domain *d, const char *name, struct text *out);
} families[] = {
	{"xen_domain_cpu_seconds_total", "counter", "CPU time used by the domain", put_cpu},
	{"xen_domain_vcpu_seconds_total", "counter", "CPU time used by one vCPU", put_vcpus},
	{"xen_domain_memory_bytes", "gauge", "Memory it has, is asked to have, may have",
	 put_memory},
	{"xen_domain_state", "gauge", "1 for each state the domain is in", put_state},
};

/* --- The host ------------------------------------------------------------------------------------------------ */

static int write_host(struct node *n, struct text *out, struct error *e)
{
	autofree struct node_info *info = node_info(n, false, e);

	if (!info)
		return -1;
	family(out, "xen_host_memory_bytes", "gauge", "The host's memory");
	text_printf(out,
		    "xen_host_memory_bytes{kind=\"total\"} %llu\n"
		    "xen_host_memory_bytes{kind=\"free\"} %llu\n"
		    "xen_host_memory_bytes{kind=\"claimed\"} %llu\n",
		    (ull)info->total_kb << 10, (ull)info->free_kb << 10,
		    (ull)info->outstanding_kb << 10);
	family(out, "xen_host_cpus", "gauge", "The host's CPUs that are online");
	text_printf(out, "xen_host_cpus %u\n", info->physical.nr_cpus);
	family(out, "xen_build_info", "gauge", "The hypervisor's version");
	text_printf(out, "xen_build_info{version=\"%u.%u%s\",changeset=\"", info->xen->major,
		    info->xen->minor, info->xen->extra);
	put_escaped(out, info->xen->changeset);
	text_str(out, "\"} 1\n");
	return 0;
}

/* --- Devices ------------------------------------------------------------------------------------------------ */

#define VIF(file) "/class/net/vif*.*/statistics/" file
#define VBD(file) "/bus/xen-backend/devices/vbd-*-*/statistics/" file
#define RECEIVE	  "xen_domain_network_receive_"
#define TRANSMIT  "xen_domain_network_transmit_"
#define BLOCK	  "xen_domain_block_"

/* A vif's two directions are the guest's the other way round. */
static const struct counter {
	const char *name, *help, *path;
	unsigned int unit;
} counters[] = {
	{RECEIVE "bytes_total", "Bytes the guest received", VIF("tx_bytes"), 1},
	{TRANSMIT "bytes_total", "Bytes the guest sent", VIF("rx_bytes"), 1},
	{RECEIVE "packets_total", "Packets the guest received", VIF("tx_packets"), 1},
	{TRANSMIT "packets_total", "Packets the guest sent", VIF("rx_packets"), 1},
	{RECEIVE "errors_total", "Receive errors", VIF("tx_errors"), 1},
	{TRANSMIT "errors_total", "Send errors", VIF("rx_errors"), 1},
	{RECEIVE "drop_total", "Received packets dropped", VIF("tx_dropped"), 1},
	{TRANSMIT "drop_total", "Sent packets dropped", VIF("rx_dropped"), 1},
	{BLOCK "read_bytes_total", "Bytes read", VBD("rd_sect"), 512},
	{BLOCK "write_bytes_total", "Bytes written", VBD("wr_sect"), 512},
	{BLOCK "read_requests_total", "Requests to read", VBD("rd_req"), 1},
	{BLOCK "write_requests_total", "Requests to write", VBD("wr_req"), 1},
};

static void put_counter(struct node *n, const struct counter *c, const char *path, struct text *out)
{
	const char *ids = path + strlen(metrics_sysfs) + strcspn(c->path, "*");
	autofree char *name = NULL;
	unsigned long long figure;
	unsigned int domid, devid;
	struct domain *d;
	int len = 0;

	if (sscanf(ids, "%u%*1[.-]%u%n", &domid, &devid, &len) != 2 || ids[len] != '/')
		return;
	d = domain_by_id(n, domid);
	if (!d || !file_number(path, &figure))
		return;
	name = strstr(c->path, "vbd") ? vdev_name(devid) : xasprintf("%u", devid);
	sample(out, c->name, d, "device", name, figure * c->unit);
}

static void write_counter(struct node *n, const struct counter *c, struct text *out)
{
	autofree char *pattern = xasprintf("%s%s", metrics_sysfs, c->path);
	glob_t found = {0};

	family(out, c->name, "counter", c->help);
	glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		put_counter(n, c, found.gl_pathv[i], out);
	globfree(&found);
}

int api_metrics_get(struct api_request *r, struct error *e)
{
	struct text *out = &r->answer;

	if (domains_refresh(r->node, e) || write_host(r->node, out, e))
		return -1;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		family(out, families[i].name, families[i].type, families[i].help);
		for (struct domain *d = domain_next(r->node, NULL); d; d = domain_next(r->node, d))
			if (d->present)
				families[i].put(r->node, d, families[i].name, out);
	}
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		write_counter(r->node, &counters[i], out);
	r->type = "text/plain; version=0.0.4; charset=utf-8";
	return 0;
}
