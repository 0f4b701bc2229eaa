/* SPDX-License-Identifier: MIT */
/* See log.h. */
#include "lib/base/log.h"

#include "lib/base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *program = "?";
static int file = -1;
static enum log_level level_most = LOG_LEVEL_INFO;

void log_open(const char *name, const char *path, enum log_level most)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640) : -1;

	program = name;
	level_most = most;
	if (file >= 0)
		close(file);
	file = fd;
	if (path && fd < 0)
		log_warning("log file %s cannot be opened; standard error only", path);
}

static void put(int fd, const char *s, size_t n)
{
	if (write(fd, s, n) != (ssize_t)n)
		return; /* nowhere to report it */
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const words[] = {"ERROR", "WARNING", "INFO", "DEBUG"};
	static const int syslog_level[] = {3, 4, 6, 7};
	char text[1024], line[1200], stamp[32];
	struct timespec now;
	struct tm tm;
	int n;

	if (level > level_most)
		return;
	text_format(text, fmt);
	if (getenv("JOURNAL_STREAM"))
		n = snprintf(line, sizeof(line), "<%d>%s\n", syslog_level[level], text);
	else
		n = snprintf(line, sizeof(line), "%s: %s: %s\n", program, words[level], text);
	put(STDERR_FILENO, line, (size_t)n);
	if (file < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &tm);
	n = snprintf(line, sizeof(line), "[%s.%03ld %d] %s %s: %s\n", stamp, now.tv_nsec / 1000000,
		     (int)getpid(), words[level], program, text);
	put(file, line, (size_t)n);
}
