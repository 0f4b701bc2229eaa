/* SPDX-License-Identifier: MIT */
/* See viewer.h. */
#include "xenconsoled/viewer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/param.h>
#include <unistd.h>

#define TYPED_MOST 512

struct viewer {
	struct viewers *all;
	struct viewer *next;
	struct loop_source *source;
	uint64_t at;
	int fd;
	uint32_t wanted; /* epoll events asked for */
	bool pty, deaf;	 /* deaf: types nothing more (it has shut that direction) */
	bool gone;	 /* closed as soon as nobody is on the way through the list */
};

static uint64_t lag(const struct viewer *v)
{
	return v->all->record->page->end - v->at;
}

static void send_rest(struct viewer *v)
{
	uint64_t most = v->pty ? v->all->pty_limit : RECORD_SIZE;

	if (lag(v) > most)
		v->at = v->all->record->page->end - most;
	while (!v->gone && lag(v)) {
		const char *bytes;
		size_t n = record_run(v->all->record, v->at, &bytes);
		ssize_t done = write(v->fd, bytes, n);

		if (done > 0)
			v->at += (uint64_t)done;
		else if (done < 0 && errno == EAGAIN)
			break;
		else if (done == 0 || errno != EINTR)
			v->gone = true;
	}
	if (v->pty)
		v->all->pty_lag = v->gone ? 0 : lag(v);
}

static void ask(struct viewer *v)
{
	uint32_t wanted = (lag(v) ? EPOLLOUT : 0) | (v->all->room && !v->deaf ? EPOLLIN : 0);

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

void viewers_update(struct viewers *vs)
{
	bool lost = false;

	for (struct viewer **link = &vs->first, *v; (v = *link);) {
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
	if (lost)
		vs->pty_lost(vs->arg);
	vs->updated(vs->arg);
}

static void receive(struct viewer *v)
{
	struct viewers *vs = v->all;
	char bytes[TYPED_MOST];
	ssize_t n = read(v->fd, bytes, MIN(vs->room, TYPED_MOST));

	if (n > 0)
		vs->typed(vs->arg, bytes, (size_t)n);
	else if (n == 0)
		v->deaf = true;
	else if (errno != EAGAIN && errno != EINTR)
		v->gone = true;
}

static void ready(void *arg, uint32_t events)
{
	struct viewer *v = arg;

	if (events & EPOLLIN && v->all->room)
		receive(v);
	else if (events & (EPOLLHUP | EPOLLERR))
		v->gone = true;
	viewers_update(v->all);
}

void viewers_add(struct viewers *vs, int fd, bool pty, uint64_t at)
{
	struct viewer *v = xcalloc(1, sizeof(*v));

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	*v = (struct viewer){.all = vs, .next = vs->first, .at = at, .fd = fd, .pty = pty};
	v->source = loop_fd(vs->loop, fd, 0, ready, v);
	vs->first = v;
	ask(v);
}

void viewers_close(struct viewers *vs)
{
	while (vs->first) {
		struct viewer *v = vs->first;

		vs->first = v->next;
		viewer_free(v);
	}
}
