/* SPDX-License-Identifier: MIT */
/*
 * Domains and vCPUs come to life here, are found, and are freed with their last reference; the order of taking a living one
 * apart is domain_kill.c's.
 *
 * Invariant: a domain is in the table exactly while its reference count is not zero. References: its creation's
 * (until domain_kill has finished), one as long as it owns any frame (mm/), one for each who looked it up or bound to it.
 *
 * Lock: domains_lock for finding one and for taking it out; a leaf. Freeing takes other locks and may be started by anyone's
 * domain_put, so it is deferred to SOFTIRQ_WORK.
 */
#include "core/domain.h"

#include "core/event.h"
#include "core/grant.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/pirq.h"
#include "x86/time.h"
#include "x86/watch.h"

struct domain *hardware_domain, *dom_io, *dom_xen;
struct vcpu *idle_vcpu[NR_CPUS];
/* Masked: nobody waits for events there. */
struct vcpu_info dummy_vcpu_info = {.evtchn_upcall_mask = 1};

static struct domain *idle_domain;
static struct domain *domains[DOMID_MASK + 1]; /* by number */
/* Those that are there: a walk skips the gaps. */
static uint64_t domains_used[(DOMID_MASK + 1) / 64];
static spinlock_t domains_lock;

/* --- finding --- */

struct domain *domain_get(domid_t id)
{
	struct domain *d;

	if (id >= ARRAY_SIZE(domains))
		return NULL;
	spin_lock(&domains_lock);
	d = domains[array_index_nospec(id, ARRAY_SIZE(domains))];
	/* Never one without references: the last goes under this lock. */
	if (d)
		domain_hold(d);
	spin_unlock(&domains_lock);
	return d;
}

struct domain *domain_get_any(domid_t id)
{
	if (id != DOMID_SELF)
		return domain_get(id);
	domain_hold(current->domain);
	return current->domain;
}

struct domain *domain_next(unsigned int id)
{
	struct domain *d = NULL;

	while (!d && id < DOMID_FIRST_RESERVED) {
		uint64_t left = READ_ONCE(domains_used[id / 64]) >> id % 64;

		if (left) {
			id += ffs64(left);
			d = domain_get((domid_t)id++);
		} else {
			id = (id | 63) + 1;
		}
	}
	return d;
}

void domain_put(struct domain *d)
{
	uint32_t old = READ_ONCE(d->refcount), seen;

	/* Not the last one: no lock. */
	for (; old > 1; old = seen) {
		seen = cmpxchg(&d->refcount, old, old - 1);
		if (seen == old)
			return;
	}
	spin_lock(&domains_lock);
	old = atomic_sub(&d->refcount, 1);
	/* One whose creation failed never got there. */
	if (!old && domains[d->domain_id] == d) {
		clear_bit(d->domain_id, domains_used);
		domains[d->domain_id] = NULL;
	}
	spin_unlock(&domains_lock);
	if (!old)
		work_queue(&d->free_work);
}

/* --- rights --- */

int domain_caps_change(struct domain *d, struct rangeset *caps, uint64_t first, uint64_t last,
		       bool allow)
{
	int rc;

	spin_lock(&d->caps_lock);
	rc = allow ? rangeset_add(caps, first, last) : rangeset_remove(caps, first, last);
	spin_unlock(&d->caps_lock);
	return rc;
}

/* --- freeing --- */

static void vcpu_free(struct vcpu *v)
{
	sched_destroy_vcpu(v);
	vtime_destroy_vcpu(v);
	kfree(v->evtchn);
	arch_vcpu_free(v);
	kfree(v);
}

static void domain_free(void *data)
{
	struct domain *d = data;
	struct vcpu *v;
	unsigned int i;

	/* The policy's timer looks at the vCPUs. */
	sched_policy->domain_destroy(d);
	for_each_vcpu (d, v, i)
		vcpu_free(v);
	if (d->grant)
		grant_table_destroy(d);
	if (d->evtchn)
		evtchn_free(d);
	arch_domain_free(d);
	rangeset_remove(&d->iomem_caps, 0, UINT64_MAX); /* to remove all needs no memory */
	rangeset_remove(&d->irq_caps, 0, UINT64_MAX);
	rangeset_remove(&d->ioport_caps, 0, UINT64_MAX);
	kfree(d->pirq);
	kfree(d->console_line);
	kfree(d->vcpu);
	kfree(d);
}

/* --- watchdogs --- */

static void watchdog_fired(void *data)
{
	struct domain *d = data;

	if (d->is_shut_down || d->dying != DOMDYING_alive)
		return;
	printk("Watchdog timer fired for domain %u\n", d->domain_id);
	domain_shutdown(d, SHUTDOWN_watchdog);
}

int domain_watchdog(struct domain *d, uint32_t id, uint32_t seconds)
{
	unsigned long i = array_index_nospec(id - 1, ARRAY_SIZE(d->watchdog));
	int rc = 0;

	if (id > ARRAY_SIZE(d->watchdog))
		return -EINVAL;
	spin_lock(&d->shutdown_lock);
	if (!id)
		i = ffs64(~(uint64_t)d->watchdog_inuse);
	if (i == ARRAY_SIZE(d->watchdog)) {
		rc = -ENOSPC;
	} else if (id && !(d->watchdog_inuse & 1u << i)) {
		rc = -EINVAL;
	} else if (id && !seconds) {
		timer_stop(&d->watchdog[i]);
		d->watchdog_inuse &= ~(1u << i);
	} else {
		timer_set(&d->watchdog[i], time_now() + SECONDS(seconds));
		d->watchdog_inuse |= 1u << i;
		rc = id ? 0 : (int)i + 1;
	}
	/* Domain 0's is a timer of the boot CPU: if even that does not fire, the hypervisor hangs. */
	if (!rc && id == 1 && d == hardware_domain)
		watch_set(seconds);
	spin_unlock(&d->shutdown_lock);
	return rc;
}

