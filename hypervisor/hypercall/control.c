/* SPDX-License-Identifier: MIT */
/*
 * What the control interfaces share: the call, and bit maps of CPUs and nodes in guest memory.
 *
 * A call copies the whole structure in once, compares the version, finds the domain and authorises the caller; then the row's
 * handler gets its member of the union. Lock: the family's. It is only tried: who does not get it leaves and comes again, since
 * the holder may be waiting for the other one's vCPU to stop.
 *
 * Bit maps are byte arrays with a length in bits, of the caller's choice; both sides see as much as both have.
 */
#include "hypercall/control.h"
#include "lib/string.h"
#include <xen/platform.h>

#define MAX_MAP_BYTES (NR_CPUS / 8)

/* The byte that bit @nr falls into keeps only its lower bits. */
static void cut_last_byte(uint8_t *bytes, unsigned int nr)
{
	if (nr % 8)
		bytes[nr / 8] &= (uint8_t)((1u << nr % 8) - 1);
}

int control_bitmap_read(const struct xenctl_bitmap *b, void *bits, unsigned int nr)
{
	unsigned int use = min(b->nr_bits, nr), bytes = DIV_ROUND_UP(use, 8);

	memset(bits, 0, DIV_ROUND_UP(nr, 64) * 8);
	if (copy_from_guest_va(bits, (unsigned long)b->bitmap.p, bytes))
		return -EFAULT;
	cut_last_byte(bits, use);
	return 0;
}

int control_bitmap_write(const struct xenctl_bitmap *b, const void *bits, unsigned int nr)
{
	unsigned int use = min(b->nr_bits, nr), bytes = DIV_ROUND_UP(use, 8);
	unsigned long va = (unsigned long)b->bitmap.p, all = DIV_ROUND_UP((uint64_t)b->nr_bits, 8);
	uint8_t buf[MAX_MAP_BYTES];

	if (all > PAGE_SIZE)
		return -EINVAL;
	memcpy(buf, bits, bytes);
	cut_last_byte(buf, use);
	if (copy_to_guest_va(va, buf, bytes) || clear_guest_va(va + bytes, all - bytes))
		return -EFAULT;
	return 0;
}

union control_op {
	struct {
		uint32_t cmd, interface_version;
	};
	struct xen_domctl domctl;
	struct xen_sysctl sysctl;
	struct xen_platform_op platform;
};

static bool control_allowed(const struct hc *hc, const struct subop *row)
{
	if (hc->d->is_privileged)
		return true;
	return row && row->who == WHO_CONTROL && hc->target && domain_controls(hc->d, hc->target);
}

static int control_run(struct control_family *f, struct hc *hc, union control_op *op)
{
	const struct subop *row = subop_search(f->ops, f->nr_ops, op->cmd);
	int rc;

	if (!control_allowed(hc, row))
		return -EPERM;
	if (!row || !row->fn)
		return -ENOSYS;
	if (row->who == WHO_OTHER && hc->target == hc->d)
		return -EINVAL;
	if (!spin_trylock(&f->lock))
		return -ERESTART;
	rc = row->fn(hc, (char *)op + f->union_off);
	spin_unlock(&f->lock);
	if ((row->dir & DIR_OUT) && (rc >= 0 || hc->copy_out) &&
	    copy_to_guest_va(hc->arg_va, op, f->size))
		rc = -EFAULT;
	return rc;
}

long control_call(struct control_family *f, unsigned long arg_va)
{
	struct hc hc = {.d = current->domain, .arg_va = arg_va};
	union control_op op;
	int rc;

	if (copy_from_guest_va(&op, arg_va, f->size))
		return -EFAULT;
	if (op.interface_version != f->version)
		return -EACCES;
	rc = f->find_target ? f->find_target(&hc, &op.domctl) : 0;
	if (!rc)
		rc = control_run(f, &hc, &op);
	if (hc.target)
		domain_put(hc.target);
	return rc == -ERESTART ? hypercall_restart() : rc;
}
