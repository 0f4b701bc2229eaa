/* SPDX-License-Identifier: MIT */
/*
 * PV page types and tables against a naive oracle: a guest of few frames does random things (pins, updates, base
 * pointers, plain writes, emulated writes, giving frames back), interrupted at random; after every step all reference counts are
 * worked out again from the tables' contents alone and compared, and no frame may be a table and writable. At the end everything
 * must come back to the heap. The same operations then run on several CPUs at once.
 */
#include "unit.h"

#include "fake_machine.h"
#include "core/grant.h"
#include "hypercall/dispatch.h"
#include "pv/mmu.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN    26 /* frames of the guest under test */
#define OTHER  3  /* of another */
#define POOL   (OWN + OTHER)
#define DEVICE 0xb8	    /* below the first MiB */
#define VA     0x40201000UL /* L4 slot 0, L3 slot 1, L2 slot 1, L1 slot 1 */

static mfn_t pool[POOL];
static struct domain *guest, *other;
static struct vcpu vcpus[4];

/* --- what the code under test calls --- */

extern unsigned int fake_traps; /* fake_mmu.c: how many were injected */

struct domain *domain_get(domid_t id)
{
	if (id != guest->domain_id && id != other->domain_id)
		return NULL;
	atomic_add(&fake_domain(id)->refcount, 1);
	return fake_domain(id);
}

static __thread unsigned long again[5];
static __thread bool goes_on;

long hypercall_continue(unsigned int nr, unsigned int nargs, const unsigned long *args)
{
	memcpy(again, args, nargs * sizeof(*args));
	goes_on = true;
	return nr;
}

/* As the guest's instruction: executed again as long as it is continued. */
static long call(hypercall_fn fn, unsigned long a1, unsigned long a2, unsigned long a3,
		 unsigned long a4)
{
	unsigned int rounds = 0;
	long rc;

	again[0] = a1;
	again[1] = a2;
	again[2] = a3;
	again[3] = a4;
	do {
		goes_on = false;
		rc = fn(again[0], again[1], again[2], again[3], 0);
		assert_true(++rounds < 100000);
	} while (goes_on);
	return rc;
}

static long mmu_update1(uint64_t ptr, uint64_t val, unsigned int dom)
{
	struct mmu_update u = {.ptr = ptr, .val = val};
	unsigned int done = 0;
	long rc = call(hc_mmu_update, (unsigned long)&u, 1, (unsigned long)&done, dom);

	assert_int_equal(done, rc == 0);
	return rc;
}

static long ext(unsigned int cmd, unsigned long arg1, unsigned int dom)
{
	struct mmuext_op op = {.cmd = cmd};

	op.arg1.linear_addr = arg1;
	return call(hc_mmuext_op, (unsigned long)&op, 1, 0, dom);
}

/* --- the oracle --- */

static struct {
	uint64_t type[FAKE_FRAMES];  /* expected type references */
	uint64_t count[FAKE_FRAMES]; /* expected general references */
	bool writable[FAKE_FRAMES];
} oracle;

static unsigned int entries_held(const struct page_info *pg)
{
	if (pg->type_info & PGT_validated)
		return PTES_PER_TABLE;
	return pg->type_info & PGT_partial ? pg->pt_next & PTN_number : 0;
}

static void oracle_entry(mfn_t mfn, unsigned int i, pte_t e, uint64_t type, bool child)
{
	mfn_t to = pte_mfn(e);
	struct page_info *pg;

	if (!(e & PTE_P))
		return;
	assert_true(child || (e & PTE_US));
	if (type == PGT_l1_page_table) {
		assert_false(e & PTE_G);
		if (to < FAKE_FIRST) {
			assert_true(e & PTE_PCD);
			return;
		}
		oracle.count[to]++;
		if (e & PTE_RW) {
			oracle.type[to]++;
			oracle.writable[to] = true;
		}
		return;
	}
	assert_false(e & TABLE_REFUSED);
	if (to == mfn && !child) { /* of itself: read-only and for free */
		assert_false(e & PTE_RW);
		return;
	}
	oracle.count[to]++;
	if (child)
		return;
	oracle.type[to]++;
	pg = mfn_to_page(to);
	assert_true(pg->owner == mfn_to_page(mfn)->owner);
	assert_true(page_type(pg) == type - TYPE_STEP || (page_type(pg) == type && !(e & PTE_RW)));
	assert_true(pg->type_info & PGT_validated);
}

