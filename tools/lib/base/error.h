/* SPDX-License-Identifier: MIT */
/*
 * One failure, as it travels from where it is found to the person or program it concerns: its class, one sentence with the object and
 * the cause, and a hint what to do. The class is also the exit status of the command-line tools and picks the HTTP status.
 *
 * Convention: a function that can fail takes a `struct error *` last and returns 0 or -1 (or NULL); it fills the error exactly when it
 * fails. Callers that add context use error_prefix().
 */
#pragma once

/* Exit statuses: below 64 as the commands of Xen 4.17 use them, from 64 on after sysexits.h. */
enum error_class {
	ERROR_NONE = 0,
	ERROR_FAILED = 1,	/* tried, and it did not work */
	ERROR_USAGE = 64,	/* the command line or request is malformed */
	ERROR_CONFIG = 65,	/* a configuration is malformed */
	ERROR_NOT_FOUND = 66,	/* the domain, device, file named is not there */
	ERROR_CONFLICT = 67,	/* it is there already, or in a state that forbids this */
	ERROR_ABSENT = 69,	/* the hypervisor or a daemon does not answer */
	ERROR_UNSUPPORTED = 70, /* known, and not (yet) done by this system */
	ERROR_RETRY = 75,	/* busy or out of a resource: later it may work */
	ERROR_PERMISSION = 77,
};

struct error {
	enum error_class class;
	char text[512]; /* one sentence, without the full stop */
	char hint[256]; /* what to do; may be empty */
};

/* Fills @e (which may be NULL); returns -1. */
int error_set(struct error *e, enum error_class class, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with ": " and the meaning of @errnum behind; the class follows from it where @class is ERROR_NONE. */
int error_errno(struct error *e, enum error_class class, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds the hint; returns -1. */
int error_hint(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "CONTEXT: text"; returns -1. */
int error_prefix(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "not-found": the class as the API names it; and back (ERROR_FAILED for an unknown name). */
const char *error_class_name(enum error_class class);
enum error_class error_class_named(const char *name);
