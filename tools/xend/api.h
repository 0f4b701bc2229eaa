/* SPDX-License-Identifier: MIT */
/*
 * The HTTP API over the model: routes, JSON, events, metrics, XenAPI. It runs inside the loop, one callback at a time, and keeps nothing
 * of its own but connections; what a domain is and does, the model knows.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/loop.h"

struct api;
struct node;
struct xend_settings;

/*
 * Opens the Unix socket and, where @settings say so, the TCP ones; serves from the next round of @loop on. @settings are read during the
 * call only (what GET /v1/node shows of them is node->settings at that time); @node must live until api_stop().
 */
struct api *api_start(struct loop *loop, struct node *node, const struct xend_settings *settings,
		      struct error *e);
/* Ends all connections; operations go on. NULL is allowed. */
void api_stop(struct api *api);
