/* SPDX-License-Identifier: MIT */
/* XS_CONTROL's commands, and the log of requests they switch. */
#pragma once

#include "xenstored/store.h"

/* The log of requests goes to that file from now on. */
void control_log_file(const char *path);
/* Opens the file again, after rotation: at a signal. */
void control_log_reopen(void *arg, int signo);
/* If it is on. */
void control_log_request(const struct client *c, const struct message *m);
