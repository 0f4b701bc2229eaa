/* SPDX-License-Identifier: MIT */
/*
 * Copies between the hypervisor and the memory of the *current* guest, through the page tables it runs on. Faults are
 * caught. All functions return the number of bytes NOT copied, 0 on success; a range that touches the hypervisor's part of the
 * address space or is not canonical is refused whole.
 */
#ifndef MM_GUEST_COPY_H
#define MM_GUEST_COPY_H

#include "lib/types.h"
#include "x86/entry_macros.h"
#include "x86/layout.h"

/*
 * Both halves of the test are needed: the first for the start, the second for the end and for an overflowing sum. Guest addresses below the hole need no
 * length test of their own: non-canonical ones fault and are caught.
 */
static always_inline bool guest_access_ok(unsigned long va, unsigned long len)
{
	return va >= HYP_VIRT_END ? va + len >= va || va + len == 0
				  : va < 0x0000800000000000UL && len < 0x0000800000000000UL - va;
}

/* x86/guest_copy.S: no address check. */
unsigned long guest_copy_raw(void *dst, const void *src, unsigned long len);
unsigned long guest_clear_raw(void *dst, unsigned long len);

static inline unsigned long copy_from_guest_va(void *dst, unsigned long va, unsigned long len)
{
	if (unlikely(!guest_access_ok(va, len)))
		return len;
	return guest_copy_raw(dst, (const void *)va, len);
}

static inline unsigned long copy_to_guest_va(unsigned long va, const void *src, unsigned long len)
{
	if (unlikely(!guest_access_ok(va, len)))
		return len;
	return guest_copy_raw((void *)va, src, len);
}

static inline unsigned long clear_guest_va(unsigned long va, unsigned long len)
{
	if (unlikely(!guest_access_ok(va, len)))
		return len;
	return guest_clear_raw((void *)va, len);
}

/*
 * One aligned word, the fast forms: true on success. They are inline with their own exception table entries.
 */
#ifndef HOST_BUILD
#define DEFINE_GUEST_WORD(bits, suffix)                                           \
	static inline bool get_guest_u##bits(uint##bits##_t *v, unsigned long va) \
	{                                                                         \
		bool ok = guest_access_ok(va, bits / 8);                          \
                                                                                  \
		if (likely(ok))                                                   \
			__asm__ __volatile__("1: mov" suffix " (%2), %1\n"        \
					     "mov $1, %0\n"                       \
					     "2:\n" EX_TABLE("1b", "2b")          \
					     : "=&q"(ok), "=&r"(*v)               \
					     : "r"(va), "0"(false)                \
					     : "memory");                         \
		return ok;                                                        \
	}                                                                         \
	static inline bool put_guest_u##bits(unsigned long va, uint##bits##_t v)  \
	{                                                                         \
		bool ok = guest_access_ok(va, bits / 8);                          \
                                                                                  \
		if (likely(ok))                                                   \
			__asm__ __volatile__("1: mov" suffix " %1, (%2)\n"        \
					     "mov $1, %0\n"                       \
					     "2:\n" EX_TABLE("1b", "2b")          \
					     : "=&q"(ok)                          \
					     : "r"(v), "r"(va), "0"(false)        \
					     : "memory");                         \
		return ok;                                                        \
	}
DEFINE_GUEST_WORD(64, "q")
DEFINE_GUEST_WORD(32, "l")
#else
bool get_guest_u64(uint64_t *v, unsigned long va);
bool put_guest_u64(unsigned long va, uint64_t v);
bool get_guest_u32(uint32_t *v, unsigned long va);
bool put_guest_u32(unsigned long va, uint32_t v);
#endif

/* For the ABI's handles: copy_from_guest(&local, op.handle, nr) and friends count elements and return bytes not copied. */
#define copy_from_guest(dst, hnd, nr) copy_from_guest_offset(dst, hnd, 0, nr)
#define copy_from_guest_offset(dst, hnd, off, nr) \
	copy_from_guest_va(dst, (unsigned long)((hnd).p + (off)), sizeof(*(hnd).p) * (nr))
#define copy_to_guest(hnd, src, nr) copy_to_guest_offset(hnd, 0, src, nr)
#define copy_to_guest_offset(hnd, off, src, nr) \
	copy_to_guest_va((unsigned long)((hnd).p + (off)), src, sizeof(*(hnd).p) * (nr))
#define guest_handle_null(hnd) (!(hnd).p)
/* True if an array of @nr elements lies in the guest's part; protects sums before any copy. */
#define guest_handle_okay(hnd, nr)       \
	((uint64_t)(nr) < (1UL << 40) && \
	 guest_access_ok((unsigned long)(hnd).p, sizeof(*(hnd).p) * (uint64_t)(nr)))

#endif
