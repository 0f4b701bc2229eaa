/* SPDX-License-Identifier: MIT */
/*
 * The client of xend's API: HTTP/1.1 over its Unix socket, one connection kept for the run of the program. A request that only reads is
 * repeated once when the connection turns out to be gone (xend was restarted); one that acts never is.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/text.h"

#include <jansson.h>

#define XEND_SOCKET "/run/xend/api.sock"

struct client {
	int fd;		/* -1: not connected */
	struct text in; /* received, not yet used */
};

void client_init(struct client *c);
void client_close(struct client *c);

/* The body of a 2xx answer in @out (may be NULL); a problem becomes the error. @body: JSON text or NULL. */
int client_request(struct client *c, const char *method, const char *path, const char *body,
		   struct text *out, struct error *e);
/* The same with JSON on both sides: @body is taken over; an answer without a body is null. A new reference or NULL. */
json_t *client_json(struct client *c, const char *method, const char *path, json_t *body,
		    struct error *e);
