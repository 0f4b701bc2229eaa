/* SPDX-License-Identifier: MIT */
/* The daemons' Unix sockets: who may connect is the file's mode, root and group xen, and is checked again for each connection. */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>

/* A listening, non-blocking stream socket at @path in the place of a stale one; its folder is made. Group xen where there is one. */
int socket_listen(const char *path, unsigned int mode, struct error *e);
/* A stream to the socket that the environment's @variable names, else to @path; -1 with errno. No call waits longer than @seconds; 0: for ever. */
int socket_connect(const char *variable, const char *path, int seconds);
/* Whether the other end was opened by root or a member of group xen. */
bool socket_peer_trusted(int fd);
