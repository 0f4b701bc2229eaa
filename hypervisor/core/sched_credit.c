/* SPDX-License-Identifier: MIT */
/*
 * The credit policy: CPU time in proportion to weights, limited by caps.
 *
 * Each vCPU has a virtual time, vtime, that grows by the time it runs, divided by its weight; the lowest runs next. That keeps the
 * ratio of weights exact on a CPU whatever the others use. Each CPU keeps its queue sorted and has a clock, vclock, the lowest vtime it has
 * to do with, which never goes back. A vCPU that wakes or comes from another CPU is fitted to the clock: not more than
 * WAKE_BONUS behind it (what it slept through is gone, but it preempts who used more), not far before it.
 * Between CPUs: a CPU without work steals any vCPU that waits; one with work steals who waits with a much lower vtime,
 * so that three hogs on two CPUs get two thirds each.
 *
 * Caps: a domain has a budget, refilled each period; its vCPUs are parked when it is spent. A debt is kept.
 *
 * Lock: the CPU's sched lock for its queue; domain budgets are atomic. Stealing tries the other's lock, and tries again if it would idle.
 */
#include "core/sched.h"

#include "boot/cmdline.h"
#include "core/domain.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "x86/softirq.h"
#include "x86/time.h"

#define WEIGHT_DEFAULT 256
#define WAKE_BONUS     MILLISECS(10)
#define STEAL_MARGIN   MILLISECS(10)
#define CAP_PERIOD     MILLISECS(30)
#define CAP_SLICE_MIN  MICROSECS(200)

static s_time_t tslice = MILLISECS(30);
static s_time_t ratelimit = MICROSECS(1000);
static s_time_t migration_delay;
static cpumask_t waiting_map;  /* (a) CPUs whose queue is not empty */
static s_time_t global_vclock; /* about the highest vclock of all CPUs */

static s_time_t weighted(const struct vcpu *v, s_time_t time)
{
	return time * WEIGHT_DEFAULT / v->domain->sched.weight;
}

static bool vcpu_before(const struct vcpu *a, const struct vcpu *b)
{
	return a->sched.vtime < b->sched.vtime;
}

/* --- caps --- */

static s_time_t cap_quota(const struct domain *d)
{
	return CAP_PERIOD * READ_ONCE(d->sched.cap) / 100;
}

static bool cap_spent(const struct domain *d)
{
	return READ_ONCE(d->sched.cap) && READ_ONCE(d->sched.budget) <= 0;
}

static void cap_arm(struct domain *d)
{
	if (!READ_ONCE(d->sched.refill_running) && !xchg(&d->sched.refill_running, true))
		timer_set(&d->sched.refill, time_now() + CAP_PERIOD);
}

/* A new budget: those that wait for it go on; @running: those that run get a slice that ends with it. */
static void cap_apply(struct domain *d, bool running)
{
	struct vcpu *v;
	unsigned int i;

	for_each_vcpu (d, v, i) {
		unsigned int cpu = vcpu_sched_lock(v);

		if (v->sched.parked) {
			v->sched.parked = false;
			sched_credit.enqueue(v, true);
		} else if (running && per_cpu(sched_cpu, cpu).curr == v) {
			softirq_raise_on(cpu, SOFTIRQ_SCHEDULE);
		}
		vcpu_sched_unlock(cpu);
	}
}

/* @curr has run until @now. */
static void burn(struct vcpu *curr, s_time_t now)
{
	s_time_t time = now - curr->sched.burned_upto;
	struct domain *d = curr->domain;

	if (time <= 0)
		return;
	curr->sched.burned_upto = now;
	curr->sched.vtime += weighted(curr, time);
	if (unlikely(READ_ONCE(d->sched.cap))) {
		atomic_sub(&d->sched.budget, time);
		cap_arm(d);
	}
}

/* Those that run have used the budget up to now. Tells how many they are. */
static unsigned int cap_settle(struct domain *d)
{
	s_time_t now = time_now();
	unsigned int i, n = 0;
	struct vcpu *v;

	for_each_vcpu (d, v, i) {
		unsigned int cpu = vcpu_sched_lock(v);

		if (per_cpu(sched_cpu, cpu).curr == v) {
			burn(v, now);
			n++;
		}
		vcpu_sched_unlock(cpu);
	}
	return n;
}

