/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's command line. An option is registered where it is used:
 *
 *     CMDLINE(loglvl, loglvl_option, "<lower>[/<upper>]: how much is logged");
 *
 * The handler gets the text after '=' ("" without one; a leading "no-" or "no" of a boolean arrives as "no") and returns 0, or
 * -EINVAL if it cannot make sense of it, which is said in the log. Option names: '-' and '_' are the same, `name` is a C
 * identifier.
 */
#ifndef BOOT_CMDLINE_H
#define BOOT_CMDLINE_H

#include "lib/types.h"

struct cmdline_option {
	const char *name;
	int (*handler)(const char *value);
	const char *help;
};

#ifndef HOST_BUILD
#define CMDLINE(opt, fn, text)                                                                \
	static const struct cmdline_option cmdline_##opt __used __section(".cmdline_options") \
		__aligned(8) = {                                                              \
			.name = #opt,                                                         \
			.handler = (fn),                                                      \
			.help = (text),                                                       \
	}
#else
#define CMDLINE(opt, fn, text) static const void *const cmdline_##opt __unused = (const void *)(fn)
#endif

/* Parse @cmdline (kept by the caller: handlers may keep pointers into the copy made). */
void cmdline_parse(const char *cmdline);
/* What was given, for XENVER_commandline. */
extern char saved_cmdline[1024];
/* Options nobody knows, and values that made no sense: printed once the consoles work. */
void cmdline_report(void);

#endif
