/* SPDX-License-Identifier: MIT */
/*
 * Every hypercall and sub-operation with what it must refuse, compared with the answers of Xen 4.17.
 * The answers were recorded by running this very kernel there: with "record" on its command line it
 * prints them, and the script beside it turns the log into expect.h.  Where Xen accepts a call its
 * value may depend on the machine, so only "not negative" is compared.
 */
#include "refusals.h"

TEST("refusals");

struct expected {
	const char *key;
	short n, rc[ANSWERS_MAX];
};

#define COUNT_(a, b, c, d, e, f, g, h, n, ...) n
#define COUNT(...)			       COUNT_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define ROW(key, ...)			       {key, COUNT(__VA_ARGS__), {__VA_ARGS__}},

static const struct expected dom0_table[] = {
#include "expect.h"
};

/* What an unprivileged domain is told. */
static const struct expected guest_table[] = {
#include "expect_guest.h"
};

static bool recording;
static unsigned int next;

/* Rows are asked for in the order they were recorded; search on when one was added or removed. */
static const struct expected *expected_find(const char *key)
{
	const struct expected *table = is_dom0() ? dom0_table : guest_table;
	unsigned int n = is_dom0() ? ARRAY_LEN(dom0_table) : ARRAY_LEN(guest_table);

	for (unsigned int i = 0; i < n; i++) {
		unsigned int at = (next + i) % n;

		if (!strcmp(table[at].key, key)) {
			next = at + 1;
			return &table[at];
		}
	}
	return NULL;
}

static bool agrees(long got, long want)
{
	return got == want || (got >= 0 && want >= 0);
}

/* One write a row: the console daemon limits how often a guest may call it. */
static void record(const char *key, const long *rc, unsigned int n)
{
	char line[200];
	int len = guest_snprintf(line, sizeof(line), "ANSWER %s:", key);

	for (unsigned int i = 0; i < n; i++)
		len += guest_snprintf(line + len, sizeof(line) - len, " %ld",
				      rc[i] < 0 ? rc[i] : 0);
	print("%s\n", line);
}

void answers(const char *key, const long *rc, unsigned int n)
{
	const struct expected *e;

	if (recording) {
		record(key, rc, n);
		return;
	}
	e = expected_find(key);
	if (!e || e->n != (short)n) {
		verdict_fail("%s: no recorded answer", key);
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		verdict_count();
		if (!agrees(rc[i], e->rc[i]))
			verdict_fail("%s [%u]: %ld, Xen says %d", key, i, rc[i], e->rc[i]);
	}
}

void answer(const char *key, long rc)
{
	answers(key, &rc, 1);
}

void test_main(void)
{
	recording = cmdline_value("record");
	events_disable();
	pointer_rows();
	value_rows();
	struct_rows();
	memory_rows();
	control_rows();
	if (!is_dom0())
		neighbour_rows();
	CHECK(true);
}
