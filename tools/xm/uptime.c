/* SPDX-License-Identifier: MIT */
/* How long domains have been running. */
#include "xm/uptime.h"

#include "lib/base/file.h"
#include "xm/verbs.h"

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

int xm_uptime(struct xm *x)
{
	bool json = option(x, "json");
	json_auto_t *domains = domains_get(x, json ? NULL : "id,name,started_at");
	unsigned long long host;

	if (!domains || json)
		return put_json(x, domains);
	file_number("/proc/uptime", &host);
	uptime_render(domains, x->dialect, option(x, "short"), time(NULL), host, &x->out);
	return 0;
}
