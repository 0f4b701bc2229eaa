/* SPDX-License-Identifier: MIT */
/*
 * sysctl, what the tools do with the machine: the console ring, debug keys, the list of domains, the scheduler, CPU pools.
 * Called with the sysctl lock held. There is one pool, number 0, with every CPU in it.
 */
#include "core/console.h"
#include "hypercall/control.h"
#include "lib/string.h"

int sysctl_readconsole(struct hc *hc, void *arg)
{
	return console_read(arg);
}

SYSCTL_HANDLER(debug_keys, const struct xen_sysctl_debug_keys *k)
{
	char key;

	for (uint32_t i = 0; i < min(k->nr_keys, 256u); i++) {
		if (copy_from_guest_va(&key, (unsigned long)k->keys.p + i, 1))
			return -EFAULT;
		keyhandler_run(key);
	}
	return 0;
}

SYSCTL_HANDLER(getdomaininfolist, struct xen_sysctl_getdomaininfolist *l)
{
	struct xen_domctl_getdomaininfo info;
	struct domain *d = domain_next(l->first_domain);

	for (l->num_domains = 0; d && l->num_domains < l->max_domains; d = domain_after(d)) {
		control_domain_info(d, &info);
		if (copy_to_guest_offset(l->buffer, l->num_domains, &info, 1)) {
			domain_put(d);
			return -EFAULT;
		}
		l->num_domains++;
	}
	if (d)
		domain_put(d);
	return 0;
}

SYSCTL_HANDLER(sched_id, struct xen_sysctl_sched_id *s)
{
	s->sched_id = sched_policy->id;
	return 0;
}

int sysctl_scheduler_op(struct hc *hc, void *arg)
{
	return sched_adjust_global(arg);
}

static int pool_info(struct xen_sysctl_cpupool_op *p)
{
	struct domain *d;

	if (p->cpupool_id)
		return -ENOENT; /* asks for the next one after the last */
	p->sched_id = sched_policy->id;
	p->n_dom = 0;
	for_each_domain (d)
		p->n_dom++;
	return control_bitmap_write(&p->cpumap, cpu_online_map.bits, nr_cpus_online);
}

static int pool_move_domain(struct hc *hc, const struct xen_sysctl_cpupool_op *p)
{
	struct domain *d = domain_get((domid_t)p->domid);
	int rc = p->cpupool_id ? -ENOENT : 0;

	if (!d)
		return -ESRCH;
	if (d == hc->d)
		rc = -EPERM;
	domain_put(d);
	return rc;
}

SYSCTL_HANDLER(cpupool_op, struct xen_sysctl_cpupool_op *p)
{
	const cpumask_t none = {{0}};

	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		return pool_info(p);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		return control_bitmap_write(&p->cpumap, none.bits, nr_cpus_online);
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return pool_move_domain(hc, p);
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return p->cpupool_id == 0 ? -EEXIST : -EOPNOTSUPP;
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		return p->cpupool_id ? -ENOENT : -EBUSY;
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
		return p->cpupool_id ? -ENOENT : -ENODEV;
	default:
		return -ENOSYS;
	}
}
