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
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && t.len <= limit) {
		n = read(fd, text_room(&t, 65536), 65536);
		t.len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		error_errno(e, ERROR_NONE, errno, "%s cannot be %s", path,
			    fd < 0 ? "opened" : "read");
	else if (t.len > limit)
		error_set(e, ERROR_FAILED, "%s is larger than %zu bytes", path, limit);
	if (fd >= 0)
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

int file_fill(int fd, void *to, size_t size)
{
	for (ssize_t n; size; to = (char *)to + n, size -= (size_t)n) {
		n = read(fd, to, size);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n ? -1 : 1;
	}
	return 0;
}

bool file_number(const char *path, unsigned long long *out)
{
	autofree char *text = file_read(path, 4096, NULL, NULL);
	char *end = text;

	*out = text ? strtoull(text, &end, 10) : 0;
	return end != text;
}

int file_put(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
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
	int fd = mkostemp(tmp, O_CLOEXEC);
	bool ok = fd >= 0 && !file_put(fd, data, len) && (!durable || !fsync(fd));

	if (fd >= 0 && close(fd))
		ok = false;
	if (!ok || rename(tmp, path)) {
		ok = false;
		error_errno(e, ERROR_NONE, errno, "%s cannot be written", path);
		if (fd >= 0)
			unlink(tmp);
	}
	free(tmp);
	return ok ? 0 : -1;
}

int folder_make(const char *path, unsigned int mode, struct error *e)
{
	char *copy = xstrdup(path), *p = copy;
	int rc = 0;

	while (!rc && p) {
		p = strchr(p + 1, '/');
		if (p)
			*p = '\0';
		/* Whatever the umask. */
		if (mkdir(copy, mode) ? errno != EEXIST : chmod(copy, mode))
			rc = error_errno(e, ERROR_NONE, errno, "folder %s cannot be made", copy);
		if (p)
			*p = '/';
	}
	free(copy);
	return rc;
}
