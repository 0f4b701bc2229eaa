/* SPDX-License-Identifier: MIT */
/*
 * The object model: struct domain and struct vcpu, finding and counting them.
 *
 * Field legend: (c) constant after creation; (L:x) guarded by lock x; (v) only the vCPU itself while it runs, or anyone
 * while it is paused; (a) atomic.
 *
 * A domain lives while references are held (domain_get/put). domain_kill takes it apart in steps that can be interrupted; the structure
 * itself goes with the last reference.
 */
#ifndef CORE_DOMAIN_H
#define CORE_DOMAIN_H

#include "core/rangeset.h"
#include "core/sched.h"
#include "core/timer.h"
#include "core/work.h"
#include "pv/pv_types.h"

#define NR_VIRQS	 24
#define MAX_VIRT_CPUS	 128
#define LEGACY_MAX_VCPUS XEN_LEGACY_MAX_VCPUS

struct evtchn_domain; /* core/evtchn.c */
struct evtchn_vcpu;
struct grant_table; /* core/grant_*.c */
struct pirq_domain; /* x86/pirq.c */

/* Assembly reads the first group: offsets come from x86/asm_offsets.c. */
struct vcpu {
	struct domain *domain; /* (c) */
	/* (v) hypervisor's mapping of the guest-shared page; never NULL */
	struct vcpu_info *vcpu_info;
	unsigned int vcpu_id; /* (c) */
	bool in_kernel;	      /* (v) PV: which of the two page tables and GS bases is loaded */
	bool is_idle;	      /* (c) */
	bool nmi_pending, nmi_masked; /* (v) */
	struct pv_vcpu pv;	      /* (v) the paravirtual CPU */
	struct cpu_user_regs regs;    /* (v) saved while not on a CPU; live ones are guest_regs() */

	/* scheduling: core/sched.c */
	unsigned int processor; /* (L: sched) CPU it runs on or is queued at */
	bool is_running;	/* (L: sched) on a CPU now, its state is not saved */
	bool is_initialised;	/* (a) registers are valid: may be brought up */
	uint32_t pause_flags;	/* (a) VPF_* */
	int pause_count;	/* (a) */
	struct sched_vcpu sched;
	struct vcpu_runstate_info runstate; /* (L: sched) */
	unsigned long runstate_guest;	    /* (v) guest address to keep it copied to, 0 if none */

	/* time: core/vtime.c */
	struct timer periodic_timer, singleshot_timer, poll_timer;
	s_time_t periodic_period, periodic_last;
	unsigned long time_info_guest; /* (v) VCPUOP_register_vcpu_time_memory_area */
	uint32_t time_version;

	/* events */
	evtchn_port_t virq_to_port[NR_VIRQS]; /* (L: d->event_lock) 0 = unbound */
	int poll_port; /* (v) while VPF_poll is set: -1 several ports, else the one */
	struct evtchn_vcpu *evtchn;
	struct page_info *vcpu_info_page; /* NULL while vcpu_info is in shared_info */

	unsigned long mc_state; /* (v) multicall in progress: hypercall/multicall.c */
};

enum domain_dying { DOMDYING_alive, DOMDYING_dying, DOMDYING_dead };

struct domain {
	domid_t domain_id;     /* (c) */
	bool is_privileged;    /* (c) control domain */
	bool is_hardware;      /* (c) domain 0 */
	bool is_shut_down;     /* (L: shutdown_lock) and holds one of its pauses */
	uint8_t dying;	       /* enum domain_dying (L: domctl_lock, page_lock) */
	int shutdown_code;     /* SHUTDOWN_*, -1 while running */
	uint32_t refcount;     /* (a) */
	struct work free_work; /* with the last reference */
	xen_domain_handle_t handle;
	uint32_t create_flags; /* XEN_DOMCTL_CDF_* */
	uint32_t ssidref;

	unsigned int max_vcpus; /* (c) */
	struct vcpu **vcpu;	/* (c) array of max_vcpus, entries appear by domain_vcpu_create */

