/* SPDX-License-Identifier: MIT */
/* See console.h. A viewer is a descriptor and a position in the record. */
#include "xenconsoled/console.h"

#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/param.h>
#include <termios.h>
#include <unistd.h>

#define TYPED_MOST 512

struct viewer {
	struct console *console;
	struct viewer *next;
	struct loop_source *source;
	uint64_t at;
	int fd;
	uint32_t wanted; /* epoll events asked for */
	bool pty, deaf;	 /* deaf: types nothing more (it has shut that direction) */
	bool gone;	 /* closed as soon as nobody is on the way through the list */
};

struct console {
	struct loop *loop;
	const struct console_options *options;
	void *wire;
	char *name, *record_path;
	struct xencons_interface *ring; /* NULL: none */
	struct record record;
	struct viewer *viewers;
	size_t room;	  /* bytes the guest takes now */
	uint64_t pty_lag; /* bytes the pty has not taken yet; at most its limit */
	uint64_t pty_limit;
	int slave; /* held open, so that the pty outlives those who look at it */
	struct loop_source *pause;
	uint64_t period; /* when the present one began */
	unsigned int events;
	bool resumed; /* the first ring has been gone on with where the process before left it */
	bool broken;  /* its garbage has been told */
	bool held;    /* an event waits until somebody reads the pty */
};

/* --- The guest's side ---------------------------------------------------------------------------- */

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
	c->room = (size_t)MAX(room, 0);
}

/* --- Viewers ------------------------------------------------------------------------------------- */

static uint64_t lag(const struct viewer *v)
{
	return v->console->record.page->end - v->at;
}

static void send_rest(struct viewer *v)
{
	const struct record *record = &v->console->record;
	uint64_t most = v->pty ? v->console->pty_limit : RECORD_SIZE;

	if (lag(v) > most)
		v->at = record->page->end - most;
	while (!v->gone && lag(v)) {
		const char *bytes;
		size_t n = record_run(record, v->at, &bytes);
		ssize_t done = write(v->fd, bytes, n);

		if (done > 0)
			v->at += (uint64_t)done;
		else if (done < 0 && errno == EAGAIN)
			break;
		else if (done == 0 || errno != EINTR)
			v->gone = true;
	}
	if (v->pty)
		v->console->pty_lag = v->gone ? 0 : lag(v);
}

static void ask(struct viewer *v)
{
	uint32_t wanted = (lag(v) ? EPOLLOUT : 0) | (v->console->room && !v->deaf ? EPOLLIN : 0);

	if (wanted != v->wanted)
		loop_fd_events(v->source, wanted);
	v->wanted = wanted;
}

static void viewer_free(struct viewer *v)
{
	loop_remove(v->source);
	close(v->fd);
	free(v);
}

static void pty_make(struct console *c);

/* Sends what there is to send: after each change of the record or of the room. */
static void update(struct console *c)
{
	bool lost = false;

	for (struct viewer **link = &c->viewers, *v; (v = *link);) {
		send_rest(v);
		if (v->gone) {
			*link = v->next;
			lost |= v->pty;
			viewer_free(v);
		} else {
			ask(v);
			link = &v->next;
		}
	}
	if (lost) {
		log_warning("guest %s: its pty broke; it gets another", c->name);
		close(c->slave);
		pty_make(c);
	}
	if (c->held)
		console_event(c);
}

static void receive(struct viewer *v)
{
	struct console *c = v->console;
	char bytes[TYPED_MOST];
	ssize_t n = read(v->fd, bytes, MIN(c->room, TYPED_MOST));

	if (n > 0 && c->ring && ring_put(c->ring, bytes, (size_t)n) > 0)
		wire_notify(c->wire);
	look_for_room(c);
	if (n == 0)
		v->deaf = true;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		v->gone = true;
}

static void viewer_ready(void *arg, uint32_t events)
{
	struct viewer *v = arg;

	if (events & EPOLLIN && v->console->room)
		receive(v);
	else if (events & (EPOLLHUP | EPOLLERR))
		v->gone = true;
	update(v->console);
}

/* Sees the record from number @at on, or from where it begins. */
static void viewer_add(struct console *c, int fd, bool pty, uint64_t at)
{
	struct viewer *v = xcalloc(1, sizeof(*v));

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	*v = (struct viewer){.console = c, .next = c->viewers, .at = at, .fd = fd, .pty = pty};
	v->source = loop_fd(c->loop, fd, 0, viewer_ready, v);
	c->viewers = v;
	ask(v);
}

void console_view(struct console *c, int fd)
{
	viewer_add(c, fd, false, 0);
	update(c);
}

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
	viewer_add(c, master, true, c->record.page->end);
	wire_tty(c->wire, path);
}

/* --- When it is the guest's turn ----------------------------------------------------------------- */

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
		wire_notify(c->wire);
	}
	look_for_room(c);
	update(c);
}

static void no_pause(struct console *c)
{
	loop_remove(c->pause);
	c->pause = NULL;
}

static void next_period(void *arg)
{
	struct console *c = arg;

	no_pause(c);
	wire_unmask(c->wire);
}

void console_event(struct console *c)
{
	uint64_t now = loop_now();

	c->held = c->options->keep && c->pty_lag + RING_OUT > c->pty_limit;
	if (c->held)
		return;
	serve(c);
	/* The next event is welcome now, or when the guest's turn comes again. */
	if (!c->ring || c->pause)
		return;
	if (now - c->period >= CONSOLE_PERIOD) {
		c->period = now;
		c->events = 0;
	}
	if (++c->events < CONSOLE_EVENTS_MOST)
		wire_unmask(c->wire);
	else
		c->pause = loop_timer(c->loop, c->period + CONSOLE_PERIOD - now, false, next_period,
				      c);
}

/* --- From beginning to end ----------------------------------------------------------------------- */

/* The name leads out of no folder. */
void console_log(struct console *c, const char *name, bool fresh)
{
	autofree char *path = NULL;

	if (name) {
		free(c->name);
		c->name = xstrdup(name);
	}
	for (char *p = c->name; (p = strpbrk(p, "/\n"));)
		*p = '_';
	if (!c->options->log)
		return;
	path = xasprintf("%s/guest-%s.log", c->options->folder, c->name);
	logfile_open(&c->record.log, &c->options->file, path, fresh);
}

struct console *console_new(struct loop *loop, const struct console_options *options,
			    unsigned int domid, const char *name, bool served, void *wire)
{
	struct console *c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->options = options;
	c->wire = wire;
	c->pty_limit = RECORD_SIZE;
	c->record_path = xasprintf("%s/record-%u", options->run_folder, domid);
	record_open(&c->record, c->record_path, served);
	console_log(c, name, !c->record.page->end);
	pty_make(c);
	return c;
}

void console_free(struct console *c)
{
	c->held = false;
	serve(c);
	no_pause(c);
	for (struct viewer *v; (v = c->viewers);) {
		c->viewers = v->next;
		viewer_free(v);
	}
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
	c->room = 0;
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
		c->pty_limit = (uint64_t)bytes;
}
