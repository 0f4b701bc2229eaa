/* SPDX-License-Identifier: MIT */
/*
 * vcpu_op: a guest brings its own vCPUs up and down, registers the areas in which the hypervisor tells it about them, and sets their
 * timers.
 *
 * The operation's vCPU is named by the hypercall's second argument, which the rows do not know: it waits in a per-CPU variable for
 * the handler, with no preemption in between.
 */
#include "core/event.h"
#include "hypercall/dispatch.h"
#include "mm/heap.h"
#include "pv/vcpu_context.h"
#include "x86/irq.h"
#include "x86/smp.h"
#include "x86/time.h"

#define PERIOD_MIN MILLISECS(1)
#define PERIOD_MAX ((s_time_t)(~0UL >> 2))

static DEFINE_PER_CPU(struct vcpu *, vcpu_op_target);

static struct vcpu *target_vcpu(void)
{
	return this_cpu(vcpu_op_target);
}

static int op_initialise(struct hc *hc, void *arg)
{
	struct vcpu *v = target_vcpu();
	struct vcpu_guest_context *ctx;
	int rc = -EFAULT;

	if (v->vcpu_info == &dummy_vcpu_info)
		return -EINVAL;
	if (!spin_trylock(&hc->d->vcpu_op_lock))
		return -ERESTART;
	ctx = knew(struct vcpu_guest_context);
	if (!ctx)
		rc = -ENOMEM;
	else if (!copy_from_guest_va(ctx, hc->arg_va, sizeof(*ctx)))
		rc = v->is_initialised ? -EEXIST : pv_vcpu_set_context(v, ctx);
	kfree(ctx);
	spin_unlock(&hc->d->vcpu_op_lock);
	return rc;
}

static int op_up(struct hc *hc, void *arg)
{
	struct vcpu *v = target_vcpu();

	if (!READ_ONCE(v->is_initialised))
		return -EINVAL;
	if (atomic_and(&v->pause_flags, ~VPF_down) & VPF_down)
		vcpu_settle(v);
	return 0;
}

static bool others_up(const struct domain *d, const struct vcpu *but)
{
	const struct vcpu *v;
	unsigned int i;

	for_each_vcpu (d, v, i)
		if (v != but && !(READ_ONCE(v->pause_flags) & VPF_down))
			return true;
	return false;
}

static int op_down(struct hc *hc, void *arg)
{
	struct vcpu *v = target_vcpu();

	/* Nobody could bring the last one up again. */
	if (!others_up(hc->d, v)) {
		domain_shutdown(hc->d, SHUTDOWN_poweroff);
		return 0;
	}
	if (!(atomic_or(&v->pause_flags, VPF_down) & VPF_down))
		vcpu_settle(v);
	return 0;
}

static int op_is_up(struct hc *hc, void *arg)
{
	return !(READ_ONCE(target_vcpu()->pause_flags) & VPF_down);
}

static int op_get_runstate_info(struct hc *hc, void *arg)
{
	vcpu_runstate_get(target_vcpu(), arg);
	return 0;
}

static int op_register_runstate_memory_area(struct hc *hc, void *arg)
{
	const struct vcpu_register_runstate_memory_area *op = arg;
	unsigned long va = (unsigned long)op->addr.v;

	if (!guest_access_ok(va, sizeof(*op->addr.v)))
		return -EFAULT;
	vtime_register_runstate(target_vcpu(), va);
	return 0;
}

static int op_set_periodic_timer(struct hc *hc, void *arg)
{
	const struct vcpu_set_periodic_timer *op = arg;

	if (op->period_ns < PERIOD_MIN || op->period_ns > PERIOD_MAX)
		return -EINVAL;
	vtime_set_periodic(target_vcpu(), (s_time_t)op->period_ns);
	return 0;
}

static int op_stop_periodic_timer(struct hc *hc, void *arg)
{
	vtime_set_periodic(target_vcpu(), 0);
	return 0;
}

static int op_set_singleshot_timer(struct hc *hc, void *arg)
{
	const struct vcpu_set_singleshot_timer *op = arg;
	s_time_t expires = (s_time_t)min(op->timeout_abs_ns, (uint64_t)INT64_MAX);

	if (target_vcpu() != current)
		return -EINVAL;
	/* VCPU_SSHOTTMR_future is history: what is past fires at once. 0 is a time like another here, long past. */
	vtime_set_singleshot(current, expires ? expires : 1);
	return 0;
}

