/* SPDX-License-Identifier: MIT */
/*
 * The ABI's edge. The entry code calls a hypercall's function with the guest's five arguments; families of
 * sub-operations are tables of rows that sub_call() walks: it copies the argument in once, resolves and authorises the
 * target, calls the handler with typed input, copies the result out. Handlers never touch guest memory for their argument.
 *
 * Only this layer makes continuations: a handler that returns -ERESTART is entered again with its (updated) argument.
 */
#ifndef HYPERCALL_DISPATCH_H
#define HYPERCALL_DISPATCH_H

#include "core/domain.h"
#include "lib/errno.h"
#include "mm/guest_copy.h"

typedef long (*hypercall_fn)(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
			     unsigned long a5);
#define NR_HYPERCALLS 64
extern const hypercall_fn hypercall_table[NR_HYPERCALLS]; /* unassigned numbers: hypercall_enosys */

enum subop_dir { DIR_NONE, DIR_IN, DIR_OUT, DIR_INOUT };
/* Who may call, and whom the target field names. */
enum subop_who {
	WHO_ANY,	     /* no target, anyone */
	WHO_SELF,	     /* target field must be the caller (DOMID_SELF or its own id) */
	WHO_SELF_OR_CONTROL, /* target is the caller, or one it controls */
	WHO_CONTROL,	     /* target is one it controls (control domain, or its device model) */
	WHO_TARGET,	     /* any existing domain; the handler decides */
	WHO_PRIV,	     /* no target; control domain only */
	WHO_PRIV_FIRST,	     /* as WHO_PRIV, refused before the argument is read */
	WHO_HARDWARE,	     /* no target; hardware domain only */
};

/* One sub-operation in progress. */
struct hc {
	struct domain *d; /* the caller */
	struct domain
		*target; /* referenced for the time of the call; == d unless the row has a target */
	unsigned long
		arg_va; /* where the guest's structure stands, for handlers with trailing arrays */
	bool copy_out; /* set it to have the result written even on error; on success it always is */
};

struct subop {
	const char *name; /* as in the public header */
	uint16_t nr;
	uint16_t size;	    /* of the argument structure, at most 256 */
	int16_t target_off; /* offset of its domid_t, -1 if none */
	uint8_t dir, who;
	int (*fn)(struct hc *hc, void *arg); /* NULL: refused (-ENOSYS or the family's errno) */
	const char *note;		     /* when fn is NULL: why */
};

#define SUBOP(cmd, type, d, w, f)                                                              \
	{                                                                                      \
		.name = #cmd, .nr = (cmd), .size = sizeof(type), .target_off = -1, .dir = (d), \
		.who = (w), .fn = (f)                                                          \
	}
#define SUBOP_T(cmd, type, d, field, w, f)                                             \
	{                                                                              \
		.name = #cmd, .nr = (cmd), .size = sizeof(type),                       \
		.target_off = offsetof(type, field), .dir = (d), .who = (w), .fn = (f) \
	}
#define SUBOP_0(cmd, w, f) /* no argument structure */                                   \
	{                                                                                \
		.name = #cmd, .nr = (cmd), .size = 0, .target_off = -1, .dir = DIR_NONE, \
		.who = (w), .fn = (f)                                                    \
	}
#define SUBOP_REFUSED(cmd, why)                                            \
	{                                                                  \
		.name = #cmd, .nr = (cmd), .target_off = -1, .note = (why) \
	}

struct subop_family {
	const char *name;
	const struct subop
		*ops; /* sorted by nr; dense from 0 where possible: found by index first */
	unsigned int nr_ops;
	int unknown; /* what an unknown or refused number returns, e.g. -ENOSYS */
};

/* Run sub-operation @cmd with the structure at guest address @arg_va. */
long sub_call(const struct subop_family *f, unsigned long cmd, unsigned long arg_va);

/* For odd families: the row of @cmd, NULL if it has none. */
const struct subop *subop_lookup(const struct subop_family *f, unsigned long cmd);
/* For odd families: set hc->target from @id as a row with @who would have it, referenced unless it is the caller. */
int hc_target(struct hc *hc, domid_t id, enum subop_who who) __must_check;

/*
 * Continuation: make the guest's hypercall instruction run again with these arguments (rewinds rip, or rewrites the
 * multicall entry). Returns the value the handler must return.
 */
long hypercall_continue(unsigned int nr, unsigned int nargs, const unsigned long *args);
#define hypercall_continue_with(nr, ...)                          \
	({                                                        \
		const unsigned long args_[] = {__VA_ARGS__};      \
		hypercall_continue(nr, ARRAY_SIZE(args_), args_); \
	})
/* As above with the arguments as they are. */
long hypercall_restart(void);
/* Should a long loop stop here? Opens the interrupt window: no lock may be held, nothing half done. */
bool hypercall_preempt_check(void);

/* Write the transfer page that XEN_DOMCTL_hypercall_init and an ELF note ask for. */
void hypercall_page_fill(void *page);

/* The functions, one file a hypercall (hc_*.c), or the owner of the fast path. */
#define HYPERCALL_FN(name)                                                                     \
	long hc_##name(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4, \
		       unsigned long a5)
long hypercall_enosys(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		      unsigned long a5);
HYPERCALL_FN(set_trap_table);
HYPERCALL_FN(mmu_update);
HYPERCALL_FN(set_gdt);
HYPERCALL_FN(stack_switch);
HYPERCALL_FN(set_callbacks);
HYPERCALL_FN(fpu_taskswitch);
HYPERCALL_FN(sched_op_compat);
HYPERCALL_FN(platform_op);
HYPERCALL_FN(set_debugreg);
HYPERCALL_FN(get_debugreg);
HYPERCALL_FN(update_descriptor);
HYPERCALL_FN(memory_op);
HYPERCALL_FN(multicall);
HYPERCALL_FN(update_va_mapping);
HYPERCALL_FN(set_timer_op);
HYPERCALL_FN(event_channel_op_compat);
HYPERCALL_FN(xen_version);
HYPERCALL_FN(console_io);
HYPERCALL_FN(physdev_op_compat);
HYPERCALL_FN(grant_table_op);
HYPERCALL_FN(vm_assist);
HYPERCALL_FN(update_va_mapping_otherdomain);
HYPERCALL_FN(iret);
HYPERCALL_FN(vcpu_op);
HYPERCALL_FN(set_segment_base);
HYPERCALL_FN(mmuext_op);
HYPERCALL_FN(xsm_op);
HYPERCALL_FN(nmi_op);
HYPERCALL_FN(sched_op);
HYPERCALL_FN(callback_op);
HYPERCALL_FN(xenoprof_op);
HYPERCALL_FN(event_channel_op);
HYPERCALL_FN(physdev_op);
HYPERCALL_FN(hvm_op);
HYPERCALL_FN(sysctl);
HYPERCALL_FN(domctl);
HYPERCALL_FN(kexec_op);
HYPERCALL_FN(argo_op);
HYPERCALL_FN(hypfs_op);
HYPERCALL_FN(dm_op);
HYPERCALL_FN(xenpmu_op);
HYPERCALL_FN(mca);
HYPERCALL_FN(paging_domctl_cont);

#endif
