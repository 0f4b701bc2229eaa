/* SPDX-License-Identifier: MIT */
/* See console.h. */
#include "xenconsoled/console.h"

#include "lib/base/log.h"
#include "xenconsoled/viewer.h"

#include <errno.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <termios.h>
#include <unistd.h>

struct console {
	const struct console_options *options;
	const struct console_wire *wire;
	void *arg;
	char *name, *record_path;
	struct xencons_interface *ring; /* NULL: none */
	struct record record;
	struct viewers viewers;
	int slave; /* held open, so that the pty outlives those who look at it */
	struct loop_source *pause;
	uint64_t period; /* when the present one began */
	unsigned int events;
	bool resumed; /* the first ring has been gone on with where the process before left it */
	bool broken;  /* its garbage has been told */
	bool held;    /* an event waits until somebody reads the pty */
};

/* --- Between the guest and its viewers ----------------------------------------------------------- */

static void ring_broken(struct console *c)
{
	static const char said[] = "\r\n[this console's ring holds garbage and is not served]\r\n";

	if (c->broken)
		return;
	c->broken = true;
	log_warning(
		"guest %s: its console ring holds garbage (out %u-%u, in %u-%u) and is not served",
		c->name, c->ring->out_cons, c->ring->out_prod, c->ring->in_cons, c->ring->in_prod);
	record_say(&c->record, said, sizeof(said) - 1);
}

static void look_for_room(struct console *c)
{
	int room = c->ring ? ring_room(c->ring) : 0;

	if (room < 0)
		ring_broken(c);
	c->viewers.room = (size_t)MAX(room, 0);
}

static void serve(struct console *c)
{
	char bytes[RING_OUT];
	uint32_t upto;
	int n = c->ring ? ring_look(c->ring, bytes, &upto) : 0;

	if (n < 0)
		ring_broken(c);
	if (n > 0) {
		record_add(&c->record, bytes, (size_t)n, upto);
		ring_took(c->ring, upto);
		c->wire->notify(c->arg);
	}
	look_for_room(c);
	viewers_update(&c->viewers);
}

static void typed(void *arg, const char *bytes, size_t n)
{
	struct console *c = arg;

	if (c->ring && ring_put(c->ring, bytes, n) > 0)
		c->wire->notify(c->arg);
	look_for_room(c);
}

/* --- When it is the guest's turn ----------------------------------------------------------------- */

static void no_pause(struct console *c)
{
	loop_remove(c->pause);
	c->pause = NULL;
}

static void next_period(void *arg)
{
	struct console *c = arg;

	no_pause(c);
	c->wire->unmask(c->arg);
}

/* Asks for the next event now, or when the guest's turn comes again. */
static void go_on(struct console *c)
{
	uint64_t now = loop_now();

	if (!c->ring || c->pause)
		return;
	if (now - c->period >= CONSOLE_PERIOD) {
		c->period = now;
		c->events = 0;
	}
	if (++c->events < CONSOLE_EVENTS_MOST)
		c->wire->unmask(c->arg);
	else
		c->pause = loop_timer(c->viewers.loop, c->period + CONSOLE_PERIOD - now, false,
				      next_period, c);
}

void console_event(struct console *c)
{
	c->held = c->options->keep && c->viewers.pty_lag + RING_OUT > c->viewers.pty_limit;
	if (c->held)
		return;
	serve(c);
	go_on(c);
}

static void updated(void *arg)
{
	struct console *c = arg;

	if (c->held)
		console_event(c);
}

/* --- The pty ------------------------------------------------------------------------------------- */

static void pty_make(struct console *c)
{
	struct termios raw = {0};
	char path[128];
	int master;

	if (openpty(&master, &c->slave, path, NULL, NULL)) {
		log_error("guest %s: no pty for its console: %s", c->name, strerror(errno));
		c->slave = -1;
		return;
	}
	tcgetattr(c->slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(c->slave, TCSANOW, &raw);
	viewers_add(&c->viewers, master, true, c->record.page->end);
	c->wire->tty(c->arg, path);
}

static void pty_lost(void *arg)
{
	struct console *c = arg;

	log_warning("guest %s: its pty broke; it gets another", c->name);
	close(c->slave);
	pty_make(c);
}

/* --- From beginning to end ----------------------------------------------------------------------- */

/* The log of the guest of this name, which leads out of no folder. */
static void log_open_named(struct console *c, const char *name, bool fresh)
{
	char *path;

	free(c->name);
	c->name = xstrdup(name);
	for (char *p = c->name; (p = strpbrk(p, "/\n"));)
		*p = '_';
	if (!c->options->log)
		return;
	path = xasprintf("%s/guest-%s.log", c->options->folder, c->name);
	logfile_open(&c->record.log, &c->options->file, path, fresh);
	free(path);
}

struct console *console_new(struct loop *loop, const struct console_options *options,
			    unsigned int domid, const char *name, bool served,
			    const struct console_wire *wire, void *arg)
{
	struct console *c = xcalloc(1, sizeof(*c));

	c->options = options;
	c->wire = wire;
	c->arg = arg;
	c->viewers = (struct viewers){.loop = loop,
				      .record = &c->record,
				      .pty_limit = RECORD_SIZE,
				      .typed = typed,
				      .updated = updated,
				      .pty_lost = pty_lost,
				      .arg = c};
	c->record_path = xasprintf("%s/record-%u", options->run_folder, domid);
	record_open(&c->record, c->record_path, served);
	log_open_named(c, name, !c->record.page->end);
	pty_make(c);
	return c;
}

void console_free(struct console *c)
{
	c->held = false;
	serve(c);
	no_pause(c);
	viewers_close(&c->viewers);
	if (c->slave >= 0)
		close(c->slave);
	record_close(&c->record);
	unlink(c->record_path);
	free(c->record_path);
	free(c->name);
	free(c);
}

const char *console_name(const struct console *c)
{
	return c->name;
}

void console_ring(struct console *c, struct xencons_interface *ring)
{
	serve(c);
	no_pause(c);
	c->ring = ring;
	c->viewers.room = 0;
	c->events = 0;
	c->broken = false;
	if (!ring)
		return;
	/* Nothing taken since: what the log has beyond the record is in the ring yet. */
	if (!c->resumed && !ring_resume(ring, c->record.page->taken))
		logfile_cut(&c->record.log, &c->record.page->place);
	c->resumed = true;
	console_event(c);
}

void console_limit(struct console *c, long bytes)
{
	if (bytes >= (long)RING_OUT && bytes < RECORD_SIZE)
		c->viewers.pty_limit = (uint64_t)bytes;
}

void console_view(struct console *c, int fd)
{
	viewers_add(&c->viewers, fd, false, 0);
	viewers_update(&c->viewers);
}

void console_reopen_log(struct console *c, const char *name)
{
	log_open_named(c, name, false);
}
