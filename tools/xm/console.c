/* SPDX-License-Identifier: MIT */
/*
 * A domain's console on this terminal: bytes both ways between it and xenconsoled's viewers' socket (where there is none, the pty that
 * xenstore names). The terminal is raw meanwhile and is given back whatever ends this, signals included. When the socket ends although
 * the domain lives, xenconsoled is being restarted: it is looked for again for a while.
 */
#include "xm/terminal.h"
#include "xm/verbs.h"

#include "lib/base/file.h"
#include "lib/base/socket.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VIEWERS_SOCKET "/run/xenconsoled/socket"

enum { RECONNECT_SECONDS = 30 };

/* --- The other end --------------------------------------------------------------------------------------------- */

/* "ok NAME" or "error SENTENCE", a byte at a time: what follows the line is the console's. */
static int viewers_answer(int fd, struct error *e)
{
	char line[512];
	size_t n = 0;

	while (n < sizeof(line) - 1 && read(fd, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	if (str_starts(line, "ok"))
		return 0;
	if (str_starts(line, "error "))
		return error_set(e, ERROR_CONFLICT, "no console: %s", line + 6);
	return error_set(e, ERROR_ABSENT, "xenconsoled ended the connection");
}

/* @attach: the request's line. */
static int viewers_attach(const char *attach, struct error *e)
{
	int fd = socket_connect("XENCONSOLED_SOCKET", VIEWERS_SOCKET, 0);

	if (fd < 0) {
		error_errno(e, errno == EACCES ? ERROR_PERMISSION : ERROR_ABSENT, errno,
			    "Unable to connect to xenconsoled");
		return error_hint(e, "is xenconsoled running?");
	}
	send(fd, attach, strlen(attach), MSG_NOSIGNAL);
	if (!viewers_answer(fd, e))
		return fd;
	close(fd);
	return -1;
}

/* What /local/domain/N/console/tty names; -1 where xend does not answer or there is none. */
static int pty_open(struct xm *x, long long domid)
{
	struct error before = x->error;
	json_auto_t *d = domain_call_id(x, "GET", domid, NULL, NULL);
	const char *tty = member_text(d, "console_tty", NULL);

	x->error = before;
	return tty ? open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
}

/* --- Both ways --------------------------------------------------------------------------------------------------- */

/* Keys typed: false when that was the escape, or the end of input. */
static bool keys_pass(int fd, char escape)
{
	char buffer[256], *found;
	ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	found = memchr(buffer, escape, (size_t)n);
	file_put(fd, buffer, found ? (size_t)(found - buffer) : (size_t)n);
	return n && !found;
}

static bool output_pass(int fd)
{
	char buffer[8192];
	ssize_t n = read(fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return n > 0 && !file_put(STDOUT_FILENO, buffer, (size_t)n);
}

/* True: it was left; false: the other end has closed. */
static bool console_pass(int fd, char escape)
{
	struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
				{.fd = STDIN_FILENO, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents && !output_pass(fd))
			return false;
		if (fds[1].revents && !keys_pass(fd, escape))
			return true;
	}
}

/*
 * After an end of file: a new connection, or -1 when the domain is gone or nobody came back. That xend does not answer (it may be
 * restarted as well) says nothing about the domain.
 */
static int console_again(struct xm *x, long long domid, const char *attach)
{
	for (int i = 0; i < RECONNECT_SECONDS * 5; i++) {
		json_auto_t *d = domain_call_id(x, "GET", domid, NULL, NULL);
		int fd;

		if (d ? !json_is_integer(json_object_get(d, "id"))
		      : x->error.class == ERROR_NOT_FOUND)
			return -1;
		fd = viewers_attach(attach, &x->error);
		if (fd >= 0)
			return fd;
		usleep(200000);
	}
	return -1;
}

int console_attach(struct xm *x, long long domid, const char *type, long number, char escape)
{
	autofree char *attach = xasprintf("attach %lld %s %ld\n", domid, type, number);
	int fd = viewers_attach(attach, &x->error);
	bool pty = fd < 0 && x->error.class == ERROR_ABSENT;

	if (pty)
		fd = pty_open(x, domid);
	if (fd < 0)
		return -1;
	terminal_make_raw("");
	while (fd >= 0 && !console_pass(fd, escape)) {
		close(fd);
		fd = pty ? -1 : console_again(x, domid, attach);
	}
	terminal_restore();
	if (fd >= 0)
		close(fd);
	return 0;
}

int xm_console(struct xm *x)
{
	const char *type = option(x, "type"), *escape = option(x, "escape");
	char key = CONSOLE_ESCAPE;
	long number = 0, id;

	if (option_number(x, "num", 0, 255, &number))
		return -1;
	if (escape && escape[0] == '^' && escape[1] && !escape[2])
		key = (char)(toupper((unsigned char)escape[1]) & 0x1f);
	else if (escape && escape[0] && !escape[1])
		key = escape[0];
	else if (escape)
		return error_set(&x->error, ERROR_USAGE,
				 "-e takes one character or ^ and a letter, not '%s'", escape);
	if (type && strcmp(type, "pv") && strcmp(type, "serial"))
		return error_set(&x->error, ERROR_USAGE, "console types are pv and serial, not %s",
				 type);
	id = domain_id(x);
	return id < 0 ? -1 : console_attach(x, id, type ? type : "pv", number, key);
}
