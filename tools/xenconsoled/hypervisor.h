/* SPDX-License-Identifier: MIT */
/*
 * What is asked of the hypervisor itself: which domains there are, and its own log. Two calls of the sysctl hypercall; a buffer for them
 * is held for good.
 */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

int hypervisor_open(struct error *e);
/* Calls for each domain but domain 0 that is not being taken apart. -1: the answer could not be had. */
int hypervisor_domains(void (*each)(domid_t domid));
/* What the log holds from *@index on, which moves; 0 at its end. The bytes are good until the next call. */
size_t hypervisor_log(uint32_t *index, const char **bytes);
