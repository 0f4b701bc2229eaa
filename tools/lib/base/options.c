/* SPDX-License-Identifier: MIT */
/* See options.h. */
#include "lib/base/options.h"

#include "lib/base/error.h"
#include "lib/base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static void help(const char *head, const struct option_info *info, size_t nr)
{
	fputs(head, stdout);
	for (const struct option_info *o = info; o < info + nr; o++) {
		char *name = xasprintf("%s%s%s", o->name, o->argument ? "=" : "",
				       o->argument ? o->argument : "");

		printf(o->letter < OPTION_LONG(0) ? "  -%c, " : "      ", o->letter);
		printf("--%-22s %s\n", name, o->help);
		free(name);
	}
	exit(0);
}

void options_read(int argc, char **argv, const char *head, const struct option_info *info,
		  size_t nr, bool (*take)(int letter, char *value))
{
	struct option *options = xcalloc(nr + 1, sizeof(*options));
	struct text letters = {0};
	int letter;

	for (size_t i = 0; i < nr; i++) {
		options[i] =
			(struct option){info[i].name, !!info[i].argument, NULL, info[i].letter};
		if (info[i].letter < OPTION_LONG(0))
			text_printf(&letters, "%c%s", info[i].letter, info[i].argument ? ":" : "");
	}
	while ((letter = getopt_long(argc, argv, letters.data, options, NULL)) != -1) {
		if (letter == info[0].letter)
			help(head, info, nr);
		if (letter != '?' && take(letter, optarg))
			continue;
		if (letter != '?')
			fprintf(stderr, "%s: '%s' is no value for this option\n", argv[0], optarg);
		break;
	}
	if (letter == -1 && optind < argc)
		fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0], argv[optind]);
	if (letter != -1 || optind < argc) {
		fprintf(stderr, "Try `%s --help' for more information\n", argv[0]);
		exit(ERROR_USAGE);
	}
	text_free(&letters);
	free(options);
}