static void oracle_table(mfn_t mfn)
{
	struct page_info *pg = mfn_to_page(mfn);
	uint64_t type = page_type(pg);
	const pte_t *t = mfn_to_virt(mfn);
	unsigned int n;

	if (type < PGT_l1_page_table || type > PGT_l4_page_table)
		return;
	n = entries_held(pg);
	for (unsigned int i = 0; i < n; i++) {
		if (type == PGT_l4_page_table && l4_slot_is_ours(i)) {
			if (pg->type_info & PGT_validated)
				assert_true(t[i] == (0x1000 * i | PTE_P));
			continue;
		}
		oracle_entry(mfn, i, t[i], type,
			     (pg->type_info & PGT_partial) && (pg->pt_next & PTN_child) &&
				     i == n - 1);
	}
}

static void oracle_roots(const struct vcpu *v)
{
	const mfn_t roots[2] = {PFN_DOWN(v->pv.cr3_kernel), PFN_DOWN(v->pv.cr3_user)};

	for (unsigned int r = 0; r < 2; r++) {
		if (!roots[r])
			continue;
		oracle.type[roots[r]]++;
		oracle.count[roots[r]]++;
		assert_true(page_type(mfn_to_page(roots[r])) == PGT_l4_page_table);
	}
	if (v->pv.old_table)
		oracle.count[page_to_mfn(v->pv.old_table)]++;
}

static void oracle_check(void)
{
	memset(&oracle, 0, sizeof(oracle));
	for (unsigned int k = 0; k < POOL; k++) {
		struct page_info *pg = mfn_to_page(pool[k]);

		if (!pg->owner)
			continue;
		oracle_table(pool[k]);
		if (pg->type_info & PGT_pinned) {
			oracle.type[pool[k]]++;
			oracle.count[pool[k]]++;
		}
		if (pg->type_info & PGT_partial)
			oracle.count[pool[k]]++;
		if (pg->count_info & PGC_allocated)
			oracle.count[pool[k]]++;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(vcpus); i++)
		oracle_roots(&vcpus[i]);
	for (unsigned int k = 0; k < POOL; k++) {
		struct page_info *pg = mfn_to_page(pool[k]);

		if (!pg->owner)
			continue;
		assert_int_equal(page_type_count(pg), oracle.type[pool[k]]);
		assert_int_equal(pg->count_info & PGC_count, oracle.count[pool[k]]);
		assert_false(pg->type_info & PGT_locked);
		if (oracle.writable[pool[k]])
			assert_true(page_type(pg) == PGT_writable_page);
	}
}

/* --- the guest --- */

static void guest_start(unsigned int cpus)
{
	machine_reset();
	for (unsigned int i = 1; i < cpus; i++)
		cpumask_set(i, &cpu_online_map);
	guest = fake_domain(1);
	other = fake_domain(2);
	guest->max_vcpus = other->max_vcpus = 0;
	for (unsigned int k = 0; k < POOL; k++) {
		struct page_info *pg = domain_page_alloc(k < OWN ? guest : other, 0, 0);

		assert_non_null(pg);
		pool[k] = page_to_mfn(pg);
	}
	memset(vcpus, 0, sizeof(vcpus));
	for (unsigned int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		vcpus[i].domain = guest;
		vcpus[i].vcpu_id = i;
		vcpus[i].in_kernel = true;
	}
	for (unsigned int i = 0; i < cpus; i++)
		cpumask_set(i, &guest->dirty_cpus);
	current = &vcpus[0];
	pv_mmu_init();
}

static void guest_end(void)
{
	int rc;

	guest->dying = other->dying = DOMDYING_dying;
	for (unsigned int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		do
			rc = pv_drop_guest_tables(&vcpus[i]);
		while (rc == -ERESTART);
		assert_int_equal(rc, 0);
		while (pv_finish_old_table(&vcpus[i]))
			;
	}
	do
		rc = domain_relinquish_pages(guest);
	while (rc == -ERESTART);
	assert_int_equal(rc, 0);
	do
		rc = domain_relinquish_pages(other);
	while (rc == -ERESTART);
	assert_int_equal(guest->tot_pages, 0);
	assert_int_equal(other->tot_pages, 0);
	assert_int_equal(guest->refcount, 1);
	assert_int_equal(heap_free_pages(), FAKE_FRAMES - FAKE_FIRST);
}

