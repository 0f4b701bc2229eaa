/* SPDX-License-Identifier: MIT */
/*
 * help, help --long, help COMMAND: written from the table. xl's list keeps the layout scripts cut names from: four lines of heading,
 * then " NAME   text", one leading blank.
 */
#include "xm/verbs.h"

#include <stdlib.h>
#include <string.h>

static void help_row(const struct xm *x, const char *name, const char *text, struct text *out)
{
	if (x->dialect == CONFIG_XL)
		text_printf(out, " %-19s %s\n", name, text);
	else
		text_printf(out, " %-20s %-50s\n", name, text);
}

static void help_later(const struct xm *x, struct text *out)
{
	text_str(out, "\nNot done by this system yet:\n\n");
	for (const struct later *l = commands_later; l->name; l++)
		if (in_dialect(l->dialects, x->dialect))
			text_printf(out, "  %-27s %s\n", l->name, l->meanwhile);
}

static void help_statuses(struct text *out)
{
	text_str(
		out,
		"\nExit status: 0 done, 1 failed, 64 wrong usage, 65 bad configuration, 66 no such domain or device,\n"
		"67 conflict, 69 xend or the hypervisor is absent, 70 not supported, 75 try later, 77 no permission.\n");
}

void help_all(const struct xm *x, bool all, struct text *out)
{
	if (x->dialect == CONFIG_XL)
		text_str(
			out,
			"Usage xl [-vfNtT] <subcommand> [args]\n\nxl full list of subcommands:\n\n");
	else
		text_printf(
			out,
			"Usage: xm <subcommand> [args]\n\nControl, list, and manipulate Xen guest instances.\n\n%s\n\n",
			all ? "xm full list of subcommands:" : "Common 'xm' commands:");
	for (const struct command *c = commands; c->name; c++)
		if (in_dialect(c->dialects, x->dialect) && (all || c->common))
			help_row(x, c->name, c->summary, out);
	if (x->dialect == CONFIG_XL)
		return;
	if (all) {
		help_later(x, out);
		help_statuses(out);
	}
	text_str(out, "\n<Domain> can either be the Domain Name or Id.\n"
		      "For more help on 'xm' see the xm(1) man page.\n");
	if (!all)
		text_str(
			out,
			"For all commands: 'xm help --long'; for one of them: 'xm help <subcommand>'.\n");
}

static void help_option(const struct option_row *row, struct text *out)
{
	char *left = row->letter ? xasprintf("-%c, --%s%s%s", row->letter, row->name,
					     row->value ? "=" : "", row->value ? row->value : "")
				 : xasprintf("--%s%s%s", row->name, row->value ? "=" : "",
					     row->value ? row->value : "");

	text_printf(out, "%-23s %s\n", left, row->help);
	free(left);
}

void help_command(const struct xm *x, const struct command *c, struct text *out)
{
	static const struct option_row json = {0, "json", NULL, "Print as JSON", 0};
	const char *operands =
		x->dialect == CONFIG_XM && c->operands_xm ? c->operands_xm : c->operands;
	bool any = c->listing;

	for (const struct option_row *row = c->options; row && row->name; row++)
		any |= in_dialect(row->dialects, x->dialect);
	text_printf(out, "Usage: %s %s%s%s%s%s\n\n%s.\n", x->program,
		    x->dialect == CONFIG_XL ? "[-vtTfN] " : "", c->name, any ? " [options]" : "",
		    operands ? " " : "", operands ? operands : "", c->summary);
	if (c->alias[0])
		text_printf(out, "\nAlso called: %s%s%s\n", c->alias[0], c->alias[1] ? ", " : "",
			    c->alias[1] ? c->alias[1] : "");
	if (!any)
		return;
	text_str(out, "\nOptions:\n\n");
	for (const struct option_row *row = c->options; row && row->name; row++)
		if (in_dialect(row->dialects, x->dialect))
			help_option(row, out);
	if (c->listing)
		help_option(&json, out);
}

int xm_help(struct xm *x, const struct call *call, struct error *e)
{
	struct text out = {0};
	const struct command *command;

	if (!call->nr) {
		help_all(x, x->dialect == CONFIG_XL || call_option(call, "long"), &out);
		if (x->dialect == CONFIG_XL && call_option(call, "long")) {
			help_later(x, &out);
			help_statuses(&out);
		}
		return put(&out, e);
	}
	command = command_find(x, call->operand[0], e);
	if (!command)
		return -1;
	help_command(x, command, &out);
	return put(&out, e);
}

int xm_completion(struct xm *x, const struct call *call, struct error *e)
{
	struct text out = {0};

	if (!completion_write(call->operand[0], &out))
		return error_set(e, ERROR_USAGE,
				 "completion is there for bash, zsh and fish, not for %s",
				 call->operand[0]);
	return put(&out, e);
}
