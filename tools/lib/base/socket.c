/* SPDX-License-Identifier: MIT */
/* See socket.h. The socket is made under another name and renamed: nobody meets it with the wrong mode. */
#include "lib/base/socket.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GROUPS_MOST 256

static gid_t trusted_group(void)
{
	const struct group *g = getgrnam("xen");

	return g ? g->gr_gid : 0;
}

static int publish(int fd, const struct sockaddr_un *sun, const char *path, unsigned int mode)
{
	unlink(sun->sun_path);
	if (bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) || chmod(sun->sun_path, mode))
		return -1;
	if (geteuid() == 0 && chown(sun->sun_path, 0, trusted_group()))
		return -1;
	return listen(fd, 64) || rename(sun->sun_path, path) ? -1 : 0;
}

int socket_listen(const char *path, unsigned int mode, struct error *e)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	int rc = 0;

	if (slash && slash > folder) {
		*slash = '\0';
		rc = folder_make(folder, 0755, e);
	}
	free(folder);
	if (!rc && (size_t)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s.new", path) >=
			   sizeof(sun.sun_path))
		rc = error_set(e, ERROR_FAILED, "%s is too long a name for a socket", path);
	if (!rc && (fd < 0 || publish(fd, &sun, path, mode)))
		rc = error_errno(e, ERROR_NONE, errno, "socket %s cannot be made", path);
	if (rc && fd >= 0)
		close(fd);
	return rc ? -1 : fd;
}

int socket_connect(const char *variable, const char *path, int seconds)
{
	const struct timeval limit = {.tv_sec = seconds};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	path = getenv(variable) ? getenv(variable) : path;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (fd < 0 || !connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	close(fd);
	return -1;
}

bool socket_peer_trusted(int fd)
{
	gid_t group, groups[GROUPS_MOST];
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return false;
	if (cred.uid == 0)
		return true;
	group = trusted_group(); /* reads /etc/group: not for root, the common case */
	if (!group)
		return false;
	if (cred.gid == group)
		return true;
	len = sizeof(groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}
