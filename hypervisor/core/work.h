/* SPDX-License-Identifier: MIT */
/*
 * Deferred jobs: fn(data) runs once, soon, on the CPU that queued it, from SOFTIRQ_WORK with no lock held. A job's other fields
 * begin as zero.
 */
#ifndef CORE_WORK_H
#define CORE_WORK_H

#include "lib/list.h"

struct work {
	struct list link;
	void (*fn)(void *data);
	void *data;
	bool queued; /* (a) in some CPU's list */
};

void work_subsys_init(void);
void work_queue(struct work *w); /* no effect while it is still queued */

#endif
