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
	[COL_VBD] = {"VBD_OO", 8, 0, "-"},
	[COL_VBD + 1] = {"VBD_RD", 8, 0, "-", true},
	[COL_VBD + 2] = {"VBD_WR", 8, 0, "-", true},
	[COL_VBD + 3] = {"VBD_RSECT", 10, 0, "-", true},
	[COL_VBD + 4] = {"VBD_WSECT", 10, 0, "-", true},
	[COL_SSID] = {"SSID", 4},
};

/* --- Sorting ---------------------------------------------------------------------------------------------------- */

/* The greatest first; names and labels the other way round, states by the letter that comes first. */
static int compare_by(enum top_field c, const struct top_domain *a, const struct top_domain *b)
{
	double x = a->value[c], y = b->value[c];

	if (c == COL_NAME)
		return strcasecmp(a->name, b->name);
	if (c == COL_SSID)
		return (x > y) - (x < y);
	for (int i = 0; c == COL_STATE && i < STATE_LETTERS; i++)
		if ((a->state[i] == '-') != (b->state[i] == '-'))
			return a->state[i] == '-' ? 1 : -1;
	return (y > x) - (y < x);
}

static int compare(const void *pa, const void *pb, void *arg)
{
	const struct top_domain *a = pa, *b = pb;
	const struct top_view *view = arg;
	int order = 0;

	if (view->dom0_first && (!a->id || !b->id))
		return a->id ? 1 : -1;
	if (!view->by_id)
		order = compare_by((enum top_field)view->sort, a, b);
	return order ? order : (a->id > b->id) - (a->id < b->id);
}

void top_sort(struct top_sample *s, const struct top_view *view)
{
	qsort_r(s->domain, s->nr, sizeof(*s->domain), compare, (void *)view);
}

/* --- As text ------------------------------------------------------------------------------------------------------ */

static void widths(const struct top_sample *s, const struct top_view *view, int width[TOP_FIELDS])
{
	for (int c = 0; c < TOP_FIELDS; c++) {
		width[c] = columns[c].width;
		for (size_t i = 0; columns[c].grows && i < s->nr; i++) {
			int digits = snprintf(NULL, 0, "%.0f", s->domain[i].value[c]);

			if (digits > width[c])
				width[c] = digits;
		}
	}
	for (size_t i = 0; view->full_names && i < s->nr; i++)
		if ((int)strlen(s->domain[i].name) > width[COL_NAME])
			width[COL_NAME] = (int)strlen(s->domain[i].name);
}

static void cell(const struct top_domain *d, enum top_field c, int width, struct text *out)
{
	double n = d->value[c];

	if (c == COL_NAME)
		text_printf(out, "%*.*s", width, width, d->name);
	else if (c == COL_STATE)
		text_str(out, d->state);
	else if (isnan(n))
		text_printf(out, "%*s", width, columns[c].unknown);
	else
		text_printf(out, "%*.*f", width, columns[c].decimals, n);
}

/* The cells of @d, or the header for NULL. */
static void line(const struct top_domain *d, const struct top_view *view,
		 const int width[TOP_FIELDS], struct text *out)
{
	bool reverse = view->screen && !d;

	for (enum top_field c = 0; c < TOP_FIELDS; c++) {
		bool bold = view->screen && !view->by_id && c == view->sort;

		text_printf(out, "%s%s%s", reverse ? REVERSE : "", c ? " " : "", bold ? BOLD : "");
		if (d)
			cell(d, c, width[c], out);
		else
			text_printf(out, "%*s", width[c], columns[c].head);
		text_str(out, reverse || bold ? PLAIN : "");
	}
	text_str(out, "\n");
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
	static const char *const formats[NET_COUNTERS] = {
		" RX: %8llubytes",  " %8llupkts", " %8lluerr", " %8lludrop",
		"  TX: %8llubytes", " %8llupkts", " %8lluerr", " %8lludrop\n"};

	text_printf(out, "Net%zu", i);
	for (int k = 0; k < NET_COUNTERS; k++)
		text_printf(out, formats[k], n->count[k]);
}

static void row_vbd(const struct top_vbd *v, struct text *out)
{
	static const char *const names[VBD_COUNTERS] = {"  OO", "   RD", "   WR", "   RSECT",
							"   WSECT"};

	text_printf(out, "VBD BlkBack %4u [%2x:%2x]", v->dev, major(v->dev), minor(v->dev));
	for (int k = 0; k < VBD_COUNTERS; k++) {
		int width = k < 3 ? 8 : 10;

		if (v->known)
			text_printf(out, "%s: %*llu", names[k], width, v->count[k]);
		else
			text_printf(out, "%s: %*c", names[k], width, '-');
	}
	text_str(out, "\n");
}

void top_render(const struct top_sample *s, const struct top_view *view, struct text *out)
{
	int width[TOP_FIELDS];

	widths(s, view, width);
	for (size_t i = view->first; i < s->nr; i++) {
		const struct top_domain *d = &s->domain[i];

		if (i == view->first || view->repeat_header)
			line(NULL, view, width, out);
		line(d, view, width, out);
		if (view->vcpus)
			row_vcpus(d, out);
		for (size_t k = 0; view->networks && k < d->nr_nets; k++)
			row_network(k, &d->net[k], out);
		for (size_t k = 0; view->vbds && k < d->nr_vbds; k++)
			row_vbd(&d->vbd[k], out);
	}
}

void top_summary(const struct top_sample *s, const char *clock, struct text *out)
{
	static const struct {
		char letter;
		const char *word;
	} states[] = {{'r', "running,"}, {'b', "blocked,"}, {'p', "paused,"},
		      {'c', "crashed,"}, {'d', "dying,"},   {'s', "shutdown"}};
	static const char first_of[] = "rbpscd";
	unsigned int count[256] = {0};

	text_printf(out, "xentop - %s   ", clock);
	row_render(s->node, "Xen {xen_major:d}.{xen_minor:d}{xen_extra:s}\n", out);
	for (size_t i = 0; i < s->nr; i++)
		count[(unsigned char)first_of[strcspn(first_of, s->domain[i].state)]]++;
	text_printf(out, "%zu domains:", s->nr);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		text_printf(out, " %u %s", count[(unsigned char)states[i].letter], states[i].word);
	json_object_set_new(s->node, "used_kb",
			    json_integer(member_number(s->node, "total_kb", 0) -
					 member_number(s->node, "free_kb", 0)));
	row_render(s->node,
		   " \nMem: {total_kb:d}k total, {used_kb:d}k used, {free_kb:d}k free    "
		   "CPUs: {nr_cpus:d} @ {cpu_khz:k}MHz\n",
		   out);
}
