/* SPDX-License-Identifier: MIT */
/* What the end of a domain means: a pure function of its configuration, the reason, and how long it lived. Touches nothing. */
#pragma once

#include "lib/config/domain_config.h"

enum {
	POLICY_SHORT_LIFE =
		10, /* seconds: made by a restart and ended sooner, it is not restarted again */
};

enum policy_next {
	POLICY_NOTHING, /* it waits to be resumed or saved, or it is somebody else's */
	POLICY_DESTROY,
	POLICY_RESTART,
	POLICY_PRESERVE,
	POLICY_RENAME_RESTART, /* what is left is kept under another name */
};

struct policy_life {
	int reason;	   /* SHUTDOWN_* */
	long seconds;	   /* since its start */
	bool ordered;	   /* by somebody, not by the guest itself */
	bool from_restart; /* a policy made it */
	bool enable_dump;  /* xend-config.sxp: a core of every crash */
};

struct policy_verdict {
	enum policy_next next;
	bool dump;	 /* first */
	const char *why; /* next differs from what the configuration says; or NULL */
};

struct policy_verdict policy_decide(const struct domain_config *config,
				    const struct policy_life *life);
/* "poweroff", "reboot", "suspend", "crash", "watchdog", "soft-reset", "unknown" */
const char *policy_reason_name(int reason);
