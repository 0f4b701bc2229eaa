/* SPDX-License-Identifier: MIT */
/* See logfile.h. */
#include "xenconsoled/logfile.h"

#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void trouble(struct logfile *l, const char *what)
{
	if (!l->told)
		log_warning("%s cannot be %s: %s; what belongs there is lost until it can", l->path,
			    what, strerror(errno));
	l->told = true;
}

static void append(struct logfile *l, const char *bytes, size_t n)
{
	while (n) {
		ssize_t done = write(l->fd, bytes, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			trouble(l, "written");
			return;
		}
		l->place.size += (uint64_t)done;
		bytes += done;
		n -= (size_t)done;
	}
	l->told = false;
}

/* As Debian's xenconsoled writes it. */
static void write_decorated(struct logfile *l, const char *bytes, size_t n)
{
	const char *end = bytes + n;
	bool stamps = l->options->stamps;
	struct text out = {0};
	char stamp[64] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (stamps)
		strftime(stamp, sizeof(stamp), "[%Y-%m-%d %H:%M:%S] ", localtime_r(&now, &tm));
	while (bytes < end) {
		const char *line = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *stop = line ? line + 1 : end;

		if (l->line_start)
			text_str(&out, stamp);
		text_add(&out, bytes, (size_t)(stop - bytes));
		l->line_start = line;
		/* "\n\r" of some guests: the next line must not begin with it. */
		for (bytes = stop; stamps && line && bytes < end && *bytes == '\r';)
			bytes++;
	}
	for (size_t i = 0; l->options->replace_escape && i < out.len; i++)
		if (out.data[i] == '\033')
			out.data[i] = '.';
	append(l, out.data, out.len);
	text_free(&out);
}

static void file_open(struct logfile *l, bool fresh)
{
	static const char opened[] = "Logfile Opened\n";
	struct stat st;
	char last;

	if (l->fd >= 0)
		close(l->fd);
	l->place = (struct logfile_place){0};
	l->fd = open(l->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (l->fd < 0 || fstat(l->fd, &st)) {
		trouble(l, "opened");
		return;
	}
	l->place = (struct logfile_place){st.st_ino, (uint64_t)st.st_size};
	l->line_start = pread(l->fd, &last, 1, st.st_size - 1) < 1 || last == '\n';
	if (!l->options->stamps || (!fresh && st.st_size))
		return;
	if (!l->line_start)
		append(l, "\n", 1);
	l->line_start = true;
	write_decorated(l, opened, sizeof(opened) - 1);
}

void logfile_close(struct logfile *l)
{
	if (!l->path)
		return;
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	l->path = NULL;
}

void logfile_open(struct logfile *l, const struct logfile_options *options, const char *path,
		  bool fresh)
{
	logfile_close(l);
	*l = (struct logfile){.options = options, .path = xstrdup(path), .fd = -1};
	file_open(l, fresh);
}

static void rotate(struct logfile *l)
{
	for (long i = l->options->keep; i; i--) {
		autofree char *old = i > 1 ? xasprintf("%s.%ld", l->path, i - 1) : xstrdup(l->path);
		autofree char *to = xasprintf("%s.%ld", l->path, i);

		if (rename(old, to) && errno != ENOENT)
			trouble(l, "rotated");
	}
	/* Nothing is kept, or it could not be moved: the cap holds all the same. */
	unlink(l->path);
	file_open(l, false);
}

void logfile_make_room(struct logfile *l, size_t n)
{
	if (!l->path)
		return;
	if (l->fd < 0)
		file_open(l, false);
	if (l->options->most && l->place.size && l->place.size + n > l->options->most)
		rotate(l);
}

void logfile_write(struct logfile *l, const char *bytes, size_t n)
{
	if (!l->path || l->fd < 0)
		return;
	if (l->options->stamps || l->options->replace_escape)
		write_decorated(l, bytes, n);
	else
		append(l, bytes, n);
}

void logfile_cut(struct logfile *l, const struct logfile_place *place)
{
	if (!l->path || l->place.inode != place->inode || l->place.size <= place->size)
		return;
	if (ftruncate(l->fd, (off_t)place->size))
		trouble(l, "shortened");
	file_open(l, false);
}
