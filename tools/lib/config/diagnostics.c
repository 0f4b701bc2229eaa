/* SPDX-License-Identifier: MIT */
/* See diagnostics.h. */
#include "lib/config/diagnostics.h"

#include "lib/base/text.h"

#include <stdlib.h>

#define KEPT_MOST 100

static void keep(struct diagnostics *d, struct diagnostic one)
{
	if (d->nr == KEPT_MOST) {
		free(one.text);
		return;
	}
	d->item = xrealloc(d->item, (d->nr + 1) * sizeof(*d->item));
	d->item[d->nr++] = one;
}

int diagnostics_add(struct diagnostics *d, bool warning, struct place at, const char *fmt, ...)
{
	va_list ap;
	struct text t = {0};

	d->warnings += warning;
	if (!warning && !d->errors++)
		d->line = at.line;
	if (at.file)
		text_printf(&t, "%s:", at.file);
	if (at.line)
		text_printf(&t, "%u:", at.line);
	if (at.line && at.column)
		text_printf(&t, "%u:", at.column);
	if (t.len)
		text_str(&t, " ");
	va_start(ap, fmt);
	text_vprintf(&t, fmt, ap);
	va_end(ap);
	keep(d, (struct diagnostic){warning, text_take(&t)});
	return -1;
}

void diagnostics_free(struct diagnostics *d)
{
	for (size_t i = 0; i < d->nr; i++)
		free(d->item[i].text);
	free(d->item);
	*d = (struct diagnostics){0};
}

void diagnostics_move(struct diagnostics *to, struct diagnostics *from)
{
	to->errors += from->errors;
	to->warnings += from->warnings;
	for (size_t i = 0; i < from->nr; i++)
		keep(to, from->item[i]);
	free(from->item);
	*from = (struct diagnostics){0};
}

void diagnostics_print(const struct diagnostics *d, FILE *out)
{
	for (size_t i = 0; i < d->nr; i++)
		fprintf(out, "%s%s\n", d->item[i].warning ? "warning: " : "", d->item[i].text);
	if (d->errors + d->warnings > d->nr)
		fprintf(out, "... and %zu more\n", d->errors + d->warnings - d->nr);
}

int diagnostics_to_error(const struct diagnostics *d, struct error *e)
{
	size_t i = 0;

	while (i < d->nr && d->item[i].warning)
		i++;
	error_set(e, ERROR_CONFIG, "%s",
		  i < d->nr ? d->item[i].text : "the configuration is malformed");
	return d->errors > 1 ? error_hint(e, "%zu more errors were found", d->errors - 1) : -1;
}