static const unsigned int slots[] = {0, 1, 2, 3, 15, 16, 255, 256, 260, 272, 300, 510, 511};

static pte_t random_entry(uint64_t *rnd)
{
	uint64_t r = unit_random(rnd);
	pte_t e = PTE_P | (r & PTE_RW) | (r & PTE_A);
	mfn_t to = pool[unit_random(rnd) % (r % 7 ? OWN : POOL)];

	if (r % 13 == 1)
		e &= ~PTE_P;
	if (r % 37 == 2)
		e |= PTE_PSE;
	if (r % 41 == 3)
		e |= PTE_PCD;
	if (r % 43 == 4)
		e |= PTE_G;
	if (r % 47 == 5)
		to = DEVICE;
	if (r % 53 == 6)
		to = FAKE_FRAMES + 5;
	return pte_make(to, e);
}

/* Frames whose content is nobody's business: only those may be written without asking. */
static bool frame_is_plain(const struct page_info *pg)
{
	return pg->owner == guest && !(pg->type_info & PGT_partial) &&
	       (!page_type_count(pg) || page_type(pg) == PGT_writable_page);
}

static void step_plain_write(uint64_t *rnd)
{
	struct page_info *pg = mfn_to_page(pool[unit_random(rnd) % OWN]);
	pte_t *t = page_to_virt(pg);

	if (!frame_is_plain(pg))
		return;
	if (unit_random(rnd) % 3 == 0)
		memset(t, 0, PAGE_SIZE);
	for (unsigned int n = unit_random(rnd) % 4; n; n--)
		t[slots[unit_random(rnd) % ARRAY_SIZE(slots)]] = random_entry(rnd);
}

static void step_update(uint64_t *rnd, unsigned int dom)
{
	mfn_t mfn = pool[unit_random(rnd) % OWN];
	unsigned int cmd = unit_random(rnd) % 3;

	/* 1 is the M2P's; 2 keeps accessed and dirty bits. */
	mmu_update1(mfn << PAGE_SHIFT | slots[unit_random(rnd) % ARRAY_SIZE(slots)] * 8 | cmd,
		    cmd == 1 ? 77 : random_entry(rnd), dom);
}

static void step_ptwr(uint64_t *rnd)
{
	/* lock btr $1 / and $~2, byte / xchg / cmpxchg / mov, all with (%rdi) */
	static const uint8_t code[][16] = {
		{0xf0, 0x48, 0x0f, 0xba, 0x37, 0x01},
		{0xf0, 0x80, 0x27, 0xfd},
		{0x48, 0x87, 0x07},
		{0xf0, 0x48, 0x0f, 0xb1, 0x0f},
		{0x48, 0x89, 0x07},
		{0x48, 0x83, 0x0f, 0x02},
	};
	struct cpu_user_regs regs = {.rax = random_entry(rnd), .rcx = random_entry(rnd)};

	regs.rip = (unsigned long)code[unit_random(rnd) % ARRAY_SIZE(code)];
	pv_ptwr_fault(&regs, VA + 8 * slots[unit_random(rnd) % ARRAY_SIZE(slots)],
		      PF_P | PF_W | PF_U);
}

static void step_release(uint64_t *rnd)
{
	unsigned int k = unit_random(rnd) % OWN;

	if (unit_random(rnd) % 8)
		return;
	domain_page_release(guest, mfn_to_page(pool[k]));
}

/* What the guest has lost it gets back: released frames, when their last reference has gone. */
static void refill(void)
{
	unsigned int lost[OWN], n = 0;

	for (unsigned int k = 0; k < OWN; k++)
		if (!mfn_to_page(pool[k])->owner)
			lost[n++] = k;
	while (n) {
		struct page_info *pg = domain_page_alloc(guest, 0, 0);

		assert_non_null(pg);
		pool[lost[--n]] = page_to_mfn(pg);
	}
}

