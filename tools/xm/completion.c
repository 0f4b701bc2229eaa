/* SPDX-License-Identifier: MIT */
/*
 * Completion for bash, zsh and fish, written from the table: names of commands, their options, and after those whatever the operand is,
 * domains (asked of xm) or files. One text serves xm and xl, each with its own commands.
 */
#include "xm/verbs.h"

#include <string.h>

#define DOMAINS "list 2>/dev/null | tail -n +2 | cut -d' ' -f1"

static bool wants_domain(const struct command *c)
{
	return c->operands && str_starts(c->operands + 1, "Domain");
}

/* --- bash; zsh uses it by way of bashcompinit --------------------------------------------------------------------- */

static void names(enum config_dialect dialect, bool domains, struct text *out)
{
	const char *blank = "";

	for (const struct command *c = commands; c->name; c++)
		if (in_dialect(c->dialects, dialect) && (!domains || wants_domain(c))) {
			text_printf(out, "%s%s", blank, c->name);
			blank = domains ? "|" : " ";
		}
}

static void bash_options(const struct command *c, enum config_dialect dialect, struct text *out)
{
	const struct option_row *rows[OPTIONS_MOST];
	int nr = command_options(c, dialect, rows);

	text_printf(out, "\t\t%s) options=\"", c->name);
	for (int i = 0; i < nr; i++) {
		if (rows[i]->letter)
			text_printf(out, "-%c ", rows[i]->letter);
		text_printf(out, "--%s ", rows[i]->name);
	}
	text_str(out, "--help\" ;;\n");
}

static void bash_dialect(enum config_dialect dialect, const char *program, struct text *out)
{
	text_printf(out, "\t%s)\n\t\tcommands=\"", program);
	names(dialect, false, out);
	text_str(out, "\"\n\t\tcase $command in\n");
	for (const struct command *c = commands; c->name; c++)
		if (in_dialect(c->dialects, dialect))
			bash_options(c, dialect, out);
	text_str(out, "\t\tesac\n\t\tcase $command in\n\t\t");
	names(dialect, true, out);
	text_str(out, ") domains=1 ;;\n\t\tesac\n\t\t;;\n");
}

static void bash(struct text *out)
{
	text_str(out,
		 "# Completion of xm and xl for bash; made by 'xm completion bash'.\n"
		 "_xm()\n{\n"
		 "\tlocal program=${COMP_WORDS[0]##*/} command= commands= options= domains= i\n"
		 "\tlocal current=${COMP_WORDS[COMP_CWORD]}\n"
		 "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		 "\t\t[[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }\n"
		 "\tdone\n"
		 "\tcase $program in\n");
	bash_dialect(CONFIG_XM, "xm", out);
	bash_dialect(CONFIG_XL, "*", out);
	text_str(out,
		 "\tesac\n"
		 "\tif [[ -z $command || $command == help ]]; then\n"
		 "\t\tCOMPREPLY=($(compgen -W \"$commands\" -- \"$current\"))\n"
		 "\telif [[ $current == -* ]]; then\n"
		 "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
		 "\telif [[ -n $domains ]]; then\n"
		 "\t\tCOMPREPLY=($(compgen -W \"$(\"$program\" " DOMAINS ")\" -- \"$current\"))\n"
		 "\telse\n"
		 "\t\tCOMPREPLY=($(compgen -f -- \"$current\"))\n"
		 "\tfi\n}\n"
		 "complete -o filenames -F _xm xm xl\n");
}

static void zsh(struct text *out)
{
	text_str(out, "#compdef xm xl\n"
		      "# Completion of xm and xl for zsh; made by 'xm completion zsh'.\n"
		      "autoload -U +X bashcompinit && bashcompinit\n");
	bash(out);
}

/* --- fish ------------------------------------------------------------------------------------------------------------ */

/* The description, in single quotes, ends the line. */
static void fish_description(const char *s, struct text *out)
{
	text_str(out, " -d '");
	for (; *s; s++)
		text_printf(out, "%s%c", *s == '\'' || *s == '\\' ? "\\" : "", *s);
	text_str(out, "'\n");
}

static void fish_command(const struct command *c, enum config_dialect dialect, const char *program,
			 struct text *out)
{
	autofree char *seen = xasprintf("'__fish_seen_subcommand_from %s'", c->name);
	const struct option_row *rows[OPTIONS_MOST];
	int nr = command_options(c, dialect, rows);

	text_printf(out, "complete -c %s -f -n __fish_use_subcommand -a %s", program, c->name);
	fish_description(c->summary, out);
	if (wants_domain(c))
		text_printf(out, "complete -c %s -f -n %s -a \"(%s " DOMAINS ")\"\n", program, seen,
			    program);
	else if (c->operands && strstr(c->operands, "File"))
		text_printf(out, "complete -c %s -F -n %s\n", program, seen);
	for (int i = 0; i < nr; i++) {
		text_printf(out, "complete -c %s -n %s -l %s", program, seen, rows[i]->name);
		if (rows[i]->letter)
			text_printf(out, " -s %c", rows[i]->letter);
		text_str(out, rows[i]->value ? " -r" : "");
		fish_description(rows[i]->help, out);
	}
}

static void fish(struct text *out)
{
	static const char *const programs[] = {[CONFIG_XL] = "xl", [CONFIG_XM] = "xm"};

	text_str(out, "# Completion of xm and xl for fish; made by 'xm completion fish'.\n");
	for (enum config_dialect dialect = CONFIG_XL; dialect <= CONFIG_XM; dialect++)
		for (const struct command *c = commands; c->name; c++)
			if (in_dialect(c->dialects, dialect))
				fish_command(c, dialect, programs[dialect], out);
}

int xm_completion(struct xm *x)
{
	static const struct {
		const char *name;
		void (*write)(struct text *out);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (!strcmp(x->operand[0], shells[i].name)) {
			shells[i].write(&x->out);
			return 0;
		}
	return error_set(&x->error, ERROR_USAGE,
			 "completion is there for bash, zsh and fish, not for %s", x->operand[0]);
}