/* The next period begins. A domain that has used nothing stops the clock, until it runs again. */
static void cap_refill(void *data)
{
	struct domain *d = data;
	s_time_t quota = cap_quota(d), old, new;
	unsigned int running = quota ? cap_settle(d) : 0;

	WRITE_ONCE(d->sched.refill_running, false);
	do {
		old = READ_ONCE(d->sched.budget);
		new = min(old + quota, quota);
	} while (cmpxchg(&d->sched.budget, old, new) != old);
	if (quota && (running || old < quota))
		cap_arm(d);
	if (!quota || new > 0)
		cap_apply(d, false);
}

/* --- the clock --- */

static struct vcpu *queue_head(const struct sched_cpu *sc)
{
	return list_first(&sc->runq, struct vcpu, sched.runq);
}

static void clock_advance(struct sched_cpu *sc, const struct vcpu *curr)
{
	const struct vcpu *head = queue_head(sc);

	if (!curr || (head && vcpu_before(head, curr)))
		curr = head;
	sc->vclock = max(sc->vclock, curr ? curr->sched.vtime : READ_ONCE(global_vclock));
	/* Racy and monotonic enough: it only helps CPUs that come out of idling to join in. */
	if (sc->vclock > READ_ONCE(global_vclock))
		WRITE_ONCE(global_vclock, sc->vclock);
}

static void clock_fit(const struct sched_cpu *sc, struct vcpu *v)
{
	s_time_t vtime = max(v->sched.vtime, sc->vclock - WAKE_BONUS);

	v->sched.vtime = min(vtime, sc->vclock + weighted(v, 2 * tslice));
}

/* --- the queue --- */

static void queue_insert(struct sched_cpu *sc, struct vcpu *v)
{
	struct list *pos = sc->runq.prev;

	/* From the tail: those who have just run belong there. */
	while (pos != &sc->runq && vcpu_before(v, list_entry(pos, struct vcpu, sched.runq)))
		pos = pos->prev;
	list_add(&v->sched.runq, pos);
	if (!sc->queued++)
		cpumask_set(v->processor, &waiting_map);
}

static void queue_remove(struct sched_cpu *sc, struct vcpu *v)
{
	list_del(&v->sched.runq);
	if (!--sc->queued)
		cpumask_unset(v->processor, &waiting_map);
}

static void credit_dequeue(struct vcpu *v)
{
	if (v->sched.parked)
		v->sched.parked = false;
	else
		queue_remove(&per_cpu(sched_cpu, v->processor), v);
}

/* The first CPU after @cpu in @m, which is not empty, in a circle. */
static unsigned int cpu_after(unsigned int cpu, const cpumask_t *m)
{
	cpu = cpumask_next(cpu + 1, m);
	return cpu < NR_CPUS ? cpu : cpumask_first(m);
}

/* One of @among that is allowed to @v, its preferred ones first, then the nearest to where it is; NR_CPUS if there is none. */
static unsigned int cpu_for(const struct vcpu *v, const cpumask_t *among)
{
	cpumask_t allowed, soft;

	cpumask_and(&allowed, among, &cpu_online_map);
	cpumask_and(&allowed, &allowed, &v->sched.hard_affinity);
	if (cpumask_empty(&allowed))
		return NR_CPUS;
	cpumask_and(&soft, &allowed, &v->sched.soft_affinity);
	if (!cpumask_empty(&soft))
		allowed = soft;
	return cpumask_test(v->processor, &allowed) ? v->processor
						    : cpu_after(v->processor, &allowed);
}

/*
 * Give an idling CPU work: out of the map, so that the next one in search takes another. Its choice puts it back there if it finds
 * nothing after all.
 */
static void idle_cpu_claim(unsigned int cpu)
{
	if (cpumask_test(cpu, &sched_idle_map))
		cpumask_unset(cpu, &sched_idle_map);
	softirq_raise_on(cpu, SOFTIRQ_SCHEDULE);
}

/* @v waits behind others: have it stolen by a CPU that idles; else CPUs that run without a limit shall look up from time to time. */
static void offer(const struct vcpu *v)
{
	unsigned int cpu = cpu_for(v, &sched_idle_map);
	cpumask_t busy;

	if (cpu < NR_CPUS) {
		idle_cpu_claim(cpu);
		return;
	}
	cpumask_and(&busy, &v->sched.hard_affinity, &cpu_online_map);
	for_each_cpu (cpu, &busy)
		if (cpu != v->processor && !READ_ONCE(per_cpu(sched_cpu, cpu).slice_end))
			softirq_raise_on(cpu, SOFTIRQ_SCHEDULE);
}

