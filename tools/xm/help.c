/* SPDX-License-Identifier: MIT */
/*
 * help, help --long, help COMMAND: written from the table. xl's list keeps the layout scripts cut names from: four lines of heading,
 * then " NAME   text", one leading blank.
 */
#include "xm/verbs.h"

#include <stdlib.h>

static void help_later(void *out, const char *name, const char *hint)
{
	text_printf(out, "  %-27s %s\n", name, hint);
}

/* What is not done yet, and the exit statuses. */
static void help_rest(struct xm *x)
{
	text_str(&x->out, "\nNot done by this system yet:\n\n");
	later_each(x->dialect, help_later, &x->out);
	text_str(
		&x->out,
		"\nExit status: 0 done, 1 failed, 64 wrong usage, 65 bad configuration, 66 no such domain or device,\n"
		"67 conflict, 69 xend or the hypervisor is absent, 70 not supported, 75 try later, 77 no permission.\n");
}

void help_all(struct xm *x, bool all)
{
	bool xl = x->dialect == CONFIG_XL;

	if (xl)
		text_str(&x->out, "Usage xl [-vfNtT] <subcommand> [args]\n\n");
	else
		text_str(
			&x->out,
			"Usage: xm <subcommand> [args]\n\nControl, list, and manipulate Xen guest instances.\n\n");
	text_printf(&x->out,
		    xl || all ? "%s full list of subcommands:\n\n" : "Common '%s' commands:\n\n",
		    x->program);
	for (const struct command *c = commands; c->name; c++)
		if (in_dialect(c->dialects, x->dialect) && (xl || all || c->common))
			text_printf(&x->out, xl ? " %-19s %s\n" : " %-20s %-50s\n", c->name,
				    c->summary);
	if (all)
		help_rest(x);
	if (xl)
		return;
	text_str(&x->out, "\n<Domain> can either be the Domain Name or Id.\n"
			  "For more help on 'xm' see the xm(1) man page.\n");
	if (!all)
		text_str(
			&x->out,
			"For all commands: 'xm help --long'; for one of them: 'xm help <subcommand>'.\n");
}

static void help_option(const struct option_row *row, struct text *out)
{
	const char letter[] = {'-', row->letter, ',', ' ', '\0'};
	autofree char *left = xasprintf("%s--%s%s%s", row->letter ? letter : "", row->name,
					row->value ? "=" : "", row->value ? row->value : "");

	text_printf(out, "%-23s %s\n", left, row->help);
}

void help_command(struct xm *x, const struct command *c)
{
	const struct option_row *rows[OPTIONS_MOST];
	int nr = command_options(c, x->dialect, rows);
	bool xl = x->dialect == CONFIG_XL;
	const char *operands = !xl && c->operands_xm ? c->operands_xm : c->operands;

	text_printf(&x->out, "Usage: %s %s%s%s%s%s\n\n%s.\n", x->program, xl ? "[-vtTfN] " : "",
		    c->name, nr ? " [options]" : "", operands ? " " : "", operands ? operands : "",
		    c->summary);
	if (c->alias[0])
		text_printf(&x->out, "\nAlso called: %s%s%s\n", c->alias[0],
			    c->alias[1] ? ", " : "", c->alias[1] ? c->alias[1] : "");
	if (nr)
		text_str(&x->out, "\nOptions:\n\n");
	for (int i = 0; i < nr; i++)
		help_option(rows[i], &x->out);
}

int xm_help(struct xm *x)
{
	const struct command *command = x->nr ? command_find(x, x->operand[0]) : NULL;

	if (!x->nr)
		help_all(x, option(x, "long"));
	else if (command)
		help_command(x, command);
	return x->nr && !command ? -1 : 0;
}
