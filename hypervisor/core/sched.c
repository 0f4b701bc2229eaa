/* SPDX-License-Identifier: MIT */
/*
 * The state of every vCPU and the switch: pausing, waking, blocking, affinity, run-state times. Which vCPU runs next is the
 * policy's choice (struct scheduler).
 *
 * Invariant: a runnable vCPU is on a CPU (curr), or being taken off one (is_running, not curr), or queued (or parked
 * by its cap), exactly one of them; a queued vCPU's registers are all in memory. What happens to a vCPU while it is being
 * taken off is settled by sched_context_saved.
 *
 * Lock: sched_cpu.lock of v->processor. A vCPU changes v->processor only while it is in no queue and on no CPU, under the lock of the
 * former one (stealing holds both).
 */
#include "core/sched.h"

#include "boot/cmdline.h"
#include "core/event.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/irq.h"
#include "x86/outer.h"
#include "x86/softirq.h"
#include "x86/time.h"

DEFINE_PER_CPU(struct sched_cpu, sched_cpu);
cpumask_t sched_idle_map;
const struct scheduler *const sched_policy = &sched_credit;

unsigned int vcpu_sched_lock(struct vcpu *v)
{
	for (;;) {
		unsigned int cpu = READ_ONCE(v->processor);

		spin_lock(&per_cpu(sched_cpu, cpu).lock);
		if (likely(v->processor == cpu))
			return cpu;
		spin_unlock(&per_cpu(sched_cpu, cpu).lock);
	}
}

void vcpu_sched_unlock(unsigned int cpu)
{
	spin_unlock(&per_cpu(sched_cpu, cpu).lock);
}

/* --- run state --- */

bool vcpu_runnable(const struct vcpu *v)
{
	return !(READ_ONCE(v->pause_flags) | (uint32_t)READ_ONCE(v->pause_count) |
		 (uint32_t)READ_ONCE(v->domain->pause_count));
}

static void runstate_change(struct vcpu *v, int state, s_time_t now)
{
	s_time_t delta = now - (s_time_t)v->runstate.state_entry_time;

	if (delta > 0) {
		v->runstate.time[v->runstate.state] += (uint64_t)delta;
		v->runstate.state_entry_time = (uint64_t)now;
	}
	v->runstate.state = state;
}

static int stopped_state(const struct vcpu *v)
{
	return READ_ONCE(v->pause_flags) & VPF_blocked ? RUNSTATE_blocked : RUNSTATE_offline;
}

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *rs)
{
	unsigned int cpu = vcpu_sched_lock(v);
	s_time_t delta;

	*rs = v->runstate;
	delta = time_now() - (s_time_t)rs->state_entry_time;
	if (delta > 0)
		rs->time[rs->state] += (uint64_t)delta;
	vcpu_sched_unlock(cpu);
}

uint64_t vcpu_cpu_time(struct vcpu *v)
{
	struct vcpu_runstate_info rs;

	vcpu_runstate_get(v, &rs);
	return rs.time[RUNSTATE_running];
}

uint64_t cpu_idle_time(unsigned int cpu)
{
	return idle_vcpu[cpu] ? vcpu_cpu_time(idle_vcpu[cpu]) : 0;
}

/* --- in and out of the queues --- */

static bool vcpu_queued(const struct vcpu *v)
{
	return !list_empty(&v->sched.runq) || v->sched.parked;
}

/* @leaving: is_running is the caller's, who has just taken it off its CPU. */
static bool vcpu_placeable(const struct vcpu *v, bool leaving)
{
	return vcpu_runnable(v) && (leaving || !v->is_running) && !vcpu_queued(v);
}

/*
 * Queue a runnable vCPU where the policy wants it. Enters with the lock of @cpu, v->processor; returns the CPU that it is now,
 * whose lock is held instead. Between the two locks another CPU may have stopped the vCPU, changed its affinity or, unless it
 * is @leaving, queued it.
 */
static unsigned int vcpu_place(struct vcpu *v, unsigned int cpu, bool leaving, bool woken)
{
	unsigned int target = sched_policy->pick_cpu(v);

	while (target != cpu) {
		WRITE_ONCE(v->processor, target);
		v->sched.migrations++;
		vcpu_sched_unlock(cpu);
		cpu = vcpu_sched_lock(v);
		if (!vcpu_placeable(v, leaving))
			return cpu;
		target = cpumask_test(cpu, &v->sched.hard_affinity) ? cpu
								    : sched_policy->pick_cpu(v);
	}
	if (v->runstate.state != RUNSTATE_runnable)
		runstate_change(v, RUNSTATE_runnable, time_now());
	sched_policy->enqueue(v, woken);
	return cpu;
}

