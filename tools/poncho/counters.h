/* SPDX-License-Identifier: MIT */
/* What makes the hypervisor below Poncho step in, since the start. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { COUNTERS_MAX = 16 };

struct counters {
	char outer[40]; /* "none", "kvm", "hyperv+kvm" */
	unsigned int nr;
	struct counter {
		char name[40];
		uint64_t value;
	} counter[COUNTERS_MAX];
};

/* False where Poncho does not run, or does not tell whoever asks. */
bool counters_read(struct counters *c);