static void credit_enqueue(struct vcpu *v, bool woken)
{
	struct sched_cpu *sc = &per_cpu(sched_cpu, v->processor);
	struct vcpu *curr = sc->curr;
	s_time_t now;

	if (unlikely(cap_spent(v->domain))) {
		v->sched.parked = true;
		cap_arm(v->domain);
		return;
	}
	if (curr->is_idle) {
		clock_advance(sc, NULL);
		clock_fit(sc, v);
		queue_insert(sc, v);
		idle_cpu_claim(v->processor);
		return;
	}
	now = time_now();
	burn(curr, now);
	clock_advance(sc, curr);
	if (woken || v->sched.last_cpu != v->processor)
		clock_fit(sc, v);
	queue_insert(sc, v);
	if (vcpu_before(v, curr)) {
		if (now - curr->sched.start_time >= ratelimit)
			softirq_raise_on(v->processor, SOFTIRQ_SCHEDULE);
		else
			sched_slice_set(sc, curr->sched.start_time + ratelimit);
	} else if (!sc->slice_end) {
		sched_slice_set(sc, max(curr->sched.start_time + tslice, now));
	}
	offer(v);
}

static unsigned int credit_pick_cpu(struct vcpu *v)
{
	unsigned int cpu = cpu_for(v, &sched_idle_map);

	/* If all are busy, any will do: who waits too long will be stolen. */
	if (cpu >= NR_CPUS)
		cpu = cpu_for(v, &cpu_online_map);
	/* Affinity is checked to meet the online CPUs when it is set, and those only grow. */
	ASSERT(cpu < NR_CPUS);
	return cpu;
}

/* --- choosing --- */

/* The one of @sc's queue with the lowest vtime below @limit that @cpu may take; its soft affinity must agree if @soft. */
static struct vcpu *steal_candidate(struct sched_cpu *sc, unsigned int cpu, s_time_t limit,
				    bool soft, s_time_t now)
{
	struct vcpu *v;

	list_for_each (v, &sc->runq, sched.runq) {
		if (v->sched.vtime >= limit)
			return NULL;
		if (cpumask_test(cpu, &v->sched.hard_affinity) &&
		    (!soft || cpumask_test(cpu, &v->sched.soft_affinity)) &&
		    now - v->sched.burned_upto >= migration_delay)
			return v;
	}
	return NULL;
}

/*
 * It idles and is about to run its only vCPU; if others join that one, its choice hands them out. Without its lock this holds because
 * the choice sets curr before it looks for idle CPUs, and these set their bit before they look at curr.
 */
static bool will_run_its_only(const struct sched_cpu *from)
{
	return READ_ONCE(from->curr)->is_idle && READ_ONCE(from->queued) <= 1;
}

static struct vcpu *steal_from(unsigned int other, unsigned int cpu, s_time_t limit, bool soft,
			       s_time_t now, bool *busy)
{
	struct sched_cpu *from = &per_cpu(sched_cpu, other);
	struct vcpu *v;

	/*
	 * Before the lock, too: that CPU is taking it to take the vCPU up, and an idle CPU that tries again and
	 * again meanwhile slows it down, in an emulator by milliseconds.
	 */
	if (will_run_its_only(from))
		return NULL;
	if (!spin_trylock(&from->lock)) {
		*busy = true;
		return NULL;
	}
	v = will_run_its_only(from) ? NULL : steal_candidate(from, cpu, limit, soft, now);
	if (v) {
		queue_remove(from, v);
		WRITE_ONCE(v->processor, cpu);
		v->sched.migrations++;
		clock_fit(&per_cpu(sched_cpu, cpu), v);
	}
	spin_unlock(&from->lock);
	return v;
}

/* Somebody who waits elsewhere, with a vtime below @limit; the search begins at the next CPU. */
static struct vcpu *steal(unsigned int cpu, s_time_t limit, bool soft, s_time_t now, bool *busy)
{
	cpumask_t others = waiting_map;
	unsigned int other = cpu;
	struct vcpu *v = NULL;

	cpumask_unset(cpu, &others);
	while (!v && !cpumask_empty(&others)) {
		other = cpu_after(other, &others);
		cpumask_unset(other, &others);
		v = steal_from(other, cpu, limit, soft, now, busy);
	}
	return v;
}

/* Nothing to do here. The idle bit is set before the last look, so that whoever queues a vCPU later sees it. */
static struct vcpu *pick_idle(unsigned int cpu, s_time_t now)
{
	struct sched_cpu *sc = &per_cpu(sched_cpu, cpu);
	bool busy = false;
	struct vcpu *v;

