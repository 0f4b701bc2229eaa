/* SPDX-License-Identifier: MIT */
/* See daemon.h. A pipe tells the first process: one byte is success, its end without one failure. */
#include "lib/base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int ready_pipe = -1;

int daemon_begin(struct error *e)
{
	int fds[2];
	char byte;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return error_errno(e, ERROR_NONE, errno, "no pipe");
	pid = fork();
	if (pid < 0)
		return error_errno(e, ERROR_NONE, errno, "no new process");
	close(fds[pid > 0]);
	if (pid > 0)
		_exit(read(fds[0], &byte, 1) == 1 ? 0 : 1);
	ready_pipe = fds[1];
	setsid();
	if (chdir("/"))
		return error_errno(e, ERROR_NONE, errno, "/ cannot be entered");
	return 0;
}

int daemon_pid_file(const char *path, struct error *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char pid[16];
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	if (fd < 0)
		return error_errno(e, ERROR_NONE, errno, "%s cannot be opened", path);
	if (lockf(fd, F_TLOCK, 0)) {
		close(fd);
		return error_set(e, ERROR_CONFLICT,
				 "%s is locked: another process of this kind runs", path);
	}
	/* Stays open: the lock goes with the process. */
	if (ftruncate(fd, 0) || write(fd, pid, (size_t)n) != n)
		return error_errno(e, ERROR_NONE, errno, "%s cannot be written", path);
	return 0;
}

void daemon_ready(void)
{
	int null;

	daemon_notify("READY=1");
	if (ready_pipe < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	if (write(ready_pipe, "", 1) == 1)
		close(ready_pipe);
	ready_pipe = -1;
}

void daemon_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(sun.sun_path))
		return;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0'; /* an abstract name */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sun,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}
