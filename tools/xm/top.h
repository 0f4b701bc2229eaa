/* SPDX-License-Identifier: MIT */
/*
 * What top shows at one moment, and the table of it as xentop prints it: domains from xend, their network and disk traffic from domain
 * 0's own counters (vifD.N in /proc/net/dev, vbd-D-N below the back ends' bus).
 */
#pragma once

#include "xm/xm.h"

enum { STATE_LETTERS = 6, NET_COUNTERS = 8, VBD_COUNTERS = 5 };

/* The columns, in their order. */
enum top_field {
	COL_NAME,
	COL_STATE,
	COL_CPU,
	COL_CPU_SHARE,
	COL_MEM,
	COL_MEM_SHARE,
	COL_MAX,
	COL_MAX_SHARE,
	COL_VCPUS,
	COL_NETS,
	COL_TX,
	COL_RX,
	COL_VBDS,
	COL_VBD, /* and the other counters of disks */
	COL_SSID = COL_VBD + VBD_COUNTERS,
	TOP_FIELDS,
};

/* Bytes, packets, errors, drops: first those received, then those sent, as domain 0 sees the interface. */
struct top_net {
	unsigned int id;
	unsigned long long count[NET_COUNTERS];
};

/* Times without a free request, reads, writes, sectors read, sectors written. */
struct top_vbd {
	unsigned int dev;
	bool known; /* its counters could be read */
	unsigned long long count[VBD_COUNTERS];
};

struct top_domain {
	const json_t *json;
	const char *name;
	long id;
	char state[STATE_LETTERS +
		   1]; /* dying, shutdown, blocked, crashed, paused, running: "dsbcpr" */
	struct top_net *net;
	size_t nr_nets;
	struct top_vbd *vbd;
	size_t nr_vbds;
	json_t *vcpu_list;	  /* NULL: not asked for */
	double value[TOP_FIELDS]; /* of the columns that are numbers; NAN: not known */
};

struct top_sample {
	double at; /* seconds, monotonic */
	json_t *node, *domains;
	struct top_domain *domain;
	size_t nr;
};

/* The domains' part of it from JSON: for sample_take(), and for tests. References are taken over. */
void sample_from_json(struct top_sample *s, json_t *node, json_t *domains);
/* The text of /proc/net/dev. */
void sample_networks(struct top_sample *s, const char *text);
/* The folder with an entry for each vbd. */
void sample_vbds(struct top_sample *s, const char *folder);
/* The columns' values, once the rest is there; @before: the sample before, or one without domains. */
void sample_values(struct top_sample *s, const struct top_sample *before);
/* All of it. */
int sample_take(struct xm *x, bool vcpus, const struct top_sample *before, struct top_sample *s);
void sample_free(struct top_sample *s);

/* --- top_table.c ------------------------------------------------------------------------------------------ */

struct top_view {
	unsigned int sort; /* the field */
	bool by_id;	   /* until a sort order was chosen */
	bool networks, vbds, vcpus, repeat_header, full_names, dom0_first;
	bool screen;  /* with the terminal's highlighting */
	size_t first; /* domains scrolled away */
};

/* Sorts the sample's domains. */
void top_sort(struct top_sample *s, const struct top_view *view);
void top_render(const struct top_sample *s, const struct top_view *view, struct text *out);
/* The three lines above the table on a screen; @clock "12:34:56". */
void top_summary(const struct top_sample *s, const char *clock, struct text *out);
