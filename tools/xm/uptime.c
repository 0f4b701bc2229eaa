/* SPDX-License-Identifier: MIT */
/* See uptime.h. */
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

static void uptime_row(const json_t *d, bool brief, time_t now, unsigned long up, struct text *out)
{
	const char *name = member_text(d, "name", "");
	long long id = member_number(d, "id", 0);
	char clock[16];

	if (!brief) {
		text_printf(out, "%-33s %4lld ", name, id);
		duration(up, false, out);
		text_str(out, "\n");
		return;
	}
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
	text_printf(out, " %s up ", clock);
	duration(up, true, out);
	text_printf(out, ", %s (%lld)\n", name, id);
}

void uptime_render(const json_t *domains, enum config_dialect dialect, bool brief, time_t now,
		   unsigned long host, struct text *out)
{
	const json_t *d;
	size_t i;

	if (!brief)
		text_printf(out, "%-33s %4s %s%s\n", "Name", "ID", "Uptime",
			    dialect == CONFIG_XM ? " " : "");
	json_array_foreach(domains, i, d)
	{
		long long id = member_number(d, "id", -1);
		long long started = member_number(d, "started_at", 0);

		if (id == 0)
			uptime_row(d, brief, now, host, out);
		else if (id > 0 && started > 0)
			uptime_row(d, brief, now,
				   now > started ? (unsigned long)(now - started) : 0, out);
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

int xm_uptime(struct xm *x, const struct call *call, struct error *e)
{
	json_t *domains = domains_get(x, call->operand, call->nr,
				      call->json ? NULL : "id,name,started_at", e);
	struct text out = {0};
	int rc;

	if (!domains)
		return -1;
	if (call->json) {
		rc = put_json(domains, e);
	} else {
		uptime_render(domains, x->dialect, call_option(call, "short"), time(NULL),
			      host_uptime(), &out);
		rc = put(&out, e);
	}
	json_decref(domains);
	return rc;
}
