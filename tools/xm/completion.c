/* SPDX-License-Identifier: MIT */
/*
 * Completion for bash, zsh and fish, written from the table: names of commands, their options, and after those whatever the operand is,
 * domains (asked of xm) or files. One text serves xm and xl, each with its own commands.
 */
#include "xm/xm.h"

#include <string.h>

#define DOMAINS "list 2>/dev/null | tail -n +2 | cut -d' ' -f1"

static bool wants_domain(const struct command *c)
{
	return c->operands &&
	       (str_starts(c->operands, "<Domain") || str_starts(c->operands, "[Domain"));
}

static void options_words(const struct command *c, enum config_dialect dialect, struct text *out)
{
	for (const struct option_row *row = c->options; row && row->name; row++) {
		if (!in_dialect(row->dialects, dialect))
			continue;
		if (row->letter)
			text_printf(out, "-%c ", row->letter);
		text_printf(out, "--%s ", row->name);
	}
	text_str(out, c->listing ? "--json --help" : "--help");
}

static void names(enum config_dialect dialect, bool domains, struct text *out)
{
	const char *blank = "";

	for (const struct command *c = commands; c->name; c++)
		if (in_dialect(c->dialects, dialect) && (!domains || wants_domain(c))) {
			text_printf(out, "%s%s", blank, c->name);
			blank = domains ? "|" : " ";
		}
}

/* --- bash; zsh uses it by way of bashcompinit --------------------------------------------------------------------- */

static void bash_dialect(enum config_dialect dialect, const char *program, struct text *out)
{
	text_printf(out, "\t%s)\n\t\tcommands=\"", program);
	names(dialect, false, out);
	text_str(out, "\"\n\t\tcase $command in\n");
	for (const struct command *c = commands; c->name; c++) {
		if (!in_dialect(c->dialects, dialect))
			continue;
		text_printf(out, "\t\t%s) options=\"", c->name);
		options_words(c, dialect, out);
		text_str(out, "\" ;;\n");
	}
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
	text_printf(out,
		    "\tesac\n"
		    "\tif [[ -z $command || $command == help ]]; then\n"
		    "\t\tCOMPREPLY=($(compgen -W \"$commands\" -- \"$current\"))\n"
		    "\telif [[ $current == -* ]]; then\n"
		    "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
		    "\telif [[ -n $domains ]]; then\n"
		    "\t\tCOMPREPLY=($(compgen -W \"$(\"$program\" %s)\" -- \"$current\"))\n"
		    "\telse\n"
		    "\t\tCOMPREPLY=($(compgen -f -- \"$current\"))\n"
		    "\tfi\n}\n"
		    "complete -o filenames -F _xm xm xl\n",
		    DOMAINS);
}

static void zsh(struct text *out)
{
	text_str(out, "#compdef xm xl\n"
		      "# Completion of xm and xl for zsh; made by 'xm completion zsh'.\n"
		      "autoload -U +X bashcompinit && bashcompinit\n");
	bash(out);
}

/* --- fish ------------------------------------------------------------------------------------------------------------ */

/* In single quotes. */
static void fish_quoted(const char *s, struct text *out)
{
	text_str(out, "'");
	for (; *s; s++)
		text_printf(out, "%s%c", *s == '\'' || *s == '\\' ? "\\" : "", *s);
	text_str(out, "'");
}

static void fish_command(const struct command *c, enum config_dialect dialect, const char *program,
			 struct text *out)
{
	text_printf(out, "complete -c %s -f -n __fish_use_subcommand -a %s -d ", program, c->name);
	fish_quoted(c->summary, out);
	text_str(out, "\n");
	if (wants_domain(c))
		text_printf(
			out,
			"complete -c %s -f -n '__fish_seen_subcommand_from %s' -a \"(%s " DOMAINS
			")\"\n",
			program, c->name, program);
	else if (c->operands && strstr(c->operands, "File"))
		text_printf(out, "complete -c %s -F -n '__fish_seen_subcommand_from %s'\n", program,
			    c->name);
	for (const struct option_row *row = c->options; row && row->name; row++) {
		if (!in_dialect(row->dialects, dialect))
			continue;
		text_printf(out, "complete -c %s -n '__fish_seen_subcommand_from %s' -l %s",
			    program, c->name, row->name);
		if (row->letter)
			text_printf(out, " -s %c", row->letter);
		text_str(out, row->value ? " -r -d " : " -d ");
		fish_quoted(row->help, out);
		text_str(out, "\n");
	}
}

static void fish(struct text *out)
{
	static const char *const programs[] = {[CONFIG_XL] = "xl", [CONFIG_XM] = "xm"};

	text_str(out, "# Completion of xm and xl for fish; made by 'xm completion fish'.\n");
	for (int dialect = CONFIG_XL; dialect <= CONFIG_XM; dialect++)
		for (const struct command *c = commands; c->name; c++)
			if (in_dialect(c->dialects, (enum config_dialect)dialect))
				fish_command(c, (enum config_dialect)dialect, programs[dialect],
					     out);
}

bool completion_write(const char *shell, struct text *out)
{
	if (!strcmp(shell, "bash"))
		bash(out);
	else if (!strcmp(shell, "zsh"))
		zsh(out);
	else if (!strcmp(shell, "fish"))
		fish(out);
	else
		return false;
	return true;
}
