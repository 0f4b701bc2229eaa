/* SPDX-License-Identifier: MIT */
/*
 * platform_op: domain 0 and the machine as a whole: wall clock, what the firmware said, processors,
 * power-off. All are for the control domain only; what would change the set of CPUs or of memory,
 * or a CPU's microcode, is refused.
 *
 * The call itself and its lock, one operation at a time, are control.c's.
 */
#include "acpi/acpi.h"
#include "hypercall/control.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/page.h"
#include "x86/shutdown.h"
#include "x86/smp.h"
#include "x86/time.h"
#include <xen/platform.h>

#define PLATFORM_HANDLER(name, argument) static SUBOP_HANDLER(platform_##name, argument)

/* --- wall clock --- */

static int settime(uint64_t secs, uint32_t nsecs, uint64_t system_time)
{
	struct domain *d;

	WRITE_ONCE(wallclock_base_ns, secs * 1000000000 + nsecs - system_time);
	for_each_domain (d)
		vtime_update_wallclock(d);
	return 0;
}

PLATFORM_HANDLER(settime32, const struct xenpf_settime32 *t)
{
	return settime(t->secs, t->nsecs, t->system_time);
}

PLATFORM_HANDLER(settime64, const struct xenpf_settime64 *t)
{
	return t->mbz ? -EINVAL : settime(t->secs, t->nsecs, t->system_time);
}

/* --- firmware --- */

/*
 * No BIOS call is made at boot, so disks and display are unknown here as on a machine that has
 * none.
 */
PLATFORM_HANDLER(firmware_info, struct xenpf_firmware_info *fw)
{
	switch (fw->type) {
	case XEN_FW_DISK_INFO:
	case XEN_FW_DISK_MBR_SIGNATURE:
	case XEN_FW_VBEDDC_INFO:
		return -ESRCH;
	case XEN_FW_EFI_INFO:
		return -ENOSYS;
	case XEN_FW_KBD_SHIFT_FLAGS:
		if (fw->index)
			return -ESRCH;
		fw->u.kbd_shift_flags = *(const uint8_t *)maddr_to_virt(0x417); /* BIOS data area */
		return 0;
	default:
		return -EINVAL;
	}
}

PLATFORM_HANDLER(platform_quirk, const struct xenpf_platform_quirk *q)
{
	return q->quirk_id >= QUIRK_NOIRQBALANCING && q->quirk_id <= QUIRK_IOAPIC_GOOD_REGSEL
		       ? 0
		       : -EINVAL;
}

/* --- power --- */

PLATFORM_HANDLER(enter_acpi_sleep, const struct xenpf_enter_acpi_sleep *s)
{
	if (s->flags & XENPF_ACPI_SLEEP_EXTENDED || !acpi_info.pm1a_control)
		return -EPERM;
	if (s->flags || s->sleep_state < 1 || s->sleep_state > 5)
		return -EINVAL;
	if (s->sleep_state != 5)
		return -EOPNOTSUPP;
	printk("Domain 0 powers the machine off\n");
	machine_enter_s5(s->val_a, s->val_b);
}

/*
 * What domain 0 tells of power states is taken and not used: idle CPUs halt, frequencies are the
 * hardware's choice.
 */
PLATFORM_HANDLER(set_processor_pminfo, const struct xenpf_set_processor_pminfo *p)
{
	switch (p->type) {
	case XEN_PM_CX:
	case XEN_PM_PX:
	case XEN_PM_PDC:
		return 0;
	case XEN_PM_TX:
		return -ENOSYS;
	default:
		return -EINVAL;
	}
}

/* --- processors --- */

static uint32_t max_present(void)
{
	uint32_t last = 0;
	unsigned int cpu;

	for_each_online_cpu(cpu) last = cpu;
	return last;
}

static bool cpu_is_online(uint32_t cpu)
{
	return cpu < NR_CPUS &&
	       cpumask_test((unsigned int)array_index_nospec(cpu, NR_CPUS), &cpu_online_map);
}

