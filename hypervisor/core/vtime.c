/* SPDX-License-Identifier: MIT */
/*
 * What a guest sees of time: pvclock in vcpu_info (and a second copy where it likes), the wall clock in shared_info, the run-state area,
 * the timer of each vCPU.
 *
 * Invariant: hypervisor time is one fixed line over the TSC, so a vCPU's time info is the same on every CPU and at all
 * times: it is written when its page is new or the scale changes, not at each switch. time_version is what the page must show; a
 * page that shows something else (cleared by a domain builder, newly registered) is written again at the next switch.
 *
 * Guest memory is reached through the tables of the vCPU in question: directly while they are loaded and its kernel runs, by a
 * walk of its kernel's tables when it is in user mode, whose tables lack the kernel. An area that cannot be written is skipped.
 *
 * Lock: one for the wall clock's writers. Else none; each function works on the current vCPU, or one that is down, or writes
 * single words.
 */
#include "core/domain.h"

#include "core/event.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/guest_copy.h"
#include "x86/time.h"

/* --- writing to the guest --- */

/* The frame behind @va in the tables of @v's kernel, held as writable; NULL if the guest could not write there. */
static struct page_info *kernel_frame(const struct vcpu *v, unsigned long va)
{
	const pte_t need = PTE_P | PTE_RW | PTE_US;
	mfn_t mfn = PFN_DOWN(v->pv.cr3_kernel);
	pte_t e;

	/*
	 * Other vCPUs may change the tables meanwhile, even free them: what is read is checked before it is followed, and the
	 * last step takes none but the guest's own writable frames.
	 */
	for (unsigned int shift = L4_SHIFT; shift >= L1_SHIFT; shift -= 9) {
		if (!mfn_valid(mfn))
			return NULL;
		e = READ_ONCE(((const pte_t *)mfn_to_virt(mfn))[pte_index(va, shift)]);
		if ((e & need) != need || (shift > L1_SHIFT && (e & PTE_PSE)))
			return NULL;
		mfn = pte_mfn(e);
	}
	if (!mfn_valid(mfn) || get_page_and_type(mfn_to_page(mfn), v->domain, PGT_writable_page))
		return NULL;
	return mfn_to_page(mfn);
}

static void kernel_write(const struct vcpu *v, unsigned long va, const void *src, size_t len)
{
	while (len) {
		size_t n = min(len, (size_t)(PAGE_SIZE - (va & ~PAGE_MASK)));
		struct page_info *pg = kernel_frame(v, va);

		if (!pg)
			return;
		memcpy((char *)page_to_virt(pg) + (va & ~PAGE_MASK), src, n);
		put_page_and_type(pg);
		va += n;
		src = (const char *)src + n;
		len -= n;
	}
}

static void area_write(const struct vcpu *v, unsigned long va, const void *src, size_t len)
{
	/* Does the CPU work in @v's kernel address space? Another vCPU's of the same guest serves as well. */
	if (likely(current->domain == v->domain && current->in_kernel))
		(void)copy_to_guest_va(va, src, len);
	else if (guest_access_ok(va, len))
		kernel_write(v, va, src, len);
}

/* --- pvclock --- */

static void time_info_fill(struct vcpu_time_info *ti, uint32_t version)
{
	ti->version = version;
	ti->tsc_timestamp = time_scale.tsc_base;
	ti->system_time = 0;
	ti->tsc_to_system_mul = time_scale.mul_frac;
	ti->tsc_shift = time_scale.shift;
	/* All CPUs share one scale; were their TSCs apart, the hypervisor's own time would be. */
	ti->flags = XEN_PVCLOCK_TSC_STABLE_BIT;
}

static void time_area_write(struct vcpu *v)
{
	struct vcpu_time_info ti = {};
	uint32_t odd = v->time_version - 1;

	if (!v->time_info_guest)
		return;
	time_info_fill(&ti, v->time_version);
	/* Odd means "being changed": before the content and, last of all, even again. */
	area_write(v, v->time_info_guest, &odd, sizeof(odd));
	area_write(v, v->time_info_guest + sizeof(odd), (char *)&ti + sizeof(odd),
		   sizeof(ti) - sizeof(odd));
	area_write(v, v->time_info_guest, &ti.version, sizeof(ti.version));
}

void vtime_update(struct vcpu *v)
{
	struct vcpu_time_info *ti = (struct vcpu_time_info *)&v->vcpu_info->time;

	if (v->vcpu_info == &dummy_vcpu_info)
		return;
	v->time_version = (v->time_version + 2) & ~1u;
	if (!v->time_version)
		v->time_version = 2; /* 0 is what a cleared page shows */
	WRITE_ONCE(ti->version, v->time_version - 1);
	smp_wmb();
	time_info_fill(ti, v->time_version - 1);
	smp_wmb();
	WRITE_ONCE(ti->version, v->time_version);
	time_area_write(v);
}

void vtime_register_time(struct vcpu *v, unsigned long va)
{
	v->time_info_guest = va;
	time_area_write(v);
}

/* --- the wall clock --- */