	/* memory */
	spinlock_t page_lock;
	uint32_t page_list, xen_page_list;	      /* (L: page_lock) frame lists: heads */
	unsigned int tot_pages, max_pages, xen_pages; /* (L: page_lock) */
	unsigned int outstanding_pages;		      /* claims */
	unsigned int relinquish_state;		      /* (L: domctl_lock) progress of domain_kill */
	struct shared_info *shared_info;	      /* (c) */
	struct pv_domain pv;
	unsigned long vm_assist; /* (v) bits of VMASST_TYPE_* */

	/* events, grants */
	spinlock_t event_lock;
	struct evtchn_domain *evtchn;
	struct grant_table *grant;
	struct pirq_domain *pirq;

	/* permissions */
	struct rangeset iomem_caps, irq_caps, ioport_caps; /* (L: caps_lock) */
	/* a leaf; domain_caps_* take it. Alone on the machine (boot) none is needed */
	spinlock_t caps_lock;

	/* scheduling and time */
	struct sched_domain sched;
	int pause_count;	    /* (a) all pauses */
	int controller_pause_count; /* (L: domctl_lock) of which by tools */
	bool creation_finished;	    /* (L: domctl_lock) */
	/* (a) CPUs on which a vCPU of it is or was loaded since their last flush */
	cpumask_t dirty_cpus;
	int64_t time_offset_seconds;
	spinlock_t shutdown_lock;
	/* (L: shutdown_lock) XEN_DOMCTL_subscribe: told when it has suspended; 0 none */
	evtchn_port_t suspend_evtchn;
	spinlock_t vcpu_op_lock; /* by trylock only, else -ERESTART: one initialises a vCPU of it */
	unsigned int poll_count; /* (a) vCPUs in SCHEDOP_poll */

	/* watchdogs: SCHEDOP_watchdog (L: shutdown_lock) */
	struct timer watchdog[2];
	uint32_t watchdog_inuse;

	/* console output of unprivileged guests, gathered to whole lines (L: console_line_lock) */
	spinlock_t console_line_lock;
	char *console_line;
	unsigned int console_len;
	s_time_t console_window;
	unsigned int console_budget;
};

/* --- core/domain.c --- */
extern struct domain *hardware_domain; /* domain 0, NULL before it is built */
/* Pseudo-domains, DOMID_IO and DOMID_XEN: owners of device space and hypervisor pages. */
extern struct domain *dom_io, *dom_xen;
extern struct vcpu *idle_vcpu[NR_CPUS];
/* Where v->vcpu_info points while the guest has given no place for it: vCPUs from LEGACY_MAX_VCPUS on, and dead ones. */
extern struct vcpu_info dummy_vcpu_info;

void domain_subsys_init(void);			     /* pseudo-domains and the idle domain */
int idle_vcpu_create(unsigned int cpu) __must_check; /* by sched_init_cpu */

/* Find by id and take a reference; NULL if there is none (or only a dead one). */
struct domain *domain_get(domid_t id);
/* As above for an ABI value that may be DOMID_SELF. */
struct domain *domain_get_any(domid_t id);
void domain_put(struct domain *d);
static inline void domain_hold(struct domain *d) /* a further reference beside one already held */
{
	atomic_add(&d->refcount, 1);
}
/* The lowest living domain with id >= @id, referenced; NULL after the last. */
struct domain *domain_next(unsigned int id);
/* The one after @d, whose reference it takes over. */
static inline struct domain *domain_after(struct domain *d)
{
	struct domain *next = domain_next(d->domain_id + 1u);

	domain_put(d);
	return next;
}
/* @d is referenced meanwhile: who leaves the loop early puts it. */
#define for_each_domain(d) for ((d) = domain_next(0); (d); (d) = domain_after(d))

