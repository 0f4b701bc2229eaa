/* SPDX-License-Identifier: MIT */
/* See policy.h. */
#include "xend/policy.h"

#include <stddef.h>

#include <xen/xen.h>
#include <xen/sched.h>

static const struct {
	enum policy_next next;
	bool dump;
} actions[] = {
	[ACTION_DESTROY] = {POLICY_DESTROY, false},
	[ACTION_RESTART] = {POLICY_RESTART, false},
	[ACTION_RENAME_RESTART] = {POLICY_RENAME_RESTART, false},
	[ACTION_PRESERVE] = {POLICY_PRESERVE, false},
	[ACTION_COREDUMP_DESTROY] = {POLICY_DESTROY, true},
	[ACTION_COREDUMP_RESTART] = {POLICY_RESTART, true},
	/* A paravirtual guest cannot be reset in place: what it gets is a new start. */
	[ACTION_SOFT_RESET] = {POLICY_RESTART, false},
};

static const char *const reasons[] = {
	[SHUTDOWN_poweroff] = "poweroff", [SHUTDOWN_reboot] = "reboot",
	[SHUTDOWN_suspend] = "suspend",	  [SHUTDOWN_crash] = "crash",
	[SHUTDOWN_watchdog] = "watchdog", [SHUTDOWN_soft_reset] = "soft-reset",
};

const char *policy_reason_name(int reason)
{
	if (reason < 0 || reason >= (int)(sizeof(reasons) / sizeof(reasons[0])))
		return "unknown";
	return reasons[reason];
}

static enum domain_action action_of(const struct domain_config *config, int reason)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		return config->on_poweroff;
	case SHUTDOWN_reboot:
		return config->on_reboot;
	case SHUTDOWN_watchdog:
		return config->on_watchdog;
	case SHUTDOWN_soft_reset:
		return config->on_soft_reset;
	default: /* a reason nobody knows is no orderly end */
		return config->on_crash;
	}
}

struct policy_verdict policy_decide(const struct domain_config *config,
				    const struct policy_life *life)
{
	struct policy_verdict v = {.next = POLICY_NOTHING};
	enum domain_action action;

	if (!config || life->reason == SHUTDOWN_suspend)
		return v;
	action = action_of(config, life->reason);
	v.next = actions[action].next;
	v.dump = actions[action].dump || (life->enable_dump && life->reason == SHUTDOWN_crash);
	if ((v.next == POLICY_RESTART || v.next == POLICY_RENAME_RESTART) && life->from_restart &&
	    !life->ordered && life->seconds < POLICY_SHORT_LIFE) {
		v.next = v.next == POLICY_RESTART ? POLICY_DESTROY : POLICY_PRESERVE;
		v.why = "it was restarted and ended again within 10 seconds";
	}
	return v;
}
