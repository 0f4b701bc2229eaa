/* SPDX-License-Identifier: MIT */
/* How long domains have been running. */
#include "xm/uptime.h"

#include "xm/verbs.h"

#include <stdio.h>

static void duration(unsigned long s, bool brief, struct text *out)
{
	unsigned long days = s / 86400;

	if (days)
		text_printf(out, "%lu day%s, ", days, days > 1 ? "s" : "");
	text_printf(out, "%2lu:%02lu", s / 3600 % 24, s / 60 % 60);
	if (!brief)
		text_printf(out, ":%02lu", s % 60);
}

void uptime_render(const json_t *domains, enum config_dialect dialect, bool brief, time_t now,
		   unsigned long host, struct text *out)
{
	const json_t *d;
	char clock[16];
	size_t i;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
	if (!brief)
		text_printf(out, "%-33s %4s %s%s\n", "Name", "ID", "Uptime",
			    dialect == CONFIG_XM ? " " : "");
	json_array_foreach(domains, i, d)
	{
		long long id = member_number(d, "id", -1);
		long long started = member_number(d, "started_at", 0);

		if (id < 0 || (id && started <= 0))
			continue;
		if (brief)
			text_printf(out, " %s up ", clock);
		else
			row_render(d, "{name:-33s} {id:4d} ", out);
		duration(!id		 ? host
			 : now > started ? (unsigned long)(now - started)
					 : 0,
			 brief, out);
		row_render(d, brief ? ", {name:s} ({id:d})\n" : "\n", out);
	}
}

static unsigned long host_uptime(void)
{
	FILE *f = fopen("/proc/uptime", "re");
	unsigned long s = 0;

	if (f && fscanf(f, "%lu", &s) != 1)
		s = 0;
	if (f)
		fclose(f);
	return s;
}

int xm_uptime(struct xm *x)
{
	bool json = option(x, "json");
	json_auto_t *domains = domains_get(x, json ? NULL : "id,name,started_at");

	if (!domains || json)
		return put_json(x, domains);
	uptime_render(domains, x->dialect, option(x, "short"), time(NULL), host_uptime(), &x->out);
	return 0;
}