struct domain_config {
	bool privileged;
	const xen_domain_handle_t *handle;
	uint32_t flags, ssidref;
	unsigned int max_vcpus, max_evtchn_port, max_grant_frames, max_maptrack_frames,
		max_grant_version;
};
/* Creates a domain in state paused (controller_pause_count 1), to be found by others. *@out is not referenced for the caller. */
int domain_create(domid_t id, const struct domain_config *cfg, struct domain **out) __must_check;
int domain_vcpu_create(struct domain *d,
		       unsigned int id) __must_check; /* DOMCTL_max_vcpus makes them all */
/* Take apart: -ERESTART when interrupted (call again), 0 when done. */
int domain_kill(struct domain *d) __must_check;
void domain_shutdown(struct domain *d, int reason);
void domain_resume(struct domain *d);
/* The guest's own fault: it stops with SHUTDOWN_crash, a line in the log says why; everybody else lives. */
void domain_crash(struct domain *d, const char *fmt, ...) __printf_like(2, 3);
/* SCHEDOP_watchdog: @id 0 starts a new one; returns its id, or 0, or -errno. */
int domain_watchdog(struct domain *d, uint32_t id, uint32_t seconds);
/* SCHEDOP_shutdown_code: the reason that a later domain_shutdown reports, unless one is set already. */
void domain_set_shutdown_code(struct domain *d, uint8_t reason);
/* The registered vcpu_info page goes; events are lost from now on. For a vCPU that will not run again, or a reset. */
void vcpu_info_unmap(struct vcpu *v);
/* VCPUOP_register_vcpu_info. May be -ERESTART. */
int vcpu_info_register(struct vcpu *v, mfn_t mfn, uint32_t offset);

/* Rights: all of first..last, ranges are whole. */
static inline bool domain_caps_contain(struct domain *d, const struct rangeset *caps,
				       uint64_t first, uint64_t last)
{
	bool yes;

	spin_lock(&d->caps_lock);
	yes = rangeset_contains(caps, first, last);
	spin_unlock(&d->caps_lock);
	return yes;
}
int domain_caps_change(struct domain *d, struct rangeset *caps, uint64_t first, uint64_t last,
		       bool allow);

static inline struct vcpu *domain_vcpu(const struct domain *d, unsigned int id)
{
	return id < d->max_vcpus ? d->vcpu[array_index_nospec(id, d->max_vcpus)] : NULL;
}
#define for_each_vcpu(d, v, i)                     \
	for ((i) = 0; (i) < (d)->max_vcpus; (i)++) \
		if (((v) = (d)->vcpu[i]) != NULL)

/* May @s manage @d? There are no device models, which might manage one only. */
static inline bool domain_controls(const struct domain *s, const struct domain *d)
{
	return s->is_privileged;
}

/* --- core/vtime.c: what a guest sees of time --- */
void vtime_init_vcpu(struct vcpu *v);
void vtime_destroy_vcpu(struct vcpu *v);
void vtime_update(struct vcpu *v); /* refresh pvclock in vcpu_info; on switch-in and scale change */
void vtime_update_wallclock(struct domain *d);
/* From context_switch: @v is current and its page tables are loaded, both times. */
void vtime_switch_in(struct vcpu *v); /* timers follow the vCPU */
void vtime_switch_out(struct vcpu *v);
/* Areas in guest memory that are kept up to date; 0 ends it. The address has been checked. */
void vtime_register_runstate(struct vcpu *v, unsigned long va);
void vtime_register_time(struct vcpu *v, unsigned long va);
void vtime_set_periodic(struct vcpu *v, s_time_t period);    /* 0: stop */
void vtime_set_singleshot(struct vcpu *v, s_time_t expires); /* current; 0: stop */

/* --- x86 side of a domain's life (pv/pv_domain.c) --- */
int arch_domain_create(struct domain *d) __must_check;
void arch_domain_free(struct domain *d);
int arch_vcpu_create(struct vcpu *v) __must_check;
void arch_vcpu_free(struct vcpu *v);
int arch_domain_relinquish(struct domain *d)
	__must_check; /* page tables, LDT/GDT references; preemptible */
int arch_vcpu_reset(struct vcpu *v);
int vcpu_reset(struct vcpu *v);

#endif
