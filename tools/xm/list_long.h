/* SPDX-License-Identifier: MIT */
/* list -l: all details of @domains, JSON as xl prints it or SXP as xm does. */
#pragma once

#include "xm/xm.h"

/* @config: the domain's as xend has it, or NULL (domain 0, made elsewhere); @values: its scheduler's. A new reference. */
json_t *long_config(const json_t *domain, const json_t *config, const json_t *values);
/* One domain with what only a running one has: (domain (domid 1) (name x) ... (cpu_time 1.5) (state -b----)). */
struct sxp *long_sxp(const json_t *domain, const json_t *config);
int list_long(struct xm *x, const json_t *domains, struct error *e);
