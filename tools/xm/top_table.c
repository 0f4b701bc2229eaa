/* SPDX-License-Identifier: MIT */
/* The table of top: its columns in one table, sorting, rows and what may follow each of them. */
#include "xm/top.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sysmacros.h>

#define REVERSE "\033[7m"
#define BOLD	"\033[1m"
#define PLAIN	"\033[0m"

/* --- The columns ------------------------------------------------------------------------------------------------ */

static double total_kb(const struct top_sample *s)
{
	return (double)member_number(s->node, "total_kb", 1);
}

static double net_sum(const struct top_domain *d, bool rx)
{
	double sum = 0;

	for (size_t i = 0; i < d->nr_nets; i++)
		sum += (double)(rx ? d->net[i].rx_bytes : d->net[i].tx_bytes);
	return (double)(unsigned long long)(sum / 1024);
}

/* NAN where no disk of the domain could be read. */
static double vbd_sum(const struct top_domain *d, size_t member)
{
	bool known = !d->nr_vbds;
	double sum = 0;

	for (size_t i = 0; i < d->nr_vbds; i++)
		if (d->vbd[i].known) {
			known = true;
			sum += (double)*(const unsigned long long *)((const char *)&d->vbd[i] +
								     member);
		}
	return known ? sum : NAN;
}

enum column {
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
	COL_OO,
	COL_RD,
	COL_WR,
	COL_RSECT,
	COL_WSECT,
	COL_SSID,
};

static const struct column_row {
	const char *head;
	int width;
	int decimals;
	const char *unknown; /* what stands for NAN */
	bool grows;	     /* with its numbers */
} columns[TOP_FIELDS] = {
	[COL_NAME] = {"NAME", 10},
	[COL_STATE] = {"STATE", 6},
	[COL_CPU] = {"CPU(sec)", 10},
	[COL_CPU_SHARE] = {"CPU(%)", 6, 1},
	[COL_MEM] = {"MEM(k)", 10},
	[COL_MEM_SHARE] = {"MEM(%)", 6, 1},
	[COL_MAX] = {"MAXMEM(k)", 10, 0, "no limit"},
	[COL_MAX_SHARE] = {"MAXMEM(%)", 9, 1, "n/a"},
	[COL_VCPUS] = {"VCPUS", 5},
	[COL_NETS] = {"NETS", 4},
	[COL_TX] = {"NETTX(k)", 8, 0, NULL, true},
	[COL_RX] = {"NETRX(k)", 8, 0, NULL, true},
	[COL_VBDS] = {"VBDS", 4},
	[COL_OO] = {"VBD_OO", 8, 0, "-"},
	[COL_RD] = {"VBD_RD", 8, 0, "-", true},
	[COL_WR] = {"VBD_WR", 8, 0, "-", true},
	[COL_RSECT] = {"VBD_RSECT", 10, 0, "-", true},
	[COL_WSECT] = {"VBD_WSECT", 10, 0, "-", true},
	[COL_SSID] = {"SSID", 4},
};

static double column_value(const struct top_sample *s, const struct top_domain *d, enum column c)
{
	double most = d->max_kb == UINT64_MAX ? NAN : (double)d->max_kb;

	switch (c) {
	case COL_CPU:
		return (double)(d->cpu_ns / 1000000000);
	case COL_CPU_SHARE:
		return d->cpu_share;
	case COL_MEM:
		return (double)d->memory_kb;
	case COL_MEM_SHARE:
		return (double)d->memory_kb / total_kb(s) * 100;
	case COL_MAX:
		return most;
	case COL_MAX_SHARE:
		return most / total_kb(s) * 100;
	case COL_VCPUS:
		return d->vcpus;
	case COL_NETS:
		return (double)d->nr_nets;
	case COL_TX:
		return net_sum(d, false);
	case COL_RX:
		return net_sum(d, true);
	case COL_VBDS:
		return (double)d->nr_vbds;
	case COL_OO:
		return vbd_sum(d, offsetof(struct top_vbd, oo));
	case COL_RD:
		return vbd_sum(d, offsetof(struct top_vbd, rd));
	case COL_WR:
		return vbd_sum(d, offsetof(struct top_vbd, wr));
	case COL_RSECT:
		return vbd_sum(d, offsetof(struct top_vbd, rsect));
	case COL_WSECT:
		return vbd_sum(d, offsetof(struct top_vbd, wsect));
	case COL_SSID:
		return (double)member_number(d->json, "ssid", 0);
	case COL_NAME:
	case COL_STATE:
		break;
	}
	return 0;
}

