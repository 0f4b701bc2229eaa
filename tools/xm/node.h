/* SPDX-License-Identifier: MIT */
/* info as text: pure functions from the API's JSON. */
#pragma once

#include "xm/xm.h"

struct info_style {
	enum config_dialect dialect;
	bool numa;
	const char *only; /* xl info NAME: only the values of keys that begin so */
};

void info_render(const json_t *node, const struct info_style *style, struct text *out);
