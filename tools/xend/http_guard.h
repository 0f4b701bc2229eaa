/* SPDX-License-Identifier: MIT */
/*
 * Who may use the API over TCP: whoever has a token, under a Host: that is ours (a name that was rebound to this address is not), and not a
 * web page of another origin. Wrong tokens, whoever brings them, are counted, and soon told to wait. A right token passes even then: nobody
 * can lock out the administrator by guessing, and tokens are too long to guess.
 */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct guard;

/* @token_file is read when it is needed and has changed; @hosts: further names, between blanks. */
struct guard *guard_new(const char *token_file, const char *hosts);
void guard_free(struct guard *g);
/* Whether there is at least one token: 0, or -1 with the reason (no file, mode not 0600, tokens too short). */
int guard_load(struct guard *g, struct error *e);

bool guard_token_good(struct guard *g, const char *token);
/* The header Host: as it came (NULL: none). */
bool guard_host_good(const struct guard *g, const char *host);
/* The header Origin: (NULL: none) against Host:. */
bool guard_origin_good(const char *origin, const char *host, bool tls);

/* A wrong token came; the seconds its bearer has to wait, 0 while he may try on. */
unsigned int guard_failed(struct guard *g);

/* Compares in a time that depends on @n only. */
bool bytes_equal(const void *a, const void *b, size_t n);
