/* SPDX-License-Identifier: MIT */
/*
 * See metrics.h. Prometheus wants all samples of a name together, so each family walks the domains anew; the hypervisor is asked once.
 * Labels are the domain's name and uuid: its id changes with every start.
 */
#include "xend/metrics.h"

#include "xend/api_request.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/sched.h>

typedef unsigned long long ull;

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

/* name{domain="..",uuid="..",label="value"} and a blank: the figure follows. */
static void sample(struct text *out, const char *name, const struct domain *d, const char *label,
		   const char *value)
{
	text_printf(out, "%s{domain=\"", name);
	put_escaped(out, d->name);
	text_printf(out, "\",uuid=\"%s\"", d->uuid);
	if (label) {
		text_printf(out, ",%s=\"", label);
		put_escaped(out, value);
		text_str(out, "\"");
	}
	text_str(out, "} ");
}

/* --- Of each domain ---------------------------------------------------------------------------------------- */

static void put_seconds(struct text *out, uint64_t ns)
{
	text_printf(out, "%llu.%09llu\n", (ull)(ns / 1000000000), (ull)(ns % 1000000000));
}

static void put_cpu(struct node *n, struct domain *d, const char *name, struct text *out)
{
	sample(out, name, d, NULL, NULL);
	put_seconds(out, d->info.cpu_time);
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
		sample(out, name, d, "vcpu", number);
		put_seconds(out, v[i].cpu_ns);
	}
	free(v);
}

static void put_memory(struct node *n, struct domain *d, const char *name, struct text *out)
{
	const struct {
		const char *kind;
		uint64_t kb;
	} all[] = {{"current", domain_memory_kb(d)},
		   {"target", domain_target_kb(n, d)},
		   {"max", domain_max_memory_kb(d)}};

	for (int i = 0; i < 3; i++) {
		if (all[i].kb == UINT64_MAX)
			continue; /* no limit */
		sample(out, name, d, "kind", all[i].kind);
		text_printf(out, "%llu\n", (ull)all[i].kb << 10);
	}
}

static void put_state(struct node *n, struct domain *d, const char *name, struct text *out)
{
	static const char *const names[] = {"running",	"blocked", "paused",
					    "shutdown", "crashed", "dying"};
	char state[7];

	domain_state(d, state);
	state[4] = domain_shutdown_reason(d) == SHUTDOWN_crash ? 'c' : '-';
	for (int i = 0; i < 6; i++) {
		sample(out, name, d, "state", names[i]);
		text_printf(out, "%d\n", state[i] != '-');
	}
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

static void write_domains(struct node *n, struct text *out)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		family(out, families[i].name, families[i].type, families[i].help);
		for (struct domain *d = domain_next(n, NULL); d; d = domain_next(n, d))
			if (d->present)
				families[i].put(n, d, families[i].name, out);
	}
}

/* --- The host ------------------------------------------------------------------------------------------------ */

static int write_host(struct node *n, struct text *out, struct error *e)
{
	struct node_info info;

	if (node_info(n, false, &info, e))
		return -1;
	family(out, "xen_host_memory_bytes", "gauge", "The host's memory");
	text_printf(out,
		    "xen_host_memory_bytes{kind=\"total\"} %llu\n"
		    "xen_host_memory_bytes{kind=\"free\"} %llu\n"
		    "xen_host_memory_bytes{kind=\"claimed\"} %llu\n",
		    (ull)info.total_kb << 10, (ull)info.free_kb << 10,
		    (ull)info.outstanding_kb << 10);
	family(out, "xen_host_cpus", "gauge", "The host's CPUs that are online");
	text_printf(out, "xen_host_cpus %u\n", info.nr_cpus);
	family(out, "xen_build_info", "gauge", "The hypervisor's version");
	text_printf(out, "xen_build_info{version=\"%d.%d%s\",changeset=\"", info.xen_major,
		    info.xen_minor, info.xen_extra);
	put_escaped(out, info.xen_changeset);
	text_str(out, "\"} 1\n");
	node_info_free(&info);
	return 0;
}

/* --- Devices ------------------------------------------------------------------------------------------------ */

