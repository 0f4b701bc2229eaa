/* SPDX-License-Identifier: MIT */
/*
 * Memory for a new domain: promised by the hypervisor at once where there is enough, else taken from domain 0, whose balloon driver
 * gives pages back in its own time. Several new domains may wait side by side: domain 0's target is only lowered again once it has
 * reached the last one, so that nobody's shortage is counted twice.
 */
#include "xend/node_private.h"

#define DOM0_TARGET "/local/domain/0/memory/target"

enum {
	POLL_MS = 100,
	POLLS_MOST = 300,
	SLACK_KB = 1024, /* what domain 0 may miss its target by */
};

static int short_of(struct operation *op, uint64_t kb, const char *why)
{
	hyper_memory_short(op->node->hyper, kb, &op->error);
	op->error.class = ERROR_RETRY;
	return error_hint(&op->error, "%s", why);
}

static uint64_t free_kb(const struct xen_sysctl_physinfo *p)
{
	uint64_t pages = p->free_pages + p->scrub_pages;

	return pages > p->outstanding_pages ? (pages - p->outstanding_pages) * 4 : 0;
}

/* Asks domain 0 for what is missing; false where it may not give so much. */
static bool ask_domain_0(struct node *n, uint64_t missing_kb)
{
	uint64_t least_kb = (uint64_t)n->settings->dom0_min_mem_mb * 1024, now_kb;
	xen_domctl_getdomaininfo_t info;
	long target_kb;

	if (hyper_domain_info(n->hyper, 0, &info, NULL))
		return false;
	now_kb = (uint64_t)info.tot_pages * 4;
	target_kb = store_read_long(n->store, DOM0_TARGET, (long)now_kb);
	if (now_kb > (uint64_t)target_kb + SLACK_KB)
		return true; /* still on its way to the last target */
	if (now_kb < missing_kb || now_kb - missing_kb < least_kb)
		return false;
	log_info("domain 0 is asked for %llu KiB", (unsigned long long)missing_kb);
	return !store_write(n->store, DOM0_TARGET, NULL, "%llu",
			    (unsigned long long)(now_kb - missing_kb));
}

int balloon_claim(struct operation *op, uint64_t kb)
{
	const struct xend_settings *settings = op->node->settings;
	struct xen_sysctl_physinfo physical;
	struct error e = {0};
	uint64_t there;

	if (!hyper_memory_claim(op->node->hyper, op->domid, kb / 4, &e) ||
	    e.class == ERROR_UNSUPPORTED)
		return 0;
	if (e.class != ERROR_RETRY || hyper_physinfo(op->node->hyper, &physical, &e)) {
		op->error = e;
		return -1;
	}
	there = free_kb(&physical);
	if (!settings->dom0_ballooning || !settings->dom0_min_mem_mb)
		return short_of(op, kb, "domain 0 gives no memory: enable-dom0-ballooning is off");
	if (op->step_calls > POLLS_MOST)
		return short_of(op, kb, "domain 0 did not give back enough in 30 seconds");
	if (there < kb && !ask_domain_0(op->node, kb - there + SLACK_KB))
		return short_of(op, kb, "domain 0 would fall below dom0-min-mem");
	return operation_retry(op, POLL_MS);
}
