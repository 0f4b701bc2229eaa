/* SPDX-License-Identifier: MIT */
/* The daemons' Unix sockets: who may connect is the file's mode, root and group xen, and is checked again for each connection. */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>

/* A listening, non-blocking stream socket at @path in the place of a stale one; its folder is made. Group xen where there is one. */
int socket_listen(const char *path, unsigned int mode, struct error *e);
/* Whether the other end was opened by root or a member of group xen. */
bool socket_peer_trusted(int fd);
