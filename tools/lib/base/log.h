/* SPDX-License-Identifier: MIT */
/*
 * The daemons' log: one line an event, to standard error (where systemd's journal picks it up, with the syslog level in front) and, when
 * a file is named, to that file with a time stamp. Thread-safe: a line is one write.
 */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* @program appears in every line of the file; @path NULL: standard error only. log_open() again reopens the file (after rotation). */
void log_open(const char *program, const char *path, enum log_level most);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
