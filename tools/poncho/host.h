/* SPDX-License-Identifier: MIT */
/*
 * The machine that the program runs on, as its checks see it: files below a prefix, programs, CPUID. The three variables let tests put
 * a made-up machine in its place; nothing else in the program looks at the machine by another way, except to change it.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/text.h"

#include <stdint.h>

#define FORMAT(fmt, args) __attribute__((format(printf, fmt, args)))

extern const char *host_root; /* "" for the real one */
/* Runs a program of at most 15 words, its standard error joined to its output; its exit status, 127 if it cannot be run. */
extern int (*host_program)(const char *const *argv, struct text *out);
extern void (*host_cpuid)(uint32_t leaf, uint32_t regs[4]);

char *host_path(const char *fmt, ...) FORMAT(1, 2);
/* The file's content without white space at its end, owned by the caller; NULL if there is none. */
char *host_read(const char *fmt, ...) FORMAT(1, 2);
bool host_has(const char *fmt, ...) FORMAT(1, 2);
/* The file whose content is a whole number: it, or @otherwise. */
long host_number(long otherwise, const char *fmt, ...) FORMAT(2, 3);
/* What a symbolic link points to, its last part only; NULL if it is none. */
char *host_link(const char *fmt, ...) FORMAT(1, 2);
/* Writes or, with @text NULL, removes; an unchanged file is not written, and one that is replaced keeps its mode. */
int host_write(const char *name, const char *text, unsigned int mode, struct error *e);

/* Words up to a NULL. host_run() fails with what the program said; host_output() returns it (NULL on failure). */
int host_run(struct error *e, const char *program, ...) __attribute__((sentinel));
char *host_output(const char *program, ...) __attribute__((sentinel));

/* NAME=VALUE lines, values perhaps in quotes: the value, owned by the caller, or NULL. */
char *setting_get(const char *text, const char *name);

/* The newest kernel in /boot that can be domain 0 and its initial RAM disk is there: its version, or NULL. */
char *kernel_newest(void);
/* Whether that version was built with CONFIG_XEN_DOM0. */
bool kernel_usable(const char *version);

/* The interface by which the world is reached and its address there; false without a route. */
struct network {
	char dev[32], address[64];
};
bool network_find(struct network *n, bool six);
bool ssh_listens(void);

/* Domain 0 of whatever hypervisor speaks Xen's ABI. */
bool host_is_domain0(void);
