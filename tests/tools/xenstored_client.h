/* SPDX-License-Identifier: MIT */
/* For the tests of xenstored's model: a store without I/O that is asked as its clients ask, and remembers what it says. */
#pragma once

#include "unit.h"

#include "xenstored/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was sent last to each client: the answer, and the events since. */
struct heard {
	uint32_t type;
	struct text data;   /* the last answer */
	struct text events; /* "path token;" */
};

static struct store store;
static struct heard heard[64];

static struct heard *heard_by(const struct client *c)
{
	return &heard[c->id % 64];
}

void outside_send(struct client *to, const struct xsd_sockmsg *header, const void *a, size_t na,
		  const void *b, size_t nb, struct client *cause)
{
	struct heard *h = heard_by(to);

	assert_int_equal(header->len, na + nb);
	assert_true(header->len <= XENSTORE_PAYLOAD_MAX);
	if (header->type == XS_WATCH_EVENT) {
		text_printf(&h->events, "%s %s;", (const char *)a, (const char *)b);
		return;
	}
	h->type = header->type;
	h->data.len = 0;
	text_add(&h->data, a, na);
	text_add(&h->data, b ? b : "", nb);
}

static inline void forget_heard(void)
{
	for (size_t i = 0; i < 64; i++) {
		text_free(&heard[i].data);
		text_free(&heard[i].events);
	}
}

/* "OK", a value, or "!ENOENT"; valid until the client's next request. Strings behind each other as the wire has them. */
static const char *ask_raw(struct client *c, uint32_t type, uint32_t tx, const void *data, size_t n)
{
	char *copy = malloc(n); /* for the sanitizer to see what is read beyond */
	struct message m = {{.type = type, .req_id = 7, .tx_id = tx, .len = (uint32_t)n}, copy};
	struct heard *h = heard_by(c);

	memcpy(copy, data, n);
	h->type = 0xffff;
	store_request(&store, c, &m);
	free(copy);
	assert_int_not_equal(h->type, 0xffff); /* there is always an answer */
	if (h->type != XS_ERROR) {
		assert_int_equal(h->type, type);
		return h->data.data;
	}
	text_add(&h->data, "", 1);
	memmove(h->data.data + 1, h->data.data, h->data.len - 1);
	h->data.data[0] = '!';
	return h->data.data;
}

/* Strings in one literal, with NULs between them. */
#define ask_strings(c, type, tx, literal) ask_raw(c, type, tx, literal, sizeof(literal))

static inline const char *ask(struct client *c, uint32_t type, uint32_t tx, const char *path)
{
	return ask_raw(c, type, tx, path, strlen(path) + 1);
}

/* @b without its NUL for a value, with it for a string. */
static inline const char *ask2(struct client *c, uint32_t type, uint32_t tx, const char *path,
			       const char *b)
{
	struct text t = {0};
	const char *said;

	text_add(&t, path, strlen(path) + 1);
	text_add(&t, b, strlen(b) + (type != XS_WRITE));
	said = ask_raw(c, type, tx, t.data, t.len);
	text_free(&t);
	return said;
}

static inline uint32_t begin(struct client *c)
{
	return (uint32_t)atoi(ask(c, XS_TRANSACTION_START, 0, ""));
}

/* The events since the last call, "" if none. */
static inline const char *events(struct client *c)
{
	static char text[8192];
	struct heard *h = heard_by(c);

	snprintf(text, sizeof(text), "%s", h->events.data ? h->events.data : "");
	text_free(&h->events);
	return text;
}

static inline void default_quotas(void)
{
	for (unsigned int q = 0; q < QUOTA_NR; q++)
		store.quota[q] = quota_info[q].value;
}

int outside_introduce(struct store *s, struct domain *d, bool again)
{
	return 0;
}

void outside_release(struct client *c)
{
}

int outside_control(struct store *s, const char **word, unsigned int nr, struct text *answer)
{
	return ENOSYS;
}
