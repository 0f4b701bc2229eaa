/* SPDX-License-Identifier: MIT */
/*
 * A domain's console on this terminal: bytes both ways between it and xenconsoled's viewers' socket (where there is none, the pty that
 * xenstore names). The terminal is raw meanwhile and is given back whatever ends this, signals included. When the socket ends although
 * the domain lives, xenconsoled is being restarted: it is looked for again for a while.
 */
#include "xm/terminal.h"
#include "xm/verbs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define VIEWERS_SOCKET "/run/xenconsoled/socket"

enum { RECONNECT_SECONDS = 30 };

/* --- The other end --------------------------------------------------------------------------------------------- */

static int viewers_connect(void)
{
	const char *path = getenv("XENCONSOLED_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path ? path : VIEWERS_SOCKET);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

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

static int viewers_attach(const char *domid, const char *type, long number, struct error *e)
{
	int fd = viewers_connect();
	char line[64];
	int n;

	if (fd < 0) {
		error_errno(e, errno == EACCES ? ERROR_PERMISSION : ERROR_ABSENT, errno,
			    "Unable to connect to xenconsoled");
		return error_hint(e, "is xenconsoled running?");
	}
	n = snprintf(line, sizeof(line), "attach %s %s %ld\n", domid, type, number);
	if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n || viewers_answer(fd, e)) {
		if (!e->class)
			error_set(e, ERROR_ABSENT, "xenconsoled ended the connection");
		close(fd);
		return -1;
	}
	return fd;
}

/* What /local/domain/N/console/tty names; -1 where xend does not answer or there is none. */
static int pty_open(const char *domid)
{
	struct client client;
	char *path = domain_path(domid, NULL);
	json_t *d;
	const char *tty;
	int fd;

	client_init(&client);
	d = client_json(&client, "GET", path, NULL, NULL);
	tty = member_text(d, "console_tty", NULL);
	fd = tty ? open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	json_decref(d);
	client_close(&client);
	free(path);
	return fd;
}

static bool domain_lives(const char *domid)
{
	struct client client;
	char *path = domain_path(domid, NULL);
	json_t *d;
	bool lives;

	client_init(&client);
	d = client_json(&client, "GET", path, NULL, NULL);
	lives = json_is_integer(json_object_get(d, "id"));
	json_decref(d);
	client_close(&client);
	free(path);
	return lives;
}

/* --- Both ways --------------------------------------------------------------------------------------------------- */

enum console_end { CONSOLE_LEFT, CONSOLE_CLOSED };

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Keys typed: false when that was the escape, or the end of input. */
static bool keys_pass(int fd, char escape)
{
	char buffer[256], *found;
	ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	found = memchr(buffer, escape, (size_t)n);
	write_all(fd, buffer, found ? (size_t)(found - buffer) : (size_t)n);
	return n && !found;
}

static bool output_pass(int fd)
{
	char buffer[8192];
	ssize_t n = read(fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return n > 0 && write_all(STDOUT_FILENO, buffer, (size_t)n);
}

static enum console_end console_pass(int fd, char escape)
{
	struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
				{.fd = STDIN_FILENO, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return CONSOLE_CLOSED;
		if (fds[0].revents && !output_pass(fd))
			return CONSOLE_CLOSED;
		if (fds[1].revents && !keys_pass(fd, escape))
			return CONSOLE_LEFT;
	}
}

/* After an end of file: a new connection, or -1 when the domain is gone or nobody came back. */
static int console_again(const char *domid, const char *type, long number)
{
	struct error e = {0};

	for (int i = 0; i < RECONNECT_SECONDS * 5; i++) {
		int fd;

		if (!domain_lives(domid))
			return -1;
		fd = viewers_attach(domid, type, number, &e);
		if (fd >= 0)
			return fd;
		usleep(200000);
	}
	return -1;
}

int console_attach(const char *domid, const char *type, long number, char escape, struct error *e)
{
	int fd = viewers_attach(domid, type, number, e);
	bool pty = false;

	if (fd < 0 && e->class == ERROR_ABSENT) {
		fd = pty_open(domid);
		pty = fd >= 0;
	}
	if (fd < 0)
		return -1;
	terminal_make_raw("");
	while (fd >= 0 && console_pass(fd, escape) == CONSOLE_CLOSED) {
		close(fd);
		fd = pty ? -1 : console_again(domid, type, number);
	}
	terminal_restore();
	if (fd >= 0)
		close(fd);
	return 0;
}

/* "^]", "^A" or the character itself. */
static int escape_parse(const char *s, char *escape, struct error *e)
{
	if (s[0] == '^' && s[1] && !s[2])
		*escape = (char)(toupper((unsigned char)s[1]) & 0x1f);
	else if (s[0] && !s[1])
		*escape = s[0];
	else
		return error_set(e, ERROR_USAGE,
				 "-e takes one character or ^ and a letter, not '%s'", s);
	return 0;
}

int xm_console(struct xm *x, const struct call *call, struct error *e)
{
	const char *type = call_option(call, "type"), *escape = call_option(call, "escape");
	long number = 0, id;
	char key = CONSOLE_ESCAPE, text[24];

	if (call_number(call, "num", 0, 255, &number, e) ||
	    (escape && escape_parse(escape, &key, e)))
		return -1;
	if (type && strcmp(type, "pv") != 0 && strcmp(type, "serial") != 0)
		return error_set(e, ERROR_USAGE, "console types are pv and serial, not %s", type);
	if (domain_id(x, call->operand[0], &id, e))
		return -1;
	snprintf(text, sizeof(text), "%ld", id);
	return console_attach(text, type ? type : "pv", number, key, e);
}
