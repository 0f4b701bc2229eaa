/* SPDX-License-Identifier: MIT */
/*
 * outer/: which hypervisor is found below us and what is used of it, on pretended CPUID leaves, MSRs, VMware's port and an
 * SMBIOS. The functions that only a real one can serve (hypercalls) are left to the system test.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "../../hypervisor/outer/outer.c"
#include "../../hypervisor/outer/kvm.c"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "mm/heap.h"

uint32_t backdoor(unsigned int command, uint32_t *b);

__thread unsigned int fake_cpu_id;
__thread struct vcpu *current;
cpumask_t cpu_online_map = {{1}};
uint32_t cpu_apic_id[NR_CPUS];

/* --- the pretended machine --- */

static struct {
	bool hypervisor, x2apic, deadline;
	struct {
		const char *signature;
		uint32_t regs[0x11][4]; /* of the leaves behind the signature's */
		uint32_t last;
	} block[3];
	bool vmware_port;
	uint64_t msr
		[4]; /* addresses given to KVM: wall clock, clock, steal time, end of interrupt */
	uint64_t os_id, hypercall_page, reference_page;
	uint8_t bios[0x10000], *bios_end;
} machine;

void outer_cpuid_regs(uint32_t leaf, uint32_t r[4])
{
	unsigned int n = (leaf & 0xff), b = leaf >> 8 & 0xf;

	memset(r, 0, 16);
	if (leaf == 1)
		r[2] = (machine.hypervisor ? 1u << 31 : 0) | (machine.x2apic ? 1u << 21 : 0) |
		       (machine.deadline ? 1u << 24 : 0);
	if (leaf < 0x40000000 || leaf > 0x40000fff || b >= ARRAY_SIZE(machine.block) ||
	    !machine.block[b].signature)
		return;
	if (!n) {
		r[0] = (leaf & ~0xffu) + machine.block[b].last;
		memcpy(&r[1], machine.block[b].signature, strlen(machine.block[b].signature));
	} else if (n <= machine.block[b].last) {
		memcpy(r, machine.block[b].regs[n], 16);
	}
}

uint32_t backdoor(unsigned int command, uint32_t *b)
{
	assert_true(machine.vmware_port);
	*b = command == 10 ? 0x564d5868 : 1;
	return command == 10 ? 6 : 0x2a05f200; /* with EBX: 5 GHz */
}

#define CLOCK_MUL   0x80000000u /* at shift 0: 2 GHz */
#define SYSTEM_TIME 5000000000UL

bool wrmsr_safe(uint32_t msr, uint64_t v)
{
	if (msr >= MSR_KVM_WALL_CLOCK_NEW && msr <= MSR_KVM_PV_EOI_EN && msr != 0x4b564d02)
		machine.msr[msr == MSR_KVM_PV_EOI_EN	? 3
			    : msr == MSR_KVM_STEAL_TIME ? 2
							: msr - MSR_KVM_WALL_CLOCK_NEW] = v;
	if (msr == MSR_KVM_SYSTEM_TIME_NEW && (v & 1))
		*(struct kvm_clock *)(v & ~1UL) = (struct kvm_clock){
			.version = 2, .system_time = SYSTEM_TIME, .tsc_to_system_mul = CLOCK_MUL};
	if (msr == MSR_KVM_WALL_CLOCK_NEW)
		*(struct kvm_wall_clock *)v = (struct kvm_wall_clock){2, 1000, 7};
	if (msr == 0x40000000)
		machine.os_id = v;
	if (msr == 0x40000001)
		machine.hypercall_page = v;
	if (msr == 0x40000021) {
		uint64_t *page = (uint64_t *)(v & ~1UL);

		machine.reference_page = v;
		page[0] = 1;		     /* its sequence */
		page[1] = (1UL << 63) / 100; /* (TSC * this >> 64) in 100 ns: 2 GHz */
	}
	return true;
}

