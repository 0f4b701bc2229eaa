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

/*
 * Reads the file: 0 if there is at least one token, and whether @token is among them; or -1 with the reason (no file, mode not 0600, tokens
 * too short). It is read anew for each question, so that no secret is kept and a changed file counts at once.
 */
int guard_read(const char *token_file, const char *token, bool *good, struct error *e);
/* Whether @token is in the file; if not that counts, and *@wait becomes the seconds its bearer has to wait, 0 while he may try on. */
bool guard_asks(const char *token_file, const char *token, unsigned int *wait);
/* The header Host: as it came (NULL: none); @hosts: our names beside the system's, between blanks. */
bool guard_host_good(const char *host, const char *hosts);
/* The header Origin: (NULL: none) against Host:. */
bool guard_origin_good(const char *origin, const char *host, bool tls);

/* Compares in a time that depends on @n only. */
bool bytes_equal(const void *a, const void *b, size_t n);
