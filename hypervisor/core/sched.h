/* SPDX-License-Identifier: MIT */
/*
 * Who runs where: pausing and waking vCPUs, and the interface a scheduling policy fits behind. core/sched.c owns the state
 * of every vCPU (runnable, blocked, paused) and the switch; core/sched_credit.c is the policy behind the ABI's "credit".
 *
 * Lock: each CPU's run queue lock (sched_lock), lowest CPU number first where two are needed (a second one out of order only by
 * trylock). The run state of a vCPU is guarded by the lock of the CPU it is assigned to (v->processor). Below event
 * locks, above timer locks.
 *
 * Nothing sleeps: a choice is made by SOFTIRQ_SCHEDULE when the CPU is about to leave the hypervisor. So whoever waits for a vCPU to
 * leave its CPU (vcpu_pause, domain_pause) must hold no lock that a hypercall of that vCPU may wait for, and two
 * hypercalls must not wait for each other's vCPUs: take the lock that excludes that by trylock and make a continuation if it is taken.
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "core/timer.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "x86/cpu.h"
#include <xen/domctl.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>

struct vcpu;
struct domain;

/* Reasons a vCPU does not run (v->pause_flags). */
#define VPF_blocked 1u /* SCHEDOP_block: an event ends it */
#define VPF_down    2u /* not brought up */
#define VPF_poll    4u /* SCHEDOP_poll: VPF_blocked is set too, v->poll_port says for what */

/* Per-vCPU scheduling state, embedded in struct vcpu (L: sched lock of v->processor). */
struct sched_vcpu {
	struct list runq;	 /* linked while runnable, saved and not running */
	s_time_t vtime;		 /* weighted time it has run: the lowest runs next */
	s_time_t start_time;	 /* when it was last put on a CPU */
	s_time_t burned_upto;	 /* running: vtime is right as of then */
	cpumask_t hard_affinity; /* may run only here */
	cpumask_t soft_affinity; /* prefers these */
	cpumask_t hard_saved;	 /* restored when a temporary pinning ends */
	bool parked;		 /* cap reached: runnable, but in no queue */
	bool yielded;
	bool pinned_temporarily; /* SCHEDOP_pin_override */
	unsigned int last_cpu;	 /* the policy's: whose clock vtime fits */
	unsigned int migrations; /* statistics, for dumps */
};

struct sched_domain {
	uint16_t weight;     /* 256 is the default share */
	uint16_t cap;	     /* percent of one CPU; 0 = none */
	s_time_t budget;     /* (a) capped: what it may still run in this period */
	struct timer refill; /* capped: starts the next period */
	bool refill_running; /* (a) */
};

/* A policy. All calls but the first group are made with the sched lock of the CPU concerned held. */
struct scheduler {
	const char *name; /* as `sched=` takes it */
	const char *full_name;
	unsigned int id; /* XEN_SCHEDULER_* */
	void (*domain_init)(struct domain *d);
	void (*domain_destroy)(struct domain *d);

	/* Where should it be queued? It is runnable and on no CPU. Allowed CPUs only. */
	unsigned int (*pick_cpu)(struct vcpu *v);
	/* Queue at v->processor; @woken: it was blocked until now. Makes that CPU, or a better one, choose again if need be. */
	void (*enqueue)(struct vcpu *v, bool woken);
	void (*dequeue)(struct vcpu *v);
	/*
	 * Choose for @cpu at @now, where @curr has run so far (not queued, maybe not runnable any more). The result is out of the
	 * queue. *slice is how long it may run (0 or less: until something changes). NULL: nobody, idle.
	 */
	struct vcpu *(*pick)(unsigned int cpu, struct vcpu *curr, s_time_t now, s_time_t *slice);

	int (*adjust_domain)(struct domain *d, struct xen_domctl_scheduler_op *op);
	int (*adjust_global)(struct xen_sysctl_scheduler_op *op);
};