	if (!cpumask_test(cpu, &sched_idle_map))
		cpumask_set(cpu, &sched_idle_map);
	sc->contended = false;
	if (cpumask_empty(&waiting_map))
		return NULL;
	clock_advance(sc, NULL);
	v = steal(cpu, INT64_MAX, true, now, &busy);
	if (!v)
		v = steal(cpu, INT64_MAX, false, now, &busy);
	sc->contended = !v && busy;
	if (sc->contended)
		softirq_raise(SOFTIRQ_SCHEDULE);
	return v;
}

/* The better of the running vCPU (NULL: it cannot go on) and the queue's first. */
static struct vcpu *pick_local(struct sched_cpu *sc, struct vcpu *curr, bool yielded, s_time_t now)
{
	struct vcpu *head = queue_head(sc);

	if (!curr || !head)
		return curr ? curr : head;
	if (!yielded && (!vcpu_before(head, curr) || now - curr->sched.start_time < ratelimit))
		return curr;
	return head;
}

/* @next and the domain's other vCPUs that run: they use the budget together. */
static unsigned int cap_sharers(const struct domain *d, const struct vcpu *next)
{
	const struct vcpu *v;
	unsigned int i, n = 1;

	for_each_vcpu (d, v, i)
		n += v != next && READ_ONCE(v->is_running);
	return n;
}

static s_time_t slice_for(const struct sched_cpu *sc, struct vcpu *next, s_time_t now)
{
	struct domain *d = next->domain;
	s_time_t slice = 0, used = now - next->sched.start_time;

	if (sc->queued || !cpumask_empty(&waiting_map)) {
		if (used >= tslice) {
			next->sched.start_time = now;
			used = 0;
		}
		slice = tslice - used;
		/* Held back by the rate limit only. */
		if (sc->queued && used < ratelimit && vcpu_before(queue_head(sc), next))
			slice = ratelimit - used;
	}
	if (unlikely(READ_ONCE(d->sched.cap))) {
		s_time_t left = READ_ONCE(d->sched.budget) / cap_sharers(d, next);

		left = max(left, CAP_SLICE_MIN);
		slice = slice ? min(slice, left) : left;
	}
	return slice;
}

/*
 * The choice is made; no CPU may idle while somebody waits who could run there. For those who wait here, wake such CPUs. @was_idle: this
 * CPU may have been woken for somebody who waits elsewhere and whom it did not take: let those CPUs look again.
 */
static void hand_out(unsigned int cpu, bool was_idle)
{
	struct sched_cpu *sc = &per_cpu(sched_cpu, cpu);
	unsigned int other;
	struct vcpu *v;

	if (likely(cpumask_empty(&waiting_map)) ||
	    !cpumask_intersects(&sched_idle_map, &cpu_online_map))
		return;
	list_for_each (v, &sc->runq, sched.runq) {
		other = cpu_for(v, &sched_idle_map);
		if (other < NR_CPUS)
			idle_cpu_claim(other);
	}
	if (!was_idle)
		return;
	for_each_cpu (other, &waiting_map)
		if (other != cpu)
			softirq_raise_on(other, SOFTIRQ_SCHEDULE);
}

static struct vcpu *credit_pick(unsigned int cpu, struct vcpu *curr, s_time_t now, s_time_t *slice)
{
	struct sched_cpu *sc = &per_cpu(sched_cpu, cpu);
	struct vcpu *prev = curr, *next, *stolen;
	bool yielded = curr->sched.yielded, busy;

	curr->sched.yielded = false;
	if (!curr->is_idle)
		burn(curr, now);
	if (curr->is_idle || !vcpu_runnable(curr) || cap_spent(curr->domain) ||
	    !cpumask_test(cpu, &curr->sched.hard_affinity))
		curr = NULL;
	clock_advance(sc, curr);
	next = pick_local(sc, curr, yielded, now);
	if (!next) {
		next = pick_idle(cpu, now);
		if (!next)
			return NULL;
	} else {
		/* Unless somebody who waits elsewhere has had much less. */
		stolen = cpumask_empty(&waiting_map)
				 ? NULL
				 : steal(cpu, next->sched.vtime - STEAL_MARGIN, true, now, &busy);
		if (!stolen && next != curr)
			queue_remove(sc, next);
		next = stolen ? stolen : next;
	}
	if (cpumask_test(cpu, &sched_idle_map))
		cpumask_unset(cpu, &sched_idle_map);
	/* Before those who are woken look here, and a barrier against the idle map: see will_run_its_only(). */
	(void)xchg(&sc->curr, next);
	hand_out(cpu, prev->is_idle);
	next->sched.last_cpu = cpu;
	next->sched.burned_upto = now;
	if (next != prev)
		next->sched.start_time = now;
	*slice = slice_for(sc, next, now);
	return next;
}

