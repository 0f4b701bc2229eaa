/* SPDX-License-Identifier: MIT */
/* Figures of the host and its domains in Prometheus' text format. Devices' counters come from the back ends' drivers by way of sysfs. */
#pragma once

#include "lib/base/error.h"

struct node;
struct text;

#define METRICS_SYSFS "/sys"

/* @sysfs: METRICS_SYSFS, or another folder for tests. */
int metrics_write(struct node *n, const char *sysfs, struct text *out, struct error *e);