bool rdmsr_safe(uint32_t msr, uint64_t *v)
{
	*v = msr == 0x40000001 ? machine.hypercall_page : 0;
	return true;
}

void *ioremap(paddr_t pa, size_t len)
{
	assert_in_range(pa, 0xf0000, 0xfffff);
	return machine.bios + (pa - 0xf0000);
}

paddr_t virt_to_maddr(const void *va)
{
	return (paddr_t)va;
}

void *page_alloc(void)
{
	return aligned_alloc(4096, 4096);
}

bool spin_unfair;

static char log_line[200];

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(log_line, sizeof(log_line), fmt, ap);
	va_end(ap);
}

void panic(const char *fmt, ...)
{
	abort();
}

/* --- */

static void machine_new(void)
{
	memset(&machine, 0, sizeof(machine));
	outer = (struct outer){.name = "none"};
	spin_unfair = false;
	opt_outer = OUTER_AUTO;
}

static void block_set(unsigned int n, const char *signature, uint32_t last)
{
	machine.hypervisor = true;
	machine.block[n].signature = signature;
	machine.block[n].last = last;
}

static void kvm_at(unsigned int n, uint32_t features_wanted)
{
	block_set(n, "KVMKVMKVM", 1);
	machine.block[n].regs[1][0] = features_wanted;
}

#define KVM_ALL                                                                           \
	(FEATURE_CLOCKSOURCE2 | FEATURE_STEAL_TIME | FEATURE_PV_EOI | FEATURE_TLB_FLUSH | \
	 FEATURE_SEND_IPI)
#define HV_MAY	 (1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 9)
#define HV_HINTS (1u << 2 | 1u << 3 | 1u << 10)

static void hyperv_at(unsigned int n)
{
	block_set(n, "Microsoft Hv", 6);
	machine.block[n].regs[1][0] = 0x31237648;
	machine.block[n].regs[3][0] = HV_MAY;
	machine.block[n].regs[3][3] = 1u << 19;
	machine.block[n].regs[4][0] = HV_HINTS;
}

static void test_bare_metal(void **state)
{
	machine_new();
	/* What looks like leaves is Intel's answer to leaves that are not there. */
	machine.block[0].signature = "KVMKVMKVM";
	outer_init();
	assert_string_equal(outer.name, "none");
	assert_false(spin_unfair);
	assert_null(outer.tsc_hz);
	assert_null(outer.eoi);
	assert_non_null(strstr(log_line, "Outer hypervisor: none; used: none\n"));
}

static void test_kvm(void **state)
{
	machine_new();
	kvm_at(0, KVM_ALL);
	outer_init();
	assert_string_equal(outer.name, "kvm");
	assert_int_equal(outer.tsc_hz(), 2000000000);
	assert_int_equal(outer.wallclock_ns(), 1000000000007UL + SYSTEM_TIME);
	/* Taken back: the page is ours again. */
	assert_int_equal(machine.msr[1], 0);
	assert_non_null(outer.eoi);
	assert_non_null(outer.ipi);
	assert_non_null(outer.tlb_flush);
	assert_null(outer.timer);
	assert_non_null(
		strstr(log_line, "kvm; used: kvm, clock, end of interrupt, IPIs, TLB flush"));
}

static void test_kvm_without_features(void **state)
{
	machine_new();
	kvm_at(0, 0);
	outer_init();
	assert_int_equal(outer.tsc_hz(), 0);
	assert_int_equal(outer.wallclock_ns(), 0);
	assert_null(outer.eoi);
	assert_null(outer.ipi);
	assert_null(outer.tlb_flush);
	outer.cpu_start();
	assert_int_equal(machine.msr[2] | machine.msr[3], 0);
	/* CPUs of our own, always: nothing to spare. */
	machine_new();
	kvm_at(0, KVM_ALL);
	machine.block[0].regs[1][3] = HINT_REALTIME;
	outer_init();
	assert_null(outer.tlb_flush);
}

