/* SPDX-License-Identifier: MIT */
/* What the end of a domain means: a pure function of its configuration, the reason, and how it lived. */
#include "xend/node_private.h"

#include <xen/sched.h>

static const char *const reasons[] = {
	[SHUTDOWN_poweroff] = "poweroff", [SHUTDOWN_reboot] = "reboot",
	[SHUTDOWN_suspend] = "suspend",	  [SHUTDOWN_crash] = "crash",
	[SHUTDOWN_watchdog] = "watchdog", [SHUTDOWN_soft_reset] = "soft-reset",
};

const char *policy_reason_name(int reason)
{
	return (size_t)reason < sizeof(reasons) / sizeof(reasons[0]) ? reasons[reason] : "unknown";
}

static enum domain_action action_of(const struct domain_config *config, int reason)
{
	const enum domain_action actions[] = {
		[SHUTDOWN_poweroff] = config->on_poweroff,
		[SHUTDOWN_reboot] = config->on_reboot,
		[SHUTDOWN_suspend] = ACTION_PRESERVE, /* it waits to be resumed or saved */
		[SHUTDOWN_crash] = config->on_crash,
		[SHUTDOWN_watchdog] = config->on_watchdog,
		[SHUTDOWN_soft_reset] = config->on_soft_reset,
	};

	/* A reason nobody knows is no orderly end. */
	return (size_t)reason < sizeof(actions) / sizeof(actions[0]) ? actions[reason]
								     : config->on_crash;
}

struct policy_verdict policy_decide(const struct domain_config *config, int reason, bool short_life,
				    bool enable_dump)
{
	struct policy_verdict v = {.action = ACTION_PRESERVE};

	if (!config)
		return v; /* somebody else's */
	v.action = action_of(config, reason);
	v.dump = v.action == ACTION_COREDUMP_DESTROY || v.action == ACTION_COREDUMP_RESTART ||
		 (enable_dump && reason == SHUTDOWN_crash);
	if (v.action == ACTION_COREDUMP_DESTROY)
		v.action = ACTION_DESTROY;
	/* A paravirtual guest cannot be reset in place: what it gets is a new start. */
	if (v.action == ACTION_COREDUMP_RESTART || v.action == ACTION_SOFT_RESET)
		v.action = ACTION_RESTART;
	v.loops = short_life && (v.action == ACTION_RESTART || v.action == ACTION_RENAME_RESTART);
	if (v.loops)
		v.action = v.action == ACTION_RESTART ? ACTION_DESTROY : ACTION_PRESERVE;
	return v;
}