PLATFORM_HANDLER(get_cpuinfo, struct xenpf_pcpuinfo *info)
{
	unsigned int cpu;

	info->max_present = max_present();
	info->flags = XEN_PCPU_FLAGS_INVALID;
	if (!cpu_is_online(info->xen_cpuid))
		return 0;
	info->flags = XEN_PCPU_FLAGS_ONLINE;
	cpu = (unsigned int)array_index_nospec(info->xen_cpuid, NR_CPUS);
	info->apic_id = cpu_apic_id[cpu];
	info->acpi_id = smp_acpi_id(cpu);
	return 0;
}

/* All CPUs are taken to be of one kind. */
PLATFORM_HANDLER(get_cpu_version, struct xenpf_pcpu_version *v)
{
	const struct cpuid_regs *id = pv_cpuid_policy(CPUID_RAW)->basic;
	const uint32_t vendor[] = {id[0].b, id[0].d, id[0].c}, sig = id[1].a;

	v->max_present = max_present();
	memset(v->vendor_id, 0, sizeof(v->vendor_id));
	v->family = v->model = v->stepping = 0;
	if (!cpu_is_online(v->xen_cpuid))
		return 0;
	memcpy(v->vendor_id, vendor, sizeof(v->vendor_id));
	v->family = sig >> 8 & 15;
	v->model = sig >> 4 & 15;
	v->stepping = sig & 15;
	if (v->family == 15)
		v->family += sig >> 20 & 0xff;
	if (v->family >= 6)
		v->model |= (sig >> 16 & 15) << 4;
	return 0;
}

PLATFORM_HANDLER(cpu_online, const struct xenpf_cpu_ol *c)
{
	return cpu_is_online(c->cpuid) ? 0 : -EINVAL;
}

PLATFORM_HANDLER(cpu_offline, const struct xenpf_cpu_ol *c)
{
	return c->cpuid && !cpu_is_online(c->cpuid) ? -EINVAL : -EOPNOTSUPP;
}

PLATFORM_HANDLER(core_parking, struct xenpf_core_parking *p)
{
	if (p->type == XEN_CORE_PARKING_SET)
		return p->idle_nums ? -EOPNOTSUPP : 0;
	if (p->type != XEN_CORE_PARKING_GET)
		return -EINVAL;
	p->idle_nums = 0;
	return 0;
}

PLATFORM_HANDLER(getidletime, struct xenpf_getidletime *g)
{
	struct xenctl_bitmap map = {.nr_bits = g->cpumap_nr_cpus};
	cpumask_t cpus;
	unsigned int cpu;
	int rc;

	map.bitmap.p = g->cpumap_bitmap.p;
	g->now = (uint64_t)time_now();
	rc = control_bitmap_read(&map, cpus.bits, NR_CPUS);
	if (rc)
		return rc;
	cpumask_and(&cpus, &cpus, &cpu_online_map);
	for_each_cpu (cpu, &cpus) {
		uint64_t idle = cpu_idle_time(cpu);

		if (copy_to_guest_offset(g->idletime, cpu, &idle, 1))
			return -EFAULT;
	}
	return control_bitmap_write(&map, cpus.bits, NR_CPUS);
}

/* --- odds and ends --- */

#define RESOURCE_MAX_ENTRIES 2

static int resource_access(struct xenpf_resource_entry *e)
{
	if (e->rsvd)
		return -EINVAL;
	if (e->u.cmd != XEN_RESOURCE_OP_MSR_READ && e->u.cmd != XEN_RESOURCE_OP_MSR_WRITE)
		return -EOPNOTSUPP;
	if (e->idx >> 32)
		return -EINVAL;
	if (e->u.cmd != XEN_RESOURCE_OP_MSR_READ || e->idx != MSR_IA32_TSC)
		return -EPERM;
	e->val = (uint64_t)time_now(); /* the same on all CPUs */
	return 0;
}

