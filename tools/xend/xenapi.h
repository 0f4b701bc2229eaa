/* SPDX-License-Identifier: MIT */
/*
 * XenAPI over XML-RPC, as much as fence agents and simple scripts call: sessions, and the methods of VM that look, start and end. A
 * reference is "OpaqueRef:" and the uuid. Sessions are opened with a token as the password (any over the Unix socket, whose mode decides),
 * live an hour, and are lost with the daemon.
 */
#pragma once

#include "lib/base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct api_request;
struct xenapi;

/* @password_good tells whether a caller from outside may log in; it counts failures and sets r->retry_after when they are too many. */
struct xenapi *xenapi_new(bool (*password_good)(struct api_request *r, const char *password));
void xenapi_free(struct xenapi *x);

/* --- The wire form (xenapi_xml.c) -------------------------------------------------------------------------- */

enum { XMLRPC_PARAMS_MOST = 8 };

struct xmlrpc_call {
	char *method;
	char *param[XMLRPC_PARAMS_MOST]; /* scalars as texts; "" for structs and arrays */
	size_t nr;
};

/* False: no call in XML-RPC's form. The call is to be freed in either case. */
bool xmlrpc_parse(const char *xml, size_t len, struct xmlrpc_call *call);
void xmlrpc_free(struct xmlrpc_call *call);
void xml_put_escaped(struct text *out, const char *s);
