/* SPDX-License-Identifier: MIT */
/* info as text: from the API's JSON. */
#pragma once

#include "xm/xm.h"

/*
 * @numa: with the tables of that; @only: of xl info NAME, only the values of keys that begin so, or NULL. @node gets a member that is not
 * the answer's.
 */
void info_render(json_t *node, enum config_dialect dialect, bool numa, const char *only,
		 struct text *out);
