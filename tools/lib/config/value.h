/* SPDX-License-Identifier: MIT */
/*
 * What every reader hands over before anything is typed: a text or a (nested) list, and where it stood. Numbers are texts here, as they
 * were written. A file's settings are a list whose members have names.
 */
#pragma once

#include "lib/config/diagnostics.h"

struct value {
	char *key; /* of a setting */
	bool list;
	char *text; /* NULL for a list */
	struct value *item;
	size_t nr;
	struct place at;
	struct place key_at;
	bool given_by_hand; /* on the command line */
	bool quiet; /* the file itself makes use of the name: no complaint about an unknown key */
};

struct value value_text(const char *text, struct place at);
struct json_t;
/* Numbers and truths as the texts they would be in a file; an object is no value (false, @v to be freed all the same). */
bool value_of_json(const struct json_t *json, struct place at, struct value *v);
void value_append(struct value *list, struct value item);
void value_free(struct value *v);
/* A local that ends where it goes out of scope. */
#define autovalue __attribute__((cleanup(value_free)))
/* Whether it wants something: no empty one, no 0, "no", "none", "false". */
bool value_asks(const struct value *v);

/* Moves @value there. An earlier one of the name is replaced, or with @add lengthened. */
struct value *settings_store(struct value *s, const char *key, struct place at, struct value *value,
			     bool add, struct diagnostics *found);

/* --- Readers: 0 or -1 with errors in @found --------------------------------------------------------- */

/* xl.cfg. With @dashes also keys like full-screen. Several errors may be found, which go into an empty @found. */
int plain_read(const char *name, const char *text, bool dashes, struct value *s,
	       struct diagnostics *found);
/* One word of the command line into the empty @s: that grammar, or key=anything. */
void plain_read_override(const char *word, struct value *s, struct diagnostics *found);
/*
 * A Python file of xm, with what was set by hand already as its variables. 1: Python cannot read the text either, and @plain, what the
 * plain grammar said, is what to tell because it came as far (with more added to it where there is no Python).
 */
int python_read(const char *name, const char *text, const struct value *by_hand, struct value *s,
		struct diagnostics *plain, struct diagnostics *found);
/* The interpreter; tests name another. */
extern const char *python_program;
