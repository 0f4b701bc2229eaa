/* SPDX-License-Identifier: MIT */
/* See file.h. */
#include "lib/base/file.h"

#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *file_read(const char *path, size_t limit, size_t *len, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct text t = {0};
	ssize_t n = 1;

	if (fd < 0) {
		error_errno(e, ERROR_NONE, errno, "%s cannot be opened", path);
		return NULL;
	}
	while (n > 0 && t.len <= limit) {
		n = read(fd, text_room(&t, 65536), 65536);
		if (n > 0)
			t.len += (size_t)n;
	}
	if (n < 0)
		error_errno(e, ERROR_NONE, errno, "%s cannot be read", path);
	else if (t.len > limit)
		error_set(e, ERROR_FAILED, "%s is larger than %zu bytes", path, limit);
	close(fd);
	if (n < 0 || t.len > limit) {
		text_free(&t);
		return NULL;
	}
	t.data[t.len] = '\0';
	if (len)
		*len = t.len;
	return t.data;
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_replace(const char *path, const void *data, size_t len, bool durable, struct error *e)
{
	char *tmp = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(tmp, O_CLOEXEC), rc = -1;

	if (fd >= 0) {
		rc = write_all(fd, data, len);
		if (!rc && durable)
			rc = fsync(fd);
		if (close(fd))
			rc = -1;
		if (!rc)
			rc = rename(tmp, path);
	}
	if (rc) {
		error_errno(e, ERROR_NONE, errno, "%s cannot be written", path);
		if (fd >= 0)
			unlink(tmp);
	}
	free(tmp);
	return rc;
}

int folder_make(const char *path, unsigned int mode, struct error *e)
{
	char *copy = xstrdup(path);
	int rc = 0;

	for (char *p = copy + 1; !rc && p; p = p ? p + 1 : NULL) {
		p = strchr(p, '/');
		if (p)
			*p = '\0';
		if (mkdir(copy, mode) && errno != EEXIST)
			rc = error_errno(e, ERROR_NONE, errno, "folder %s cannot be made", copy);
		if (p)
			*p = '/';
	}
	free(copy);
	return rc;
}
