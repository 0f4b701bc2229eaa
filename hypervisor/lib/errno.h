/* SPDX-License-Identifier: MIT */
/* Xen's error numbers under their plain names (EINVAL ...), generated from the public list. Functions return them negated. */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#define XEN_ERRNO(name, value) name = value,
enum {
#include <xen/errno.h>
	ERESTART = 85, /* never leaves the hypervisor: call again after a preemption point */
};

#endif
