/* SPDX-License-Identifier: MIT */
/* See top_sample.h. */
#include "xm/top_sample.h"

#include "xm/list.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VBD_FOLDER "/sys/bus/xen-backend/devices"

static void top_state(const char *state, char out[STATE_LETTERS + 1])
{
	static const char order[] = "dsbcpr";
	char xm[7];

	state_for_xm(state, xm);
	for (int i = 0; i < STATE_LETTERS; i++)
		out[i] = strchr(xm, order[i]) ? order[i] : '-';
	out[STATE_LETTERS] = '\0';
}

void sample_from_json(struct top_sample *s, json_t *node, json_t *domains)
{
	const json_t *d;
	size_t i;

	*s = (struct top_sample){.node = node, .domains = domains};
	s->domain = xcalloc(json_array_size(domains), sizeof(*s->domain));
	json_array_foreach(domains, i, d)
	{
		struct top_domain *t = &s->domain[s->nr];

		t->json = d;
		t->id = (long)member_number(d, "id", -1);
		if (t->id < 0)
			continue;
		t->name = member_text(d, "name", "");
		top_state(member_text(d, "state", "------"), t->state);
		t->cpu_ns = (unsigned long long)member_number(d, "cpu_ns", 0);
		t->memory_kb = (unsigned long long)member_number(d, "memory_kb", 0);
		t->max_kb = (unsigned long long)member_number(d, "max_memory_kb", -1);
		t->vcpus = (unsigned int)member_number(d, "vcpus_max", 0);
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

static void network_line(struct top_sample *s, const char *line)
{
	unsigned int domid;
	struct top_net n;
	struct top_domain *d;

	if (sscanf(line, " vif%u.%u: %llu %llu %llu %llu %*u %*u %*u %*u %llu %llu %llu %llu",
		   &domid, &n.id, &n.rx_bytes, &n.rx_packets, &n.rx_errors, &n.rx_drops,
		   &n.tx_bytes, &n.tx_packets, &n.tx_errors, &n.tx_drops) != 10)
		return;
	d = sample_find(s, domid);
	if (!d)
		return;
	d->net = xrealloc(d->net, (d->nr_nets + 1) * sizeof(*d->net));
	d->net[d->nr_nets++] = n;
}

void sample_networks(struct top_sample *s, const char *text)
{
	for (; text; text = strchr(text, '\n'))
		network_line(s, text += *text == '\n');
}

static bool vbd_counter(const char *folder, const char *device, const char *name,
			unsigned long long *out)
{
	char path[512];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s/statistics/%s", folder, device, name);
	f = fopen(path, "re");
	ok = f && fscanf(f, "%llu", out) == 1;
	if (f)
		fclose(f);
	return ok;
}

static void vbd_add(struct top_sample *s, const char *folder, const char *device)
{
	struct top_vbd v = {0};
	struct top_domain *d;
	unsigned int domid;

	if (sscanf(device, "vbd-%u-%u", &domid, &v.dev) != 2 || !(d = sample_find(s, domid)))
		return;
	v.known = vbd_counter(folder, device, "oo_req", &v.oo) &&
		  vbd_counter(folder, device, "rd_req", &v.rd) &&
		  vbd_counter(folder, device, "wr_req", &v.wr) &&
		  vbd_counter(folder, device, "rd_sect", &v.rsect) &&
		  vbd_counter(folder, device, "wr_sect", &v.wsect);
	d->vbd = xrealloc(d->vbd, (d->nr_vbds + 1) * sizeof(*d->vbd));
	d->vbd[d->nr_vbds++] = v;
}

void sample_vbds(struct top_sample *s, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		vbd_add(s, folder, entry->d_name);
	if (dir)
		closedir(dir);
}

/* file_read() wants a length that files in /proc do not have. */
static char *proc_read(const char *path)
{
	FILE *f = fopen(path, "re");
	struct text t = {0};
	size_t n;

	while (f && (n = fread(text_room(&t, 4096), 1, 4096, f)) > 0) {
		t.len += n;
		t.data[t.len] = '\0';
	}
	if (f)
		fclose(f);
	return text_take(&t);
}

/* --- One sample --------------------------------------------------------------------------------------------------- */

static void sample_shares(struct top_sample *s, const struct top_sample *before)
{
	for (size_t i = 0; i < s->nr; i++) {
		struct top_domain *d = &s->domain[i];
		const struct top_domain *old = sample_find(before, d->id);

		if (old && s->at > before->at && d->cpu_ns >= old->cpu_ns)
			d->cpu_share =
				(double)(d->cpu_ns - old->cpu_ns) / 1e7 / (s->at - before->at);
	}
}

int sample_take(struct xm *x, bool vcpus, const struct top_sample *before, struct top_sample *s,
		struct error *e)
{
	json_t *node = client_json(&x->client, "GET", "/v1/node?detail=0", NULL, e);
	json_t *domains = node ? array_get(x, "/v1/domains", "domains", e) : NULL;
	struct timespec now;
	char *text;

	if (!domains) {
		json_decref(node);
		return -1;
	}
	sample_from_json(s, node, domains);
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->at = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	text = proc_read("/proc/net/dev");
	sample_networks(s, text);
	free(text);
	sample_vbds(s, VBD_FOLDER);
	sample_shares(s, before);
	for (size_t i = 0; vcpus && i < s->nr; i++) {
		char id[24];
		json_t *answer;

		snprintf(id, sizeof(id), "%ld", s->domain[i].id);
		answer = domain_call(x, "GET", id, "vcpus", NULL, NULL);
		s->domain[i].vcpu_list = json_incref(json_object_get(answer, "vcpus"));
		json_decref(answer);
	}
	return 0;
}
