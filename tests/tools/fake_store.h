/* SPDX-License-Identifier: MIT */
/*
 * A xenstored of a few lines for tests of its clients: a process that can be killed and started again, with its nodes in memory shared
 * with the test. Nodes inherit permissions, watches fire for what lies below them; a transaction is its own until it ends, and the test
 * says how many shall be refused. No checks of permissions, no limits.
 */
#pragma once

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

enum { FAKE_NODES = 1500, FAKE_CLIENTS = 8, FAKE_WATCHES = 64 };

struct fake_node {
	char path[120], value[400], perms[24]; /* path "": free */
};

struct fake_store {
	struct fake_node node[FAKE_NODES], before[FAKE_NODES];
	int refuse; /* commits answered with EAGAIN */
	int die_at; /* the request, counted down, at which it kills itself unanswered; 0: never */
	int exchanges; /* how often a client waited for answers */
	bool open;     /* a transaction; killed in it, it never was */
};

static struct fake_store *fake;
static pid_t fake_pid;
static char fake_path[100];

struct fake_watch {
	int fd;
	char path[120], token[40];
};

static struct fake_watch fake_watch[FAKE_WATCHES];

static void fake_copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

static struct fake_node *fake_find(const char *path)
{
	for (int i = 0; i < FAKE_NODES; i++)
		if (!strcmp(fake->node[i].path, path) && *path)
			return &fake->node[i];
	return NULL;
}

static const char *fake_value(const char *path)
{
	struct fake_node *n = fake_find(path);

	return n ? n->value : NULL;
}

static struct fake_node *fake_make(const char *path)
{
	struct fake_node *n = fake_find(path), *parent;
	char up[120];

	if (n)
		return n;
	fake_copy(up, sizeof(up), path);
	*strrchr(up, '/') = '\0';
	parent = *up ? fake_make(up) : NULL;
	for (n = fake->node; *n->path; n++)
		if (n == &fake->node[FAKE_NODES - 1])
			abort();
	fake_copy(n->path, sizeof(n->path), path);
	n->value[0] = '\0';
	fake_copy(n->perms, sizeof(n->perms), parent ? parent->perms : "n0");
	return n;
}

static bool fake_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return !strncmp(path, top, len) && (!path[len] || path[len] == '/');
}

static void fake_send(int fd, uint32_t type, uint32_t id, const void *data, size_t len)
{
	struct xsd_sockmsg head = {type, id, 0, (uint32_t)len};

	if (write(fd, &head, sizeof(head)) < 0 || write(fd, data, len) < 0)
		return;
}

static void fake_event(const struct fake_watch *w, const char *path)
{
	char data[200];
	int n = snprintf(data, sizeof(data), "%s%c%s", path, '\0', w->token);

	fake_send(w->fd, XS_WATCH_EVENT, 0, data, (size_t)n + 1);
}

static void fake_changed(const char *path)
{
	for (int i = 0; i < FAKE_WATCHES; i++)
		if (*fake_watch[i].path &&
		    (fake_below(path, fake_watch[i].path) || fake_below(fake_watch[i].path, path)))
			fake_event(&fake_watch[i], path);
}

/* The watches a finished transaction fires. */
static void fake_differences(void)
{
	for (int i = 0; i < FAKE_NODES; i++) {
		if (*fake->before[i].path && strcmp(fake->before[i].path, fake->node[i].path))
			fake_changed(fake->before[i].path);
		if (*fake->node[i].path &&
		    memcmp(&fake->before[i], &fake->node[i], sizeof(struct fake_node)))
			fake_changed(fake->node[i].path);
	}
}

static int fake_watch_add(int fd, const char *path, const char *token)
{
	for (int i = 0; i < FAKE_WATCHES; i++)
		if (!*fake_watch[i].path) {
			fake_watch[i].fd = fd;
			fake_copy(fake_watch[i].path, sizeof(fake_watch[i].path), path);
			fake_copy(fake_watch[i].token, sizeof(fake_watch[i].token), token);
			return i;
		}
	abort();
}

static bool fake_is(const struct fake_watch *w, int fd, const char *path, const char *token)
{
	return w->fd == fd && !strcmp(w->path, path) && !strcmp(w->token, token);
}

