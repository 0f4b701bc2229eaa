/* SPDX-License-Identifier: MIT */
/* Disks and network interfaces as text. */
#pragma once

#include "xm/xm.h"

/* What is where between disks ("disk") and networks ("network"). */
struct device_class {
	const char *name, *spec; /* in paths; before what xl -N prints */
	const char *head[2], *row[2];
	const struct spec_kind *kind;
};

/* Of "block-list" and the like. */
const struct device_class *device_class(const char *command);
void devices_render(const struct device_class *class, const json_t *devices,
		    enum config_dialect dialect, bool head, struct text *out);
/* xm's --long: (51713 ((backend-id 0) (state 4) ...)). */
void device_long_render(const json_t *device, struct text *out);
