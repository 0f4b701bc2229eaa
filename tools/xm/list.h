/* SPDX-License-Identifier: MIT */
/* The listings of domains as text: pure functions from the API's JSON, pinned byte for byte by golden files. */
#pragma once

#include "xm/xm.h"

struct list_columns {
	bool verbose, label, claims, pool;
	const json_t *nodes; /* of each domain the text "all", "0-1"; NULL: no such column */
};

void list_render(const json_t *domains, enum config_dialect dialect,
		 const struct list_columns *columns, struct text *out);
void vm_list_render(const json_t *domains, struct text *out);
/* "r-----" as xl has it: as xm had it, a crashed one "----c-". */
void state_for_xm(const char *state, char out[7]);
/* One of xm's words: "running", "idle", ... */
const char *state_word(const char *state);
