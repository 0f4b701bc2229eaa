/* SPDX-License-Identifier: MIT */
/*
 * Which domains have a console to serve: what the hypervisor lists (asked again at @introduceDomain and @releaseDomain) and whose
 * xenstore nodes /local/domain/N/console name a ring and a port. Maps the ring, binds the port, passes events on; also the
 * hypervisor's own log, whose virtual interrupt comes by the same way. A xenstored that was started again is found again (lib/store);
 * consoles go on meanwhile, only a question to one that is away waits its few seconds. Nothing is let go of at the end: whoever comes
 * next goes on with it.
 */
#pragma once

#include "lib/base/error.h"
#include "xenconsoled/console.h"

struct domains_options {
	struct console_options console;
	bool hypervisor_log, hypervisor_stamps;
};

int domains_start(struct loop *loop, const struct domains_options *options, struct error *e);
void domains_reopen_logs(void);
