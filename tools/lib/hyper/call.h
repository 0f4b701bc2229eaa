/* SPDX-License-Identifier: MIT */
/*
 * The handle and how its functions call: the op's struct lies at the start of the buffer, arrays that it points to behind it at
 * HYPER_DATA. A function fills both, calls, and copies out before it returns. Private to this folder.
 */
#pragma once

#include "lib/hyper/hyper.h"

#include <errno.h>
#include <string.h>

#include <xencall.h>
#include <xenforeignmemory.h>

#define PAGE_BYTES 4096

enum {
	HYPER_OP_PAGES = 1,
	HYPER_DATA_PAGES = 16,
	HYPER_DATA_BYTES = HYPER_DATA_PAGES * PAGE_BYTES
};

struct hyper {
	xencall_handle *call;
	xenforeignmemory_handle *memory;
	uint8_t *buffer;
};

static inline void *hyper_data(struct hyper *h)
{
	return h->buffer + HYPER_OP_PAGES * PAGE_BYTES;
}

/* Zeroed, in the buffer. */
void *hyper_op(struct hyper *h, size_t size);

struct xen_domctl *hyper_domctl(struct hyper *h, uint32_t cmd, uint32_t domid);
/* "domain 7WHAT: reason", so @what is like " cannot be paused"; errno is kept. */
int hyper_domctl_call(struct hyper *h, const char *what, struct error *e);
/* The same for a vCPU: "domain 7 has no vCPU 5" where that is the reason. */
int hyper_domctl_call_vcpu(struct hyper *h, unsigned int vcpu, const char *what, struct error *e);

struct xen_sysctl *hyper_sysctl(struct hyper *h, uint32_t cmd);
/* "WHAT: reason"; errno is not kept. */
int hyper_sysctl_call(struct hyper *h, const char *what, struct error *e);

/* What errno means for @domid; returns -1. */
int hyper_domain_error(uint32_t domid, const char *what, struct error *e);
