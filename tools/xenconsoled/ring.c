/* SPDX-License-Identifier: MIT */
/* See ring.h. Sizes are powers of two and indices run freely through 32 bits, so that differences are right across the wrap. */
#include "xenconsoled/ring.h"

#include <string.h>
#include <sys/param.h>

static uint32_t load(const XENCONS_RING_IDX *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void store(XENCONS_RING_IDX *index, uint32_t value)
{
	/* Sequentially consistent: the event that follows must not overtake it. */
	__atomic_store_n(index, value, __ATOMIC_SEQ_CST);
}

int ring_look(const struct xencons_interface *ring, char out[RING_OUT], uint32_t *upto)
{
	uint32_t cons = load(&ring->out_cons), n = load(&ring->out_prod) - cons;
	uint32_t at = MASK_XENCONS_IDX(cons, ring->out), first = MIN(n, RING_OUT - at);

	if (n > RING_OUT)
		return -1;
	memcpy(out, ring->out + at, first);
	memcpy(out + first, ring->out, n - first);
	*upto = cons + n;
	return (int)n;
}

void ring_took(struct xencons_interface *ring, uint32_t upto)
{
	store(&ring->out_cons, upto);
}

bool ring_resume(struct xencons_interface *ring, uint32_t upto)
{
	uint32_t cons = load(&ring->out_cons), n = load(&ring->out_prod) - cons;

	if (n <= RING_OUT && upto - cons <= n)
		store(&ring->out_cons, upto);
	return upto != cons;
}

int ring_room(const struct xencons_interface *ring)
{
	uint32_t used = load(&ring->in_prod) - load(&ring->in_cons);

	return used > RING_IN ? -1 : (int)(RING_IN - used);
}

int ring_put(struct xencons_interface *ring, const char *bytes, size_t n)
{
	uint32_t prod = load(&ring->in_prod), used = prod - load(&ring->in_cons);
	uint32_t at = MASK_XENCONS_IDX(prod, ring->in), first;

	if (used > RING_IN)
		return -1;
	n = MIN(n, RING_IN - used);
	first = (uint32_t)MIN(n, RING_IN - at);
	memcpy(ring->in + at, bytes, first);
	memcpy(ring->in, bytes + first, n - first);
	store(&ring->in_prod, prod + (uint32_t)n);
	return (int)n;
}
