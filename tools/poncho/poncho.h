/* SPDX-License-Identifier: MIT */
/* What the program's parts share: where things are, the words of the command line, the ways to boot. */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>

#define PONCHO_IMAGE	 "/boot/poncho.gz"
#define PONCHO_IMAGE_SUM "/usr/lib/poncho/poncho.gz.sha256"
#define PONCHO_SETTINGS	 "/etc/default/poncho"
#define PONCHO_FOLDER	 "/var/lib/poncho"
#define PONCHO_STATE	 PONCHO_FOLDER "/try"
#define PONCHO_SECONDS	 300 /* what domain 0 has to get healthy */

struct options {
	bool json, kexec, no_reboot, force;
	long seconds;
	const char *hypervisor_args, *domain0_args;
};

/* boot.c; each returns the exit status, or -1 with the error set */
int poncho_try(const struct options *o, struct error *e);
int poncho_enable(const struct options *o, struct error *e);
int poncho_disable(const struct options *o, struct error *e);
int poncho_grub_entry(const struct options *o, struct error *e);
bool poncho_is_enabled(void);
/* Takes away what a try has left in GRUB's folder. */
int poncho_try_clear(struct error *e);

/* health.c */
int poncho_healthy(const struct options *o, struct error *e);
int poncho_status(const struct options *o, struct error *e);
/* Notes what works now, for poncho_healthy() to compare. */
int poncho_state_begin(const char *how, struct error *e);
bool poncho_tried_well(void);
