/* SPDX-License-Identifier: MIT */
/*
 * The transport: libmicrohttpd inside our loop, on the Unix socket and on TCP. It owns connections and their limits (number, size, time to
 * come in, time to be taken), decides who may ask (SO_PEERCRED, or http_guard.h), and hands whole requests to api_request.h.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/loop.h"

#include <stdbool.h>

struct api_context;
struct api_request;
struct guard;
struct http;
struct listener_settings;

/* @context and @guard must live until http_free(). */
struct http *http_new(struct loop *loop, const struct api_context *context, struct guard *guard);
void http_free(struct http *h);

int http_serve_unix(struct http *h, const char *path, struct error *e);
int http_serve_tcp(struct http *h, const struct listener_settings *l, struct error *e);

/* For XenAPI's login: whether the password is a token; failures count as those of tokens do. */
bool http_password_good(struct api_request *r, const char *password);

/* A listening TCP socket (http_tcp.c). */
int tcp_listen(const char *address, long port, struct error *e);
