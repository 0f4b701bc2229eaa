/* SPDX-License-Identifier: MIT */
/*
 * Bits and atomic words, which order as x86 locked instructions do (full barrier). Bit numbers count from the lowest bit
 * of the first word.
 */
#ifndef LIB_BITOPS_H
#define LIB_BITOPS_H

#include "lib/types.h"

#define BIT(n) (1UL << (n))

static inline bool test_bit(unsigned int nr, const volatile void *p)
{
	return ((const volatile uint64_t *)p)[nr / 64] >> (nr % 64) & 1;
}

/*
 * The atomic ones take 32-bit words, so that they may be used on guest-shared arrays whose end is not 8-aligned.
 * The word is chosen by division, never by the bit-string form of BTS, which would touch memory by a signed index.
 */
static inline void set_bit(unsigned int nr, volatile void *p)
{
	__asm__ __volatile__("lock orl %1, %0"
			     : "+m"(((volatile uint32_t *)p)[nr / 32])
			     : "r"(1u << (nr % 32))
			     : "memory", "cc");
}

static inline void clear_bit(unsigned int nr, volatile void *p)
{
	__asm__ __volatile__("lock andl %1, %0"
			     : "+m"(((volatile uint32_t *)p)[nr / 32])
			     : "r"(~(1u << (nr % 32)))
			     : "memory", "cc");
}

static inline bool test_and_set_bit(unsigned int nr, volatile void *p)
{
	bool old;

	__asm__ __volatile__("lock btsl %2, %0"
			     : "+m"(((volatile uint32_t *)p)[nr / 32]), "=@ccc"(old)
			     : "r"(nr % 32)
			     : "memory");
	return old;
}

/* Compare and exchange: returns what was there; the exchange happened when that equals @old. */
#define cmpxchg(p, old, new)                                                          \
	({                                                                            \
		__typeof__(*(p)) o_ = (old);                                          \
		__atomic_compare_exchange_n((p), &o_, (__typeof__(*(p)))(new), false, \
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);      \
		o_;                                                                   \
	})
#define xchg(p, v)	 __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define atomic_add(p, v) __atomic_add_fetch((p), (v), __ATOMIC_SEQ_CST) /* returns the new value */
#define atomic_sub(p, v) __atomic_sub_fetch((p), (v), __ATOMIC_SEQ_CST) /* returns the new value */
#define atomic_or(p, v)	 __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)	/* returns the old value */
#define atomic_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST) /* returns the old value */
#define smp_mb()	 __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()	 barrier() /* x86 keeps loads in order */
#define smp_wmb()	 barrier() /* x86 keeps stores in order */

/* Undefined for 0, as the instructions are. */
static inline unsigned int ffs64(uint64_t x)
{
	return (unsigned int)__builtin_ctzl(x);
}

static inline unsigned int fls64(uint64_t x)
{
	return 63u - (unsigned int)__builtin_clzl(x);
}

static inline unsigned int hweight64(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555UL;
	x = (x & 0x3333333333333333UL) + (x >> 2 & 0x3333333333333333UL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
	return (unsigned int)(x * 0x0101010101010101UL >> 56);
}

/*
 * @index if it is below @size, else 0, without a branch: a mispredicted bounds check must not let a guest-chosen
 * index reach memory beyond the array.
 */
static inline unsigned long array_index_nospec(unsigned long index, unsigned long size)
{
	unsigned long mask;

	__asm__ __volatile__("cmp %2, %1; sbb %0, %0" : "=r"(mask) : "r"(index), "r"(size) : "cc");
	return index & mask;
}

#endif
