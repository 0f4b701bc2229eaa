/* SPDX-License-Identifier: MIT */
/*
 * Floating point and vector state: saved and loaded at every change of vCPU (no lazy trap: other guests' registers are
 * never left to speculation). XSAVE where there is one, else FXSAVE. The area, a page, holds everything the CPU can, so
 * a guest's XSETBV needs no memory. What comes from outside must not fault when it is loaded: checked here.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "pv/cpuid.h"
#include "pv/pv.h"
#include "x86/asm.h"

#define XCR0_X87    1UL
#define XCR0_SSE    2UL
#define XCR0_YMM    4UL
#define XCR0_AVX512 0xe0UL

/* FXSAVE image and XSAVE header, as far as we look into them (SDM vol. 1 tables 10-2 and 13.4.2). */
#define FXSAVE_SIZE 512
struct fpu_area {
	uint16_t fcw, fsw, ftw, fop;
	uint64_t fip, fdp;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t registers[480];
	uint64_t xstate_bv, xcomp_bv, reserved[6];
};
_Static_assert(offsetof(struct fpu_area, xstate_bv) == FXSAVE_SIZE, "FXSAVE image");

uint64_t xcr0_host __ro_after_init;
static uint32_t mxcsr_valid __ro_after_init = 0xffbf; /* loading another bit faults */
static bool has_xsaveopt __ro_after_init;
static bool pointers_stay __ro_after_init;

/* Only a change: below a hypervisor each write makes it step in, and a read does not. */
static void xcr0_set(uint64_t v)
{
	uint32_t lo, hi;

	__asm__ __volatile__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	if (((uint64_t)hi << 32 | lo) != v)
		__asm__ __volatile__("xsetbv" ::"c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

void pv_fpu_cpu_init(void)
{
	const struct pv_cpuid *raw = pv_cpuid_policy(CPUID_RAW);
	struct fpu_area fx __aligned(16);

	fx.mxcsr_mask = 0;
	__asm__ __volatile__("clts; fninit; fxsave64 %0" : "=m"(fx));
	if (fx.mxcsr_mask)
		mxcsr_valid = fx.mxcsr_mask;
	pointers_stay = pv_cpuid_is_amd(raw) && !(raw->extd[8].b & BIT32(2)); /* RstrFpErrPtrs */
	if (!(read_cr4() & CR4_OSXSAVE))
		return;
	xcr0_host = raw->xstate[0].a & (XCR0_X87 | XCR0_SSE | XCR0_YMM | XCR0_AVX512);
	if ((xcr0_host & XCR0_AVX512) != XCR0_AVX512)
		xcr0_host &= ~XCR0_AVX512;
	has_xsaveopt = raw->xstate[1].a & 1;
	xcr0_set(xcr0_host);
}

/* A guest's XCR0: x87 always, AVX only with SSE, AVX-512 all or nothing, nothing the host has not. */
static bool xcr0_valid(uint64_t xcr0)
{
	uint64_t avx512 = xcr0 & XCR0_AVX512;

	return (xcr0 & XCR0_X87) && !(xcr0 & ~xcr0_host) &&
	       (!(xcr0 & XCR0_YMM) || (xcr0 & XCR0_SSE)) &&
	       (!avx512 || (avx512 == XCR0_AVX512 && (xcr0 & XCR0_YMM)));
}

/* Of the current vCPU. False: #GP. */
bool pv_fpu_xsetbv(struct vcpu *v, uint64_t xcr0)
{
	if (!xcr0_valid(xcr0) || (xcr0 & ~pv_cpuid_xcr0(v->domain->pv.cpuid)))
		return false;
	v->pv.xcr0 = xcr0;
	xcr0_set(xcr0);
	return true;
}

/* An FXSAVE image, or without one what FNINIT leaves (SDM vol. 1 sections 8.1.5, 10.2.3). */
void pv_fpu_set(struct vcpu *v, const void *image)
{
	struct fpu_area *fx = v->pv.fpu;

	*fx = (struct fpu_area){.fcw = 0x37f, .mxcsr = 0x1f80, .xstate_bv = XCR0_X87 | XCR0_SSE};
	if (image)
		memcpy(fx, image, FXSAVE_SIZE);
	fx->mxcsr &= mxcsr_valid;
}

int pv_fpu_init(struct vcpu *v)
{
	v->pv.fpu = page_alloc();
	if (!v->pv.fpu)
		return -ENOMEM;
	v->pv.xcr0 = XCR0_X87;
	pv_fpu_set(v, NULL);
	return 0;
}

uint64_t pv_fpu_xstate_mask(const struct vcpu *v)
{
	const struct fpu_area *fx = v->pv.fpu;

	return xcr0_host ? v->pv.xcr0 | fx->xstate_bv | XCR0_X87 | XCR0_SSE : 0;
}

int pv_fpu_set_xstate(struct vcpu *v, uint64_t xcr0, uint64_t mask, const void *area,
		      unsigned int size)
{
	const struct fpu_area *new = area;
	struct fpu_area *fx = v->pv.fpu;

	if (!xcr0_valid(xcr0) || !xcr0_valid(mask) || (xcr0 & ~mask) || size < sizeof(*new))
		return -EINVAL;
	if (new->xcomp_bv)
		return -EOPNOTSUPP;
	if ((new->xstate_bv & ~mask) || size != pv_xstate_size(mask, false))
		return -EINVAL;
	memcpy(fx, new, size);
	fx->mxcsr &= mxcsr_valid;
	memset(fx->reserved, 0, sizeof(fx->reserved));
	v->pv.xcr0 = xcr0;
	return 0;
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
	xcr0_set(xcr0_host);
	if (has_xsaveopt)
		__asm__ __volatile__("xsaveopt64 (%0)" ::"r"(v->pv.fpu), "a"(lo), "d"(hi)
				     : "memory");
	else
		__asm__ __volatile__("xsave64 (%0)" ::"r"(v->pv.fpu), "a"(lo), "d"(hi) : "memory");
}

void pv_fpu_load(struct vcpu *v)
{
	uint32_t lo = (uint32_t)xcr0_host, hi = (uint32_t)(xcr0_host >> 32);
	static const uint32_t ours;

	__asm__ __volatile__("clts");
	/*
	 * Older CPUs of AMD's load the x87 pointers only if an exception is pending (APM vol. 3 appendix E, RstrFpErrPtrs): the last
	 * guest's must not stay, so an instruction of our own takes their place.
	 */
	if (unlikely(pointers_stay))
		__asm__ __volatile__("fnclex; ffree %%st(7); fildl %0" ::"m"(ours));
	if (!xcr0_host) {
		__asm__ __volatile__("fxrstor64 (%0)" ::"r"(v->pv.fpu) : "memory");
	} else {
		xcr0_set(xcr0_host);
		__asm__ __volatile__("xrstor64 (%0)" ::"r"(v->pv.fpu), "a"(lo), "d"(hi) : "memory");
		xcr0_set(v->pv.xcr0);
	}
	if (v->pv.ctrlreg[0] & CR0_TS)
		write_cr0(read_cr0() | CR0_TS);
}

/* #NM: only the guest's own TS can cause it. The ABI: the flag is clear when the handler runs. */
void pv_fpu_device_not_available(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;

	__asm__ __volatile__("clts");
	if (v->pv.ctrlreg[0] & CR0_TS) {
		v->pv.ctrlreg[0] &= ~CR0_TS;
		pv_inject_trap(X86_NM, 0);
	}
}
