/* SPDX-License-Identifier: MIT */
/*
 * S-expressions as xend and xm speak them: (domain (name x) (memory 128)). A node is an atom or a list; lists own their members.
 * Reading accepts what xend wrote: atoms bare or in single or double quotes with backslash escapes, comments from # to the line's end.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/text.h"

struct sxp {
	char *atom; /* NULL: a list */
	struct sxp **member;
	size_t nr;
};

/* One expression; what follows it but blanks and comments is an error. "file:line:col: ..." with @name for the file. Depth limit 64. */
struct sxp *sxp_parse(const char *name, const char *s, struct error *e);
/* All expressions of a file, as the members of one list. */
struct sxp *sxp_parse_all(const char *name, const char *s, struct error *e);
void sxp_free(struct sxp *x);

struct sxp *sxp_atom(const char *s);
struct sxp *sxp_list(void);
/* (name) */
struct sxp *sxp_named(const char *name);
/* @list owns @member afterwards; returns @list. */
struct sxp *sxp_add(struct sxp *list, struct sxp *member);
/* (name value); returns the new list, already added to @list. */
struct sxp *sxp_pair(struct sxp *list, const char *name, const char *value);

/* The member list of @x that begins with the atom @name, or NULL. */
struct sxp *sxp_child(const struct sxp *x, const char *name);

/* Bare where possible, quoted otherwise; on one line, or with @pretty a line a list, indented by four as xm list -l prints it. */
void sxp_print(const struct sxp *x, bool pretty, struct text *out);
