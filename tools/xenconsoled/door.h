/* SPDX-License-Identifier: MIT */
/*
 * The viewers' socket. A client sends one line, `attach DOMID [pv|serial] [NUM]`, and is answered with `ok NAME` or `error SENTENCE`;
 * after an ok the connection is the console's: the scrollback, then both ways. Root and group xen only.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/loop.h"

int door_open(struct loop *loop, const char *path, struct error *e);
