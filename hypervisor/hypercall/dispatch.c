/* SPDX-License-Identifier: MIT */
/*
 * The dispatcher: walks the rows of a family of sub-operations, and makes continuations.
 *
 * Invariant: a handler runs only with its argument copied, once, and its target resolved, referenced and authorised. The order
 * of refusals is what callers know from Xen: unknown number, caller without the right (-EPERM), unreadable argument (-EFAULT), no such domain (-ESRCH), not allowed
 * (-EPERM), then the handler's own.
 *
 * Takes no lock. A hypercall in a multicall finds its continuation's home in v->mc_state (struct multicall_state).
 */
#include "hypercall/dispatch.h"

#include "lib/log.h"
#include "lib/string.h"

#define SUBOP_ARG_MAX 256

const struct subop *subop_search(const struct subop *ops, unsigned int nr_ops, unsigned long cmd)
{
	unsigned int lo = 0, hi = nr_ops;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (ops[mid].nr < cmd)
			lo = mid + 1;
		else
			hi = mid;
	}
	lo = array_index_nospec(lo, nr_ops);
	return ops[lo].nr == cmd ? &ops[lo] : NULL;
}

static always_inline bool arg_read(uint64_t *arg, unsigned long va, unsigned int size)
{
	if (size == sizeof(uint32_t))
		return get_guest_u32((uint32_t *)arg, va);
	if (size == sizeof(uint64_t))
		return get_guest_u64(arg, va);
	return !copy_from_guest_va(arg, va, size);
}

static always_inline bool arg_write(unsigned long va, const uint64_t *arg, unsigned int size)
{
	if (size == sizeof(uint32_t))
		return put_guest_u32(va, (uint32_t)*arg);
	if (size == sizeof(uint64_t))
		return put_guest_u64(va, *arg);
	return !copy_to_guest_va(va, arg, size);
}

int hc_target(struct hc *hc, domid_t id, enum subop_who who)
{
	struct domain *d = hc->d, *t;

	if (id == DOMID_SELF || id == d->domain_id)
		return who == WHO_CONTROL && !domain_controls(d, d) ? -EPERM : 0;
	t = domain_get(id);
	if (!t)
		return -ESRCH;
	if (who != WHO_TARGET && !domain_controls(d, t)) {
		domain_put(t);
		return -EPERM;
	}
	hc->target = t;
	return 0;
}

/* Which refusals come before the argument is read and which after is as callers know it from Xen. */
static always_inline bool caller_refused(const struct domain *d, unsigned int who)
{
	return (who == WHO_PRIV_FIRST && !d->is_privileged) ||
	       (who == WHO_HARDWARE && !d->is_hardware);
}

static int hc_authorise(struct hc *hc, const struct subop *op, const void *arg)
{
	domid_t id;

	if (op->who == WHO_PRIV)
		return hc->d->is_privileged ? 0 : -EPERM;
	if (op->target_off < 0)
		return op->who == WHO_CONTROL ? hc_target(hc, DOMID_SELF, WHO_CONTROL) : 0;
	memcpy(&id, (const char *)arg + op->target_off, sizeof(id));
	return hc_target(hc, id, op->who);
}

long subop_call(const struct subop *ops, unsigned int nr_ops, unsigned long cmd,
		unsigned long arg_va)
{
	uint64_t arg[SUBOP_ARG_MAX / sizeof(uint64_t)];
	const struct subop *op = &ops[array_index_nospec(cmd, nr_ops)];
	struct hc hc;
	int rc;

	if (unlikely(op->nr != cmd))
		op = subop_search(ops, nr_ops, cmd);
	if (unlikely(!op || !op->fn))
		return -ENOSYS;
	ASSERT(op->size <= sizeof(arg));
	hc.d = hc.target = current->domain;
	if (unlikely(caller_refused(hc.d, op->who)))
		return -EPERM;
	if (op->dir & DIR_IN) {
		if (unlikely(!arg_read(arg, arg_va, op->size)))
			return -EFAULT;
	} else {
		memset(arg, 0, op->size);
	}
	hc.arg_va = arg_va;
	hc.copy_out = false;
	if (op->who != WHO_ANY) {
		rc = hc_authorise(&hc, op, arg);
		if (unlikely(rc))
			return rc;
	}
	rc = op->fn(&hc, arg);
	if ((op->dir & DIR_OUT) && (rc >= 0 || rc == -ERESTART || hc.copy_out) &&
	    !arg_write(arg_va, arg, op->size))
		rc = -EFAULT;
	if (unlikely(hc.target != hc.d))
		domain_put(hc.target);
	return likely(rc != -ERESTART) ? rc : hypercall_restart();
}

long hypercall_continue(unsigned int nr, unsigned int nargs, const unsigned long *args)
{
	struct multicall_state *mc = (struct multicall_state *)current->mc_state;
	struct cpu_user_regs *regs = guest_regs();
	uint64_t *const reg[] = {&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10, &regs->r8};

	ASSERT(nargs <= ARRAY_SIZE(reg));
	for (unsigned int i = 0; i < nargs; i++)
		if (mc)
			mc->entry.args[i] = args[i];
		else
			*reg[i] = args[i];
	if (mc) {
		mc->entry.op = nr;
		mc->nr_args = nargs;
		mc->preempted = true;
	} else {
		/* SYSCALL is two bytes long: the instruction runs again, with the number back in RAX. */
		regs->rip -= 2;
	}
	return nr;
}

long hypercall_restart(void)
{
	struct multicall_state *mc = (struct multicall_state *)current->mc_state;

	return hypercall_continue(mc ? mc->entry.op : guest_regs()->rax, 0, NULL);
}

#define ANSWER(name, rc)                   \
	int name(struct hc *hc, void *arg) \
	{                                  \
		return rc;                 \
	}
ANSWER(refuse_einval, -EINVAL)
ANSWER(refuse_eopnotsupp, -EOPNOTSUPP)
ANSWER(refuse_enodev, -ENODEV)
ANSWER(refuse_eacces, -EACCES)
ANSWER(answer_zero, 0)

long hypercall_enosys(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		      unsigned long a5)
{
	return -ENOSYS;
}

/*
 * One slot of 32 bytes a number: the ABI promises RCX and R11, which SYSCALL destroys, to the caller. iret does not return and has
 * its own frame (RAX saved too, <xen/arch-x86/xen-x86_64.h>).
 */
void hypercall_page_fill(void *page)
{
	static const uint8_t call[] = {0x51, 0x41, 0x53, 0xb8, 0,    0,	   0,
				       0,    0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
	static const uint8_t iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, 0, 0, 0, 0, 0x0f, 0x05};
	uint8_t *slot = page;

	memset(page, 0xcc, PAGE_SIZE);
	for (uint32_t nr = 0; nr < PAGE_SIZE / 32; nr++, slot += 32) {
		bool is_iret = nr == __HYPERVISOR_iret;

		memcpy(slot, is_iret ? iret : call, is_iret ? sizeof(iret) : sizeof(call));
		memcpy(slot + (is_iret ? 5 : 4), &nr, sizeof(nr));
	}
}