/* --- life --- */

static void credit_domain_init(struct domain *d)
{
	d->sched.weight = WEIGHT_DEFAULT;
	timer_init(&d->sched.refill, cap_refill, d, 0);
}

static void credit_domain_destroy(struct domain *d)
{
	timer_kill(&d->sched.refill);
}

/* --- parameters --- */

static int credit_adjust_domain(struct domain *d, struct xen_domctl_scheduler_op *op)
{
	switch (op->cmd) {
	case XEN_DOMCTL_SCHEDOP_getinfo:
		op->u.credit.weight = d->sched.weight;
		op->u.credit.cap = d->sched.cap;
		return 0;
	case XEN_DOMCTL_SCHEDOP_putinfo:
		if (op->u.credit.weight)
			WRITE_ONCE(d->sched.weight, op->u.credit.weight);
		if (op->u.credit.cap != (uint16_t)~0u) {
			WRITE_ONCE(d->sched.cap, op->u.credit.cap);
			WRITE_ONCE(d->sched.budget, cap_quota(d));
			cap_apply(d, true);
		}
		return 0;
	default:
		return -EINVAL;
	}
}

static int params_check(const struct xen_sysctl_credit_schedule *p)
{
	if (p->tslice_ms > XEN_SYSCTL_CSCHED_TSLICE_MAX ||
	    p->tslice_ms < XEN_SYSCTL_CSCHED_TSLICE_MIN ||
	    (p->ratelimit_us && (p->ratelimit_us > XEN_SYSCTL_SCHED_RATELIMIT_MAX ||
				 p->ratelimit_us < XEN_SYSCTL_SCHED_RATELIMIT_MIN)) ||
	    MICROSECS(p->ratelimit_us) > MILLISECS(p->tslice_ms) ||
	    p->vcpu_migr_delay_us > XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US)
		return -EINVAL;
	return 0;
}

static int credit_adjust_global(struct xen_sysctl_scheduler_op *op)
{
	struct xen_sysctl_credit_schedule *p = &op->u.sched_credit;
	int rc;

	switch (op->cmd) {
	case XEN_SYSCTL_SCHEDOP_putinfo:
		rc = params_check(p);
		if (rc)
			return rc;
		WRITE_ONCE(tslice, MILLISECS(p->tslice_ms));
		WRITE_ONCE(ratelimit, MICROSECS(p->ratelimit_us));
		WRITE_ONCE(migration_delay, MICROSECS(p->vcpu_migr_delay_us));
		/* fall through */
	case XEN_SYSCTL_SCHEDOP_getinfo:
		p->tslice_ms = (uint32_t)(tslice / 1000000);
		p->ratelimit_us = (uint32_t)(ratelimit / 1000);
		p->vcpu_migr_delay_us = (uint32_t)(migration_delay / 1000);
		return 0;
	default:
		return -EINVAL;
	}
}

const struct scheduler sched_credit = {
	.name = "credit",
	.full_name = "SMP Credit Scheduler",
	.id = XEN_SCHEDULER_CREDIT,
	.domain_init = credit_domain_init,
	.domain_destroy = credit_domain_destroy,
	.pick_cpu = credit_pick_cpu,
	.enqueue = credit_enqueue,
	.dequeue = credit_dequeue,
	.pick = credit_pick,
	.adjust_domain = credit_adjust_domain,
	.adjust_global = credit_adjust_global,
};

static int time_option(const char *value, uint64_t lowest, uint64_t highest, s_time_t unit,
		       s_time_t *time)
{
	uint64_t n;

	if (parse_u64(value, NULL, 0, &n) || n < lowest || n > highest)
		return -EINVAL;
	*time = (s_time_t)n * unit;
	return 0;
}

static int tslice_option(const char *value)
{
	return time_option(value, XEN_SYSCTL_CSCHED_TSLICE_MIN, XEN_SYSCTL_CSCHED_TSLICE_MAX,
			   MILLISECS(1), &tslice);
}
CMDLINE(sched_credit_tslice_ms, tslice_option, "time slice of the credit scheduler, 1-1000 ms");

static int ratelimit_option(const char *value)
{
	return time_option(value, 0, XEN_SYSCTL_SCHED_RATELIMIT_MAX, MICROSECS(1), &ratelimit);
}
CMDLINE(sched_ratelimit_us, ratelimit_option,
	"a vCPU runs at least this long before another preempts it");