/* One counter of a back end, a file of its folder; a vif's two directions are the guest's the other way round. */
struct counter {
	const char *name, *help, *file;
	unsigned int unit;
};

#define RECEIVE	 "xen_domain_network_receive_"
#define TRANSMIT "xen_domain_network_transmit_"
#define BLOCK	 "xen_domain_block_"

static const struct counter vif_counters[] = {
	{RECEIVE "bytes_total", "Bytes the guest received", "tx_bytes", 1},
	{TRANSMIT "bytes_total", "Bytes the guest sent", "rx_bytes", 1},
	{RECEIVE "packets_total", "Packets the guest received", "tx_packets", 1},
	{TRANSMIT "packets_total", "Packets the guest sent", "rx_packets", 1},
	{RECEIVE "errors_total", "Receive errors", "tx_errors", 1},
	{TRANSMIT "errors_total", "Send errors", "rx_errors", 1},
	{RECEIVE "drop_total", "Received packets dropped", "tx_dropped", 1},
	{TRANSMIT "drop_total", "Sent packets dropped", "rx_dropped", 1},
	{0},
};

static const struct counter vbd_counters[] = {
	{BLOCK "read_bytes_total", "Bytes read", "rd_sect", 512},
	{BLOCK "write_bytes_total", "Bytes written", "wr_sect", 512},
	{BLOCK "read_requests_total", "Requests to read", "rd_req", 1},
	{BLOCK "write_requests_total", "Requests to write", "wr_req", 1},
	{0},
};

/* A folder of devices of one kind, whose names hold the domain and the device. */
static const struct device_class {
	const char *folder, *format;
	const struct counter *counters;
} device_classes[] = {
	{"class/net", "vif%u.%u%c", vif_counters},
	{"bus/xen-backend/devices", "vbd-%u-%u%c", vbd_counters},
};

static bool read_counter(const char *folder, const char *device, const char *file, ull *value)
{
	char *path = xasprintf("%s/%s/statistics/%s", folder, device, file);
	FILE *f = fopen(path, "re");
	bool ok = f && fscanf(f, "%llu", value) == 1;

	if (f)
		fclose(f);
	free(path);
	return ok;
}

static void put_counter(struct node *n, const struct device_class *class, const struct counter *c,
			const char *folder, const char *device, struct text *out)
{
	unsigned int domid, devid;
	char behind, *name;
	struct domain *d;
	ull value;

	if (sscanf(device, class->format, &domid, &devid, &behind) != 2)
		return;
	d = domain_by_id(n, domid);
	if (!d || !read_counter(folder, device, c->file, &value))
		return;
	name = class->counters == vbd_counters ? vdev_name(devid) : xasprintf("%u", devid);
	sample(out, c->name, d, "device", name);
	text_printf(out, "%llu\n", value * c->unit);
	free(name);
}

static void write_devices(struct node *n, const struct device_class *class, const char *sysfs,
			  struct text *out)
{
	char *folder = xasprintf("%s/%s", sysfs, class->folder);
	struct dirent **names = NULL;
	int nr = scandir(folder, &names, NULL, alphasort); /* -1: no such driver */

	for (const struct counter *c = class->counters; nr >= 0 && c->name; c++) {
		family(out, c->name, "counter", c->help);
		for (int i = 0; i < nr; i++)
			put_counter(n, class, c, folder, names[i]->d_name, out);
	}
	for (int i = 0; i < nr; i++)
		free(names[i]);
	free(names);
	free(folder);
}

int metrics_write(struct node *n, const char *sysfs, struct text *out, struct error *e)
{
	if (domains_refresh(n, e) || write_host(n, out, e))
		return -1;
	write_domains(n, out);
	for (size_t i = 0; i < sizeof(device_classes) / sizeof(device_classes[0]); i++)
		write_devices(n, &device_classes[i], sysfs, out);
	return 0;
}

int api_metrics_get(struct api_request *r, struct error *e)
{
	r->type = "text/plain; version=0.0.4; charset=utf-8";
	if (metrics_write(r->node, METRICS_SYSFS, &r->answer, e))
		return -1;
	r->status = 200;
	return 0;
}
