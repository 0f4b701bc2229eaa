/* SPDX-License-Identifier: MIT */
/*
 * xm; under any other name (xl, xen, xentop) it speaks xl's language. Global options, the command, its error as a sentence, an exit
 * status.
 */
#include "xm/xm.h"

#include <signal.h>
#include <stdio.h>
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

/* xl's -vfNtT before the command; the number of words taken, or -1. */
static int global_options(struct xm *x, int argc, char **argv)
{
	int at = 1;

	for (; at < argc && argv[at][0] == '-' && argv[at][1] && argv[at][1] != '-'; at++)
		for (const char *p = argv[at] + 1; *p; p++) {
			x->dry_run |= *p == 'N';
			if (*p == 'h' || *p == 'V')
				return at;
			if (!strchr("fNtTv", *p))
				return error_set(&x->error, ERROR_USAGE, "%s has no option -%c",
						 x->program, *p);
		}
	return at;
}

static int run_command(struct xm *x, int argc, char **argv)
{
	const struct command *command = command_find(x, argv[0]);

	if (!command)
		return -1;
	if (!str_starts(command->name, argv[0]))
		fprintf(stderr, "Command %s is deprecated.  Please use %s %s instead.\n", argv[0],
			x->program, command->name);
	if (call_parse(x, command, argc, argv))
		return -1;
	if (x->help)
		help_command(x, command);
	else if (x->dry_run && !command->dry)
		return error_set(&x->error, ERROR_USAGE, "%s %s has no dry run (-N)", x->program,
				 command->name);
	return x->help ? 0 : command->run(x);
}

static int run(struct xm *x, int argc, char **argv)
{
	int at = global_options(x, argc, argv);

	if (at < 0)
		return -1;
	if (at == argc || !strcmp(argv[at], "--help") || !strcmp(argv[at], "-h"))
		help_all(x, false);
	else if (!strcmp(argv[at], "--version") || !strcmp(argv[at], "-V"))
		text_printf(&x->out, "%s %s\n", x->program, PONCHO_VERSION);
	else
		return run_command(x, argc - at, argv + at);
	return 0;
}

int main(int argc, char **argv)
{
	static char top[] = "top";
	const char *name = argc ? basename(argv[0]) : "xm";
	bool xl = strcmp(name, "xm");
	struct xm x = {.dialect = xl ? CONFIG_XL : CONFIG_XM, .program = xl ? "xl" : "xm"};
	int rc;

	signal(SIGPIPE, SIG_IGN);
	json_object_seed(1); /* xend's members are no attack: opening /dev/urandom can be saved */
	if (!strcmp(name, "xentop")) {
		argv[0] = top;
		rc = run_command(&x, argc, argv);
	} else {
		rc = run(&x, argc, argv);
	}
	if (!rc && !put(&x))
		return argc < 2;
	sentence("Error", x.error.text);
	sentence("Hint", x.error.hint);
	return x.error.class ? (int)x.error.class : 1;
}
