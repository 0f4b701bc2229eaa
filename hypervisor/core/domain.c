/* SPDX-License-Identifier: MIT */
/*
 * Domains and vCPUs come to life here, are found, and are freed with their last reference; the order of taking a living one
 * apart is domain_kill.c's.
 *
 * Invariant: a domain is in the list and the hash exactly while its reference count is not zero. References: its creation's
 * (until domain_kill has finished), one as long as it owns any frame (mm/), one for each who looked it up or bound to it.
 *
 * Lock: domlist_lock for list and hash; a leaf. Freeing takes other locks and may be started by anyone's domain_put, so
 * it is deferred to SOFTIRQ_WORK.
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

#define HASH_SIZE 64

struct domain *hardware_domain, *dom_io, *dom_xen, *dom_cow;
struct vcpu *idle_vcpu[NR_CPUS];
/* Masked: nobody waits for events there. */
struct vcpu_info dummy_vcpu_info = {.evtchn_upcall_mask = 1};

static struct domain *idle_domain;
static spinlock_t domlist_lock = SPIN_LOCK_UNLOCKED;
static struct domain *domain_list, *domain_hash[HASH_SIZE];

/* --- finding --- */

static struct domain *hash_find(domid_t id)
{
	struct domain *d = domain_hash[id % HASH_SIZE];

	while (d && d->domain_id != id)
		d = d->next_in_hash;
	return d;
}

struct domain *domain_get(domid_t id)
{
	struct domain *d;

	spin_lock(&domlist_lock);
	d = hash_find(id);
	/* Never zero here: the last reference goes under this lock. */
	if (d)
		domain_hold(d);
	spin_unlock(&domlist_lock);
	return d;
}

struct domain *domain_get_any(domid_t id)
{
	if (id != DOMID_SELF)
		return domain_get(id);
	domain_hold(current->domain);
	return current->domain;
}

struct domain *domain_next(domid_t id)
{
	struct domain *d;

	spin_lock(&domlist_lock);
	d = domain_list;
	while (d && d->domain_id < id)
		d = d->next_in_list;
	if (d)
		domain_hold(d);
	spin_unlock(&domlist_lock);
	return d;
}

static int list_insert(struct domain *d)
{
	struct domain **p = &domain_list, **h = &domain_hash[d->domain_id % HASH_SIZE];
	int rc = 0;

	spin_lock(&domlist_lock);
	while (*p && (*p)->domain_id < d->domain_id)
		p = &(*p)->next_in_list;
	if (*p && (*p)->domain_id == d->domain_id) {
		rc = -EEXIST;
	} else {
		d->next_in_list = *p;
		*p = d;
		d->next_in_hash = *h;
		*h = d;
	}
	spin_unlock(&domlist_lock);
	return rc;
}

/* Domlist lock held. A domain that never got into the list is not found in it. */
static void list_remove(struct domain *d)
{
	struct domain **p = &domain_list, **h = &domain_hash[d->domain_id % HASH_SIZE];

	while (*p && *p != d)
		p = &(*p)->next_in_list;
	if (*p)
		*p = d->next_in_list;
	while (*h && *h != d)
		h = &(*h)->next_in_hash;
	if (*h)
		*h = d->next_in_hash;
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
	spin_lock(&domlist_lock);
	old = atomic_sub(&d->refcount, 1);
	if (!old)
		list_remove(d);
	spin_unlock(&domlist_lock);
	if (!old)
		work_queue(&d->free_work);
}

/* --- rights --- */

static struct range *range_alloc(void *unused)
{
	return knew(struct range);
}

static void range_free(void *unused, struct range *r)
{
	kfree(r);
}

static const struct rangeset_ops heap_ranges = {.alloc = range_alloc, .free = range_free};

static struct rangeset *rangeset_new(void)
{
	struct rangeset *rs = knew(struct rangeset);

	if (rs)
		rangeset_init(rs, &heap_ranges, NULL);
	return rs;
}

static void rangeset_free(struct rangeset *rs)
{
	if (rs)
		rangeset_destroy(rs);
	kfree(rs);
}

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
	evtchn_destroy_vcpu(v);
	arch_vcpu_free(v);
	kfree(v);
}

static void memory_free(struct domain *d)
{
	rangeset_free(d->iomem_caps);
	rangeset_free(d->irq_caps);
	rangeset_free(d->ioport_caps);
	kfree(d->console_line);
	kfree(d->vcpu);
	kfree(d);
}

static void domain_free(void *data)
{
	struct domain *d = data;
	struct vcpu *v;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(d->watchdog); i++)
		timer_kill(&d->watchdog[i]);
	/* The policy's timer looks at the vCPUs. */
	sched_destroy_domain(d);
	for_each_vcpu (d, v, i)
		vcpu_free(v);
	if (d->target)
		domain_put(d->target);
	if (d->grant)
		grant_table_destroy(d);
	if (d->evtchn)
		evtchn_free(d);
	pirq_domain_free(d);
	d->pirq = NULL;
	arch_domain_free(d);
	memory_free(d);
}

/* --- making --- */

