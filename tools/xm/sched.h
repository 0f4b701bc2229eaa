/* SPDX-License-Identifier: MIT */
/* Schedulers and CPU pools as text. */
#pragma once

#include "xm/xm.h"

/* The pools scheduled by @scheduler (only @pool unless NULL), each with its domains from @values. */
void sched_render(const json_t *pools, const json_t *values, const char *scheduler,
		  const char *pool, enum config_dialect dialect, struct text *out);
/* "Cpupool Pool-0: tslice=30ms ratelimit=1000us migration-delay=0us" */
void sched_pool_render(const json_t *pool, struct text *out);
void pools_render(const json_t *pools, bool cpus, struct text *out);
