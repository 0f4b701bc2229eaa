/* SPDX-License-Identifier: MIT */
/* One sample for top: see top.h. */
#include "xm/top.h"

#include "lib/base/file.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define VBD_FOLDER "/sys/bus/xen-backend/devices"

void sample_from_json(struct top_sample *s, json_t *node, json_t *domains)
{
	static const char order[STATE_LETTERS + 1] = "dsbcpr";
	const json_t *d;
	size_t i;

	*s = (struct top_sample){.node = node, .domains = domains};
	s->domain = xcalloc(json_array_size(domains), sizeof(*s->domain));
	json_array_foreach(domains, i, d)
	{
		struct top_domain *t = &s->domain[s->nr];
		char xm[7];

		t->json = d;
		t->id = (long)member_number(d, "id", -1);
		if (t->id < 0)
			continue;
		t->name = member_text(d, "name", "");
		state_for_xm(member_text(d, "state", "------"), xm);
		for (int k = 0; k < STATE_LETTERS; k++)
			t->state[k] = strchr(xm, order[k]) ? order[k] : '-';
		s->nr++;
	}
}

void sample_free(struct top_sample *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		free(s->domain[i].net);
		free(s->domain[i].vbd);
		json_decref(s->domain[i].vcpu_list);
	}
	free(s->domain);
	json_decref(s->node);
	json_decref(s->domains);
	*s = (struct top_sample){0};
}

static struct top_domain *sample_find(const struct top_sample *s, long id)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->domain[i].id == id)
			return &s->domain[i];
	return NULL;
}

/* --- Traffic ---------------------------------------------------------------------------------------------------- */

void sample_networks(struct top_sample *s, const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		struct top_net n;
		struct top_domain *d;
		unsigned int domid;

		line += *line == '\n';
		if (sscanf(line,
			   " vif%u.%u: %llu %llu %llu %llu %*u %*u %*u %*u %llu %llu %llu %llu",
			   &domid, &n.id, &n.count[0], &n.count[1], &n.count[2], &n.count[3],
			   &n.count[4], &n.count[5], &n.count[6], &n.count[7]) != 10 ||
		    !(d = sample_find(s, domid)))
			continue;
		d->net = xrealloc(d->net, (d->nr_nets + 1) * sizeof(*d->net));
		d->net[d->nr_nets++] = n;
	}
}

void sample_vbds(struct top_sample *s, const char *folder)
{
	static const char *const names[VBD_COUNTERS] = {"oo_req", "rd_req", "wr_req", "rd_sect",
							"wr_sect"};
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct top_vbd v = {.known = true};
		struct top_domain *d;
		unsigned int domid;

		if (sscanf(entry->d_name, "vbd-%u-%u", &domid, &v.dev) != 2 ||
		    !(d = sample_find(s, domid)))
			continue;
		for (int k = 0; k < VBD_COUNTERS && v.known; k++) {
			autofree char *path =
				xasprintf("%s/%s/statistics/%s", folder, entry->d_name, names[k]);

			v.known = file_number(path, &v.count[k]);
		}
		d->vbd = xrealloc(d->vbd, (d->nr_vbds + 1) * sizeof(*d->vbd));
		d->vbd[d->nr_vbds++] = v;
	}
	if (dir)
		closedir(dir);
}

/* --- The columns ------------------------------------------------------------------------------------------------ */

/* NAN where no disk of the domain could be read. */
static double vbd_sum(const struct top_domain *d, int counter)
{
	double sum = d->nr_vbds ? NAN : 0;

	for (size_t i = 0; i < d->nr_vbds; i++)
		if (d->vbd[i].known)
			sum = (isnan(sum) ? 0 : sum) + (double)d->vbd[i].count[counter];
	return sum;
}

static double net_kb(const struct top_domain *d, int counter)
{
	unsigned long long sum = 0;

	for (size_t i = 0; i < d->nr_nets; i++)
		sum += d->net[i].count[counter];
	return (double)(sum / 1024);
}

static double cpu_share(const struct top_domain *d, const struct top_domain *old, double seconds)
{
	long long ns = member_number(d->json, "cpu_ns", 0);
	long long before = old ? member_number(old->json, "cpu_ns", 0) : ns;

	return seconds > 0 && ns > before ? (double)(ns - before) / 1e7 / seconds : 0;
}

void sample_values(struct top_sample *s, const struct top_sample *before)
{
	double total = (double)member_number(s->node, "total_kb", 1);

	for (struct top_domain *d = s->domain; d < s->domain + s->nr; d++) {
		long long most = member_number(d->json, "max_memory_kb", -1);
		double *v = d->value;

		v[COL_CPU] = (double)(member_number(d->json, "cpu_ns", 0) / 1000000000);
		v[COL_CPU_SHARE] = cpu_share(d, sample_find(before, d->id), s->at - before->at);
		v[COL_MEM] = (double)member_number(d->json, "memory_kb", 0);
		v[COL_MEM_SHARE] = v[COL_MEM] / total * 100;
		v[COL_MAX] = most < 0 ? NAN : (double)most;
		v[COL_MAX_SHARE] = v[COL_MAX] / total * 100;
		v[COL_VCPUS] = (double)member_number(d->json, "vcpus_max", 0);
		v[COL_NETS] = (double)d->nr_nets;
		v[COL_TX] = net_kb(d, NET_COUNTERS / 2);
		v[COL_RX] = net_kb(d, 0);
		v[COL_VBDS] = (double)d->nr_vbds;
		for (int k = 0; k < VBD_COUNTERS; k++)
			v[COL_VBD + k] = vbd_sum(d, k);
		v[COL_SSID] = (double)member_number(d->json, "ssid", 0);
	}
}

int sample_take(struct xm *x, bool vcpus, const struct top_sample *before, struct top_sample *s)
{
	autofree char *traffic = file_read("/proc/net/dev", 16 << 20, NULL, NULL);
	json_t *node = xend_json(x, "GET", "/v1/node?detail=0", NULL);
	json_t *domains = node ? array_get(x, "/v1/domains", "domains") : NULL;
	struct timespec now;

	if (!domains) {
		json_decref(node);
		return -1;
	}
	sample_from_json(s, node, domains);
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->at = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	sample_networks(s, traffic);
	sample_vbds(s, VBD_FOLDER);
	sample_values(s, before);
	for (size_t i = 0; vcpus && i < s->nr; i++) {
		json_auto_t *answer = domain_call_id(x, "GET", s->domain[i].id, "vcpus", NULL);

		s->domain[i].vcpu_list = json_incref(json_object_get(answer, "vcpus"));
	}
	return 0;
}
