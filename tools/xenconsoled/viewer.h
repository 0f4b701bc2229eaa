/* SPDX-License-Identifier: MIT */
/*
 * Who looks at one console: connections on the socket, and its pty, which is a viewer that lasts. Each is a descriptor and a position in
 * the record. What a viewer types is read only while the guest has room for it; a viewer that falls behind by more than the record holds
 * skips what it has missed, so none waits for another and the guest waits for none.
 */
#pragma once

#include "lib/base/loop.h"
#include "xenconsoled/record.h"

struct viewer;

struct viewers {
	struct loop *loop;
	const struct record *record;
	size_t room;	  /* bytes the guest takes now */
	uint64_t pty_lag; /* bytes the pty has not taken yet; at most its limit */
	uint64_t pty_limit;
	/* At most @room bytes somebody has typed; it may change @room. */
	void (*typed)(void *arg, const char *bytes, size_t n);
	/* All has been sent that could be; the pty is broken (and no viewer any more). */
	void (*updated)(void *arg);
	void (*pty_lost)(void *arg);
	void *arg;
	struct viewer *first;
};

/* The descriptor is the viewers' from here on; made non-blocking. Sees the record from number @at on, or from where it begins. */
void viewers_add(struct viewers *vs, int fd, bool pty, uint64_t at);
/* Sends what there is to send; to be called after each change of the record or of @room. */
void viewers_update(struct viewers *vs);
/* The end for all, the pty too. */
void viewers_close(struct viewers *vs);
