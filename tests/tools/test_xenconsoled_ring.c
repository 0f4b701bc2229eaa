/* SPDX-License-Identifier: MIT */
/* The console ring against a naive model of two byte queues, and against a guest that writes garbage for indices. */
/* links: xenconsoled/ring.c */
#include "unit.h"

#include "xenconsoled/ring.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 200000

/* What the guest has put out, or been given, since the beginning; read and written counts. */
struct queue {
	uint64_t put, got;
};

static char byte_number(uint64_t n)
{
	return (char)(n * 2654435761u >> 7);
}

/* The guest's side, written as naively as it goes. */
static void guest_writes(struct xencons_interface *r, struct queue *q, uint64_t n)
{
	for (; n-- && r->out_prod - r->out_cons < sizeof(r->out); q->put++)
		r->out[r->out_prod++ % sizeof(r->out)] = byte_number(q->put);
}

static void guest_reads(struct xencons_interface *r, struct queue *q, uint64_t n)
{
	for (; n-- && r->in_cons != r->in_prod; q->got++)
		assert_int_equal(r->in[r->in_cons++ % sizeof(r->in)], byte_number(q->got));
}

static void we_take(struct xencons_interface *r, struct queue *q)
{
	char bytes[RING_OUT];
	uint32_t upto;
	int n = ring_look(r, bytes, &upto);

	assert_int_equal(n, q->put - q->got);
	for (int i = 0; i < n; i++)
		assert_int_equal(bytes[i], byte_number(q->got++));
	ring_took(r, upto);
}

static void we_put(struct xencons_interface *r, struct queue *q, uint64_t n)
{
	char bytes[2048];
	uint64_t room = RING_IN - (q->put - q->got);

	assert_int_equal(ring_room(r), room);
	for (uint64_t i = 0; i < n; i++)
		bytes[i] = byte_number(q->put + i);
	room = n < room ? n : room;
	assert_int_equal(ring_put(r, bytes, n), room);
	q->put += room;
}

static void like_the_model(void **state)
{
	struct xencons_interface *r = calloc(1, sizeof(*r));
	struct queue out = {0}, in = {0};
	uint64_t seed = 42;

	/* So that the indices wrap around 32 bits on the way. */
	r->out_prod = r->out_cons = r->in_prod = r->in_cons = UINT32_MAX - 5000;
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t n = unit_random(&seed) % 2048;

		switch (unit_random(&seed) % 4) {
		case 0:
			guest_writes(r, &out, n);
			break;
		case 1:
			guest_reads(r, &in, n);
			break;
		case 2:
			we_take(r, &out);
			break;
		case 3:
			we_put(r, &in, n);
			break;
		}
	}
	assert_true(out.got > UINT16_MAX && in.got > UINT16_MAX);
	free(r);
}

/* Any four indices at all: what is garbage is told, and changes nothing; what is not stays within the arrays. */
static void hostile_indices(void **state)
{
	struct xencons_interface *r = calloc(1, sizeof(*r)), before;
	static const uint32_t odd[] = {0,    1,	   1023, 1024,	   1025,
				       2047, 2048, 2049, 1u << 31, UINT32_MAX};
	char bytes[RING_OUT];
	uint64_t seed = 7;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t random = unit_random(&seed);
		uint32_t base = (uint32_t)(random >> 32), n, upto;

		r->out_cons = r->in_cons = base;
		r->out_prod = base + odd[random % 10];
		r->in_prod = random & 1024 ? base + odd[random / 16 % 10] : (uint32_t)random;
		before = *r;
		n = before.out_prod - before.out_cons;
		assert_int_equal(ring_look(r, bytes, &upto), n > RING_OUT ? -1 : (int)n);
		n = before.in_prod - before.in_cons;
		assert_int_equal(ring_room(r), n > RING_IN ? -1 : (int)(RING_IN - n));
		if (n > RING_IN)
			assert_int_equal(ring_put(r, bytes, random % RING_OUT), -1);
		else
			assert_in_range(ring_put(r, bytes, random % RING_OUT), 0, RING_IN - n);
		assert_int_equal(r->out_prod, before.out_prod);
		assert_int_equal(r->in_cons, before.in_cons);
		assert_memory_equal(r->out, before.out, sizeof(r->out));
		if (n > RING_IN)
			assert_memory_equal(r->in, before.in, sizeof(r->in));
	}
	free(r);
}

/* Where the process before this one says it was: in what is there yet, or nowhere. */
static void resumes(void **state)
{
	struct xencons_interface *r = calloc(1, sizeof(*r));

	r->out_cons = UINT32_MAX - 9;
	r->out_prod = 90;
	assert_false(ring_resume(r, r->out_cons));
	assert_true(ring_resume(r, UINT32_MAX - 10));
	assert_true(ring_resume(r, 91));
	assert_int_equal(r->out_cons, UINT32_MAX - 9);
	assert_true(ring_resume(r, 90));
	assert_int_equal(r->out_cons, 90);
	r->out_prod = 90 + RING_OUT + 1;
	assert_true(ring_resume(r, 91));
	assert_int_equal(r->out_cons, 90);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_the_model),
		cmocka_unit_test(hostile_indices),
		cmocka_unit_test(resumes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
