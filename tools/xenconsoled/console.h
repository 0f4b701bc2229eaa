/* SPDX-License-Identifier: MIT */
/*
 * One guest's console: moves bytes between its ring, its record and its viewers: connections on the socket, and its pty, which is a viewer
 * that lasts. What a viewer types is read only while the guest has room for it; one that falls behind by more than the record holds skips
 * what it has missed, so none waits for another and the guest waits for none. Knows nothing of xenstore or of event channels: it is told
 * of events and asks for them by the functions wire_...
 *
 * A guest that floods gets CONSOLE_EVENTS_MOST turns in CONSOLE_PERIOD ms, then waits for the next period; one whose ring holds garbage
 * is not served while it does. Both cost the others nothing.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/loop.h"
#include "xenconsoled/record.h"
#include "xenconsoled/ring.h"

#define CONSOLE_EVENTS_MOST 30
#define CONSOLE_PERIOD	    200

struct console_options {
	bool log;
	bool keep; /* the guest waits when nobody reads its pty, in place of losing what is oldest */
	const char *folder, *run_folder; /* of the logs; of the records */
	struct logfile_options file;
};

struct console;

/* @served: a process before this one has served this guest: its record is continued. */
struct console *console_new(struct loop *loop, const struct console_options *options,
			    unsigned int domid, const char *name, bool served, void *wire);
/* Takes the guest's last words; viewers see the end of file; the record goes. */
void console_free(struct console *c);
const char *console_name(const struct console *c);
/* The ring from now on; NULL: none. */
void console_ring(struct console *c, struct xencons_interface *ring);
/* As the guest's console/limit says: how much output waits for the pty's reader, if less than the record holds. */
void console_limit(struct console *c, long bytes);
/* The guest has sent an event; it is masked until unmask(). */
void console_event(struct console *c);
/* One viewer more: @fd is the console's. */
void console_view(struct console *c, int fd);
/* Opens the log (anew), under the name the guest has now; NULL: that it had. @fresh: it puts out its first bytes. */
void console_log(struct console *c, const char *name, bool fresh);

/* --- What the layer above gives, of the console made with this @wire ----------------------------- */

/* An event for the guest. */
void wire_notify(void *wire);
/* The next event of the guest is welcome. */
void wire_unmask(void *wire);
/* That is its pty. */
void wire_tty(void *wire, const char *path);
/* The console of a domain, or NULL with the error set. */
struct console *wire_console(unsigned int domid, struct error *e);
