/* SPDX-License-Identifier: MIT */
/* See loop.h. Timers are timerfds and signals signalfds, so that epoll knows everything there is to wait for. */
#include "lib/base/loop.h"

#include "lib/base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* One of the callbacks is there: what kind of source it is. */
struct loop_source {
	struct loop *loop;
	int fd;
	void *arg;
	void (*ready)(void *arg, uint32_t events);
	void (*expired)(void *arg);
	void (*raised)(void *arg, int signo);
	bool dead, repeat;
	struct loop_source *next_dead;
};

struct loop {
	int epoll;
	bool stop;
	struct loop_source *dead;
};

struct loop *loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		abort();
	return loop;
}

static void bury(struct loop *loop)
{
	while (loop->dead) {
		struct loop_source *s = loop->dead;

		loop->dead = s->next_dead;
		free(s);
	}
}

void loop_free(struct loop *loop)
{
	bury(loop);
	close(loop->epoll);
	free(loop);
}

static struct loop_source *source_add(struct loop_source from, uint32_t events)
{
	struct loop_source *s = xmalloc(sizeof(*s));
	struct epoll_event ev = {.events = events, .data.ptr = s};

	*s = from;
	if (epoll_ctl(s->loop->epoll, EPOLL_CTL_ADD, s->fd, &ev))
		abort(); /* a closed or foreign descriptor: our bug */
	return s;
}

struct loop_source *loop_fd(struct loop *loop, int fd, uint32_t events,
			    void (*ready)(void *arg, uint32_t events), void *arg)
{
	return source_add((struct loop_source){loop, fd, arg, .ready = ready}, events);
}

void loop_fd_events(struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = s};

	epoll_ctl(s->loop->epoll, EPOLL_CTL_MOD, s->fd, &ev);
}

void loop_timer_set(struct loop_source *s, uint64_t ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
	struct itimerspec its = {.it_value = t};

	if (s->repeat)
		its.it_interval = t;
	timerfd_settime(s->fd, 0, &its, NULL);
}

struct loop_source *loop_timer(struct loop *loop, uint64_t ms, bool repeat,
			       void (*expired)(void *arg), void *arg)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct loop_source timer = {loop, fd, arg, .expired = expired, .repeat = repeat};

	loop_timer_set(&timer, ms);
	return source_add(timer, EPOLLIN);
}

struct loop_source *loop_signal(struct loop *loop, int signo, void (*raised)(void *arg, int signo),
				void *arg)
{
	struct loop_source source = {loop, -1, arg, .raised = raised};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_BLOCK, &set, NULL);
	source.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return source_add(source, EPOLLIN);
}

void loop_remove(struct loop_source *s)
{
	if (!s || s->dead)
		return;
	s->dead = true;
	epoll_ctl(s->loop->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	if (!s->ready)
		close(s->fd);
	s->next_dead = s->loop->dead;
	s->loop->dead = s;
}

static void serve(struct loop_source *s, uint32_t events)
{
	struct signalfd_siginfo info;
	uint64_t count;

	if (s->ready)
		s->ready(s->arg, events);
	else if (s->expired && read(s->fd, &count, sizeof(count)) == sizeof(count))
		s->expired(s->arg);
	else if (s->raised && read(s->fd, &info, sizeof(info)) == sizeof(info))
		s->raised(s->arg, (int)info.ssi_signo);
	else if (!s->expired && !s->raised)
		loop_stop(s->loop);
}

void loop_run(struct loop *loop)
{
	struct epoll_event events[64];

	loop->stop = false;
	while (!loop->stop) {
		int n = epoll_wait(loop->epoll, events, 64, -1);

		if (n < 0 && errno != EINTR)
			abort();
		for (int i = 0; i < n && !loop->stop; i++) {
			struct loop_source *s = events[i].data.ptr;

			if (!s->dead)
				serve(s, events[i].events);
		}
		bury(loop);
	}
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}

uint64_t loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}
