/* SPDX-License-Identifier: MIT */
/* The command line: finding the command that is meant, and taking its options and operands apart by its row of the table. */
#include "xm/xm.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static bool called(const struct command *c, const char *name)
{
	return !strcmp(c->name, name) || (c->alias[0] && !strcmp(c->alias[0], name)) ||
	       (c->alias[1] && !strcmp(c->alias[1], name));
}

/* Among the commands and those not yet there; the nearest name, or NULL. */
static const char *command_suggest(const struct xm *x, const char *name)
{
	unsigned int least = strlen(name) < 4 ? 2 : 3;
	const char *best = NULL;

	for (const struct command *c = commands; c->name; c++) {
		unsigned int n = str_distance(name, c->name);

		if (in_dialect(c->dialects, x->dialect) && n < least) {
			least = n;
			best = c->name;
		}
	}
	return best;
}

static int command_unknown(const struct xm *x, const char *name, struct error *e)
{
	const char *near = command_suggest(x, name);

	error_set(e, ERROR_USAGE, "Subcommand %s not found!", name);
	if (near)
		return error_hint(e, "did you mean '%s %s'?", x->program, near);
	return error_hint(e, "'%s help --long' lists all of them", x->program);
}

static int command_not_yet(const struct xm *x, const struct later *l, struct error *e)
{
	error_set(e, ERROR_UNSUPPORTED, "%s %s is not done by this system yet", x->program,
		  l->name);
	return error_hint(e, "%s", l->meanwhile);
}

/* What @name may mean: an exact name ends the search, prefixes are collected. */
struct search {
	const struct command *command;
	const struct later *later;
	struct text names;
	unsigned int nr;
	bool exact;
};

static void search_add(struct search *s, const char *name, bool exact)
{
	if (exact) {
		s->exact = true;
		s->nr = 0;
		text_free(&s->names);
	}
	text_printf(&s->names, "%s%s", s->nr++ ? ", " : "", name);
}

static void search_run(const struct xm *x, const char *name, struct search *s)
{
	for (const struct command *c = commands; c->name && !s->exact; c++) {
		bool exact = called(c, name);

		if (!in_dialect(c->dialects, x->dialect) || (!exact && !str_starts(c->name, name)))
			continue;
		s->command = c;
		search_add(s, c->name, exact);
	}
	for (const struct later *l = commands_later; l->name && !s->exact; l++) {
		bool exact = !strcmp(l->name, name);

		if (!in_dialect(l->dialects, x->dialect) || (!exact && !str_starts(l->name, name)))
			continue;
		s->command = NULL;
		s->later = l;
		search_add(s, l->name, exact);
	}
}

const struct command *command_find(const struct xm *x, const char *name, struct error *e)
{
	struct search s = {0};

	search_run(x, name, &s);
	if (!s.nr) {
		command_unknown(x, name, e);
	} else if (s.nr > 1) {
		error_set(e, ERROR_USAGE, "Subcommand %s is ambiguous: %s", name, s.names.data);
		error_hint(e, "write more of it");
		s.command = NULL;
	} else if (!s.command) {
		command_not_yet(x, s.later, e);
	}
	text_free(&s.names);
	return s.command;
}

/* --- Options and operands ----------------------------------------------------------------------------- */

enum { LONG_BASE = 256, LONG_JSON = LONG_BASE + OPTIONS_MOST, LONG_HELP };

/* What getopt_long() wants to know; @letters has room for two bytes an option. */
static void call_options(const struct xm *x, const struct command *command, char *letters,
			 struct option *longs)
{
	const struct option_row *row = command->options;

	for (int i = 0; row && row[i].name; i++) {
		if (!in_dialect(row[i].dialects, x->dialect))
			continue;
		if (row[i].letter)
			*letters++ = row[i].letter;
		if (row[i].letter && row[i].value)
			*letters++ = ':';
		*longs++ =
			(struct option){row[i].name, row[i].value ? required_argument : no_argument,
					NULL, LONG_BASE + i};
	}
	*letters++ = 'h';
	*letters = '\0';
	*longs++ = (struct option){"help", no_argument, NULL, LONG_HELP};
	if (command->listing)
		*longs++ = (struct option){"json", no_argument, NULL, LONG_JSON};
	*longs = (struct option){0};
}

static int option_index(const struct xm *x, const struct command *command, int letter)
{
	const struct option_row *row = command->options;

	for (int i = 0; row && row[i].name; i++)
		if (row[i].letter == letter && in_dialect(row[i].dialects, x->dialect))
			return i;
	return -1;
}

static int call_usage(const struct xm *x, const struct call *call, struct error *e)
{
	const struct command *c = call->command;

	return error_hint(e, "'%s help %s' tells how to use it", x->program, c->name);
}

static int call_count(const struct xm *x, const struct call *call, struct error *e)
{
	const struct command *c = call->command;

	if (call->nr < c->least)
		error_set(e, ERROR_USAGE, "'%s %s' requires %s%d argument%s", x->program, c->name,
			  c->most == c->least ? "" : "at least ", c->least,
			  c->least == 1 ? "" : "s");
	else if (c->most >= 0 && call->nr > c->most)
		error_set(e, ERROR_USAGE, "'%s %s' takes at most %d argument%s, not '%s'",
			  x->program, c->name, c->most, c->most == 1 ? "" : "s",
			  call->operand[c->most]);
	else
		return 0;
	return call_usage(x, call, e);
}

int call_parse(const struct xm *x, const struct command *command, int argc, char **argv,
	       struct call *call, struct error *e)
{
	char letters[2 * OPTIONS_MOST + 2];
	struct option longs[OPTIONS_MOST + 3];
	int opt;

	*call = (struct call){.command = command};
	call_options(x, command, letters, longs);
	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (opt == 'h' && option_index(x, command, 'h') < 0)
			opt = LONG_HELP;
		if (opt == '?') {
			error_set(e, ERROR_USAGE,
				  "'%s %s' has no option '%s', or not without a value", x->program,
				  command->name, argv[optind - 1]);
			return call_usage(x, call, e);
		}
		if (opt == LONG_HELP)
			call->help = true;
		else if (opt == LONG_JSON)
			call->json = true;
		else
			call->value[opt >= LONG_BASE ? opt - LONG_BASE
						     : option_index(x, command, opt)] =
				optarg ? optarg : "";
	}
	call->operand = argv + optind;
	call->nr = argc - optind;
	return call->help ? 0 : call_count(x, call, e);
}

const char *call_option(const struct call *call, const char *name)
{
	const struct option_row *row = call->command->options;

	for (int i = 0; row && row[i].name; i++)
		if (call->value[i] && !strcmp(row[i].name, name))
			return call->value[i];
	return NULL;
}

int call_number(const struct call *call, const char *name, long min, long max, long *out,
		struct error *e)
{
	const char *value = call_option(call, name);

	if (!value || str_to_long(value, min, max, out))
		return 0;
	return error_set(e, ERROR_USAGE, "--%s is a number from %ld to %ld, not '%s'", name, min,
			 max, value);
}
