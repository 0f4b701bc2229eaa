/* SPDX-License-Identifier: MIT */
/*
 * sysctl, what the tools do with the machine: the console ring, debug keys, the list of domains, the scheduler, CPU pools.
 * Called with sysctl_lock held. There is one pool, number 0, with every CPU in it.
 */
#include "core/console.h"
#include "hypercall/sysctl.h"
#include "lib/string.h"

SYSCTL_HANDLER(readconsole)
{
	return console_read(arg);
}

SYSCTL_HANDLER(debug_keys)
{
	const struct xen_sysctl_debug_keys *k = arg;
	char key;

	for (uint32_t i = 0; i < min(k->nr_keys, 256u); i++) {
		if (copy_from_guest_va(&key, (unsigned long)k->keys.p + i, 1))
			return -EFAULT;
		keyhandler_run(key);
	}
	return 0;
}

SYSCTL_HANDLER(getdomaininfolist)
{
	struct xen_sysctl_getdomaininfolist *l = arg;
	struct xen_domctl_getdomaininfo info;
	uint32_t nr = 0, id = l->first_domain;

	while (nr < l->max_domains && id < DOMID_FIRST_RESERVED) {
		struct domain *d = domain_next((domid_t)id);
		int rc;

		if (!d)
			break;
		control_domain_info(d, &info);
		id = d->domain_id + 1u;
		domain_put(d);
		rc = copy_to_guest_offset(l->buffer, nr, &info, 1) ? -EFAULT : 0;
		if (rc)
			return rc;
		nr++;
	}
	l->num_domains = nr;
	return 0;
}

SYSCTL_HANDLER(sched_id)
{
	struct xen_sysctl_sched_id *s = arg;

	s->sched_id = sched_current()->id;
	return 0;
}

SYSCTL_HANDLER(scheduler_op)
{
	return sched_adjust_global(arg);
}

static uint32_t nr_domains(void)
{
	uint32_t nr = 0, id = 0;
	struct domain *d;

	while (id < DOMID_FIRST_RESERVED && (d = domain_next((domid_t)id)) != NULL) {
		id = d->domain_id + 1u;
		domain_put(d);
		nr++;
	}
	return nr;
}

static int pool_info(struct xen_sysctl_cpupool_op *p)
{
	if (p->cpupool_id)
		return -ENOENT; /* asks for the next one after the last */
	p->sched_id = sched_current()->id;
	p->n_dom = nr_domains();
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

SYSCTL_HANDLER(cpupool_op)
{
	struct xen_sysctl_cpupool_op *p = arg;
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
