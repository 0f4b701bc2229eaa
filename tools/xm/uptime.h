/* SPDX-License-Identifier: MIT */
/* How long domains have been running, as text. */
#pragma once

#include "xm/xm.h"

#include <time.h>

/* @host: seconds domain 0 has been up; @now for the others and for @brief, xm uptime -s. */
void uptime_render(const json_t *domains, enum config_dialect dialect, bool brief, time_t now,
		   unsigned long host, struct text *out);
