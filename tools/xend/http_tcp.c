/* SPDX-License-Identifier: MIT */
/* A listening TCP socket on a numeric address: no name is looked up, a slow name server cannot hold the daemon. */
#include "xend/http.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64

int tcp_listen(const char *address, long port, struct error *e)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				       .ai_socktype = SOCK_STREAM};
	struct addrinfo *a;
	int fd, on = 1;
	char number[16];

	snprintf(number, sizeof(number), "%ld", port);
	if (getaddrinfo(address, number, &hints, &a))
		return error_set(e, ERROR_CONFIG, "%.60s is no numeric IP address", address);
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, BACKLOG)) {
		error_errno(e, ERROR_NONE, errno, "%s port %ld cannot be listened on", address,
			    port);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}