static void step(uint64_t *rnd)
{
	mfn_t mfn = pool[unit_random(rnd) % (unit_random(rnd) % 9 ? OWN : POOL)];
	unsigned int what = unit_random(rnd) % 20;

	if (what < 6)
		step_plain_write(rnd);
	else if (what < 10)
		ext(MMUEXT_PIN_L1_TABLE + unit_random(rnd) % 4, mfn, DOMID_SELF);
	else if (what < 11)
		ext(MMUEXT_UNPIN_TABLE, mfn, DOMID_SELF);
	else if (what < 15)
		step_update(rnd, DOMID_SELF);
	else if (what < 16)
		ext(unit_random(rnd) & 1 ? MMUEXT_NEW_BASEPTR : MMUEXT_NEW_USER_BASEPTR, mfn,
		    DOMID_SELF);
	else if (what < 17 && current->pv.cr3_kernel)
		call(hc_update_va_mapping, VA, random_entry(rnd), UVMF_INVLPG | UVMF_ALL, 0);
	else if (what < 18)
		step_ptwr(rnd);
	else if (what < 19)
		ext(unit_random(rnd) & 1 ? MMUEXT_CLEAR_PAGE : MMUEXT_COPY_PAGE, mfn, DOMID_SELF);
	else
		step_release(rnd);
}

/* A whole tree: L4 -> L3 -> L2 -> L1, the L1 mapping itself at VA and the rest of the pool. */
static void tree_build(void)
{
	pte_t *l4 = mfn_to_virt(pool[0]), *l3 = mfn_to_virt(pool[1]), *l2 = mfn_to_virt(pool[2]);
	pte_t *l1 = mfn_to_virt(pool[3]);

	l4[0] = pte_make(pool[1], PTE_P | PTE_RW);
	l3[1] = pte_make(pool[2], PTE_P | PTE_RW);
	l2[1] = pte_make(pool[3], PTE_P | PTE_RW);
	l1[1] = pte_make(pool[3], PTE_P);
	for (unsigned int k = 4; k < OWN; k++)
		l1[k] = pte_make(pool[k], PTE_P | (k % 2 ? PTE_RW : 0));
}

static void random_walk(unsigned int steps, unsigned int preempt, uint64_t seed)
{
	uint64_t rnd = seed;

	guest_start(1);
	tree_build();
	assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, pool[0], DOMID_SELF), 0);
	assert_int_equal(ext(MMUEXT_NEW_BASEPTR, pool[0], DOMID_SELF), 0);
	oracle_check();
	fake_preempt = preempt;
	for (unsigned int i = 0; i < steps; i++) {
		current = &vcpus[unit_random(&rnd) % ARRAY_SIZE(vcpus)];
		step(&rnd);
		refill();
		oracle_check();
	}
	fake_preempt = preempt;
	guest_end();
}

static void random_operations_keep_all_counts(void **state)
{
	for (uint64_t seed = 1; seed <= 6; seed++)
		random_walk(3000, 0, seed * 7919);
}

static void random_operations_interrupted(void **state)
{
	for (uint64_t seed = 1; seed <= 8; seed++)
		random_walk(2000, 1 + (unsigned int)seed % 4, seed * 104729);
}

/* An operation that is interrupted and never taken up again harms nobody. */
static void abandoned_operations_are_cleaned_up(void **state)
{
	uint64_t rnd = 4711;

	for (unsigned int round = 0; round < 300; round++) {
		guest_start(1);
		tree_build();
		fake_preempt = 2 + round % 3;
		for (unsigned int i = 0; i < 20; i++) {
			struct mmuext_op op = {.cmd = MMUEXT_PIN_L1_TABLE + unit_random(&rnd) % 5};

			op.arg1.mfn = pool[unit_random(&rnd) % 8];
			current = &vcpus[unit_random(&rnd) % 4];
			hc_mmuext_op((unsigned long)&op, 1, 0, DOMID_SELF, 0);
			step_plain_write(&rnd);
			oracle_check();
		}
		guest_end();
	}
}

/* --- single rules --- */

