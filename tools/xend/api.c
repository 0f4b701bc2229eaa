/* SPDX-License-Identifier: MIT */
/* See api.h: puts the parts together and takes them apart. */
#include "xend/api.h"

#include "xend/api_request.h"
#include "xend/events.h"
#include "xend/http.h"
#include "xend/http_guard.h"
#include "xend/settings.h"
#include "xend/xenapi.h"

#include <stdlib.h>

struct api {
	struct api_context context;
	struct guard *guard;
	struct http *http;
};

static int serve_all(struct api *api, const struct xend_settings *s, struct error *e)
{
	int rc = http_serve_unix(api->http, s->api_socket, e);

	for (size_t i = 0; !rc && i < s->nr_listeners; i++)
		rc = http_serve_tcp(api->http, &s->listeners[i], e);
	return rc;
}

struct api *api_start(struct loop *loop, struct node *node, const struct xend_settings *settings,
		      struct error *e)
{
	struct api *api = xcalloc(1, sizeof(*api));

	api->context.node = node;
	api->context.events = events_new(node);
	api->context.xenapi = xenapi_new(http_password_good);
	api->guard = guard_new(settings->token_file, settings->http_hosts);
	api->http = http_new(loop, &api->context, api->guard);
	if (!serve_all(api, settings, e))
		return api;
	api_stop(api);
	return NULL;
}

void api_stop(struct api *api)
{
	if (!api)
		return;
	http_free(api->http);
	guard_free(api->guard);
	xenapi_free(api->context.xenapi);
	events_free(api->context.events);
	free(api);
}
