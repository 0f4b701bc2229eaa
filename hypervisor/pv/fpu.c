/* SPDX-License-Identifier: MIT */
/*
 * Floating point and vector state: saved and loaded at every change of vCPU (no lazy trap: other guests' registers are
 * never left to speculation). XSAVE where there is one, else FXSAVE. The area's size is that of everything
 * the CPU can hold, so a guest's XSETBV needs no memory.
 */
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "pv/pv.h"
#include "x86/asm.h"

#define XCR0_X87    1UL
#define XCR0_SSE    2UL
#define XCR0_YMM    4UL
#define XCR0_AVX512 0xe0UL
#define XCR0_PKRU   0x200UL

#define FXSAVE_SIZE 512
#define XHEADER	    64

/* The image FNINIT leaves, for a fresh vCPU: FCW and MXCSR (SDM vol. 1 sections 8.1.5, 10.2.3). */
#define FCW_DEFAULT   0x37f
#define MXCSR_DEFAULT 0x1f80

static uint64_t xcr0_host __ro_after_init; /* 0: no XSAVE */
static unsigned int area_size __ro_after_init = FXSAVE_SIZE;
static bool has_xsaveopt __ro_after_init;

static void xsetbv(uint64_t v)
{
	__asm__ __volatile__("xsetbv" ::"c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

void pv_fpu_cpu_init(void)
{
	uint32_t a, b, c, d;

	__asm__ __volatile__("clts; fninit");
	if (!(read_cr4() & CR4_OSXSAVE))
		return;
	cpuid_count(0xd, 0, &a, &b, &c, &d);
	xcr0_host = a & (XCR0_X87 | XCR0_SSE | XCR0_YMM | XCR0_AVX512);
	if ((xcr0_host & XCR0_AVX512) != XCR0_AVX512)
		xcr0_host &= ~XCR0_AVX512;
	xsetbv(xcr0_host);
	cpuid_count(0xd, 0, &a, &b, &c, &d);
	area_size = b;
	cpuid_count(0xd, 1, &a, &b, &c, &d);
	has_xsaveopt = a & 1;
}

uint64_t pv_fpu_host_xcr0(void)
{
	return xcr0_host;
}

/* Bytes of an XSAVE area for these components, by CPUID leaf 0Dh (offsets of the standard format). */
unsigned int pv_fpu_context_size(uint64_t xcr0)
{
	unsigned int size = FXSAVE_SIZE + XHEADER;
	uint32_t a, b, c, d;

	for (unsigned int i = 2; i < 63; i++) {
		if (!(xcr0 >> i & 1))
			continue;
		cpuid_count(0xd, i, &a, &b, &c, &d);
		size = max(size, a + b);
	}
	return size;
}

/* A guest's XCR0: x87 always, AVX only with SSE, AVX-512 all or nothing, nothing the host has not. */
bool pv_fpu_xcr0_valid(uint64_t xcr0)
{
	if (!(xcr0 & XCR0_X87) || (xcr0 & ~xcr0_host))
		return false;
	if ((xcr0 & XCR0_YMM) && !(xcr0 & XCR0_SSE))
		return false;
	if ((xcr0 & XCR0_AVX512) && ((xcr0 & XCR0_AVX512) != XCR0_AVX512 || !(xcr0 & XCR0_YMM)))
		return false;
	return true;
}

void pv_fpu_xcr0_load(struct vcpu *v)
{
	if (xcr0_host)
		xsetbv(v->pv.xcr0);
}

int pv_fpu_init(struct vcpu *v)
{
	uint8_t *area = kzalloc(area_size + 64);

	if (!area)
		return -ENOMEM;
	v->pv.fpu_alloc = area;
	v->pv.fpu = (void *)ROUND_UP((unsigned long)area, 64);
	*(uint16_t *)v->pv.fpu = FCW_DEFAULT;
	*(uint32_t *)((char *)v->pv.fpu + 24) = MXCSR_DEFAULT;
	if (xcr0_host) /* XSTATE_BV: x87 and SSE are in the image */
		*(uint64_t *)((char *)v->pv.fpu + FXSAVE_SIZE) = XCR0_X87 | XCR0_SSE;
	v->pv.xcr0 = XCR0_X87;
	return 0;
}

void pv_fpu_free(struct vcpu *v)
{
	kfree(v->pv.fpu_alloc);
	v->pv.fpu_alloc = v->pv.fpu = NULL;
}

void pv_fpu_save(struct vcpu *v)
{
	uint32_t lo = (uint32_t)xcr0_host, hi = (uint32_t)(xcr0_host >> 32);

	__asm__ __volatile__("clts");
	if (!xcr0_host) {
		__asm__ __volatile__("fxsave64 (%0)" ::"r"(v->pv.fpu) : "memory");
		return;
	}
	/* A component the guest has switched off may still hold its state. */
	if (v->pv.xcr0 != xcr0_host)
		xsetbv(xcr0_host);
	if (has_xsaveopt)
		__asm__ __volatile__("xsaveopt64 (%0)" ::"r"(v->pv.fpu), "a"(lo), "d"(hi)
				     : "memory");
	else
		__asm__ __volatile__("xsave64 (%0)" ::"r"(v->pv.fpu), "a"(lo), "d"(hi) : "memory");
}

void pv_fpu_load(struct vcpu *v)
{
	uint32_t lo = (uint32_t)xcr0_host, hi = (uint32_t)(xcr0_host >> 32);

	__asm__ __volatile__("clts");
	if (!xcr0_host) {
		__asm__ __volatile__("fxrstor64 (%0)" ::"r"(v->pv.fpu) : "memory");
	} else {
		xsetbv(xcr0_host);
		__asm__ __volatile__("xrstor64 (%0)" ::"r"(v->pv.fpu), "a"(lo), "d"(hi) : "memory");
		if (v->pv.xcr0 != xcr0_host)
			xsetbv(v->pv.xcr0);
	}
	if (v->pv.ts)
		write_cr0(read_cr0() | CR0_TS);
}

/* #NM: only the guest's own TS can cause it. The ABI: the flag is clear when the handler runs. */
void pv_fpu_device_not_available(void)
{
	struct vcpu *v = current;

	__asm__ __volatile__("clts");
	if (v->pv.ts) {
		v->pv.ts = false;
		v->pv.ctrlreg[0] &= ~CR0_TS;
		pv_inject_trap(X86_NM, 0);
	}
}