static void flags_are_refused_as_documented(void **state)
{
	mfn_t l1, l2;

	guest_start(1);
	l1 = pool[3];
	l2 = pool[2];
	assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, l1, DOMID_SELF), 0);
	assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, l1, DOMID_SELF), -EINVAL);
	assert_int_equal(ext(MMUEXT_PIN_L2_TABLE, l2, DOMID_SELF), 0);
	/* large, uncached, global tables */
	assert_int_equal(mmu_update1(l2 << 12, pte_make(l1, PTE_P | PTE_RW | PTE_PSE), DOMID_SELF),
			 -EINVAL);
	assert_int_equal(mmu_update1(l2 << 12, pte_make(l1, PTE_P | PTE_PCD), DOMID_SELF), -EINVAL);
	assert_int_equal(mmu_update1(l2 << 12, pte_make(l1, PTE_P | PTE_G), DOMID_SELF), -EINVAL);
	assert_int_equal(mmu_update1(l2 << 12, pte_make(l1, PTE_P | PTE_RW), DOMID_SELF), 0);
	/* USER is added, GLOBAL of a page taken away */
	assert_int_equal(
		mmu_update1(l1 << 12, pte_make(pool[5], PTE_P | PTE_RW | PTE_G), DOMID_SELF), 0);
	assert_true(*(pte_t *)mfn_to_virt(l1) == pte_make(pool[5], PTE_P | PTE_RW | PTE_US));
	/* a table cannot be written, a writable frame cannot become a table */
	assert_int_equal(mmu_update1(l1 << 12 | 8, pte_make(l2, PTE_P | PTE_RW), DOMID_SELF),
			 -EBUSY);
	assert_int_equal(mmu_update1(l1 << 12 | 8, pte_make(l1, PTE_P | PTE_RW), DOMID_SELF),
			 -EBUSY);
	assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, pool[5], DOMID_SELF), -EINVAL);
	/* another's frame, a device without rights, no frame at all */
	assert_int_equal(mmu_update1(l1 << 12, pte_make(pool[OWN], PTE_P), DOMID_SELF), -EBUSY);
	assert_int_equal(mmu_update1(l1 << 12, pte_make(DEVICE, PTE_P), DOMID_SELF), -EPERM);
	assert_int_equal(mmu_update1(l1 << 12, PTE_ADDR | PTE_P, DOMID_SELF), -EINVAL);
	assert_int_equal(mmu_update1(l1 << 12, pte_make(pool[6], PTE_P | PTE_PCD), DOMID_SELF),
			 -EINVAL);
	/* unknown commands, others' tables, nobody's domain */
	assert_int_equal(mmu_update1(l1 << 12 | 5, 0, DOMID_SELF), -ENOSYS);
	assert_int_equal(mmu_update1(pool[OWN] << 12, 0, DOMID_SELF), -EINVAL);
	assert_int_equal(mmu_update1(l1 << 12, 0, 9), -ESRCH);
	assert_int_equal(mmu_update1(l1 << 12, 0, 2), -EPERM);
	assert_int_equal(mmu_update1(l1 << 12, 0, 3 << 16 | DOMID_SELF), -EPERM);
	assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, pool[OWN], 2), -EPERM);
	assert_int_equal(ext(99, 0, DOMID_SELF), -ENOSYS);
	assert_int_equal(ext(MMUEXT_MARK_SUPER, 0, DOMID_SELF), -EOPNOTSUPP);
	assert_int_equal(call(hc_mmuext_op, HYP_VIRT_START, 1, 0, DOMID_SELF), -EFAULT);
	assert_int_equal(call(hc_mmu_update, 0, 1, 0, DOMID_SELF), -EFAULT);
	oracle_check();
	guest_end();
}

static void top_level_slots_are_ours(void **state)
{
	pte_t *l4;

	guest_start(1);
	tree_build();
	l4 = mfn_to_virt(pool[0]);
	l4[256] = l4[271] = pte_make(pool[1], PTE_P | PTE_RW);
	assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, pool[0], DOMID_SELF), 0);
	for (unsigned int i = 256; i <= 271; i++) {
		assert_int_equal(mmu_update1(pool[0] << 12 | i * 8, 0, DOMID_SELF), -EINVAL);
		assert_int_equal(mmu_update1(pool[0] << 12 | i * 8, l4[i], DOMID_SELF), -EINVAL);
	}
	assert_int_equal(
		mmu_update1(pool[0] << 12 | 272 * 8, pte_make(pool[1], PTE_P | PTE_RW), DOMID_SELF),
		0);
	oracle_check();
	guest_end();
}

