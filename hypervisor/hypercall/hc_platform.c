/* SPDX-License-Identifier: MIT */
/*
 * platform_op: domain 0 and the machine as a whole: wall clock, what the firmware said, processors,
 * power-off. All are for the control domain only; what would change the set of CPUs or of memory,
 * or a CPU's microcode, is refused.
 *
 * The argument has one size for all operations, so that this is its own little dispatcher. Lock:
 * settime_lock keeps two settings of the clock apart.
 */
#include "acpi/acpi.h"
#include "hypercall/dispatch.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/page.h"
#include "x86/shutdown.h"
#include "x86/smp.h"
#include "x86/time.h"
#include <xen/platform.h>

static spinlock_t settime_lock;

/* --- wall clock --- */

static int settime(uint64_t secs, uint32_t nsecs, uint64_t system_time)
{
	struct domain *d;

	spin_lock(&settime_lock);
	WRITE_ONCE(wallclock_base_ns, secs * 1000000000 + nsecs - system_time);
	for (d = domain_next(0); d;) {
		domid_t id = d->domain_id;

		vtime_update_wallclock(d);
		domain_put(d);
		d = domain_next(id + 1);
	}
	spin_unlock(&settime_lock);
	return 0;
}

static int op_settime32(struct xen_platform_op *op)
{
	const struct xenpf_settime32 *t = &op->u.settime32;

	return settime(t->secs, t->nsecs, t->system_time);
}

static int op_settime64(struct xen_platform_op *op)
{
	const struct xenpf_settime64 *t = &op->u.settime64;

	return t->mbz ? -EINVAL : settime(t->secs, t->nsecs, t->system_time);
}

/* --- firmware --- */

/*
 * No BIOS call is made at boot, so disks and display are unknown here as on a machine that has
 * none.
 */