static void test_kvm_eoi(void **state)
{
	uint32_t *bit;

	machine_new();
	kvm_at(0, KVM_ALL);
	outer_init();
	outer.cpu_start();
	assert_true(machine.msr[3] & 1);
	bit = (uint32_t *)(machine.msr[3] & ~1UL);
	assert_false(outer.eoi());
	*bit = 1;
	assert_true(outer.eoi());
	assert_int_equal(*bit, 0);
	assert_false(outer.eoi());
	outer.cpu_stop();
	assert_int_equal(machine.msr[2] | machine.msr[3], 0);
}

static void test_kvm_flush(void **state)
{
	struct kvm_steal_time *areas[3];
	cpumask_t mask = {{6}};

	machine_new();
	kvm_at(0, KVM_ALL);
	outer_init();
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		fake_cpu_id = cpu;
		outer.cpu_start();
		areas[cpu] = (struct kvm_steal_time *)(machine.msr[2] & ~1UL);
		assert_int_equal(machine.msr[2] & 63, 1);
	}
	fake_cpu_id = 0;
	areas[0]->preempted = areas[2]->preempted = PREEMPTED_NOW;
	outer.tlb_flush(&mask);
	/* CPU 1 runs, CPU 0 was not asked about. */
	assert_int_equal(mask.bits[0], 2);
	assert_int_equal(areas[0]->preempted, PREEMPTED_NOW);
	assert_int_equal(areas[1]->preempted, 0);
	assert_int_equal(areas[2]->preempted, PREEMPTED_NOW | PREEMPTED_FLUSH);
	/* Once more: it still has not run. */
	mask.bits[0] = 6;
	outer.tlb_flush(&mask);
	assert_int_equal(mask.bits[0], 2);
}

static void test_kvm_far_apart(void **state)
{
	cpumask_t mask = {{3}};

	machine_new();
	kvm_at(0, KVM_ALL);
	outer_init();
	cpu_apic_id[0] = 7;
	cpu_apic_id[1] = 7 + IPI_SPAN;
	assert_false(outer.ipi(&mask, 0xfb));
}

static void test_kvm_with_hyperv(void **state)
{
	bool (*kvm)(const cpumask_t *, unsigned int);

	machine_new();
	hyperv_at(0);
	kvm_at(1, KVM_ALL);
	machine.x2apic = machine.deadline = true;
	opt_outer = OUTER_AUTO;
	outer_init();
	assert_string_equal(outer.name, "kvm+hyperv");
	/* The clock and ends of interrupt stay KVM's, its hypercalls must be gone. */
	assert_int_equal(outer.tsc_hz(), 2000000000);
	assert_true(outer.eoi == kvm_eoi);
	assert_true(machine.os_id && (machine.hypercall_page & 1));
	kvm = kvm_ipi;
	assert_true(outer.ipi && outer.ipi != kvm);
	assert_true(outer.tlb_flush && outer.tlb_flush != kvm_tlb_flush);
	assert_null(outer.timer);
	assert_null(outer.icr);
}

static void test_hyperv(void **state)
{
	machine_new();
	hyperv_at(0);
	outer_init();
	assert_string_equal(outer.name, "hyperv");
	assert_int_equal(outer.tsc_hz() / 1000000, 2000);
	assert_non_null(outer.timer);
	assert_non_null(outer.icr);
	assert_non_null(outer.eoi);
	outer.cpu_start();
	outer.cpu_stop();

	/* Another interface below the same name. */
	machine_new();
	hyperv_at(0);
	machine.block[0].regs[1][0] = 0x30237648;
	outer_init();
	assert_string_equal(outer.name, "none");
	assert_null(outer.tsc_hz);
	assert_int_equal(machine.os_id, 0);
}