void vtime_update_wallclock(struct domain *d)
{
	static spinlock_t
		lock; /* two writers would leave a version that looks complete over half a time */
	struct shared_info *s = d->shared_info;
	uint64_t sec = wallclock_base_ns / 1000000000 + (uint64_t)d->time_offset_seconds;
	uint32_t version;

	if (!s)
		return;
	spin_lock(&lock);
	version = (s->wc_version + 1) | 1;
	WRITE_ONCE(s->wc_version, version);
	smp_wmb();
	s->wc_sec = (uint32_t)sec;
	s->wc_sec_hi = (uint32_t)(sec >> 32);
	s->wc_nsec = (uint32_t)(wallclock_base_ns % 1000000000);
	smp_wmb();
	WRITE_ONCE(s->wc_version, version + 1);
	spin_unlock(&lock);
}

/* --- run state --- */

#define ENTRY_TIME_OFFSET offsetof(struct vcpu_runstate_info, state_entry_time)

static void runstate_write(struct vcpu *v)
{
	unsigned long va = v->runstate_guest, entry_va = va + ENTRY_TIME_OFFSET;
	struct vcpu_runstate_info rs = v->runstate;
	uint64_t entry = rs.state_entry_time;

	if (!(v->domain->vm_assist & BIT(VMASST_TYPE_runstate_update_flag))) {
		area_write(v, va, &rs, sizeof(rs));
		return;
	}
	/* Other vCPUs of the guest read this area: the flag tells them to look again. */
	rs.state_entry_time |= XEN_RUNSTATE_UPDATE;
	area_write(v, entry_va, &rs.state_entry_time, sizeof(entry));
	smp_wmb();
	area_write(v, va, &rs, sizeof(rs));
	smp_wmb();
	area_write(v, entry_va, &entry, sizeof(entry));
}

void vtime_register_runstate(struct vcpu *v, unsigned long va)
{
	struct vcpu_runstate_info rs;

	v->runstate_guest = va;
	if (va && v == current) {
		runstate_write(v);
	} else if (va) {
		vcpu_runstate_get(v, &rs);
		area_write(v, va, &rs, sizeof(rs));
	}
}

/* --- timers --- */

static void singleshot_fired(void *data)
{
	send_guest_vcpu_virq(data, VIRQ_TIMER);
}

static void poll_fired(void *data)
{
	struct vcpu *v = data;

	if (READ_ONCE(v->pause_flags) & VPF_poll)
		vcpu_unblock(v);
}

/* Ticks while the vCPU runs; what it has missed meanwhile comes as one. */
static void periodic_work(void *data)
{
	struct vcpu *v = data;
	s_time_t period = READ_ONCE(v->periodic_period), now = time_now();

	if (!period)
		return;
	if (now - v->periodic_last >= period) {
		v->periodic_last = now - (now - v->periodic_last) % period;
		send_guest_vcpu_virq(v, VIRQ_TIMER);
	}
	timer_set(&v->periodic_timer, v->periodic_last + period);
}

void vtime_set_periodic(struct vcpu *v, s_time_t period)
{
	v->periodic_last = time_now();
	WRITE_ONCE(v->periodic_period, period);
	timer_stop(&v->periodic_timer);
	/* One that is not running gets it at its next switch-in; a tick too many in between harms nobody. */
	if (period && READ_ONCE(v->is_running))
		timer_set(&v->periodic_timer, v->periodic_last + period);
}

void vtime_set_singleshot(struct vcpu *v, s_time_t expires)
{
	if (expires)
		timer_set(&v->singleshot_timer, expires);
	else
		timer_stop(&v->singleshot_timer);
}

/* --- life and switch --- */

void vtime_init_vcpu(struct vcpu *v)
{
	timer_init(&v->periodic_timer, periodic_work, v, 0);
	timer_init(&v->singleshot_timer, singleshot_fired, v, 0);
	timer_init(&v->poll_timer, poll_fired, v, 0);
	/* The ABI's start: 100 ticks a second until the guest says otherwise. */
	v->periodic_period = MILLISECS(10);
}

void vtime_destroy_vcpu(struct vcpu *v)
{
	timer_kill(&v->periodic_timer);
	timer_kill(&v->singleshot_timer);
	timer_kill(&v->poll_timer);
}

static void timers_follow(struct vcpu *v, unsigned int cpu)
{
	timer_migrate(&v->periodic_timer, cpu);
	timer_migrate(&v->singleshot_timer, cpu);
	timer_migrate(&v->poll_timer, cpu);
}

void vtime_switch_in(struct vcpu *v)
{
	unsigned int cpu = this_cpu_id();

	if (unlikely(v->singleshot_timer.cpu != cpu))
		timers_follow(v, cpu);
	if (unlikely(v->periodic_period))
		periodic_work(v);
	if (unlikely(READ_ONCE(v->vcpu_info->time.version) != v->time_version)) {
		vtime_update(v);
		if (!v->domain->shared_info->wc_version)
			vtime_update_wallclock(v->domain);
	}
	if (v->runstate_guest)
		runstate_write(v);
}

void vtime_switch_out(struct vcpu *v)
{
	if (unlikely(v->periodic_period))
		timer_stop(&v->periodic_timer);
	if (v->runstate_guest)
		runstate_write(v);
}
