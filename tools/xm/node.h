/* SPDX-License-Identifier: MIT */
/* info as text: from the API's JSON. */
#pragma once

#include "xm/xm.h"

struct info_style {
	enum config_dialect dialect;
	bool numa;
	const char *only; /* xl info NAME: only the values of keys that begin so */
};

/* @node gets a member that is not the answer's. */
void info_render(json_t *node, const struct info_style *style, struct text *out);
