/* SPDX-License-Identifier: MIT */
/*
 * From a domain without vCPUs and memory to a paravirtual 64-bit guest that only needs to be unpaused: its kernel and RAM disk in
 * place, first page tables pinned, start info, console and store rings, and vCPU 0 at the kernel's entry.
 *
 * What the kernel file says about itself is hostile input to a root process: every offset, size and count is checked before use, and
 * unpacking is limited (IMAGE_LIMIT). What a kernel asks of its own guest's layout can only harm that guest.
 *
 * Half-built domains are left to the caller to destroy. Nothing here writes to xenstore.
 */
#pragma once

#include "lib/builder/image.h"
#include "lib/hyper/hyper.h"

struct builder_args {
	const char *kernel;  /* path */
	const char *ramdisk; /* path, or NULL; passed to the guest as it is, still packed */
	const char *cmdline; /* NULL: empty; 1023 bytes at most */
	/* Of the configuration: names split by '|', '!' before what the guest must have; may be NULL. */
	const char *features;
	uint64_t memory_kb; /* what it gets now */
	uint64_t
		max_memory_kb; /* the hypervisor's limit for it, with whatever slack; 0: @memory_kb */
	unsigned int vcpus;    /* as many as the domain was created with */
};

struct builder_result {
	/* What XS_INTRODUCE and console/ring-ref want: machine frames. Their grants 1 (store) and 0 (console) are entered. */
	xen_pfn_t store_mfn, console_mfn;
	evtchn_port_t store_port, console_port; /* unbound, for domain 0 */
};

/*
 * The domain was made by hyper_domain_create() and nothing else was done to it. Makes its vCPUs too: affinities, scheduling, TSC mode,
 * time offset come after this.
 */
int builder_build(struct hyper *h, uint32_t domid, const struct builder_args *args,
		  struct builder_result *out, struct error *e);