static int op_stop_singleshot_timer(struct hc *hc, void *arg)
{
	if (target_vcpu() != current)
		return -EINVAL;
	vtime_set_singleshot(current, 0);
	return 0;
}

static int op_register_vcpu_info(struct hc *hc, void *arg)
{
	const struct vcpu_register_vcpu_info *op = arg;

	return vcpu_info_register(target_vcpu(), op->mfn, op->offset);
}

static int op_send_nmi(struct hc *hc, void *arg)
{
	struct vcpu *v = target_vcpu();

	if (hc->arg_va)
		return -EINVAL;
	if (!xchg(&v->nmi_pending, true))
		vcpu_kick(v);
	return 0;
}

/* Only of meaning while vCPU n is on CPU n for good. */
static int op_get_physid(struct hc *hc, void *arg)
{
	struct vcpu_get_physid *op = arg;
	struct vcpu *v = target_vcpu();
	cpumask_t where;
	unsigned int cpu;

	cpumask_and(&where, &v->sched.hard_affinity, &cpu_online_map);
	cpu = cpumask_first(&where);
	if (!hc->d->is_hardware || cpumask_weight(&where) != 1)
		return -EINVAL;
	op->phys_id = cpu_apic_id[cpu] | (uint64_t)smp_acpi_id(cpu) << 32;
	return 0;
}

static int op_register_vcpu_time_memory_area(struct hc *hc, void *arg)
{
	const struct vcpu_register_time_memory_area *op = arg;
	unsigned long va = (unsigned long)op->addr.v;

	if (!guest_access_ok(va, sizeof(*op->addr.v)))
		return -EFAULT;
	vtime_register_time(target_vcpu(), va);
	return 0;
}

#define VCPUOP(cmd, type, dir, fn) SUBOP(cmd, type, dir, WHO_ANY, fn)
static const struct subop vcpu_ops[] = {
	SUBOP_0(VCPUOP_initialise, WHO_ANY, op_initialise),
	SUBOP_0(VCPUOP_up, WHO_ANY, op_up),
	SUBOP_0(VCPUOP_down, WHO_ANY, op_down),
	SUBOP_0(VCPUOP_is_up, WHO_ANY, op_is_up),
	VCPUOP(VCPUOP_get_runstate_info, struct vcpu_runstate_info, DIR_OUT, op_get_runstate_info),
	VCPUOP(VCPUOP_register_runstate_memory_area, struct vcpu_register_runstate_memory_area,
	       DIR_IN, op_register_runstate_memory_area),
	VCPUOP(VCPUOP_set_periodic_timer, struct vcpu_set_periodic_timer, DIR_IN,
	       op_set_periodic_timer),
	SUBOP_0(VCPUOP_stop_periodic_timer, WHO_ANY, op_stop_periodic_timer),
	VCPUOP(VCPUOP_set_singleshot_timer, struct vcpu_set_singleshot_timer, DIR_IN,
	       op_set_singleshot_timer),
	SUBOP_0(VCPUOP_stop_singleshot_timer, WHO_ANY, op_stop_singleshot_timer),
	VCPUOP(VCPUOP_register_vcpu_info, struct vcpu_register_vcpu_info, DIR_IN,
	       op_register_vcpu_info),
	SUBOP_0(VCPUOP_send_nmi, WHO_ANY, op_send_nmi),
	VCPUOP(VCPUOP_get_physid, struct vcpu_get_physid, DIR_OUT, op_get_physid),
	VCPUOP(VCPUOP_register_vcpu_time_memory_area, struct vcpu_register_time_memory_area, DIR_IN,
	       op_register_vcpu_time_memory_area),
};

HYPERCALL_FN(vcpu_op)
{
	struct vcpu *v = domain_vcpu(current->domain, (uint32_t)a2);

	if (!v)
		return -ENOENT;
	this_cpu(vcpu_op_target) = v;
	return sub_call(vcpu_ops, (uint32_t)a1, a3);
}