/* The answer is how many entries succeeded; the first that did not says why. */
PLATFORM_HANDLER(resource_op, const struct xenpf_resource_op *r)
{
	struct xenpf_resource_entry e[RESOURCE_MAX_ENTRIES];
	unsigned int done = 0, n = r->nr_entries;
	int rc = 0;

	if (!n)
		return 0;
	if (n > RESOURCE_MAX_ENTRIES)
		return -EINVAL;
	if (copy_from_guest(e, r->entries, n))
		return -EFAULT;
	if (!cpu_is_online(r->cpu))
		return -ENODEV;
	while (done < n && !(rc = resource_access(&e[done])))
		done++;
	if (rc)
		e[done].u.ret = rc;
	if (copy_to_guest(r->entries, e, done < n ? done + 1 : n))
		return -EFAULT;
	return (int)done;
}

/* The image's own table, made by symbols.awk; counted from 0. Beyond its end the name is empty. */
extern const uint64_t symbol_count, symbol_addresses[];
extern const uint32_t symbol_offsets[];
extern const char symbol_names[];

PLATFORM_HANDLER(get_symbol, struct xenpf_symdata *s)
{
	const char *name = "";
	uint32_t n = s->symnum, len;

	s->address = 0;
	if (n < symbol_count) {
		n = (uint32_t)array_index_nospec(n, symbol_count);
		s->address = symbol_addresses[n];
		name = symbol_names + symbol_offsets[n];
		s->symnum++;
	}
	s->type = 't';
	len = (uint32_t)strlen(name) + 1;
	if (copy_to_guest(s->name, name, min(len, s->namelen)))
		return -EFAULT;
	s->namelen = len;
	return 0;
}

#define PLATFORM_ROW(c, d, f)  SUBOP_ROW(XENPF_##c, 0, d, -1, WHO_PRIV, f)
#define PLATFORM(c, d)	       PLATFORM_ROW(c, d, platform_##c)
#define PLATFORM_REFUSED(c, f) PLATFORM_ROW(c, DIR_IN, f)

static const struct subop platform_ops[] = {
	PLATFORM(settime32, DIR_IN),
	PLATFORM_REFUSED(add_memtype, refuse_eopnotsupp),
	PLATFORM_REFUSED(del_memtype, refuse_einval),
	PLATFORM_REFUSED(read_memtype, refuse_einval),
	PLATFORM_REFUSED(microcode_update, refuse_einval),
	PLATFORM(platform_quirk, DIR_IN),
	PLATFORM(get_cpu_version, DIR_INOUT),
	PLATFORM_REFUSED(efi_runtime_call, NULL),
	PLATFORM(firmware_info, DIR_INOUT),
	PLATFORM(enter_acpi_sleep, DIR_IN),
	PLATFORM_REFUSED(change_freq, NULL),
	PLATFORM(getidletime, DIR_INOUT),
	PLATFORM(set_processor_pminfo, DIR_IN),
	PLATFORM(get_cpuinfo, DIR_INOUT),
	PLATFORM(cpu_online, DIR_IN),
	PLATFORM(cpu_offline, DIR_IN),
	PLATFORM_REFUSED(cpu_hotadd, refuse_eopnotsupp),
	PLATFORM_REFUSED(mem_hotadd, refuse_eopnotsupp),
	PLATFORM(core_parking, DIR_INOUT),
	PLATFORM(resource_op, DIR_IN),
	PLATFORM(settime64, DIR_IN),
	PLATFORM(get_symbol, DIR_INOUT),
};

static struct control_family platform_family = {
	CONTROL_FAMILY(platform_ops, struct xen_platform_op, XENPF_INTERFACE_VERSION)};

HYPERCALL_FN(platform_op)
{
	return control_call(&platform_family, a1);
}