static void linear_tables_are_read_only_and_flat(void **state)
{
	mfn_t a, b, c;

	guest_start(1);
	a = pool[0];
	b = pool[1];
	c = pool[2];
	assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, a, DOMID_SELF), 0);
	assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, b, DOMID_SELF), 0);
	assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, c, DOMID_SELF), 0);
	assert_int_equal(mmu_update1(a << 12, pte_make(a, PTE_P | PTE_RW), DOMID_SELF), -EINVAL);
	assert_int_equal(mmu_update1(a << 12, pte_make(a, PTE_P), DOMID_SELF), 0);
	/* the fast way must not make it writable */
	assert_int_equal(mmu_update1(a << 12, pte_make(a, PTE_P | PTE_RW), DOMID_SELF), -EINVAL);
	assert_int_equal(mmu_update1(a << 12 | 8, pte_make(b, PTE_P), DOMID_SELF), 0);
	assert_int_equal(mmu_update1(b << 12 | 8, pte_make(c, PTE_P), DOMID_SELF), -EINVAL);
	assert_int_equal(mmu_update1(c << 12 | 8, pte_make(a, PTE_P), DOMID_SELF), -EINVAL);
	assert_int_equal(mmu_update1(c << 12 | 8, pte_make(b, PTE_P), DOMID_SELF), 0);
	oracle_check();
	assert_int_equal(ext(MMUEXT_UNPIN_TABLE, b, DOMID_SELF), 0);
	oracle_check();
	assert_int_equal(mmu_update1(a << 12 | 8, 0, DOMID_SELF), 0);
	assert_int_equal(mmu_update1(c << 12 | 8, 0, DOMID_SELF), 0);
	assert_int_equal(page_type_count(mfn_to_page(b)), 0);
	oracle_check();
	guest_end();
}

static void control_domain_maps_others_frames(void **state)
{
	mfn_t l1;

	guest_start(1);
	l1 = pool[3];
	guest->is_privileged = true;
	assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, l1, DOMID_SELF), 0);
	assert_int_equal(mmu_update1(l1 << 12, pte_make(pool[OWN], PTE_P | PTE_RW), 2), 0);
	assert_int_equal(mmu_update1(l1 << 12 | 8, pte_make(pool[4], PTE_P | PTE_RW), 2), -EBUSY);
	assert_true(mfn_to_page(pool[OWN])->type_info & PGT_foreign);
	oracle_check();
	/* its tables may be changed and pinned too */
	assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, pool[OWN + 1], 2), 0);
	assert_int_equal(
		mmu_update1(pool[OWN + 1] << 12, pte_make(pool[OWN + 2], PTE_P), 3 << 16 | 2), 0);
	assert_int_equal(ext(MMUEXT_NEW_BASEPTR, pool[OWN], 2), -EPERM);
	oracle_check();
	guest_end();
}

