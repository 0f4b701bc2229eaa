/* SPDX-License-Identifier: MIT */
/* See api_request.h. An event's id is how many bytes were written before it, since the daemon's start. */
#include "xend/api_request.h"

#include <stdlib.h>
#include <string.h>

#define RING_SIZE     (128u << 10)
#define STREAMS_MOST  32
#define KEEP_ALIVE_MS 15000

struct event_stream {
	struct event_stream *next;
	struct api_request *request;
	uint64_t at; /* the byte to be read */
};

static struct event_stream *streams;
static unsigned int nr_streams;
static struct loop_source *timer;
static uint64_t end; /* bytes written; the last are in the ring */
static char ring[RING_SIZE];

static void put(const char *s)
{
	while (*s)
		ring[end++ % RING_SIZE] = *s++;
	for (struct event_stream *i = streams; i; i = i->next)
		i->request->wake(i->request);
}

static void stay_alive(void *arg)
{
	put(": here\n\n");
}

struct shown {
	long id;
	const char *uuid, *name, *what;
};

static const struct json_member members[] = {JSON_MEMBERS(struct shown, id, uuid, name, what)};

static void notify(void *arg, const struct event *event)
{
	const struct domain *d = event->kind == EVENT_DOMAIN ? event->domain : NULL;
	struct text t = {0};
	struct json_writer w = {.out = &t};

	text_printf(&t, "id: %llu\nevent: %s\ndata: ", (unsigned long long)end,
		    d ? "domain" : "operation");
	if (d) {
		const struct shown s = {d->id < DOMID_FIRST_RESERVED ? (long)d->id : -1, d->uuid,
					d->name, event->what};

		json_put_object(&w, NULL, &s, members, JSON_ALL);
	} else {
		api_put_operation(&w, NULL, event->operation);
	}
	text_str(&t, "\n\n");
	put(t.data);
	text_free(&t);
}

/* Behind the event of the id @last, if that is still in the ring; else what comes is told. */
static uint64_t first_to_read(const char *last)
{
	long id;

	if (!last || !str_to_long(last, 0, (long)end, &id) || end - (uint64_t)id > RING_SIZE)
		return end;
	/* Events end with an empty line, and hold none. */
	for (uint64_t i = (uint64_t)id + 2; i < end; i++)
		if (ring[(i - 1) % RING_SIZE] == '\n' && ring[(i - 2) % RING_SIZE] == '\n')
			return i;
	return end;
}

struct event_stream *events_open(struct api_request *r, const char *last, struct error *e)
{
	struct event_stream *s;

	if (nr_streams == STREAMS_MOST) {
		error_set(e, ERROR_RETRY, "%d clients listen for events already", STREAMS_MOST);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	*s = (struct event_stream){streams, r, first_to_read(last)};
	streams = s;
	if (!nr_streams++) {
		r->node->notify = notify;
		timer = loop_timer(r->node->loop, KEEP_ALIVE_MS, true, stay_alive, NULL);
	}
	stay_alive(NULL); /* so that the answer begins */
	return s;
}

void events_close(struct event_stream *s)
{
	struct event_stream **p = &streams;

	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	if (!--nr_streams) {
		s->request->node->notify = NULL;
		loop_remove(timer);
	}
	free(s);
}

ssize_t events_read(struct event_stream *s, char *buffer, size_t most)
{
	size_t n;

	if (end - s->at > RING_SIZE)
		return -1;
	for (n = 0; n < most && s->at < end; n++)
		buffer[n] = ring[s->at++ % RING_SIZE];
	return (ssize_t)n;
}
