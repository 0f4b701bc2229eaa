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
#include "x86/softirq.h"

typedef long hypercall_fn(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
			  unsigned long a5);
#define NR_HYPERCALLS 64
extern hypercall_fn *const hypercall_table[NR_HYPERCALLS];
hypercall_fn hypercall_enosys; /* in the place of numbers that are not assigned */

enum subop_dir { DIR_NONE, DIR_IN, DIR_OUT, DIR_INOUT };
/* Who may call, and whom the target field names. */
enum subop_who {
	WHO_ANY,	     /* no target, anyone */
	WHO_SELF_OR_CONTROL, /* target is the caller, or one it controls */
	WHO_CONTROL,	     /* target is one it controls (control domain, or its device model) */
	WHO_OTHER,	/* control.c: as WHO_PRIV, and the target is not the caller (-EINVAL) */
	WHO_TARGET,	/* any existing domain; the handler decides */
	WHO_PRIV,	/* no target; control domain only */
	WHO_PRIV_FIRST, /* as WHO_PRIV, refused before the argument is read */
	WHO_HARDWARE,	/* no target; hardware domain only */
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

typedef int subop_fn(struct hc *hc, void *arg);
/* SUBOP_HANDLER(name, const struct x *op) begins a row's function, which gets its argument as the structure that it is, and hc. */
#define SUBOP_HANDLER(name, argument)                     \
	subop_fn name;                                    \
	static int name##_typed(struct hc *hc, argument); \
	int name(struct hc *hc, void *arg)                \
	{                                                 \
		return name##_typed(hc, arg);             \
	}                                                 \
	static int name##_typed(struct hc *hc, argument)

struct subop {
	uint16_t nr;
	uint16_t size;	    /* of the argument structure, at most 256 */
	int16_t target_off; /* offset of its domid_t, -1 if none */
	uint8_t dir, who;
	subop_fn *fn; /* NULL: -ENOSYS */
};

#define SUBOP_ROW(cmd, bytes, d, off, w, f)                                                \
	{                                                                                  \
		.nr = (cmd), .size = (bytes), .target_off = (off), .dir = (d), .who = (w), \
		.fn = (f)                                                                  \
	}
#define SUBOP(cmd, type, d, w, f) SUBOP_ROW(cmd, sizeof(type), d, -1, w, f)
#define SUBOP_T(cmd, type, d, field, w, f) \
	SUBOP_ROW(cmd, sizeof(type), d, offsetof(type, field), w, f)
#define SUBOP_0(cmd, w, f)	SUBOP_ROW(cmd, 0, DIR_NONE, -1, w, f) /* no argument structure */
#define SUBOP_REFUSED(cmd, why) SUBOP_0(cmd, WHO_ANY, NULL) /* @why: for the documentation */

/* Functions of rows that have one answer. Refusals carry the errno Xen gives for a paravirtual domain or a machine without the feature. */
subop_fn refuse_einval, refuse_eopnotsupp, refuse_enodev, refuse_eacces, answer_zero;

/*
 * Run sub-operation @cmd of a family, a table of rows, with the structure at guest address @arg_va. The rows are sorted by
 * number; those of a table that is dense from 0 are found by index. An unknown number is -ENOSYS.
 */
#define sub_call(ops, cmd, arg_va) subop_call(ops, ARRAY_SIZE(ops), cmd, arg_va)
long subop_call(const struct subop *ops, unsigned int nr_ops, unsigned long cmd,
		unsigned long arg_va);

/* For odd families: the row of @cmd, NULL if it has none. */
const struct subop *subop_search(const struct subop *ops, unsigned int nr_ops, unsigned long cmd);
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

/*
 * A multicall in progress: lives on hc_multicall()'s stack, v->mc_state points to it (0: none). @entry.op: of the entry being
 * run, or of its continuation; @entry.args: the continuation's.
 */
struct multicall_state {
	struct multicall_entry entry;
	unsigned int nr_args; /* of entry.args, new ones; the others stay as the guest has them */
	bool preempted;	      /* it made a continuation */
};

/* Write the transfer page that XEN_DOMCTL_hypercall_init and an ELF note ask for. */
void hypercall_page_fill(void *page);

/* The functions, one file a hypercall (hc_*.c), or the owner of the fast path. */
#define HYPERCALL_FN(name)                                                                     \
	long hc_##name(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4, \
		       unsigned long a5)
hypercall_fn hc_set_trap_table, hc_mmu_update, hc_set_gdt, hc_stack_switch, hc_set_callbacks,
	hc_fpu_taskswitch, hc_sched_op_compat, hc_platform_op, hc_set_debugreg, hc_get_debugreg,
	hc_update_descriptor, hc_memory_op, hc_multicall, hc_update_va_mapping, hc_set_timer_op,
	hc_event_channel_op_compat, hc_xen_version, hc_console_io, hc_physdev_op_compat,
	hc_grant_table_op, hc_vm_assist, hc_update_va_mapping_otherdomain, hc_iret, hc_vcpu_op,
	hc_set_segment_base, hc_mmuext_op, hc_nmi_op, hc_sched_op, hc_callback_op, hc_xenoprof_op,
	hc_event_channel_op, hc_physdev_op, hc_hvm_op, hc_sysctl, hc_domctl, hc_kexec_op,
	hc_hypfs_op, hc_dm_op, hc_xenpmu_op, hc_mca, hc_paging_domctl_cont, hc_nested_op;

#endif
