/* SPDX-License-Identifier: MIT */
/* See fake_guest.h. Stands in for the scheduler, the domain list and the guest copy. */
#include "fake_guest.h"

#include "lib/log.h"
#include "mm/guest_copy.h"
#include "mm/heap.h"

#include <string.h>

#define MAX_GUESTS 8

static struct fake_guest guests[MAX_GUESTS];
static struct vcpu *vcpus[MAX_GUESTS][FAKE_VCPUS];
struct multicall_state fake_continuation;
unsigned int guest_continuations;
struct domain *hardware_domain;

void guests_reset(void)
{
	machine_reset();
	memset(guests, 0, sizeof(guests));
	memset(&fake_continuation, 0, sizeof(fake_continuation));
	hardware_domain = NULL;
}

struct fake_guest *guest_new(unsigned int id)
{
	struct fake_guest *g = &guests[id];
	struct domain *d = fake_domain(id);

	g->d = d;
	g->shared = d->shared_info = page_alloc();
	share_page_with_guest(g->shared, d, true);
	d->vcpu = vcpus[id];
	d->max_vcpus = FAKE_VCPUS;
	d->is_privileged = d->is_hardware = id == 0;
	if (id == 0)
		hardware_domain = d;
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		struct vcpu *v = &g->vcpu[i];

		v->domain = d;
		v->vcpu_id = i;
		v->vcpu_info = &g->shared->vcpu_info[i];
		v->mc_state = (unsigned long)&fake_continuation;
		d->vcpu[i] = v;
	}
	return g;
}

void guest_run(struct fake_guest *g, unsigned int vcpu)
{
	current = &g->vcpu[vcpu];
}

void guest_forget(struct fake_guest *g)
{
	g->d = NULL;
}

mfn_t guest_frame(struct fake_guest *g)
{
	struct page_info *pg = domain_page_alloc(g->d, 0, 0);

	BUG_ON(!pg);
	return page_to_mfn(pg);
}

long guest_call(hypercall_fn fn, unsigned long a1, unsigned long a2, unsigned long a3)
{
	const struct multicall_state *mc = &fake_continuation;
	unsigned long arg[6] = {a1, a2, a3};
	long rc;

	guest_continuations = 0;
	for (;; guest_continuations++) {
		fake_continuation.preempted = false;
		rc = fn(arg[0], arg[1], arg[2], 0, 0);
		if (!mc->preempted)
			return rc;
		memcpy(arg, mc->entry.args, mc->nr_args * sizeof(arg[0]));
	}
}

/* --- the domain list --- */

struct domain *domain_get(domid_t id)
{
	if (id >= MAX_GUESTS || !guests[id].d)
		return NULL;
	domain_hold(guests[id].d);
	return guests[id].d;
}

struct domain *domain_get_any(domid_t id)
{
	if (id != DOMID_SELF)
		return domain_get(id);
	domain_hold(current->domain);
	return current->domain;
}

/* --- the scheduler --- */

void vcpu_kick(struct vcpu *v)
{
	guests[v->domain->domain_id].kicks[v->vcpu_id]++;
}

void vcpu_unblock(struct vcpu *v)
{
	guests[v->domain->domain_id].unblocks[v->vcpu_id]++;
	if (atomic_and(&v->pause_flags, ~(VPF_blocked | VPF_poll)) & VPF_poll)
		v->domain->poll_count--;
}

/* --- guest memory --- */

static bool bad(const void *va)
{
	return (unsigned long)va - BAD_VA < PAGE_SIZE;
}

unsigned long guest_copy_raw(void *dst, const void *src, unsigned long len)
{
	if (bad(dst) || bad(src))
		return len;
	memcpy(dst, src, len);
	return 0;
}

unsigned long guest_clear_raw(void *dst, unsigned long len)
{
	if (bad(dst))
		return len;
	memset(dst, 0, len);
	return 0;
}

bool get_guest_u32(uint32_t *v, unsigned long va)
{
	return !copy_from_guest_va(v, va, sizeof(*v));
}

bool get_guest_u64(uint64_t *v, unsigned long va)
{
	return !copy_from_guest_va(v, va, sizeof(*v));
}

bool put_guest_u32(unsigned long va, uint32_t v)
{
	return !copy_to_guest_va(va, &v, sizeof(v));
}

bool put_guest_u64(unsigned long va, uint64_t v)
{
	return !copy_to_guest_va(va, &v, sizeof(v));
}
