/* SPDX-License-Identifier: MIT */
/*
 * Connections of domain 0's processes over Unix sockets; they act for domain 0, those of the second socket may only look. The
 * descriptors outlive the process that serves them (see keeper.h): a new one finds them all open, a client's id says which is its.
 */
#pragma once

#include "lib/base/loop.h"
#include "xenstored/conn.h"

/*
 * Behind the replay: goes on with the clients whose sockets are open and drops the others; listens at @path and, if not NULL, @path_ro.
 * @at_end is called behind what was served.
 */
int sockets_open(struct loop *loop, const char *path, const char *path_ro,
		 void (*at_end)(void *arg), struct error *e);