/* --- Sorting ---------------------------------------------------------------------------------------------------- */

/* qsort_r's third argument. */
struct order {
	const struct top_sample *sample;
	const struct top_view *view;
};

static int compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

/* The greatest first; names and labels the other way round, states by the letter that comes first. */
static int compare_by(const struct top_sample *s, enum column c, const struct top_domain *a,
		      const struct top_domain *b)
{
	if (c == COL_NAME)
		return strcasecmp(a->name, b->name);
	if (c == COL_STATE) {
		for (int i = 0; i < STATE_LETTERS; i++)
			if ((a->state[i] == '-') != (b->state[i] == '-'))
				return a->state[i] == '-' ? 1 : -1;
		return 0;
	}
	if (c == COL_SSID)
		return compare_numbers(column_value(s, a, c), column_value(s, b, c));
	return compare_numbers(column_value(s, b, c), column_value(s, a, c));
}

static int compare(const void *pa, const void *pb, void *arg)
{
	const struct top_domain *a = pa, *b = pb;
	const struct order *o = arg;
	int order = 0;

	if (o->view->dom0_first && (!a->id || !b->id))
		return a->id ? 1 : -1;
	if (!o->view->by_id)
		order = compare_by(o->sample, (enum column)o->view->sort, a, b);
	return order ? order : (a->id > b->id) - (a->id < b->id);
}

void top_sort(struct top_sample *s, const struct top_view *view)
{
	struct order order = {s, view};

	qsort_r(s->domain, s->nr, sizeof(*s->domain), compare, &order);
}

/* --- As text ------------------------------------------------------------------------------------------------------ */

static int digits(double n)
{
	int count = 1;

	for (; n >= 10; n /= 10)
		count++;
	return count;
}

static void widths(const struct top_sample *s, const struct top_view *view, int width[TOP_FIELDS])
{
	for (int c = 0; c < TOP_FIELDS; c++) {
		width[c] = columns[c].width;
		for (size_t i = 0; columns[c].grows && i < s->nr; i++) {
			double n = column_value(s, &s->domain[i], (enum column)c);

			if (!isnan(n) && digits(n) > width[c])
				width[c] = digits(n);
		}
	}
	for (size_t i = 0; view->full_names && i < s->nr; i++)
		if ((int)strlen(s->domain[i].name) > width[COL_NAME])
			width[COL_NAME] = (int)strlen(s->domain[i].name);
}

static void header(const struct top_view *view, const int width[TOP_FIELDS], struct text *out)
{
	for (unsigned int c = 0; c < TOP_FIELDS; c++) {
		bool bold = view->screen && !view->by_id && c == view->sort;

		text_str(out, view->screen ? REVERSE : "");
		text_printf(out, "%s%s%*s%s", c ? " " : "", bold ? BOLD : "", width[c],
			    columns[c].head, view->screen ? PLAIN : "");
	}
	text_str(out, "\n");
}

static void cell(const struct top_sample *s, const struct top_domain *d, enum column c, int width,
		 struct text *out)
{
	double n = column_value(s, d, c);

	if (c == COL_NAME)
		text_printf(out, "%*.*s", width, width, d->name);
	else if (c == COL_STATE)
		text_str(out, d->state);
	else if (isnan(n))
		text_printf(out, "%*s", width, columns[c].unknown);
	else
		text_printf(out, "%*.*f", width, columns[c].decimals, n);
}