static void emulated_writes_do_what_the_instruction_says(void **state)
{
	static const uint8_t and_byte[16] = {0xf0, 0x80, 0x27, 0xfd}, /* lock andb $0xfd, (%rdi) */
		btr[16] = {0xf0, 0x48, 0x0f, 0xba, 0xb7,
			   0,	 1,    0,    0,	   5},	       /* lock btrq $5, 256(%rdi) */
		xchg_[16] = {0x48, 0x87, 0x04, 0xf7},	       /* xchg %rax, (%rdi,%rsi,8) */
		cmpxchg_[16] = {0xf0, 0x4c, 0x0f, 0xb1, 0x07}, /* lock cmpxchg %r8, (%rdi) */
		movl[16] = {0xc7, 0x47, 0x04, 0x78,
			    0x56, 0x34, 0x12}, /* movl $0x12345678, 4(%rdi) */
		cmp[16] = {0x48, 0x39, 0x07};
	struct cpu_user_regs r;
	pte_t *l1, start;

	guest_start(1);
	tree_build();
	assert_int_equal(ext(MMUEXT_NEW_BASEPTR, pool[0], DOMID_SELF), 0);
	l1 = mfn_to_virt(pool[3]);
	start = l1[5];
	assert_true(start == pte_make(pool[5], PTE_P | PTE_RW | PTE_US));
	memset(&r, 0, sizeof(r));
#define RUN(insn, off) \
	(r.rip = (unsigned long)(insn), pv_ptwr_fault(&r, VA + 40 + (off), PF_P | PF_W | PF_U))
	assert_true(RUN(and_byte, 0));
	assert_int_equal(r.rip - (unsigned long)and_byte, 4);
	assert_true(l1[5] == (start & ~PTE_RW));
	assert_int_equal(page_type_count(mfn_to_page(pool[5])), 0);
	oracle_check();
	l1[5] |= PTE_A;
	assert_true(RUN(btr, 0));
	assert_int_equal(r.rip - (unsigned long)btr, 10);
	assert_true(l1[5] == (start & ~PTE_RW));
	assert_true(r.rflags & 1);
	r.rax = 0;
	assert_true(RUN(xchg_, 0));
	assert_true(r.rax == (start & ~PTE_RW));
	assert_true(l1[5] == 0);
	oracle_check();
	r.rax = 1;
	r.r8 = start;
	assert_true(RUN(cmpxchg_, 0));
	assert_true(r.rax == 0 && !(r.rflags & 0x40) && l1[5] == 0);
	assert_true(RUN(cmpxchg_, 0));
	assert_true((r.rflags & 0x40) && l1[5] == start);
	oracle_check();
	/* half an entry that would name a foreign frame: refused, nothing changed */
	assert_false(RUN(movl, 4));
	assert_true(l1[5] == start && r.rip == (unsigned long)movl);
	assert_false(RUN(cmp, 0));
	assert_false(RUN(and_byte + 1, 8 * 600));
	/* not from user mode, not a read, not where it is writable */
	current->in_kernel = false;
	assert_false(RUN(and_byte, 0));
	current->in_kernel = true;
	assert_false(pv_ptwr_fault(&r, VA + 40, PF_P | PF_U));
	assert_false(pv_ptwr_fault(&r, VA + 4 * 4096, PF_P | PF_W | PF_U));
	/* single step */
	fake_traps = 0;
	r.rflags = 0x100;
	assert_true(RUN(and_byte, 0));
	assert_int_equal(fake_traps, 1);
	oracle_check();
	guest_end();
}

static void grant_take(mfn_t mfn, bool writable)
{
	assert_true(get_page(mfn_to_page(mfn), other));
	if (writable)
		assert_int_equal(get_page_type(mfn_to_page(mfn), PGT_writable_page), 0);
}

