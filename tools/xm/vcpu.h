/* SPDX-License-Identifier: MIT */
/* vCPUs as text; sizes of memory. */
#pragma once

#include "xm/xm.h"

/* Each domain has the array of its vCPUs as "vcpus"; @cpus: how many the host has. */
void vcpus_render(const json_t *domains, long cpus, enum config_dialect dialect, struct text *out);
/* "512", "1g", "4096k" in KiB; a bare number is MiB. */
int memory_parse(const char *text, long *kb, struct error *e);
