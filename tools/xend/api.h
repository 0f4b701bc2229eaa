/* SPDX-License-Identifier: MIT */
/*
 * The HTTP API over the model: routes, JSON, events, metrics, XenAPI. It runs inside the loop, one callback at a time, and keeps nothing
 * of its own but connections; what a domain is and does, the model knows.
 */
#pragma once

#include "lib/base/error.h"

struct node;

/* Opens the Unix socket and, where @n's settings say so, the TCP ones; serves from the next round of the loop on. Once a process. */
int api_start(struct node *n, struct error *e);
/* Ends all connections; operations go on. */
void api_stop(void);
