/* SPDX-License-Identifier: MIT */
/*
 * How a daemon starts: leaves the terminal, holds its process-id file locked for as long as it lives (so there is never a second one),
 * and says when it serves: to the process that started it, and to systemd where it is the one.
 */
#pragma once

#include "lib/base/error.h"

/* Forks; the caller's process waits for the new one's daemon_ready() and ends with 0, or with 1 when that never comes. */
int daemon_begin(struct error *e);
/* Refused (ERROR_CONFLICT) while another process holds the file. */
int daemon_pid_file(const char *path, struct error *e);
/* From here on standard input, output and error are /dev/null if daemon_begin() was called. */
void daemon_ready(void);
/* "READY=1", "WATCHDOG=1" and the like to $NOTIFY_SOCKET; nothing without it. */
void daemon_notify(const char *state);
