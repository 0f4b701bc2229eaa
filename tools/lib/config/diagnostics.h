/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a configuration: several sentences at once, each with its place, errors apart from warnings. A list begins as {0};
 * it keeps the first 100 and counts the rest.
 */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct place {
	const char *file;	   /* NULL: no file (a command line, an API request) */
	unsigned int line, column; /* 0: not known */
};

struct diagnostic {
	bool warning;
	char *text; /* "file:line:col: sentence" */
};

struct diagnostics {
	struct diagnostic *item;
	size_t nr;
	size_t errors, warnings; /* all of them, also those not kept */
	unsigned int line;	 /* of the first error; 0: not known */
};

/* One sentence more; returns -1. */
int diagnostics_add(struct diagnostics *d, bool warning, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#define diagnostics_error(d, at, ...) diagnostics_add(d, false, at, __VA_ARGS__)
#define diagnostics_warn(d, at, ...)  diagnostics_add(d, true, at, __VA_ARGS__)
void diagnostics_free(struct diagnostics *d);
/* What @from has goes to the end of @to; @from is empty afterwards. */
void diagnostics_move(struct diagnostics *to, struct diagnostics *from);

/* One a line, warnings beginning "warning: ". */
void diagnostics_print(const struct diagnostics *d, FILE *out);
/* The first error, with the number of the others in the hint; returns -1. */
int diagnostics_to_error(const struct diagnostics *d, struct error *e);