/* --- making --- */

static struct domain *domain_alloc(domid_t id, unsigned int max_vcpus)
{
	struct domain *d = knew(struct domain);

	if (d)
		d->vcpu = kzalloc(sizeof(*d->vcpu) * max_vcpus);
	if (!d || !d->vcpu) {
		kfree(d);
		return NULL;
	}
	d->domain_id = id;
	d->refcount = 1;
	d->shutdown_code = -1;
	d->max_vcpus = max_vcpus;
	d->free_work = (struct work){.fn = domain_free, .data = d};
	for (unsigned int i = 0; i < ARRAY_SIZE(d->watchdog); i++)
		timer_init(&d->watchdog[i], watchdog_fired, d, 0);
	return d;
}

static int domain_parts_create(struct domain *d, const struct domain_config *cfg)
{
	int rc = arch_domain_create(d);

	if (!rc)
		rc = pirq_domain_init(d);
	if (!rc)
		rc = evtchn_init(d, cfg->max_evtchn_port);
	if (rc)
		return rc;
	return grant_table_init(d, cfg->max_grant_frames, cfg->max_maptrack_frames,
				cfg->max_grant_version);
}

int domain_create(domid_t id, const struct domain_config *cfg, struct domain **out)
{
	struct domain *d;
	int rc;

	if (!cfg->max_vcpus || cfg->max_vcpus > MAX_VIRT_CPUS)
		return -EINVAL;
	if (READ_ONCE(domains[id])) /* before anything is built; the last word is below */
		return -EEXIST;
	d = domain_alloc(id, cfg->max_vcpus);
	if (!d)
		return -ENOMEM;
	d->is_privileged = cfg->privileged;
	d->is_hardware = cfg->privileged && !id;
	d->create_flags = cfg->flags;
	d->ssidref = cfg->ssidref;
	if (cfg->handle)
		memcpy(d->handle, *cfg->handle, sizeof(d->handle));
	d->max_pages = cfg->privileged ? ~0u : 0;
	d->pause_count = d->controller_pause_count = 1;
	sched_policy->domain_init(d);
	rc = domain_parts_create(d, cfg);
	if (!rc && cmpxchg(&domains[id], NULL, d))
		rc = -EEXIST;
	if (rc) {
		/* Nobody has seen it: a few frames at most, shared with nobody. */
		while (domain_relinquish_pages(d) == -ERESTART)
			;
		domain_put(d);
		return rc;
	}
	set_bit(id, domains_used);
	*out = d;
	return 0;
}

static struct vcpu *vcpu_alloc(struct domain *d, unsigned int id)
{
	struct vcpu *v = knew(struct vcpu);

	if (!v)
		return NULL;
	v->domain = d;
	v->vcpu_id = id;
	v->vcpu_info = &dummy_vcpu_info;
	return v;
}

int domain_vcpu_create(struct domain *d, unsigned int id)
{
	struct vcpu *v;
	int rc;

	if (id >= d->max_vcpus)
		return -EINVAL;
	if (d->vcpu[id])
		return -EEXIST;
	v = vcpu_alloc(d, id);
	if (!v)
		return -ENOMEM;
	if (id < LEGACY_MAX_VCPUS)
		v->vcpu_info = (struct vcpu_info *)&d->shared_info->vcpu_info[id];
	v->pause_flags = VPF_down;
	vtime_init_vcpu(v);
	sched_init_vcpu(v);
	rc = evtchn_init_vcpu(v);
	if (!rc)
		rc = arch_vcpu_create(v);
	if (rc) {
		vcpu_free(v);
		return rc;
	}
	vtime_update(v);
	/* Others find it from here on. */
	smp_wmb();
	WRITE_ONCE(d->vcpu[id], v);
	return 0;
}

int vcpu_reset(struct vcpu *v)
{
	int rc;

	vcpu_pause(v);
	rc = arch_vcpu_reset(v);
	if (!rc) {
		atomic_or(&v->pause_flags, VPF_down);
		vcpu_unblock(v);
		v->is_initialised = false;
		v->nmi_pending = v->nmi_masked = false;
		cpumask_setall(&v->sched.soft_affinity);
	}
	vcpu_unpause(v);
	return rc;
}

/* --- boot --- */

static struct domain *__init pseudo_domain_create(domid_t id)
{
	struct domain *d = domain_alloc(id, 0);

	if (!d)
		panic("No memory for pseudo-domain %u", id);
	sched_policy->domain_init(d);
	return d;
}

int idle_vcpu_create(unsigned int cpu)
{
	struct vcpu *v = vcpu_alloc(idle_domain, cpu);

	if (!v)
		return -ENOMEM;
	v->is_idle = true;
	v->is_initialised = true;
	sched_init_vcpu(v);
	idle_vcpu[cpu] = v;
	return 0;
}

void __init domain_subsys_init(void)
{
	dom_io = pseudo_domain_create(DOMID_IO);
	dom_xen = pseudo_domain_create(DOMID_XEN);
	idle_domain = pseudo_domain_create(DOMID_IDLE);
}