static int op_firmware_info(struct xen_platform_op *op)
{
	struct xenpf_firmware_info *fw = &op->u.firmware_info;

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

static int op_platform_quirk(struct xen_platform_op *op)
{
	uint32_t id = op->u.platform_quirk.quirk_id;

	return id >= QUIRK_NOIRQBALANCING && id <= QUIRK_IOAPIC_GOOD_REGSEL ? 0 : -EINVAL;
}

/* Range registers are as the firmware set them; the guests' page tables choose memory types. */
static int op_read_memtype(struct xen_platform_op *op)
{
	return -EINVAL;
}

/* --- power --- */

static int op_enter_acpi_sleep(struct xen_platform_op *op)
{
	const struct xenpf_enter_acpi_sleep *s = &op->u.enter_acpi_sleep;

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
static int op_set_processor_pminfo(struct xen_platform_op *op)
{
	switch (op->u.set_pminfo.type) {
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

static int op_get_cpuinfo(struct xen_platform_op *op)
{
	struct xenpf_pcpuinfo *info = &op->u.pcpu_info;
	unsigned int cpu;

	info->max_present = max_present();
	info->flags = XEN_PCPU_FLAGS_INVALID;
	if (!cpu_is_online(info->xen_cpuid))
		return 0;
	info->flags = XEN_PCPU_FLAGS_ONLINE;
	cpu = (unsigned int)array_index_nospec(info->xen_cpuid, NR_CPUS);
	info->apic_id = smp_apic_id(cpu);
	info->acpi_id = smp_acpi_id(cpu);
	return 0;
}

/* All CPUs are taken to be of one kind, the one this runs on. */
static int op_get_cpu_version(struct xen_platform_op *op)
{
	struct xenpf_pcpu_version *v = &op->u.pcpu_version;
	uint32_t a, b, c, d, sig[3];

	v->max_present = max_present();
	memset(v->vendor_id, 0, sizeof(v->vendor_id));
	v->family = v->model = v->stepping = 0;
	if (!cpu_is_online(v->xen_cpuid))
		return 0;
	cpuid_count(0, 0, &a, &sig[0], &sig[2], &sig[1]);
	memcpy(v->vendor_id, sig, sizeof(v->vendor_id));
	cpuid_count(1, 0, &a, &b, &c, &d);
	v->family = a >> 8 & 15;
	v->model = a >> 4 & 15;
	v->stepping = a & 15;
	if (v->family == 15)
		v->family += a >> 20 & 0xff;
	if (v->family >= 6)
		v->model |= (a >> 16 & 15) << 4;
	return 0;
}

static int op_cpu_online(struct xen_platform_op *op)
{
	return cpu_is_online(op->u.cpu_ol.cpuid) ? 0 : -EINVAL;
}

static int op_cpu_offline(struct xen_platform_op *op)
{
	uint32_t cpu = op->u.cpu_ol.cpuid;

	return cpu && !cpu_is_online(cpu) ? -EINVAL : -EOPNOTSUPP;
}

static int op_core_parking(struct xen_platform_op *op)
{
	struct xenpf_core_parking *p = &op->u.core_parking;

	if (p->type == XEN_CORE_PARKING_SET)
		return p->idle_nums ? -EOPNOTSUPP : 0;
	if (p->type != XEN_CORE_PARKING_GET)
		return -EINVAL;
	p->idle_nums = 0;
	return 0;
}

static int idle_time_put(const struct xenpf_getidletime *g, unsigned int byte, uint8_t *map)
{
	for (unsigned int bit = 0; bit < 8; bit++) {
		unsigned int cpu = byte * 8 + bit;
		uint64_t idle;

		if (!(*map >> bit & 1))
			continue;
		if (cpu >= g->cpumap_nr_cpus || !cpu_is_online(cpu)) {
			*map &= (uint8_t) ~(1u << bit);
			continue;
		}
		idle = cpu_idle_time(cpu);
		if (copy_to_guest_offset(g->idletime, cpu, &idle, 1))
			return -EFAULT;
	}
	return 0;
}

static int op_getidletime(struct xen_platform_op *op)
{
	struct xenpf_getidletime *g = &op->u.getidletime;
	unsigned int bytes = DIV_ROUND_UP(min(g->cpumap_nr_cpus, (uint32_t)NR_CPUS), 8);
	uint8_t map;
	int rc = 0;

	g->now = (uint64_t)time_now();
	for (unsigned int i = 0; i < bytes && !rc; i++) {
		if (copy_from_guest_offset(&map, g->cpumap_bitmap, i, 1))
			return -EFAULT;
		rc = idle_time_put(g, i, &map);
		if (!rc && copy_to_guest_offset(g->cpumap_bitmap, i, &map, 1))
			rc = -EFAULT;
	}
	return rc;
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
static int op_resource(struct xen_platform_op *op)
{
	const struct xenpf_resource_op *r = &op->u.resource_op;
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

/* The image's own table, made by symbols.awk; counted from 0. NULL beyond the end. */
extern const uint64_t symbol_count, symbol_addresses[];
extern const uint32_t symbol_offsets[];
extern const char symbol_names[];

static const char *symbol_nth(uint32_t n, uint64_t *address)
{
	if (n >= symbol_count)
		return NULL;
	n = (uint32_t)array_index_nospec(n, symbol_count);
	*address = symbol_addresses[n];
	return symbol_names + symbol_offsets[n];
}

static int op_get_symbol(struct xen_platform_op *op)
{
	struct xenpf_symdata *s = &op->u.symdata;
	uint64_t address = 0;
	const char *name;
	uint32_t len;

	name = symbol_nth(s->symnum, &address);
	if (name)
		s->symnum++;
	else
		name = "";
	s->address = address;
	s->type = 't';
	len = (uint32_t)strlen(name) + 1;
	if (copy_to_guest(s->name, name, min(len, s->namelen)))
		return -EFAULT;
	s->namelen = len;
	return 0;
}

struct platform_row {
	uint32_t cmd;
	const char *name;
	int (*fn)(struct xen_platform_op *op); /* NULL: refused */
	int refusal;
};
#define ROW(op, f)                                  \
	{                                           \
		.cmd = (op), .name = #op, .fn = (f) \
	}
#define REFUSED(op, e)                                   \
	{                                                \
		.cmd = (op), .name = #op, .refusal = (e) \
	}

static const struct platform_row rows[] = {
	ROW(XENPF_settime32, op_settime32),
	ROW(XENPF_settime64, op_settime64),
	REFUSED(XENPF_add_memtype, -EOPNOTSUPP),
	REFUSED(XENPF_del_memtype, -EINVAL),
	ROW(XENPF_read_memtype, op_read_memtype),
	REFUSED(XENPF_microcode_update, -EINVAL),
	ROW(XENPF_platform_quirk, op_platform_quirk),
	ROW(XENPF_get_cpu_version, op_get_cpu_version),
	REFUSED(XENPF_efi_runtime_call, -ENOSYS),
	ROW(XENPF_firmware_info, op_firmware_info),
	ROW(XENPF_enter_acpi_sleep, op_enter_acpi_sleep),
	REFUSED(XENPF_change_freq, -ENOSYS),
	ROW(XENPF_getidletime, op_getidletime),
	ROW(XENPF_set_processor_pminfo, op_set_processor_pminfo),
	ROW(XENPF_get_cpuinfo, op_get_cpuinfo),
	ROW(XENPF_cpu_online, op_cpu_online),
	ROW(XENPF_cpu_offline, op_cpu_offline),
	REFUSED(XENPF_cpu_hotadd, -EOPNOTSUPP),
	REFUSED(XENPF_mem_hotadd, -EOPNOTSUPP),
	ROW(XENPF_core_parking, op_core_parking),
	ROW(XENPF_resource_op, op_resource),
	ROW(XENPF_get_symbol, op_get_symbol),
};

static const struct platform_row *row_find(uint32_t cmd)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].cmd == cmd)
			return &rows[i];
	return NULL;
}

HYPERCALL_FN(platform_op)
{
	const struct platform_row *row;
	struct xen_platform_op op;
	int rc;

	if (copy_from_guest_va(&op, a1, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XENPF_INTERFACE_VERSION)
		return -EACCES;
	if (!current->domain->is_privileged)
		return -EPERM;
	row = row_find(op.cmd);
	if (!row)
		return -ENOSYS;
	if (!row->fn)
		return row->refusal;
	rc = row->fn(&op);
	if (rc >= 0 && copy_to_guest_va(a1, &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
