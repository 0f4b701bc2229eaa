/* SPDX-License-Identifier: MIT */
/*
 * What top shows at one moment: domains from xend, their network and disk traffic from domain 0's own counters (vifD.N in /proc/net/dev,
 * vbd-D-N below the back ends' bus).
 */
#pragma once

#include "xm/xm.h"

#include <stdint.h>

enum { STATE_LETTERS = 6 };

struct top_net {
	unsigned int id;
	/* As domain 0 sees the interface. */
	unsigned long long rx_bytes, rx_packets, rx_errors, rx_drops;
	unsigned long long tx_bytes, tx_packets, tx_errors, tx_drops;
};

struct top_vbd {
	unsigned int dev;
	bool known; /* its counters could be read */
	unsigned long long oo, rd, wr, rsect, wsect;
};

struct top_domain {
	const json_t *json;
	const char *name;
	long id;
	char state[STATE_LETTERS +
		   1]; /* dying, shutdown, blocked, crashed, paused, running: "dsbcpr" */
	unsigned long long cpu_ns, memory_kb;
	unsigned long long max_kb; /* UINT64_MAX: no limit */
	unsigned int vcpus;
	struct top_net *net;
	size_t nr_nets;
	struct top_vbd *vbd;
	size_t nr_vbds;
	json_t *vcpu_list; /* NULL: not asked for */
	double cpu_share;  /* per cent of one CPU since the sample before; 0 without one */
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
/* All of it; @before: the sample before, or one without domains. */
int sample_take(struct xm *x, bool vcpus, const struct top_sample *before, struct top_sample *s,
		struct error *e);
void sample_free(struct top_sample *s);