/* The answer's bytes in @out; NULL: the error's name there. */
static const char *fake_do(int fd, const struct xsd_sockmsg *h, char *arg, char *out, size_t *len)
{
	char *second = arg + strlen(arg) + 1;
	struct fake_node *n = fake_find(arg);

	*len = 3;
	strcpy(out, "OK");
	switch (h->type) {
	case XS_READ:
		*len = n ? strlen(n->value) : 0;
		return n ? strcpy(out, n->value) : "ENOENT";
	case XS_WRITE:
		n = fake_make(arg);
		fake_copy(n->value, sizeof(n->value), second);
		break;
	case XS_MKDIR:
		fake_make(arg);
		break;
	case XS_RM:
		for (int i = 0; i < FAKE_NODES; i++)
			if (*fake->node[i].path && fake_below(fake->node[i].path, arg))
				fake->node[i].path[0] = '\0';
		return n ? out : "ENOENT";
	case XS_SET_PERMS:
		if (n)
			snprintf(n->perms, sizeof(n->perms), "%s,%s", second,
				 second + strlen(second) + 1);
		return n ? out : "ENOENT";
	case XS_DIRECTORY:
		*len = 0;
		for (int i = 0; i < FAKE_NODES && n; i++) {
			const char *p = fake->node[i].path;

			if (*p && fake_below(p, arg) && strlen(p) > strlen(arg) &&
			    !strchr(p + strlen(arg) + 1, '/'))
				*len += (size_t)sprintf(out + *len, "%s", p + strlen(arg) + 1) + 1;
		}
		return n ? out : "ENOENT";
	case XS_TRANSACTION_START:
		memcpy(fake->before, fake->node, sizeof(fake->node));
		fake->open = true;
		return strcpy(out, "17");
	case XS_TRANSACTION_END:
		fake->open = false;
		if (*arg == 'T' && !fake->refuse)
			break;
		if (*arg == 'T')
			fake->refuse--;
		memcpy(fake->node, fake->before, sizeof(fake->node));
		return *arg == 'T' ? "EAGAIN" : out;
	case XS_WATCH:
		for (int i = 0; i < FAKE_WATCHES; i++)
			if (fake_is(&fake_watch[i], fd, arg, second))
				return "EEXIST";
		break;
	case XS_UNWATCH:
		for (int i = 0; i < FAKE_WATCHES; i++)
			if (fake_is(&fake_watch[i], fd, arg, second))
				fake_watch[i].path[0] = '\0';
		break;
	default:
		break;
	}
	return out;
}

/* One request of @fd; false: it has hung up. */
static bool fake_serve(int fd)
{
	static char arg[8192], out[65536];
	struct xsd_sockmsg h;
	const char *answer;
	size_t len = 0;
	int w = -1;

	if (recv(fd, &h, sizeof(h), MSG_WAITALL) != sizeof(h))
		return false;
	memset(arg, 0, sizeof(arg));
	if (h.len && recv(fd, arg, h.len, MSG_WAITALL) != (ssize_t)h.len)
		return false;
	if (fake->die_at && !--fake->die_at)
		raise(SIGKILL);
	fake->exchanges += recv(fd, out, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
	answer = fake_do(fd, &h, arg, out, &len);
	if (answer != out) {
		fake_send(fd, XS_ERROR, h.req_id, answer, strlen(answer) + 1);
		return true;
	}
	if (h.type == XS_WATCH)
		w = fake_watch_add(fd, arg, arg + strlen(arg) + 1);
	fake_send(fd, h.type, h.req_id, out, len);
	if (w >= 0)
		fake_event(&fake_watch[w], arg);
	if (h.type == XS_TRANSACTION_END && *arg == 'T')
		fake_differences();
	else if (!h.tx_id && (h.type == XS_WRITE || h.type == XS_MKDIR || h.type == XS_RM))
		fake_changed(arg);
	return true;
}

static void fake_main(int listener)
{
	struct pollfd p[1 + FAKE_CLIENTS] = {{listener, POLLIN, 0}};
	int n = 1;

	for (;;) {
		poll(p, (nfds_t)n, -1);
		for (int i = n - 1; i > 0; i--)
			if (p[i].revents && !fake_serve(p[i].fd)) {
				for (int w = 0; w < FAKE_WATCHES; w++)
					if (fake_watch[w].fd == p[i].fd)
						fake_watch[w].path[0] = '\0';
				close(p[i].fd);
				p[i] = p[--n];
			}
		if (p[0].revents && n <= FAKE_CLIENTS)
			p[n++] = (struct pollfd){accept(listener, NULL, NULL), POLLIN, 0};
	}
}

static void fake_start(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!fake) {
		fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
		snprintf(fake_path, sizeof(fake_path), "/tmp/fake-store.%d", getpid());
		setenv("XENSTORED_PATH", fake_path, 1);
	}
	if (fake->open)
		memcpy(fake->node, fake->before, sizeof(fake->node));
	fake->open = false;
	unlink(fake_path);
	strcpy(at.sun_path, fake_path);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 8))
		abort();
	fake_pid = fork();
	if (!fake_pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		fake_main(listener);
	}
	close(listener);
}

static void fake_kill(void)
{
	kill(fake_pid, SIGKILL);
	waitpid(fake_pid, NULL, 0);
	unlink(fake_path);
}
