/* SPDX-License-Identifier: MIT */
/* The VGA text screen as console "vga", until domain 0 takes the device. */
#ifndef DRIVERS_VGA_H
#define DRIVERS_VGA_H

#include "lib/types.h"
#include <xen/xen.h>

/* Registers the console if the adapter is in text mode. */
void vga_init_early(void);
/* Domain 0 starts: nothing is written any more, unless the option vga=keep says so. */
void vga_release(void);
/*
 * What domain 0 finds in its start-info's console area: the size of the screen and where the cursor
 * stands. False if not in text mode.
 */
bool vga_describe(struct dom0_vga_console_info *info);

#endif
