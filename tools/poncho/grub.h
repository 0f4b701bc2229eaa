/* SPDX-License-Identifier: MIT */
/*
 * GRUB's files as text: an entry for Poncho made out of the machine's own Linux entry, and a marked block in a file that may be
 * somebody else's. Pure functions, but for asking which kernels can be domain 0.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/text.h"

#define GRUB_TRY_ID	"poncho-try"
#define GRUB_ENABLED_ID "poncho"

/* What Linux is booted with as it is, taken from GRUB's configuration. */
struct grub_linux {
	char *preparation; /* insmod, search and the like, a line each */
	char *kernel, *version, *args, *initrd;
	char *plain_id; /* of the first Linux entry: what boots without Poncho */
};
/* The first entry in @config whose kernel can be domain 0. */
int grub_linux_find(const char *config, struct grub_linux *l, struct error *e);
void grub_linux_free(struct grub_linux *l);

/* Arguments for the hypervisor and for domain 0's kernel, out of those that the plain kernel gets; owned by the caller. */
char *boot_hypervisor_args(const char *linux_args, unsigned int seconds, const char *more);
char *boot_domain0_args(const char *linux_args, const char *more);

/* The menu entry: tried once, or the default. What cannot be loaded makes it boot the plain kernel. Owned by the caller. */
char *grub_entry(const struct grub_linux *l, bool once, const char *image,
		 const char *hypervisor_args, const char *domain0_args);

/* @file (may be NULL) with our block replaced by @block, or without it; NULL if nothing is left. Owned by the caller. */
char *grub_block(const char *file, const char *block);
