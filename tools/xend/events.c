/* SPDX-License-Identifier: MIT */
/* See events.h. An event's number is its place in the ring, modulo the ring's size. */
#include "xend/events.h"

#include "xend/api_request.h"

#include <stdlib.h>
#include <string.h>

#define RING_SIZE     256
#define STREAMS_MOST  32
#define KEEP_ALIVE_MS 15000

static const char keep_alive[] = ": here\n\n";

struct events {
	struct node *node;
	struct subscription *subscription;
	struct loop_source *timer;
	struct event_stream *streams;
	unsigned int nr_streams;
	uint64_t next; /* number of the next event; the first is 1 */
	char *ring[RING_SIZE];
};

struct event_stream {
	struct events *events;
	struct event_stream *next;
	uint64_t at;   /* the event to be read */
	size_t offset; /* within it, or within the keep-alive */
	bool ping;     /* a keep-alive comes first; begun between events only */
	void (*wake)(void *arg);
	void *arg;
};

struct events *events_new(struct node *n)
{
	struct events *ev = xcalloc(1, sizeof(*ev));

	ev->node = n;
	ev->next = 1;
	return ev;
}

static void fall_silent(struct events *ev)
{
	if (ev->subscription)
		node_unsubscribe(ev->node, ev->subscription);
	loop_remove(ev->timer);
	ev->subscription = NULL;
	ev->timer = NULL;
}

void events_free(struct events *ev)
{
	if (!ev)
		return;
	while (ev->streams)
		events_close(ev->streams);
	fall_silent(ev);
	for (unsigned int i = 0; i < RING_SIZE; i++)
		free(ev->ring[i]);
	free(ev);
}

static void wake_all(struct events *ev)
{
	for (struct event_stream *s = ev->streams, *next; s; s = next) {
		next = s->next;
		s->wake(s->arg);
	}
}

static void put_domain(struct json_writer *w, const struct event *event)
{
	const struct domain *d = event->domain;

	json_begin(w, NULL, '{');
	if (d->id < DOMID_FIRST_RESERVED)
		json_put_size(w, "id", d->id);
	else
		json_put_text(w, "id", NULL);
	json_put_text(w, "uuid", d->uuid);
	json_put_text(w, "name", d->name);
	json_put_text(w, "what", event->what);
	json_end(w, '}');
}

static void notify(void *arg, const struct event *event)
{
	struct events *ev = arg;
	char **place = &ev->ring[ev->next % RING_SIZE];
	bool domain = event->kind == EVENT_DOMAIN;
	struct text t = {0};
	struct json_writer w = {.out = &t};

	text_printf(&t, "id: %llu\nevent: %s\ndata: ", (unsigned long long)ev->next,
		    domain ? "domain" : "operation");
	if (domain)
		put_domain(&w, event);
	else
		api_put_operation(&w, NULL, event->operation);
	text_str(&t, "\n\n");
	free(*place);
	*place = text_take(&t);
	ev->next++;
	wake_all(ev);
}

static void stay_alive(void *arg)
{
	struct events *ev = arg;

	for (struct event_stream *s = ev->streams; s; s = s->next)
		s->ping |= !s->offset;
	wake_all(ev);
}

/* Where a stream begins: behind @last if that is still in the ring. */
static uint64_t first_to_read(const struct events *ev, const char *last)
{
	long number;

	if (!last || !str_to_long(last, 0, INT64_MAX - 1, &number) || (uint64_t)number >= ev->next)
		return ev->next;
	if ((uint64_t)number + 1 + RING_SIZE < ev->next || !ev->ring[(number + 1) % RING_SIZE])
		return ev->next;
	return (uint64_t)number + 1;
}

struct event_stream *events_open(struct events *ev, const char *last, void (*wake)(void *arg),
				 void *arg, struct error *e)
{
	struct event_stream *s;

	if (ev->nr_streams == STREAMS_MOST) {
		error_set(e, ERROR_RETRY, "%d clients listen for events already", STREAMS_MOST);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	*s = (struct event_stream){.events = ev,
				   .next = ev->streams,
				   .wake = wake,
				   .arg = arg,
				   .at = first_to_read(ev, last),
				   .ping = true};
	ev->streams = s;
	if (!ev->nr_streams++) {
		ev->subscription = node_subscribe(ev->node, notify, ev);
		ev->timer = loop_timer(ev->node->loop, KEEP_ALIVE_MS, true, stay_alive, ev);
	}
	return s;
}

void events_close(struct event_stream *s)
{
	struct events *ev = s->events;
	struct event_stream **p = &ev->streams;

	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	free(s);
	if (!--ev->nr_streams)
		fall_silent(ev);
}

/* What the stream stands in, or NULL. */
static const char *current(const struct event_stream *s)
{
	if (s->ping)
		return keep_alive;
	return s->at < s->events->next ? s->events->ring[s->at % RING_SIZE] : NULL;
}

ssize_t events_read(struct event_stream *s, char *buffer, size_t most)
{
	const char *text;
	size_t n;

	if (s->at + RING_SIZE < s->events->next)
		return -1;
	text = current(s);
	if (!text)
		return 0;
	n = strlen(text + s->offset);
	if (n > most)
		n = most;
	memcpy(buffer, text + s->offset, n);
	s->offset += n;
	if (!text[s->offset]) {
		s->at += text != keep_alive;
		s->ping = false;
		s->offset = 0;
	}
	return (ssize_t)n;
}
