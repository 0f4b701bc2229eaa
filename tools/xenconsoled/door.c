/* SPDX-License-Identifier: MIT */
/* See door.h. */
#include "xenconsoled/door.h"

#include "lib/base/socket.h"
#include "lib/base/text.h"
#include "xenconsoled/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xen/xen.h>

#define LINE_MOST 128
#define WAIT_MS	  10000

struct caller {
	struct loop_source *source, *patience;
	int fd;
	size_t len;
	char line[LINE_MOST];
};

static struct caller door; /* the listening socket itself */
static struct loop *loop;

static void answer(int fd, const char *word, const char *text)
{
	char line[600];
	int n = snprintf(line, sizeof(line), "%s %s\n", word, text);

	send(fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void caller_end(void *arg)
{
	struct caller *c = arg;

	loop_remove(c->source);
	loop_remove(c->patience);
	close(c->fd);
	free(c);
}

static struct console *wanted(const char *line, struct error *e)
{
	long id, n = 0;
	char type[16] = "pv", rest;
	int words = sscanf(line, "attach %ld %15s %ld %c", &id, type, &n, &rest);

	if (words < 1 || words > 3 || id < 0 || id >= DOMID_FIRST_RESERVED || n < 0) {
		error_set(e, ERROR_USAGE, "this is not: attach DOMID [pv|serial] [NUM]");
		return NULL;
	}
	if (strcmp(type, "pv") || n) {
		error_set(e, ERROR_UNSUPPORTED, "console %s %ld of domain %ld is not served here",
			  type, n, id);
		return NULL;
	}
	return wire_console((unsigned int)id, e);
}

static void line_came(struct caller *c)
{
	struct error e;
	struct console *console = wanted(c->line, &e);

	answer(c->fd, console ? "ok" : "error", console ? console_name(console) : e.text);
	if (console)
		console_view(console, fcntl(c->fd, F_DUPFD_CLOEXEC, 0));
	caller_end(c);
}

/* Byte by byte: what comes behind the line is the console's. */
static void caller_ready(void *arg, uint32_t events)
{
	struct caller *c = arg;
	ssize_t n = 0;

	while (c->len < LINE_MOST && (n = read(c->fd, c->line + c->len, 1)) == 1) {
		if (c->line[c->len] == '\n') {
			c->line[c->len] = '\0';
			line_came(c);
			return;
		}
		c->len++;
	}
	if (c->len == LINE_MOST || n == 0 || errno != EAGAIN)
		caller_end(c);
}

static void door_ready(void *arg, uint32_t events)
{
	int fd = accept4(door.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct caller *c;

	if (fd < 0)
		return;
	if (!socket_peer_trusted(fd)) {
		answer(fd, "error", "only root and group xen may look at consoles");
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	c->source = loop_fd(loop, fd, EPOLLIN, caller_ready, c);
	c->patience = loop_timer(loop, WAIT_MS, false, caller_end, c);
}

int door_open(struct loop *l, const char *path, struct error *e)
{
	loop = l;
	door.fd = socket_listen(path, 0660, e);
	if (door.fd < 0)
		return -1;
	door.source = loop_fd(loop, door.fd, EPOLLIN, door_ready, NULL);
	return 0;
}
