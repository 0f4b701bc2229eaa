/* SPDX-License-Identifier: MIT */
/*
 * What domctl and sysctl share: bit maps of CPUs and nodes in guest memory. They are byte arrays with a length in bits, of the
 * caller's choice; both sides see as much as both have.
 */
#include "hypercall/control.h"
#include "lib/string.h"

#define MAX_MAP_BYTES (NR_CPUS / 8)

/* The byte that bit @nr falls into keeps only its lower bits. */
static void cut_last_byte(uint8_t *bytes, unsigned int nr)
{
	if (nr % 8)
		bytes[nr / 8] &= (uint8_t)((1u << nr % 8) - 1);
}

int control_bitmap_read(const struct xenctl_bitmap *b, void *bits, unsigned int nr)
{
	unsigned int use = min(b->nr_bits, nr), bytes = DIV_ROUND_UP(use, 8);

	memset(bits, 0, DIV_ROUND_UP(nr, 64) * 8);
	if (copy_from_guest_va(bits, (unsigned long)b->bitmap.p, bytes))
		return -EFAULT;
	cut_last_byte(bits, use);
	return 0;
}

int control_bitmap_write(const struct xenctl_bitmap *b, const void *bits, unsigned int nr)
{
	unsigned int use = min(b->nr_bits, nr), bytes = DIV_ROUND_UP(use, 8);
	unsigned long va = (unsigned long)b->bitmap.p, all = DIV_ROUND_UP((uint64_t)b->nr_bits, 8);
	uint8_t buf[MAX_MAP_BYTES];

	if (all > PAGE_SIZE)
		return -EINVAL;
	memcpy(buf, bits, bytes);
	cut_last_byte(buf, use);
	if (copy_to_guest_va(va, buf, bytes) || clear_guest_va(va + bytes, all - bytes))
		return -EFAULT;
	return 0;
}
