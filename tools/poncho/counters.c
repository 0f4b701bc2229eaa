/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's counters of what makes a hypervisor below it step in: few and unchanging in a machine of its own, the price of a
 * rented one. A counter's name begins with that of the hypervisor below: "outer kvm: halts". Summed over the CPUs.
 */
#include "poncho/counters.h"
#include "poncho/host.h"

#include <stdio.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/sysctl.h>
#include <xencall.h>

/* What is asked, and the answer behind it: pages that the hypervisor may write to. */
struct query {
	struct xen_sysctl op;
	struct xen_sysctl_perfc_desc desc[COUNTERS_MAX];
	uint32_t value[COUNTERS_MAX * 1024];
};

static int query_run(xencall_handle *x, struct query *q, bool values)
{
	struct xen_sysctl_perfc_op *p = &q->op.u.perfc_op;

	memset(&q->op, 0, sizeof(q->op));
	q->op.cmd = XEN_SYSCTL_perfc_op;
	q->op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	p->cmd = XEN_SYSCTL_PERFCOP_query;
	if (values) {
		set_xen_guest_handle(p->desc, q->desc);
		set_xen_guest_handle(p->val, q->value);
	}
	return xencall1(x, __HYPERVISOR_sysctl, (unsigned long)&q->op);
}

/* "outer NAME: WHAT" */
static void counter_take(struct counters *c, const struct xen_sysctl_perfc_desc *desc,
			 const uint32_t *values)
{
	struct counter *n = &c->counter[c->nr];

	if (sscanf(desc->name, "outer %39[^:]: %39[^\n]", c->outer, n->name) != 2)
		return;
	for (uint32_t i = 0; i < desc->nr_vals; i++)
		n->value += values[i];
	c->nr++;
}

static bool query_answer(xencall_handle *x, struct query *q, struct counters *c)
{
	const struct xen_sysctl_perfc_op *p = &q->op.u.perfc_op;
	uint32_t at = 0;

	/* How many there are, first: the answer must have room. */
	if (query_run(x, q, false) || p->nr_counters > COUNTERS_MAX ||
	    p->nr_vals > sizeof(q->value) / sizeof(q->value[0]) || query_run(x, q, true))
		return false;
	for (uint32_t i = 0; i < p->nr_counters; i++) {
		counter_take(c, &q->desc[i], q->value + at);
		at += q->desc[i].nr_vals;
	}
	return c->nr > 0;
}

bool counters_read(struct counters *c)
{
	xencall_handle *x = host_is_domain0() ? xencall_open(NULL, 0) : NULL;
	struct query *q = x ? xencall_alloc_buffer(x, sizeof(*q)) : NULL;
	bool ok = false;

	memset(c, 0, sizeof(*c));
	if (q) {
		ok = query_answer(x, q, c);
		xencall_free_buffer(x, q);
	}
	if (x)
		xencall_close(x);
	return ok;
}
