/* SPDX-License-Identifier: MIT */
/* Disks and network interfaces as text. */
#pragma once

#include "xm/xm.h"

void block_list_render(const json_t *devices, enum config_dialect dialect, bool head,
		       struct text *out);
void network_list_render(const json_t *devices, enum config_dialect dialect, bool head,
			 struct text *out);
/* xm's --long: (51713 ((backend-id 0) (state 4) ...)). */
void device_long_render(const json_t *device, struct text *out);