static void row_vcpus(const struct top_domain *d, struct text *out)
{
	const json_t *v;
	size_t i;

	text_str(out, "VCPUs(sec): ");
	json_array_foreach(d->vcpu_list, i, v)
	{
		if (!json_is_true(json_object_get(v, "online")))
			continue;
		if (i && i % 5 == 0)
			text_str(out, "\n        ");
		text_printf(out, " %2zu: %10llds", i, member_number(v, "cpu_ns", 0) / 1000000000);
	}
	text_str(out, "\n");
}

static void row_network(size_t i, const struct top_net *n, struct text *out)
{
	text_printf(out,
		    "Net%zu RX: %8llubytes %8llupkts %8lluerr %8lludrop  "
		    "TX: %8llubytes %8llupkts %8lluerr %8lludrop\n",
		    i, n->rx_bytes, n->rx_packets, n->rx_errors, n->rx_drops, n->tx_bytes,
		    n->tx_packets, n->tx_errors, n->tx_drops);
}

static void row_vbd(const struct top_vbd *v, struct text *out)
{
	text_printf(out, "VBD BlkBack %4u [%2x:%2x]  ", v->dev, major(v->dev), minor(v->dev));
	if (v->known)
		text_printf(out,
			    "OO: %8llu   RD: %8llu   WR: %8llu   RSECT: %10llu   WSECT: %10llu\n",
			    v->oo, v->rd, v->wr, v->rsect, v->wsect);
	else
		text_printf(out, "OO: %8c   RD: %8c   WR: %8c   RSECT: %10c   WSECT: %10c\n", '-',
			    '-', '-', '-', '-');
}

static void row(const struct top_sample *s, const struct top_domain *d, const struct top_view *view,
		const int width[TOP_FIELDS], struct text *out)
{
	for (unsigned int c = 0; c < TOP_FIELDS; c++) {
		bool bold = view->screen && !view->by_id && c == view->sort;

		text_printf(out, "%s%s", c ? " " : "", bold ? BOLD : "");
		cell(s, d, (enum column)c, width[c], out);
		text_str(out, bold ? PLAIN : "");
	}
	text_str(out, "\n");
	if (view->vcpus)
		row_vcpus(d, out);
	for (size_t i = 0; view->networks && i < d->nr_nets; i++)
		row_network(i, &d->net[i], out);
	for (size_t i = 0; view->vbds && i < d->nr_vbds; i++)
		row_vbd(&d->vbd[i], out);
}

void top_render(const struct top_sample *s, const struct top_view *view, struct text *out)
{
	int width[TOP_FIELDS];

	widths(s, view, width);
	for (size_t i = view->first; i < s->nr; i++) {
		if (i == view->first || view->repeat_header)
			header(view, width, out);
		row(s, &s->domain[i], view, width, out);
	}
}

void top_summary(const struct top_sample *s, const char *clock, struct text *out)
{
	static const struct {
		char letter;
		const char *word;
	} states[] = {{'r', "running"}, {'b', "blocked"}, {'p', "paused"},
		      {'c', "crashed"}, {'d', "dying"},	  {'s', "shutdown"}};
	static const char first_of[] = "rbpscd";
	unsigned int count[256] = {0};
	long long total = member_number(s->node, "total_kb", 0);
	long long unused = member_number(s->node, "free_kb", 0);

	text_printf(out, "xentop - %s   Xen %lld.%lld%s\n", clock,
		    member_number(s->node, "xen_major", 0), member_number(s->node, "xen_minor", 0),
		    member_text(s->node, "xen_extra", ""));
	for (size_t i = 0; i < s->nr; i++)
		for (const char *p = first_of; *p; p++)
			if (strchr(s->domain[i].state, *p)) {
				count[(unsigned char)*p]++;
				break;
			}
	text_printf(out, "%zu domains:", s->nr);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		text_printf(out, " %u %s%s", count[(unsigned char)states[i].letter], states[i].word,
			    i + 1 < sizeof(states) / sizeof(states[0]) ? "," : " \n");
	text_printf(out, "Mem: %lldk total, %lldk used, %lldk free    CPUs: %lld @ %lldMHz\n",
		    total, total - unused, unused, member_number(s->node, "nr_cpus", 0),
		    member_number(s->node, "cpu_khz", 0) / 1000);
}