static void test_option(void **state)
{
	machine_new();
	hyperv_at(0);
	kvm_at(1, KVM_ALL);
	assert_int_equal(outer_option("hyperv"), 0);
	outer_init();
	assert_string_equal(outer.name, "hyperv");
	assert_non_null(strstr(log_line, "Outer hypervisor: kvm+hyperv; used: hyperv,"));

	machine_new();
	kvm_at(0, KVM_ALL);
	assert_int_equal(outer_option("none"), 0);
	outer_init();
	assert_string_equal(outer.name, "none");
	assert_null(outer.tsc_hz);

	machine_new();
	kvm_at(0, KVM_ALL);
	assert_int_equal(outer_option("xen"), 0);
	outer_init();
	assert_string_equal(outer.name, "none");
	assert_int_equal(outer_option("auto"), 0);
	assert_int_equal(opt_outer, OUTER_AUTO);
	assert_int_not_equal(outer_option("bochs"), 0);
	assert_int_not_equal(outer_option(""), 0);
}

static void test_xen(void **state)
{
	machine_new();
	hyperv_at(0);
	machine.block[0].regs[4][0] = 0;
	block_set(1, "XenVMMXenVMM", 5);
	machine.block[1].regs[3][2] = 2600000;
	outer_init();
	assert_string_equal(outer.name, "xen+hyperv");
	assert_int_equal(outer.tsc_hz(), 2600000000);
	assert_int_equal(machine.os_id, 0);
}

static void test_vmware(void **state)
{
	machine_new();
	block_set(0, "VMwareVMware", 0x10);
	machine.block[0].regs[0x10][0] = 3000000;
	outer_init();
	assert_string_equal(outer.name, "vmware");
	assert_int_equal(outer.tsc_hz(), 3000000000);
	/* No timing leaf: the port tells. */
	machine.block[0].last = 1;
	machine.vmware_port = true;
	assert_int_equal(outer.tsc_hz(), 5000000000);
}

static void test_unknown(void **state)
{
	machine_new();
	block_set(0, "TCGTCGTCGTCG", 1);
	outer_init();
	assert_true(spin_unfair);
	assert_string_equal(outer.name, "none");
	assert_non_null(strstr(log_line, "unknown (\"TCGTCGTCGTCG\")"));
}

/* --- SMBIOS --- */

static const uint8_t tables[] = "\0\x18\0\0\1\2\0\xe8\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				"SeaBIOS\0001.16\0\0"
				"\1\x1b\0\1\1\2\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				"VMware, Inc.\0VMware7,1\0None\0VMware-56 4d\0\0"
				"\x7f\4\0\2\0";

static void smbios_set(unsigned int len)
{
	uint8_t *p = machine.bios + 0x50, sum = 0;
	uint32_t at = 0xf1000;
	uint16_t size = (uint16_t)len;

	memcpy(machine.bios + 0x1000, tables, sizeof(tables));
	memcpy(p, "_SM_", 4);
	p[5] = 0x1f;
	memcpy(p + 22, &size, 2);
	memcpy(p + 24, &at, 4);
	p[4] = 0;
	for (unsigned int i = 0; i < 0x1f; i++)
		sum += p[i];
	p[4] = (uint8_t)-sum;
}

static void test_smbios(void **state)
{
	machine_new();
	smbios_set(sizeof(tables));
	machine.vmware_port = true;
	outer_init();
	assert_string_equal(outer.name, "vmware");
	assert_int_equal(outer.tsc_hz(), 5000000000);
	assert_true(smbios_system_is("VMware-56"));
	assert_false(smbios_system_is("SeaBIOS"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smbios), /* the first: the tables are looked for once */
		cmocka_unit_test(test_bare_metal),
		cmocka_unit_test(test_kvm),
		cmocka_unit_test(test_kvm_without_features),
		cmocka_unit_test(test_kvm_eoi),
		cmocka_unit_test(test_kvm_flush),
		cmocka_unit_test(test_kvm_far_apart),
		cmocka_unit_test(test_kvm_with_hyperv),
		cmocka_unit_test(test_hyperv),
		cmocka_unit_test(test_option),
		cmocka_unit_test(test_xen),
		cmocka_unit_test(test_vmware),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
