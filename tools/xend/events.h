/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events: what happens in the model, rendered once into a ring of the last bytes, which every stream reads at its own pace.
 * Memory is bounded by the ring: a client that falls behind it is cut off and comes back with Last-Event-ID. The model is only listened
 * to while there are streams.
 */
#pragma once

#include "xend/api_request.h"

#include <sys/types.h>

struct event_stream;

/* r->wake is called when there is something to read. @last: the client's Last-Event-ID or NULL. NULL (@e set) when there are too many. */
struct event_stream *events_open(struct api_request *r, const char *last, struct error *e);
/* Up to @most bytes; 0: nothing yet; -1: it fell behind. */
ssize_t events_read(struct event_stream *s, char *buffer, size_t most);
void events_close(struct event_stream *s);
