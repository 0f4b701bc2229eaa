/* SPDX-License-Identifier: MIT */
/*
 * The API behind the transport: the first line of the input is a method and a URI, the rest the body. Whatever they are, an answer comes,
 * of a status that is one, and what says it is JSON is JSON.
 */
#include "../tools/fake_model.c"
#include "lib/base/text.h"
#include "xend/api_request.h"
#include "xend/settings.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct api_request *r)
{
	json_t *json;

	if (r->status < 200 || r->status > 599)
		abort();
	if (!r->type || !strstr(r->type, "json"))
		return;
	json = json_loadb(r->answer.data, r->answer.len, 0, NULL);
	if (!json)
		abort();
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"};
	static const struct xend_settings settings = {.token_file = (char *)"/nonexistent"};
	struct node *n = fake_new(NULL);
	const uint8_t *line = memchr(data, '\n', size);
	struct api_request r = {0};
	char *uri;

	n->settings = &settings;
	if (size > 1 && line) {
		uri = strndup((const char *)data + 1, (size_t)(line - data - (line > data)));
		api_request_begin(&r, n, methods[data[0] % 6], uri);
		text_add(&r.body, line + 1, size - (size_t)(line + 1 - data));
		if (!r.route || !(r.route->flags & ROUTE_STREAM)) {
			api_dispatch(&r);
			check(&r);
		}
		api_request_end(&r);
	}
	fake_free(n);
	return 0;
}
