/* SPDX-License-Identifier: MIT */
/*
 * xm; under any other name (xl, xen, xentop) it speaks xl's language. Global options, the command, its error as a sentence, an exit
 * status.
 */
#include "xm/xm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PONCHO_VERSION
#define PONCHO_VERSION "4.17-poncho"
#endif

static void sentence(const char *lead, const char *s)
{
	size_t len = strlen(s);

	if (len)
		fprintf(stderr, "%s: %s%s\n", lead, s, strchr(".!?", s[len - 1]) ? "" : ".");
}

static int fail(const struct error *e)
{
	sentence("Error", e->text);
	sentence("Hint", e->hint);
	return e->class ? (int)e->class : 1;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* xl's -vfNtT before the command; the number of words taken, or -1. */
static int global_options(struct xm *x, int argc, char **argv, struct error *e)
{
	int at = 1;

	for (; at < argc && argv[at][0] == '-' && argv[at][1] && argv[at][1] != '-'; at++)
		for (const char *p = argv[at] + 1; *p; p++) {
			if (*p == 'N')
				x->dry_run = true;
			else if (*p == 'v')
				x->verbose = true;
			else if (*p == 'h' || *p == 'V')
				return at;
			else if (!strchr("ftT", *p))
				return error_set(e, ERROR_USAGE, "%s has no option -%c", x->program,
						 *p);
		}
	return at;
}

static int run_command(struct xm *x, const struct command *command, int argc, char **argv,
		       struct error *e)
{
	struct text out = {0};
	struct call call;

	if (strcmp(argv[0], command->name) && !str_starts(command->name, argv[0]))
		fprintf(stderr, "Command %s is deprecated.  Please use %s %s instead.\n", argv[0],
			x->program, command->name);
	if (call_parse(x, command, argc, argv, &call, e))
		return -1;
	if (call.help) {
		help_command(x, command, &out);
		return put(&out, e);
	}
	if (x->dry_run && !command->dry)
		return error_set(e, ERROR_USAGE, "%s %s has no dry run (-N)", x->program,
				 command->name);
	return command->run(x, &call, e);
}

static int run(struct xm *x, int argc, char **argv, struct error *e)
{
	int at = global_options(x, argc, argv, e);
	const struct command *command;
	struct text out = {0};

	if (at < 0)
		return -1;
	if (at == argc || !strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) {
		help_all(x, x->dialect == CONFIG_XL, &out);
		return put(&out, e);
	}
	if (!strcmp(argv[at], "--version") || !strcmp(argv[at], "-V")) {
		text_printf(&out, "%s %s\n", x->program, PONCHO_VERSION);
		return put(&out, e);
	}
	command = command_find(x, argv[at], e);
	return command ? run_command(x, command, argc - at, argv + at, e) : -1;
}

/* Called as xentop: the same as top. */
static int run_top(struct xm *x, int argc, char **argv, struct error *e)
{
	static char name[] = "top";

	argv[0] = name;
	return run_command(x, command_find(x, "top", e), argc, argv, e);
}

int main(int argc, char **argv)
{
	struct xm x = {.dialect = CONFIG_XM, .program = "xm"};
	struct error e = {0};
	int rc;

	if (argc && strcmp(name_of(argv[0]), "xm")) {
		x.dialect = CONFIG_XL;
		x.program = "xl";
	}
	client_init(&x.client);
	if (argc && !strcmp(name_of(argv[0]), "xentop"))
		rc = run_top(&x, argc, argv, &e) ? fail(&e) : 0;
	else
		rc = run(&x, argc, argv, &e) ? fail(&e) : argc < 2;
	client_close(&x.client);
	return rc;
}
