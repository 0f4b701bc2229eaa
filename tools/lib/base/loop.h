/* SPDX-License-Identifier: MIT */
/*
 * The event loop of the daemons: epoll over file descriptors, timers and signals, one thread. Callbacks run one at a time; a callback
 * may remove any source, its own included (what is freed is freed after the round). No state outlives the process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_source;

struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* Serves until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* @events: EPOLLIN, EPOLLOUT; the callback gets those that hold (and EPOLLHUP, EPOLLERR). The descriptor stays the caller's. */
struct loop_source *loop_fd(struct loop *loop, int fd, uint32_t events,
			    void (*ready)(void *arg, uint32_t events), void *arg);
void loop_fd_events(struct loop_source *s, uint32_t events);

/* Calls once after @ms milliseconds, or, with @repeat, every @ms; loop_timer_set() starts it anew (0 stops it). */
struct loop_source *loop_timer(struct loop *loop, uint64_t ms, bool repeat,
			       void (*expired)(void *arg), void *arg);
void loop_timer_set(struct loop_source *s, uint64_t ms);

/* The signal is blocked for the process and delivered here; where @raised is NULL it is loop_stop(). */
struct loop_source *loop_signal(struct loop *loop, int signo, void (*raised)(void *arg, int signo),
				void *arg);

/* Ends a source; NULL is allowed. */
void loop_remove(struct loop_source *s);

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t loop_now(void);