/* The vCPU is not to run any more: out of the queue, or off its CPU soon. */
static void vcpu_stop_locked(struct vcpu *v, unsigned int cpu)
{
	if (per_cpu(sched_cpu, cpu).curr == v) {
		softirq_raise_on(cpu, SOFTIRQ_SCHEDULE);
		return;
	}
	if (vcpu_queued(v))
		sched_policy->dequeue(v);
	if (!v->is_running && v->runstate.state != stopped_state(v))
		runstate_change(v, stopped_state(v), time_now());
}

void vcpu_settle(struct vcpu *v)
{
	unsigned int cpu = vcpu_sched_lock(v);

	if (vcpu_placeable(v, false))
		cpu = vcpu_place(v, cpu, false, true);
	else if (!vcpu_runnable(v))
		vcpu_stop_locked(v, cpu);
	vcpu_sched_unlock(cpu);
}

static void domain_settle(struct domain *d)
{
	struct vcpu *v;
	unsigned int i;

	for_each_vcpu (d, v, i)
		vcpu_settle(v);
}

static void vcpu_wait_off(const struct vcpu *v)
{
	ASSERT(v != current);
	while (!vcpu_runnable(v) && READ_ONCE(v->is_running))
		spin_wait();
}

/* --- the switch --- */

/* A slice need not end to the microsecond: mostly it is over before, and a deadline of its own costs an exit below a hypervisor. */
#define SLICE_SLACK MILLISECS(1)

void sched_slice_set(struct sched_cpu *sc, s_time_t end)
{
	sc->slice_end = end;
	/* A timer that is set too early is left alone: it finds out when it fires. */
	if (end && (!timer_pending(&sc->slice) || sc->slice.expires > end))
		timer_set_lax(&sc->slice, end, SLICE_SLACK);
}

static void slice_expired(void *data)
{
	struct sched_cpu *sc = data;

	/* Another CPU may be shortening the slice: the timer must not be set back to the old end. */
	spin_lock(&sc->lock);
	if (sc->slice_end && time_now() >= sc->slice_end)
		softirq_raise(SOFTIRQ_SCHEDULE);
	else if (sc->slice_end)
		timer_set_lax(&sc->slice, sc->slice_end, SLICE_SLACK);
	spin_unlock(&sc->lock);
}

static void schedule(void)
{
	struct sched_cpu *sc = &this_cpu(sched_cpu);
	unsigned int cpu = this_cpu_id();
	struct vcpu *prev = current, *next;
	s_time_t now = time_now(), slice = 0;

	spin_lock(&sc->lock);
	next = sched_policy->pick(cpu, prev, now, &slice);
	if (!next)
		next = idle_vcpu[cpu];
	sched_slice_set(sc, slice > 0 ? now + slice : 0);
	if (next == prev) {
		spin_unlock(&sc->lock);
		if (prev->is_idle && sc->contended)
			spin_wait();
		return;
	}
	runstate_change(prev,
			prev->is_idle || vcpu_runnable(prev) ? RUNSTATE_runnable
							     : stopped_state(prev),
			now);
	runstate_change(next, RUNSTATE_running, now);
	next->is_running = true;
	next->sched.start_time = now;
	sc->curr = next;
	sc->switches++;
	spin_unlock(&sc->lock);
	context_switch(prev, next);
}

void sched_context_saved(struct vcpu *prev)
{
	unsigned int cpu;
	bool woken;

	if (prev->is_idle) {
		prev->is_running = false;
		return;
	}
	cpu = vcpu_sched_lock(prev);
	woken = prev->runstate.state != RUNSTATE_runnable;
	if (vcpu_placeable(prev, true))
		cpu = vcpu_place(prev, cpu, true, woken);
	/* Only now, with its lock held: who has waited for this may free it. */
	WRITE_ONCE(prev->is_running, false);
	if (!vcpu_runnable(prev))
		vcpu_stop_locked(prev, cpu);
	vcpu_sched_unlock(cpu);
}

