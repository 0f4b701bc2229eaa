/* SPDX-License-Identifier: MIT */
/*
 * Speaking and dying: printk with levels, ASSERT, BUG, panic. Implemented by core/console.c and x86/crash.c;
 * the host tests bring their own.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "lib/types.h"

/* Levels as in `loglvl=`; a line without one is printed always. The G forms are about guests (`guest_loglvl=`). */
#define LOG_ERR	    "\0010"
#define LOG_WARN    "\0011"
#define LOG_INFO    "\0012"
#define LOG_DEBUG   "\0013"
#define LOG_GUEST   "\001G"
#define LOG_G_WARN  LOG_GUEST LOG_WARN
#define LOG_G_DEBUG LOG_GUEST LOG_DEBUG

/* Prints to the log ring and every console. A line's level stands at its start: printk(LOG_WARN "text %d\n", n). */
void printk(const char *fmt, ...) __printf_like(1, 2);

/* Isolation would break or boot cannot go on: prints the reason, registers, a backtrace; reboots, or halts with `noreboot`. */
void panic(const char *fmt, ...) __printf_like(1, 2) __noreturn;

void assert_failed(const char *expr, const char *file, int line) __noreturn;

/* Continuing would break isolation; on in every build. */
#define BUG_ON(c)                                              \
	do {                                                   \
		if (unlikely(c))                               \
			assert_failed(#c, __FILE__, __LINE__); \
	} while (0)

/* Our own bug; checked in debug builds, compiled but not evaluated otherwise. Never on what a guest controls. */
#ifdef DEBUG
#define ASSERT(c) BUG_ON(!(c))
#else
#define ASSERT(c) ((void)sizeof(!(c)))
#endif

#endif
