/* SPDX-License-Identifier: MIT */
/*
 * Which hypervisor is below us. Each announces itself by a signature in a CPUID leaf 40000n00h (Linux, Documentation/virt/kvm/x86/cpuid.rst;
 * Xen, <xen/arch-x86/cpuid.h>; Hyper-V TLFS 2.4; VMware KB 1009458), so that several can stand there: KVM or Xen with Hyper-V's
 * interface beside their own. All that are found, or the one that `outer=` names, fill the table in turn, the native one first.
 * Where CPUID is silent, the SMBIOS may name the machine's maker.
 *
 * Runs once, on the boot CPU.
 */
#include "outer/internal.h"
#include "boot/cmdline.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "x86/asm.h"

struct outer outer __ro_after_init = {.name = "none"};
DEFINE_PER_CPU(struct outer_exits, outer_exits);
const char *const outer_exit_names[NR_OUTER_EXITS] = {
	[EXIT_TIMER] = "timer writes",	 [EXIT_EOI] = "ends of interrupt",
	[EXIT_IPI] = "interrupts sent",	 [EXIT_HALT] = "halts",
	[EXIT_FLUSH] = "remote flushes",
};

/* In the order in which they fill the table: Hyper-V's interface is also others' second one. */
static const struct outer_kind kinds[] = {
	{"kvm", "KVMKVMKVM\0\0", "QEMU", kvm_outer_init},
	{"xen", "XenVMMXenVMM", "Xen", xen_outer_init},
	{"vmware", "VMwareVMware", "VMware", vmware_outer_init},
	{"hyperv", "Microsoft Hv", "Microsoft", hyperv_outer_init},
};

enum { OUTER_AUTO = -1, OUTER_NONE = ARRAY_SIZE(kinds) };
static int opt_outer = OUTER_AUTO; /* or the row of kinds[] */

static int outer_option(const char *v)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(v, kinds[i].name)) {
			opt_outer = (int)i;
			return 0;
		}
	if (strcmp(v, "auto") && strcmp(v, "none"))
		return -EINVAL;
	opt_outer = *v == 'a' ? OUTER_AUTO : OUTER_NONE;
	return 0;
}
CMDLINE(outer, outer_option,
	"auto|none|kvm|xen|vmware|hyperv: which hypervisor's services below us are used");

#ifndef HOST_BUILD
void outer_cpuid_regs(uint32_t leaf, uint32_t r[4])
{
	cpuid_count(leaf, 0, &r[0], &r[1], &r[2], &r[3]);
}
#endif

bool __init outer_cpu_is_amd(void)
{
	uint32_t r[4];

	outer_cpuid_regs(0, r);
	return r[CPUID_B] == 0x68747541 || r[CPUID_B] == 0x6f677948; /* Auth, Hygo */
}

uint32_t outer_cpuid(uint32_t base, unsigned int n, unsigned int reg)
{
	uint32_t r[4];

	if (!base)
		return 0;
	outer_cpuid_regs(base, r);
	/* KVM of old says 0 for "the next one". */
	if (n > 1 && r[0] < base + n)
		return 0;
	outer_cpuid_regs(base + n, r);
	return r[reg];
}

/* The first leaf with the signature, 0 if there is none. */
static uint32_t __init leaf_of(const char *signature)
{
	uint32_t r[4];

	for (uint32_t leaf = 0x40000000; leaf < 0x40001000; leaf += 0x100) {
		outer_cpuid_regs(leaf, r);
		if (!memcmp(&r[1], signature, 12))
			return leaf;
	}
	return 0;
}

/* "kvm", "kvm+hyperv" */
static void __init name_add(char *names, size_t size, const char *name)
{
	size_t n = strlen(names);

	scnprintf(names + n, size - n, "%s%s", n ? "+" : "", name);
}

static void __init kinds_init(char *found, size_t size)
{
	bool cpuid = outer_cpu_features() & FEATURE_HYPERVISOR;
	char used[sizeof(outer.name)] = "";

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct outer_kind *k = &kinds[i];
		uint32_t leaf = cpuid ? leaf_of(k->signature) : 0;
		bool named = opt_outer == (int)i;

		if (leaf || (!cpuid && smbios_system_is(k->product)))
			name_add(found, size, k->name);
		else if (!named)
			continue;
		if ((opt_outer == OUTER_AUTO || named) && k->init(leaf))
			name_add(used, sizeof(used), k->name);
	}
	if (*used)
		memcpy(outer.name, used, sizeof(used));
}

void __init outer_init(void)
{
	char found[40] = "";
	uint32_t r[4] = {};

	kinds_init(found, sizeof(found));
	spin_unfair = *found || (outer_cpu_features() & FEATURE_HYPERVISOR);
	if (!*found && (outer_cpu_features() & FEATURE_HYPERVISOR)) {
		outer_cpuid_regs(0x40000000, r);
		printk(LOG_INFO "Outer hypervisor: unknown (\"%.12s\"), used as bare metal\n",
		       (const char *)&r[1]);
		return;
	}
	printk(LOG_INFO "Outer hypervisor: %s; used: %s%s%s%s%s%s%s\n", *found ? found : "none",
	       outer.name, outer.tsc_hz ? ", clock" : "", outer.eoi ? ", end of interrupt" : "",
	       outer.ipi ? ", IPIs" : "", outer.icr ? ", APIC registers" : "",
	       outer.timer ? ", timer" : "", outer.tlb_flush ? ", TLB flush" : "");
}

void outer_dump(char key)
{
	unsigned int cpu;

	printk("Outer hypervisor: %s\n", outer.name);
	for_each_online_cpu(cpu)
	{
		printk("  CPU%u:", cpu);
		for (unsigned int i = 0; i < NR_OUTER_EXITS; i++)
			printk(" %s %lu%s", outer_exit_names[i], per_cpu(outer_exits, cpu).n[i],
			       i + 1 < NR_OUTER_EXITS ? "," : "\n");
	}
}
