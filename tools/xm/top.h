/* SPDX-License-Identifier: MIT */
/* The table of top as text, as xentop prints it. */
#pragma once

#include "xm/top_sample.h"

enum { TOP_FIELDS = 19 };

struct top_view {
	unsigned int sort; /* the field; 0: the name column's place means the order of ids */
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