/* What core/sched.c and a policy share about a CPU. */
struct sched_cpu {
	spinlock_t lock;
	struct vcpu *curr;   /* (L) on this CPU, or being switched to */
	struct timer slice;  /* raises SOFTIRQ_SCHEDULE */
	s_time_t slice_end;  /* (L) 0: none */
	unsigned int queued; /* (L) vCPUs in runq; read without lock as a hint */
	struct list runq;    /* (L) the policy's order */
	s_time_t vclock;     /* (L) the policy's: virtual time here, never goes back */
	bool contended;	     /* its own: the last search for work met a lock, and is repeated */
	unsigned long switches;
};
DECLARE_PER_CPU(struct sched_cpu, sched_cpu);
/* (a) CPUs whose idle vCPU runs, or will unless its last look finds work */
extern cpumask_t sched_idle_map;
extern const struct scheduler sched_credit, *const sched_policy; /* the one chosen */
/* What runs on @sc may go on until @end (0: no limit). Its lock is held. */
void sched_slice_set(struct sched_cpu *sc, s_time_t end);

void sched_init(void); /* boot CPU; needs the heap and time */
/* Before @cpu starts (its idle vCPU must be its `current` then): run queue, timers, work list, idle vCPU. */
void sched_init_cpu(unsigned int cpu);
void sched_init_vcpu(struct vcpu *v);
void sched_destroy_vcpu(struct vcpu *v);

/* Its flags or a pause count have changed: is queued if nothing holds it back any more, else taken off its CPU soon. */
void vcpu_settle(struct vcpu *v);
void vcpu_block(void); /* current: until an event; returns at once if one is pending */
void vcpu_unblock(struct vcpu *v);
long vcpu_yield(void);
/* An event is pending for @v: unblock it, or make the CPU it runs on notice. */
void vcpu_kick(struct vcpu *v);

void vcpu_pause(struct vcpu *v); /* counted; returns when it is off its CPU; not for current */
void vcpu_unpause(struct vcpu *v);
void domain_pause(struct domain *d);
void domain_pause_nosync(struct domain *d);
void domain_unpause(struct domain *d);
int domain_pause_by_tools(struct domain *d); /* counted separately, saturates; domctl lock held */
int domain_unpause_by_tools(struct domain *d);

/* -EINVAL: no CPU that runs is in @m; -EBUSY: a temporary pinning is in force. */
int vcpu_set_hard_affinity(struct vcpu *v, const cpumask_t *m) __must_check;
int vcpu_set_soft_affinity(struct vcpu *v, const cpumask_t *m) __must_check;
/* SCHEDOP_pin_override: pin to @cpu for a while; negative: end it. */
int vcpu_pin_temporarily(struct vcpu *v, int cpu) __must_check;
void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *rs); /* times up to now */
uint64_t vcpu_cpu_time(struct vcpu *v);				       /* ns running, up to now */
uint64_t cpu_idle_time(unsigned int cpu);			       /* ns idle, up to now */
bool vcpu_runnable(const struct vcpu *v);
/* The lock that guards @v's run state: takes it and returns its CPU, to unlock per_cpu(sched_cpu, cpu).lock. */
unsigned int vcpu_sched_lock(struct vcpu *v);
void vcpu_sched_unlock(unsigned int cpu);
void idle_loop(void) __noreturn;

/* XEN_DOMCTL_scheduler_op, XEN_SYSCTL_scheduler_op: authorised, copied in and out by the caller. */
int sched_adjust_domain(struct domain *d, struct xen_domctl_scheduler_op *op);
int sched_adjust_global(struct xen_sysctl_scheduler_op *op);

/*
 * x86/switch.c, called by the scheduler: save @prev's registers, load @next's. The continuation is the exit path, so it
 * does not return when prev != next. It calls sched_context_saved(prev) when nothing of @prev is on this CPU any more: from then on
 * another CPU may run it.
 */
void context_switch(struct vcpu *prev, struct vcpu *next);
void sched_context_saved(struct vcpu *prev);

#endif
