/* SPDX-License-Identifier: MIT */
/* See control.h. The words and forms of the answers are those of xenstored 4.17. */
#include "xenstored/control.h"

#include "lib/base/log.h"
#include "xenstored/snapshot.h"

#include <malloc.h>
#include <string.h>

static const char *log_path = "/var/log/xen/xenstored-trace.log";
static FILE *log_to;

/* --- The log --------------------------------------------------------------------------------------- */

static void log_set(bool on)
{
	if (log_to)
		fclose(log_to);
	log_to = on ? fopen(log_path, "ae") : NULL;
}

void control_log_reopen(void *arg, int signo)
{
	log_set(log_to);
}

void control_log_file(const char *path)
{
	log_path = xstrdup(path);
	log_set(true);
}

void control_log_request(const struct client *c, const struct message *m)
{
	if (!log_to)
		return;
	fprintf(log_to, "%s %u tx %u %s ", c->id < CLIENT_TOOLS ? "domain" : "client", c->id,
		m->header.tx_id, request_name(m->header.type));
	for (uint32_t i = 0; i < m->header.len && i < 512; i++)
		putc(m->data[i] >= ' ' && m->data[i] < 127 ? m->data[i] : ' ', log_to);
	putc('\n', log_to);
	if (fflush(log_to))
		log_set(false);
}

/* --- Commands: an answer of nothing is "OK" --------------------------------------------------------------- */

struct call {
	const struct command *command;
	struct store *store;
	const char **word; /* behind the command */
	unsigned int nr;
	struct text *answer;
};

struct command {
	const char *name;
	int (*serve)(const struct call *c);
	unsigned int least, most; /* words */
	const char *words;
	enum quota quota, end; /* which ones it is about */
};

static int do_check(const struct call *c)
{
	store_sound(c->store, c->answer);
	return 0;
}

static int do_log(const struct call *c)
{
	bool on = !strcmp(c->word[0], "on");

	if (!on && strcmp(c->word[0], "off"))
		return EINVAL;
	log_set(on);
	return 0;
}

static int do_logfile(const struct call *c)
{
	control_log_file(c->word[0]);
	return 0;
}

static int do_memreport(const struct call *c)
{
	struct mallinfo2 info = mallinfo2();
	FILE *to = c->nr ? fopen(c->word[0], "ae") : log_to;

	if (!to)
		return EBADF;
	fprintf(to,
		"watched paths: %zu\njournal: %zu bytes\nheap in use: %zu bytes\n"
		"heap: %zu bytes\n",
		c->store->watched.nr, journal_size(), info.uordblks + info.hblkhd,
		info.arena + info.hblkhd);
	if (c->nr)
		fclose(to);
	return 0;
}

static int do_print(const struct call *c)
{
	log_info("control: %s", c->word[0]);
	return 0;
}

static int do_live_update(const struct call *c)
{
	text_str(c->answer, "not needed: kill -9 the process and the next one goes on from there; "
			    "start the new xenstored then");
	return 0;
}

static int quota_show_domain(const struct call *c)
{
	unsigned int domid;

	if (!wire_domid(c->word[0], &domid))
		return EINVAL;
	if (!c->store->domain[domid])
		return ENOENT;
	text_printf(c->answer, "Domain %u:\n", domid);
	for (unsigned int q = 0; q < QUOTA_COUNTED; q++)
		text_printf(c->answer, "%-16s: %8lld\n", quota_info[q].name,
			    (long long)c->store->domain[domid]->used[q]);
	return 0;
}

static int quota_set(const struct call *c)
{
	enum quota q = quota_named(c->command->quota, c->word[1]);
	long value;

	if (strcmp(c->word[0], "set") || q >= c->command->end ||
	    !str_to_long(c->word[2], 1, INT32_MAX, &value))
		return EINVAL;
	c->store->quota[q] = (uint32_t)value;
	snapshot_settings(c->store);
	return 0;
}

static int do_quota(const struct call *c)
{
	if (c->nr == 1 && !c->command->quota)
		return quota_show_domain(c);
	if (c->nr)
		return c->nr == 3 ? quota_set(c) : EINVAL;
	text_str(c->answer, "Quota settings:\n");
	for (enum quota q = c->command->quota; q < c->command->end; q++)
		text_printf(c->answer, "%-17s: %8u %s\n", quota_info[q].name, c->store->quota[q],
			    quota_info[q].meaning);
	return 0;
}

static int do_help(const struct call *c);

static const struct command commands[] = {
	{"check", do_check, 0, 0, ""},
	{"log", do_log, 1, 1, "on|off"},
	{"live-update", do_live_update, 0, 8, "refused: it is not needed"},
	{"logfile", do_logfile, 1, 1, "<file>"},
	{"memreport", do_memreport, 0, 1, "[<file>]"},
	{"print", do_print, 1, 1, "<string>"},
	{"quota", do_quota, 0, 3, "[set <name> <val>|<domid>]", 0, QUOTA_HARD},
	{"quota-soft", do_quota, 0, 3, "[set <name> <val>]", QUOTA_HARD, QUOTA_NR},
	{"help", do_help, 0, 0, ""},
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int do_help(const struct call *c)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		text_printf(c->answer, "%s\t%s\n", commands[i].name, commands[i].words);
	return 0;
}

int outside_control(struct store *store, const char **word, unsigned int nr, struct text *answer)
{
	struct call c = {commands, store, word + 1, nr - 1, answer};
	int rc = EINVAL;

	for (; c.command < commands + NR_COMMANDS; c.command++)
		if (!strcmp(c.command->name, word[0]) && c.nr >= c.command->least &&
		    c.nr <= c.command->most)
			rc = c.command->serve(&c);
	if (!rc && !answer->len)
		text_str(answer, "OK");
	return rc;
}
