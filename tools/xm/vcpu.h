/* SPDX-License-Identifier: MIT */
/* vCPUs as text. */
#pragma once

#include "xm/xm.h"

void vcpu_head_render(enum config_dialect dialect, struct text *out);
/* The rows of one domain; @vcpus: the array of its vCPUs, @nr_cpus: the host's. */
void vcpu_rows_render(const json_t *domain, const json_t *vcpus, long nr_cpus,
		      enum config_dialect dialect, struct text *out);
