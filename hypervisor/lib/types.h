/* SPDX-License-Identifier: MIT */
/*
 * The types and compiler words every other file uses: fixed-size integers, frame and address types, min/max,
 * container_of, single-access reads and writes. Owns nothing, holds no state.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t; /* machine address, bytes */
typedef uint64_t mfn_t;	  /* machine frame number: paddr >> PAGE_SHIFT */
typedef uint64_t gfn_t;	  /* what a guest calls its frame: the machine frame for PV guests */
typedef int64_t s_time_t; /* nanoseconds since the hypervisor started */

#define INVALID_MFN (~(mfn_t)0)

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define KB(n) ((uint64_t)(n) << 10)
#define MB(n) ((uint64_t)(n) << 20)
#define GB(n) ((uint64_t)(n) << 30)

#define MILLISECS(n) ((s_time_t)(n)*1000000)
#define MICROSECS(n) ((s_time_t)(n)*1000)
#define SECONDS(n)   ((s_time_t)(n)*1000000000)
#define TIME_NEVER   INT64_MAX

#define likely(x)	    __builtin_expect(!!(x), 1)
#define unlikely(x)	    __builtin_expect(!!(x), 0)
#define __must_check	    __attribute__((warn_unused_result))
#define __aligned(n)	    __attribute__((aligned(n)))
#define __packed	    __attribute__((packed))
#define __noreturn	    __attribute__((noreturn))
#define __section(s)	    __attribute__((section(s)))
#define __used		    __attribute__((used))
#define __unused	    __attribute__((unused))
#define noinline	    __attribute__((noinline))
#define always_inline	    inline __attribute__((always_inline))
#define __printf_like(f, a) __attribute__((format(printf, f, a)))

/* Code and data of boot, freed once domain 0 runs. */
#define __init	   __section(".init.text") noinline
#define __initdata __section(".init.data")
/* Written during boot only. */
#define __ro_after_init __section(".data.ro_after_init")

#define ARRAY_SIZE(a)	      (sizeof(a) / sizeof((a)[0]))
#define ROUND_UP(x, a)	      (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define ROUND_DOWN(x, a)      ((x) & ~((__typeof__(x))(a)-1))
#define DIV_ROUND_UP(n, d)    (((n) + (d)-1) / (d))
#define PFN_UP(x)	      (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x)	      ((x) >> PAGE_SHIFT)
#define container_of(p, t, m) ((t *)((char *)(p)-offsetof(t, m)))

#define min(a, b)                       \
	({                              \
		__typeof__(a) a_ = (a); \
		__typeof__(b) b_ = (b); \
		a_ < b_ ? a_ : b_;      \
	})
#define max(a, b)                       \
	({                              \
		__typeof__(a) a_ = (a); \
		__typeof__(b) b_ = (b); \
		a_ > b_ ? a_ : b_;      \
	})

/* Exactly one access, which the compiler may neither repeat nor invent. */
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define barrier()	 __asm__ __volatile__("" ::: "memory")

#endif
