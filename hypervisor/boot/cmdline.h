/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's command line. An option is registered where it is used:
 *
 *     CMDLINE(loglvl, loglvl_option, "<lower>[/<upper>]: how much is logged");
 *     CMDLINE_FLAG(noreboot, opt_noreboot, "halt instead of rebooting");
 *
 * The handler gets the text after '=' ("" without one; a leading "no-" or "no" of a boolean arrives as "no") and returns 0, or
 * -EINVAL if it cannot make sense of it, which is said in the log. A flag is a bool, which the option's name alone sets. The
 * text is for whoever reads the source. Option names: '-' and '_' are the same, `name` is a C
 * identifier.
 */
#ifndef BOOT_CMDLINE_H
#define BOOT_CMDLINE_H

#include "lib/types.h"

struct cmdline_option {
	const char *name;
	int (*handler)(const char *value);
	bool *flag;
};

#ifndef HOST_BUILD
#define CMDLINE_OPTION(opt, what)                                                             \
	static const struct cmdline_option cmdline_##opt __used __section(".cmdline_options") \
		__aligned(8) = {.name = #opt, what}
#define CMDLINE(opt, fn, text)	     CMDLINE_OPTION(opt, .handler = (fn))
#define CMDLINE_FLAG(opt, var, text) CMDLINE_OPTION(opt, .flag = &(var))
#else
#define CMDLINE(opt, fn, text)	     static const void *const cmdline_##opt __unused = (fn)
#define CMDLINE_FLAG(opt, var, text) CMDLINE(opt, &(var), text)
#endif

/* Parses boot_info.cmdline. Handlers may keep pointers into the copy made. */
void cmdline_parse(void);
/* Options nobody knows, and values that made no sense: printed once the consoles work. */
void cmdline_report(void);

#endif