/* --- blocking --- */

void vcpu_block(void)
{
	struct vcpu *v = current;

	atomic_or(&v->pause_flags, VPF_blocked);
	/* After the flag: whoever sends an event from now on sees that we sleep. */
	if (vcpu_event_pending(v) || (v->nmi_pending && !v->nmi_masked))
		atomic_and(&v->pause_flags, ~VPF_blocked);
	else
		softirq_raise(SOFTIRQ_SCHEDULE);
}

void vcpu_unblock(struct vcpu *v)
{
	uint32_t old = atomic_and(&v->pause_flags, ~(VPF_blocked | VPF_poll));

	if (!(old & (VPF_blocked | VPF_poll)))
		return;
	/* Not poll_port: the vCPU may be up and polling anew. */
	if (old & VPF_poll)
		atomic_sub(&v->domain->poll_count, 1);
	vcpu_settle(v);
}

long vcpu_yield(void)
{
	struct sched_cpu *sc = &this_cpu(sched_cpu);

	if (!READ_ONCE(sc->queued))
		return 0;
	current->sched.yielded = true;
	softirq_raise(SOFTIRQ_SCHEDULE);
	return 0;
}

void vcpu_kick(struct vcpu *v)
{
	if (READ_ONCE(v->pause_flags) & VPF_blocked)
		vcpu_unblock(v);
	else if (v != current && READ_ONCE(v->is_running))
		lapic_send_ipi(READ_ONCE(v->processor), VECTOR_IPI_EVENT);
}

/* --- pausing --- */

void vcpu_pause(struct vcpu *v)
{
	atomic_add(&v->pause_count, 1);
	vcpu_settle(v);
	vcpu_wait_off(v);
}

void vcpu_unpause(struct vcpu *v)
{
	if (!atomic_sub(&v->pause_count, 1))
		vcpu_settle(v);
}

void domain_pause(struct domain *d)
{
	struct vcpu *v;
	unsigned int i;

	domain_pause_nosync(d);
	for_each_vcpu (d, v, i)
		vcpu_wait_off(v);
}

void domain_pause_nosync(struct domain *d)
{
	atomic_add(&d->pause_count, 1);
	domain_settle(d);
}

void domain_unpause(struct domain *d)
{
	if (!atomic_sub(&d->pause_count, 1))
		domain_settle(d);
}

int domain_pause_by_tools(struct domain *d)
{
	if (d->controller_pause_count == 255)
		return -EOVERFLOW;
	d->controller_pause_count++;
	domain_pause(d);
	return 0;
}

int domain_unpause_by_tools(struct domain *d)
{
	if (!d->controller_pause_count)
		return -EINVAL;
	d->controller_pause_count--;
	/* The builder has cleared the shared page after the domain was made. */
	if (!d->controller_pause_count && !d->creation_finished) {
		d->creation_finished = true;
		vtime_update_wallclock(d);
	}
	domain_unpause(d);
	return 0;
}

/* --- affinity --- */

/* The mask of @v has changed; the lock of @cpu, v->processor, is held and given up. */
static void vcpu_move(struct vcpu *v, unsigned int cpu)
{
	if (vcpu_queued(v)) {
		/* Also where it may stay: another CPU may be free for it now. */
		sched_policy->dequeue(v);
		cpu = vcpu_place(v, cpu, false, false);
	} else if (per_cpu(sched_cpu, cpu).curr == v &&
		   !cpumask_test(cpu, &v->sched.hard_affinity)) {
		softirq_raise_on(cpu, SOFTIRQ_SCHEDULE);
	}
	vcpu_sched_unlock(cpu);
}

int vcpu_set_hard_affinity(struct vcpu *v, const cpumask_t *m)
{
	unsigned int cpu;

	if (!cpumask_intersects(m, &cpu_online_map))
		return -EINVAL;
	cpu = vcpu_sched_lock(v);
	if (v->sched.pinned_temporarily) {
		vcpu_sched_unlock(cpu);
		return -EBUSY;
	}
	v->sched.hard_affinity = *m;
	vcpu_move(v, cpu);
	return 0;
}

int vcpu_set_soft_affinity(struct vcpu *v, const cpumask_t *m)
{
	unsigned int cpu = vcpu_sched_lock(v);

	v->sched.soft_affinity = *m;
	vcpu_sched_unlock(cpu);
	return 0;
}

