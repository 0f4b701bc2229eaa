/* SPDX-License-Identifier: MIT */
/* Sets of CPUs as files and commands write them: "0-3,5,^1", "all", "nodes:0-1,^node:1". */
#include "lib/config/domain_config.h"

#include "lib/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct cpus_reader {
	const char *spec, *p;
	const unsigned int *node_of;
	unsigned int nr_cpus;
	struct cpu_set *set;
	struct error *error;
};

bool cpu_set_has(const struct cpu_set *set, unsigned int cpu)
{
	return cpu < CPUS_MOST && (set->word[cpu / 64] >> (cpu % 64) & 1);
}

static bool take(struct cpus_reader *r, const char *word)
{
	if (!str_starts(r->p, word))
		return false;
	r->p += strlen(word);
	return true;
}

static int number(struct cpus_reader *r, unsigned int *out)
{
	char *end;
	unsigned long n = strtoul(r->p, &end, 10);

	if (!isdigit((unsigned char)*r->p))
		return error_set(r->error, ERROR_CONFIG, "'%.60s' is no list of CPUs", r->spec);
	if (n >= CPUS_MOST)
		return error_set(r->error, ERROR_CONFIG, "there is no CPU %lu: %u is the last", n,
				 CPUS_MOST - 1);
	r->p = end;
	*out = n;
	return 0;
}

static int item(struct cpus_reader *r)
{
	bool out = take(r, "^"), nodes = take(r, "nodes:") || take(r, "node:");
	unsigned int from = 0, to = CPUS_MOST - 1, most = r->nr_cpus ? r->nr_cpus : CPUS_MOST;

	if (take(r, "all") || take(r, "any")) {
		out = nodes = false;
		to = most - 1;
	} else {
		most = nodes ? r->nr_cpus : CPUS_MOST;
		if (number(r, &from))
			return -1;
		to = from;
		if (take(r, "-") && number(r, &to))
			return -1;
	}
	if (to < from)
		return error_set(r->error, ERROR_CONFIG, "the range %u-%u runs backwards", from,
				 to);
	if (nodes && !r->node_of)
		return error_set(r->error, ERROR_CONFIG, "'%.60s' names nodes, which are not known",
				 r->spec);
	for (unsigned int cpu = 0; cpu < most; cpu++) {
		unsigned int n = nodes ? r->node_of[cpu] : cpu;

		if (n < from || n > to)
			continue;
		if (out)
			r->set->word[cpu / 64] &= ~(1UL << (cpu % 64));
		else
			r->set->word[cpu / 64] |= 1UL << (cpu % 64);
	}
	return 0;
}

int cpus_parse(const char *spec, const unsigned int *node_of, unsigned int nr_cpus,
	       struct cpu_set *set, struct error *e)
{
	struct cpus_reader r = {spec, spec, node_of, nr_cpus, set, e};

	memset(set, 0, sizeof(*set));
	do {
		r.p += strspn(r.p, " \t");
		if (item(&r))
			return -1;
		r.p += strspn(r.p, " \t");
	} while (take(&r, ","));
	if (*r.p)
		return error_set(e, ERROR_CONFIG, "'%.60s' is no list of CPUs", spec);
	return 0;
}

bool cpus_anywhere(const char *spec)
{
	static struct cpu_set set;

	return !cpus_parse(spec, NULL, 0, &set, NULL) && cpu_set_has(&set, CPUS_MOST - 1);
}