static void grant_mappings_carry_their_references(void **state)
{
	const unsigned int ro = GNTMAP_host_map | GNTMAP_readonly, rw = GNTMAP_host_map;
	mfn_t f = pool[OWN], l1;
	pte_t *t;

	guest_start(1);
	tree_build();
	f = pool[OWN];
	l1 = pool[3];
	t = mfn_to_virt(l1);
	assert_int_equal(ext(MMUEXT_NEW_BASEPTR, pool[0], DOMID_SELF), 0);
	/* by address, over an entry that held a frame of its own */
	grant_take(f, true);
	assert_int_equal(pv_grant_map(VA - 4096 + 5 * 4096, f, rw), GNTST_okay);
	assert_true(pte_mfn(t[5]) == f &&
		    (t[5] & (PTE_P | PTE_RW | PTE_US)) == (PTE_P | PTE_RW | PTE_US));
	assert_true(mfn_to_page(f)->type_info & PGT_foreign);
	oracle_check();
	/* not under another name, frame or right */
	assert_true(pv_grant_unmap(VA - 4096 + 5 * 4096, pool[6], 0, rw) != GNTST_okay);
	assert_true(pv_grant_unmap(VA - 4096 + 5 * 4096, f, 0, ro) != GNTST_okay);
	assert_true(pv_grant_unmap(VA - 4096 + 9 * 4096, f, 0, rw) != GNTST_okay);
	assert_int_equal(pv_grant_unmap(VA - 4096 + 5 * 4096, f, 0, rw), GNTST_okay);
	put_page_and_type(mfn_to_page(f));
	assert_true(t[5] == 0);
	oracle_check();
	/* by entry, read-only; moved to another address */
	grant_take(f, false);
	assert_int_equal(pv_grant_map(l1 << 12 | 300 * 8, f, ro | GNTMAP_contains_pte), GNTST_okay);
	assert_true(pv_grant_map(l1 << 12 | 300 * 8 | 4, f, ro | GNTMAP_contains_pte) !=
		    GNTST_okay);
	assert_true(pv_grant_map(pool[2] << 12, f, ro | GNTMAP_contains_pte) != GNTST_okay);
	assert_true(pv_grant_map(pool[OWN + 1] << 12, f, ro | GNTMAP_contains_pte) != GNTST_okay);
	oracle_check();
	/* the guest overwrites it: the references go with that */
	assert_int_equal(mmu_update1(l1 << 12 | 300 * 8, 0, DOMID_SELF), 0);
	assert_true(pv_grant_unmap(l1 << 12 | 300 * 8, f, 0, ro | GNTMAP_contains_pte) !=
		    GNTST_okay);
	oracle_check();
	/* what cannot be: it may not raise its rights, nor map the frame again by itself */
	grant_take(f, false);
	assert_int_equal(pv_grant_map(l1 << 12 | 300 * 8, f, ro | GNTMAP_contains_pte), GNTST_okay);
	assert_int_equal(mmu_update1(l1 << 12 | 300 * 8, t[300] | PTE_RW, DOMID_SELF), -EBUSY);
	assert_int_equal(mmu_update1(l1 << 12 | 301 * 8, t[300], DOMID_SELF), -EBUSY);
	oracle_check();
	guest_end();
}

/* --- several CPUs --- */

static unsigned int stop;

static void *cpu_main(void *arg)
{
	unsigned int cpu = (unsigned int)(unsigned long)arg;
	uint64_t rnd = cpu * 65537 + 1;

	fake_cpu_id = cpu;
	current = &vcpus[cpu];
	while (!READ_ONCE(stop)) {
		/* Plain writes are checked for plainness first: that would race here. Tables grow by updates alone. */
		unsigned int what = unit_random(&rnd) % 10;
		mfn_t mfn = pool[unit_random(&rnd) % OWN];

		if (what < 3)
			ext(MMUEXT_PIN_L1_TABLE + unit_random(&rnd) % 4, mfn, DOMID_SELF);
		else if (what < 5)
			ext(MMUEXT_UNPIN_TABLE, mfn, DOMID_SELF);
		else if (what < 7)
			step_update(&rnd, DOMID_SELF);
		else if (what < 8)
			ext(unit_random(&rnd) & 1 ? MMUEXT_NEW_BASEPTR : MMUEXT_NEW_USER_BASEPTR,
			    mfn, DOMID_SELF);
		else if (what < 9)
			ext(MMUEXT_CLEAR_PAGE, mfn, DOMID_SELF);
		else
			step_ptwr(&rnd);
	}
	return NULL;
}

static void random_operations_on_three_cpus(void **state)
{
	pthread_t t[3];

	guest_start(3);
	tree_build();
	assert_int_equal(ext(MMUEXT_NEW_BASEPTR, pool[0], DOMID_SELF), 0);
	fake_preempt = 5;
	stop = 0;
	for (unsigned long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, cpu_main, (void *)i);
	for (unsigned int ms = 0; ms < 1500; ms += 100)
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	WRITE_ONCE(stop, 1);
	for (unsigned int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	oracle_check();
	guest_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_are_refused_as_documented),
		cmocka_unit_test(top_level_slots_are_ours),
		cmocka_unit_test(linear_tables_are_read_only_and_flat),
		cmocka_unit_test(control_domain_maps_others_frames),
		cmocka_unit_test(emulated_writes_do_what_the_instruction_says),
		cmocka_unit_test(grant_mappings_carry_their_references),
		cmocka_unit_test(random_operations_keep_all_counts),
		cmocka_unit_test(random_operations_interrupted),
		cmocka_unit_test(abandoned_operations_are_cleaned_up),
		cmocka_unit_test(random_operations_on_three_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