int vcpu_pin_temporarily(struct vcpu *v, int to)
{
	unsigned int cpu;

	if (to >= 0 && (to >= NR_CPUS || !cpumask_test((unsigned int)to, &cpu_online_map)))
		return -EINVAL;
	cpu = vcpu_sched_lock(v);
	if (v->sched.pinned_temporarily == (to >= 0)) {
		vcpu_sched_unlock(cpu);
		return to >= 0 ? -EBUSY : -EINVAL;
	}
	v->sched.pinned_temporarily = to >= 0;
	if (to >= 0) {
		v->sched.hard_saved = v->sched.hard_affinity;
		cpumask_clear(&v->sched.hard_affinity);
		cpumask_set((unsigned int)to, &v->sched.hard_affinity);
	} else {
		v->sched.hard_affinity = v->sched.hard_saved;
	}
	vcpu_move(v, cpu);
	return 0;
}

/* --- life --- */

void sched_init_vcpu(struct vcpu *v)
{
	list_init(&v->sched.runq);
	v->runstate.state_entry_time = (uint64_t)time_now();
	cpumask_setall(&v->sched.soft_affinity);
	if (v->is_idle) {
		cpumask_clear(&v->sched.hard_affinity);
		cpumask_set(v->vcpu_id, &v->sched.hard_affinity);
		v->processor = v->vcpu_id;
		v->is_running = true;
		v->runstate.state = RUNSTATE_running;
		per_cpu(sched_cpu, v->vcpu_id).curr = v;
		return;
	}
	cpumask_setall(&v->sched.hard_affinity);
	/* A domain's vCPUs are spread over the CPUs until they wake for the first time. */
	v->processor = cpumask_next(v->vcpu_id % nr_cpus_online, &cpu_online_map);
	v->runstate.state = RUNSTATE_offline;
}

void sched_destroy_vcpu(struct vcpu *v)
{
	unsigned int cpu = vcpu_sched_lock(v);

	ASSERT(!v->is_running);
	if (vcpu_queued(v))
		sched_policy->dequeue(v);
	vcpu_sched_unlock(cpu);
}

void sched_init_cpu(unsigned int cpu)
{
	struct sched_cpu *sc = &per_cpu(sched_cpu, cpu);

	memset(sc, 0, sizeof(*sc));
	list_init(&sc->runq);
	if (cpu)
		timer_init_cpu(cpu);
	timer_init(&sc->slice, slice_expired, sc, cpu);
	cpumask_set(cpu, &sched_idle_map);
	if (idle_vcpu_create(cpu))
		panic("No memory for CPU %u's idle vCPU", cpu);
}

void sched_init(void)
{
	softirq_register(SOFTIRQ_SCHEDULE, schedule);
	work_subsys_init();
	sched_init_cpu(0);
	current = idle_vcpu[0];
	printk("Using scheduler: %s (%s)\n", sched_policy->full_name, sched_policy->name);
}

static int sched_option(const char *value)
{
	return strcmp(value, sched_policy->name) ? -EINVAL : 0;
}
CMDLINE(sched, sched_option, "scheduling policy: credit");

/* --- parameters --- */

int sched_adjust_domain(struct domain *d, struct xen_domctl_scheduler_op *op)
{
	if (op->sched_id != sched_policy->id)
		return -EINVAL;
	return sched_policy->adjust_domain(d, op);
}

int sched_adjust_global(struct xen_sysctl_scheduler_op *op)
{
	if (op->cpupool_id != 0 && op->cpupool_id != (uint32_t)-1)
		return -ESRCH;
	if (op->sched_id != sched_policy->id)
		return -EINVAL;
	return sched_policy->adjust_global(op);
}

/* --- idle --- */

#ifndef HOST_BUILD
static void cpu_sleep(void)
{
	timer_idle();
	if (READ_ONCE(cpu_info()->softirq_pending)) /* a request may raise one */
		return;
	outer_exit_count(EXIT_HALT);
	cpu_halt();
}

void idle_loop(void)
{
	for (;;) {
		if (READ_ONCE(cpu_info()->softirq_pending))
			softirq_run();
		else if (heap_scrub_one())
			irq_window();
		else
			cpu_sleep();
	}
}
#endif