static void watchdog_fired(struct domain *d, unsigned int id)
{
	if (d->is_shutting_down || d->dying != DOMDYING_alive)
		return;
	printk("Watchdog timer %u fired for domain %u\n", id, d->domain_id);
	domain_shutdown(d, SHUTDOWN_watchdog);
}

static void watchdog0_fired(void *data)
{
	watchdog_fired(data, 0);
}

static void watchdog1_fired(void *data)
{
	watchdog_fired(data, 1);
}

int domain_watchdog(struct domain *d, uint32_t id, uint32_t seconds)
{
	s_time_t expires = time_now() + SECONDS(seconds);
	int rc = 0;

	if (id > ARRAY_SIZE(d->watchdog))
		return -EINVAL;
	spin_lock(&d->shutdown_lock);
	if (!id) {
		if (d->watchdog_inuse == (1u << ARRAY_SIZE(d->watchdog)) - 1) {
			rc = -ENOSPC;
		} else {
			rc = (int)ffs64(~(uint64_t)d->watchdog_inuse) + 1;
			d->watchdog_inuse |= 1u << (rc - 1);
			timer_set(&d->watchdog[rc - 1], expires);
		}
	} else if (!(d->watchdog_inuse & 1u << (id - 1))) {
		rc = -EINVAL;
	} else {
		id = (uint32_t)array_index_nospec(id - 1, ARRAY_SIZE(d->watchdog));
		if (seconds) {
			timer_set(&d->watchdog[id], expires);
		} else {
			timer_stop(&d->watchdog[id]);
			d->watchdog_inuse &= ~(1u << id);
		}
	}
	spin_unlock(&d->shutdown_lock);
	return rc;
}

static struct domain *domain_alloc(domid_t id, unsigned int max_vcpus)
{
	struct domain *d = knew(struct domain);

	if (!d)
		return NULL;
	d->domain_id = id;
	d->refcount = 1;
	d->shutdown_code = -1;
	d->max_vcpus = max_vcpus;
	spin_lock_init(&d->page_lock);
	spin_lock_init(&d->event_lock);
	spin_lock_init(&d->shutdown_lock);
	spin_lock_init(&d->caps_lock);
	spin_lock_init(&d->vcpu_op_lock);
	spin_lock_init(&d->console_line_lock);
	work_init(&d->free_work, domain_free, d);
	timer_init(&d->watchdog[0], watchdog0_fired, d, 0);
	timer_init(&d->watchdog[1], watchdog1_fired, d, 0);
	d->iomem_caps = rangeset_new();
	d->irq_caps = rangeset_new();
	d->ioport_caps = rangeset_new();
	d->vcpu = kzalloc(sizeof(*d->vcpu) * (max_vcpus ? max_vcpus : 1));
	if (d->iomem_caps && d->irq_caps && d->ioport_caps && d->vcpu)
		return d;
	memory_free(d);
	return NULL;
}

static int domain_parts_create(struct domain *d, const struct domain_config *cfg)
{
	int rc = arch_domain_create(d);

	if (!rc)
		rc = evtchn_init(d);
	if (rc)
		return rc;
	evtchn_set_max_port(d, cfg->max_evtchn_port);
	return grant_table_init(d, cfg->max_grant_frames, cfg->max_maptrack_frames,
				cfg->max_grant_version);
}

int domain_create(domid_t id, const struct domain_config *cfg, struct domain **out)
{
	struct domain *d;
	int rc;

	if (!cfg->max_vcpus || cfg->max_vcpus > MAX_VIRT_CPUS)
		return -EINVAL;
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
	sched_init_domain(d);
	rc = domain_parts_create(d, cfg);
	if (!rc)
		rc = list_insert(d);
	if (rc) {
		/* Nobody has seen it: a few frames at most, shared with nobody. */
		while (domain_relinquish_pages(d) == -ERESTART)
			;
		domain_put(d);
		return rc;
	}
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
	v->vcpu_info_mfn = INVALID_MFN;
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
	rc = sched_init_vcpu(v);
	if (!rc)
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

static struct domain *__init pseudo_domain_create(domid_t id, unsigned int max_vcpus)
{
	struct domain *d = domain_alloc(id, max_vcpus);

	if (!d)
		panic("No memory for pseudo-domain %u", id);
	sched_init_domain(d);
	return d;
}

int idle_vcpu_create(unsigned int cpu)
{
	struct vcpu *v = vcpu_alloc(idle_domain, cpu);
	int rc;

	if (!v)
		return -ENOMEM;
	v->is_idle = true;
	v->is_initialised = true;
	rc = sched_init_vcpu(v);
	if (rc) {
		kfree(v);
		return rc;
	}
	idle_domain->vcpu[cpu] = v;
	idle_vcpu[cpu] = v;
	return 0;
}

void __init domain_subsys_init(void)
{
	dom_io = pseudo_domain_create(DOMID_IO, 0);
	dom_xen = pseudo_domain_create(DOMID_XEN, 0);
	dom_cow = pseudo_domain_create(DOMID_COW, 0);
	idle_domain = pseudo_domain_create(DOMID_IDLE, NR_CPUS);
	if (idle_vcpu_create(0))
		panic("No memory for the first idle vCPU");
	current = idle_vcpu[0];
}
