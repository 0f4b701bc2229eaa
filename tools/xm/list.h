/* SPDX-License-Identifier: MIT */
/* The listings of domains as text: from the API's JSON, pinned byte for byte by golden files. */
#pragma once

#include "xm/xm.h"

/* vm-list. */
#define VM_HEAD "UUID                                  ID    name\n"
#define VM_ROW	"{uuid:s}  {id:d}    {name:-30s}\n"

enum {
	LIST_VERBOSE = 1,
	LIST_LABEL = 2,
	LIST_CLAIMS = 4,
	LIST_POOL = 8,
	LIST_NODES = 16, /* each domain's text "nodes": "all", "0-1" */
};

/* @columns: LIST_... For xm each row's state becomes what xm prints. */
void list_render(const json_t *domains, enum config_dialect dialect, unsigned int columns,
		 struct text *out);
/* One of xm's words: "running", "idle", ... */
const char *state_word(const char *state);

/* --- list_long.c: all details, JSON as xl prints it or SXP as xm does ----------------------------------- */

/* @config: the domain's as xend has it, or NULL (domain 0, made elsewhere); @values: its scheduler's. A new reference. */
json_t *long_config(const json_t *domain, const json_t *config, const json_t *values);
/* One domain with what only a running one has: (domain (domid 1) (name x) ... (cpu_time 1.5) (state -b----)). */
struct sxp *long_sxp(const json_t *domain, const json_t *config);
int list_long(struct xm *x, const json_t *domains);
