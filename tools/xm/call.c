/* SPDX-License-Identifier: MIT */
/* The command line: finding the command that is meant, and taking its options and operands apart by its row of the table. */
#include "xm/xm.h"

#include <getopt.h>
#include <string.h>

static bool called(const struct command *c, const char *name)
{
	return !strcmp(c->name, name) || (c->alias[0] && !strcmp(c->alias[0], name)) ||
	       (c->alias[1] && !strcmp(c->alias[1], name));
}

static void command_unknown(struct xm *x, const char *name)
{
	unsigned int least = strlen(name) < 4 ? 2 : 3;
	const char *near = NULL;

	for (const struct command *c = commands; c->name; c++) {
		unsigned int n = str_distance(name, c->name);

		if (in_dialect(c->dialects, x->dialect) && n < least) {
			least = n;
			near = c->name;
		}
	}
	error_set(&x->error, ERROR_USAGE, "Subcommand %s not found!", name);
	if (near)
		error_hint(&x->error, "did you mean '%s %s'?", x->program, near);
	else
		error_hint(&x->error, "'%s help --long' lists all of them", x->program);
}

void later_each(enum config_dialect dialect,
		void (*each)(void *arg, const char *name, const char *hint), void *arg)
{
	for (const struct later *l = commands_later; l->hint; l++)
		for (unsigned char mask = 0; mask <= ONLY_XM; mask++) {
			bool any = l->names[mask] && in_dialect(mask, dialect);
			autofree char *names = xstrdup(any ? l->names[mask] : "");

			for (char *name = strtok(names, " "); name; name = strtok(NULL, " "))
				each(arg, name, l->hint);
		}
}

/* Names that begin as what was typed, or the one that is it. */
struct candidates {
	const char *typed, *hint; /* @hint: of the last one, if it is not done yet */
	struct text names;
	int nr;
};

static void consider(void *arg, const char *name, const char *hint)
{
	struct candidates *like = arg;

	if (!str_starts(name, like->typed) || (like->nr && !strcmp(like->names.data, like->typed)))
		return;
	if (!strcmp(name, like->typed))
		like->names.len = like->nr = 0;
	text_printf(&like->names, "%s%s", like->nr++ ? ", " : "", name);
	like->hint = hint;
}

const struct command *command_find(struct xm *x, const char *name)
{
	const struct command *found = NULL;
	struct candidates like = {.typed = name};

	for (const struct command *c = commands; c->name; c++) {
		if (!in_dialect(c->dialects, x->dialect))
			continue;
		if (called(c, name)) {
			text_free(&like.names);
			return c;
		}
		consider(&like, c->name, NULL);
		found = str_starts(c->name, name) ? c : found;
	}
	later_each(x->dialect, consider, &like);
	if (!like.nr) {
		command_unknown(x, name);
	} else if (like.nr > 1) {
		error_set(&x->error, ERROR_USAGE, "Subcommand %s is ambiguous: %s", name,
			  like.names.data);
		error_hint(&x->error, "write more of it");
	} else if (like.hint) {
		error_set(&x->error, ERROR_UNSUPPORTED, "%s %s is not done by this system yet",
			  x->program, like.names.data);
		error_hint(&x->error, "%s", like.hint);
	}
	text_free(&like.names);
	return like.nr == 1 && !like.hint ? found : NULL;
}

/* --- Options and operands ----------------------------------------------------------------------------- */

int command_options(const struct command *command, enum config_dialect dialect,
		    const struct option_row *rows[OPTIONS_MOST])
{
	static const struct option_row json = {0, "json", NULL, "Print as JSON", 0};
	int n = 0;

	for (const struct option_row *row = command->options; row && row->name; row++)
		if (in_dialect(row->dialects, dialect))
			rows[n++] = row;
	if (command->listing)
		rows[n++] = &json;
	return n;
}

enum { LONG_BASE = 256 }; /* of those without a letter */

static int option_key(const struct xm *x, int i)
{
	return x->option[i]->letter ? x->option[i]->letter : LONG_BASE + i;
}

/* What getopt_long() wants to know; @letters has room for two bytes an option. */
static void call_options(const struct xm *x, char *letters, struct option *longs)
{
	for (int i = 0; i < x->nr_options; i++) {
		const struct option_row *row = x->option[i];

		if (row->letter)
			*letters++ = row->letter;
		if (row->letter && row->value)
			*letters++ = ':';
		*longs++ = (struct option){row->name, row->value ? required_argument : no_argument,
					   NULL, option_key(x, i)};
	}
	strcpy(letters, "h");
	longs[0] = (struct option){"help", no_argument, NULL, 'h'};
	longs[1] = (struct option){0};
}

static int call_usage(struct xm *x)
{
	return error_hint(&x->error, "'%s help %s' tells how to use it", x->program,
			  x->command->name);
}

static int call_count(struct xm *x)
{
	const struct command *c = x->command;

	if (x->nr < c->least)
		error_set(&x->error, ERROR_USAGE, "'%s %s' requires %s%d argument%s", x->program,
			  c->name, c->most == c->least ? "" : "at least ", c->least,
			  c->least == 1 ? "" : "s");
	else if (c->most >= 0 && x->nr > c->most)
		error_set(&x->error, ERROR_USAGE, "'%s %s' takes at most %d argument%s, not '%s'",
			  x->program, c->name, c->most, c->most == 1 ? "" : "s",
			  x->operand[c->most]);
	else
		return 0;
	return call_usage(x);
}

int call_parse(struct xm *x, const struct command *command, int argc, char **argv)
{
	char letters[2 * OPTIONS_MOST + 2];
	struct option longs[OPTIONS_MOST + 2];
	int opt, i;

	x->command = command;
	x->nr_options = command_options(command, x->dialect, x->option);
	call_options(x, letters, longs);
	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (opt == '?') {
			error_set(&x->error, ERROR_USAGE,
				  "'%s %s' has no option '%s', or not without a value", x->program,
				  command->name, argv[optind - 1]);
			return call_usage(x);
		}
		for (i = 0; i < x->nr_options && option_key(x, i) != opt; i++)
			;
		if (i == x->nr_options)
			x->help = true;
		else
			x->value[i] = optarg ? optarg : "";
	}
	x->operand = argv + optind;
	x->nr = argc - optind;
	return x->help ? 0 : call_count(x);
}

const char *option(const struct xm *x, const char *name)
{
	for (int i = 0; i < x->nr_options; i++)
		if (x->value[i] && !strcmp(x->option[i]->name, name))
			return x->value[i];
	return NULL;
}

int option_number(struct xm *x, const char *name, long min, long max, long *out)
{
	const char *value = option(x, name);

	if (!value || str_to_long(value + (*value == '='), min, max, out)) /* -w=256, too */
		return 0;
	return error_set(&x->error, ERROR_USAGE, "--%s is a number from %ld to %ld, not '%s'", name,
			 min, max, value);
}
