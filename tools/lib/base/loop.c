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

enum kind { KIND_FD, KIND_TIMER, KIND_SIGNAL };

struct loop_source {
	struct loop *loop;
	struct loop_source *next_dead;
	enum kind kind;
	bool dead, repeat;
	int fd;
	void *arg;
	union {
		void (*ready)(void *arg, uint32_t events);
		void (*expired)(void *arg);
		void (*raised)(void *arg, int signo);
	};
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

static struct loop_source *source_add(struct loop *loop, enum kind kind, int fd, uint32_t events,
				      void *arg)
{
	struct loop_source *s = xcalloc(1, sizeof(*s));
	struct epoll_event ev = {.events = events, .data.ptr = s};

	s->loop = loop;
	s->kind = kind;
	s->fd = fd;
	s->arg = arg;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &ev))
		abort(); /* a closed or foreign descriptor: our bug */
	return s;
}

struct loop_source *loop_fd(struct loop *loop, int fd, uint32_t events,
			    void (*ready)(void *arg, uint32_t events), void *arg)
{
	struct loop_source *s = source_add(loop, KIND_FD, fd, events, arg);

	s->ready = ready;
	return s;
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
	struct loop_source *s = source_add(loop, KIND_TIMER, fd, EPOLLIN, arg);

	s->repeat = repeat;
	s->expired = expired;
	loop_timer_set(s, ms);
	return s;
}

struct loop_source *loop_signal(struct loop *loop, int signo, void (*raised)(void *arg, int signo),
				void *arg)
{
	struct loop_source *s;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s = source_add(loop, KIND_SIGNAL, signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), EPOLLIN,
		       arg);
	s->raised = raised;
	return s;
}

void loop_remove(struct loop_source *s)
{
	if (!s || s->dead)
		return;
	s->dead = true;
	epoll_ctl(s->loop->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	if (s->kind != KIND_FD)
		close(s->fd);
	s->next_dead = s->loop->dead;
	s->loop->dead = s;
}

static void serve(struct loop_source *s, uint32_t events)
{
	struct signalfd_siginfo info;
	uint64_t count;

	switch (s->kind) {
	case KIND_FD:
		s->ready(s->arg, events);
		break;
	case KIND_TIMER:
		if (read(s->fd, &count, sizeof(count)) == sizeof(count))
			s->expired(s->arg);
		break;
	case KIND_SIGNAL:
		if (read(s->fd, &info, sizeof(info)) == sizeof(info))
			s->raised(s->arg, (int)info.ssi_signo);
		break;
	}
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
