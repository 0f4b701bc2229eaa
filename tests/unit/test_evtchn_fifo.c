/* SPDX-License-Identifier: MIT */
/*
 * The FIFO ABI of event channels as a guest sees it: setting it up, priorities, nothing lost under random use, and a guest
 * that plays foul.
 */
#include "fake_events.h"

#include <string.h>

/* As a guest takes events out of one queue; hands each that is pending to @fn. */
static void fifo_drain(struct fifo_guest *f, unsigned int vcpu, unsigned int q,
		       void (*fn)(evtchn_port_t port))
{
	uint32_t port = f->head[vcpu][q];

	if (!port)
		port = f->control[vcpu]->head[q];
	while (port) {
		event_word_t *w = &f->words[port];
		uint32_t next = *w & EVTCHN_FIFO_LINK_MASK;

		*w &= ~(1u << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK);
		if ((*w & 1u << EVTCHN_FIFO_PENDING) && !(*w & 1u << EVTCHN_FIFO_MASKED)) {
			*w &= ~(1u << EVTCHN_FIFO_PENDING);
			fn(port);
		}
		port = next;
	}
	f->head[vcpu][q] = 0;
}

static void fifo_upcall(struct fifo_guest *f, unsigned int vcpu, void (*fn)(evtchn_port_t port))
{
	f->g->vcpu[vcpu].vcpu_info->evtchn_upcall_pending = 0;
	while (f->control[vcpu]->ready) {
		uint32_t ready = xchg(&f->control[vcpu]->ready, 0);

		for (; ready; ready &= ready - 1)
			fifo_drain(f, vcpu, (unsigned int)__builtin_ctz(ready), fn);
	}
}

static evtchn_port_t seen[64];
static unsigned int nr_seen;

static void note(evtchn_port_t port)
{
	seen[nr_seen++ % 64] = port;
}

static void fifo_setup_checks_its_pages(void **state)
{
	struct evtchn_init_control ic = {.vcpu = FAKE_VCPUS};
	struct evtchn_expand_array expand;
	mfn_t mfn = guest_frame(g1), foreign = guest_frame(g2);

	assert_int_equal(event_op(EVTCHNOP_init_control, &ic), -ENOENT);
	ic = (struct evtchn_init_control){.control_gfn = mfn, .offset = PAGE_SIZE - 64};
	assert_int_equal(event_op(EVTCHNOP_init_control, &ic), -EINVAL);
	ic.offset = 4;
	assert_int_equal(event_op(EVTCHNOP_init_control, &ic), -EINVAL);
	ic.offset = 0;
	ic.control_gfn = foreign;
	assert_int_equal(event_op(EVTCHNOP_init_control, &ic), -EINVAL);
	ic.control_gfn = ~0UL;
	assert_int_equal(event_op(EVTCHNOP_init_control, &ic), -EINVAL);
	assert_false(g1->d->evtchn->fifo);
	ic.control_gfn = mfn;
	assert_int_equal(event_op(EVTCHNOP_init_control, &ic), 0);
	assert_true(g1->d->evtchn->fifo);
	assert_int_equal(page_type(mfn_to_page(mfn)) >> PGT_type_shift,
			 PGT_writable_page >> PGT_type_shift);
	assert_int_equal(page_type_count(mfn_to_page(mfn)), 1);
	assert_int_equal(event_op(EVTCHNOP_init_control, &ic), -EINVAL); /* has one */
	expand.array_gfn = foreign;
	assert_int_equal(event_op(EVTCHNOP_expand_array, &expand), -EINVAL);
	for (unsigned int i = 0; i < FIFO_MAX_ARRAY_PAGES; i++) {
		expand.array_gfn = guest_frame(g1);
		assert_int_equal(event_op(EVTCHNOP_expand_array, &expand), 0);
	}
	assert_int_equal(event_op(EVTCHNOP_expand_array, &expand), -ENOSPC);
}

static void fifo_queues_by_priority(void **state)
{
	struct fifo_guest f;
	evtchn_port_t port[4];

	fifo_start(&f, g1);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(bind_ipi(0, &port[i]), 0);
	for (unsigned int i = 0; i < 2; i++) {
		struct evtchn_set_priority p = {.port = port[i + 2], .priority = 15 - 13 * i};

		assert_int_equal(event_op(EVTCHNOP_set_priority, &p), 0);
	}
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(port_op(EVTCHNOP_send, port[i]), 0);
	assert_int_equal(f.control[0]->ready, 1u << 7 | 1u << 15 | 1u << 2);
	assert_int_equal(g1->kicks[0], 1);
	nr_seen = 0;
	fifo_upcall(&f, 0, note);
	assert_int_equal(nr_seen, 4);
	assert_int_equal(seen[0], port[3]);
	assert_int_equal(seen[1], port[0]);
	assert_int_equal(seen[2], port[1]);
	assert_int_equal(seen[3], port[2]);
}

static void fifo_keeps_what_was_pending(void **state)
{
	struct fifo_guest f;
	evtchn_port_t port, late;

	assert_int_equal(bind_ipi(1, &port), 0);
	assert_int_equal(port_op(EVTCHNOP_send, port), 0);
	fifo_start(&f, g1);
	nr_seen = 0;
	fifo_upcall(&f, 1, note);
	assert_int_equal(nr_seen, 1);
	assert_int_equal(seen[0], port);
	/* A masked event waits for the unmask hypercall. */
	f.words[port] |= 1u << EVTCHN_FIFO_MASKED;
	port_op(EVTCHNOP_send, port);
	assert_int_equal(f.control[1]->ready, 0);
	assert_true(evtchn_port_is_pending(g1->d, port));
	assert_int_equal(port_op(EVTCHNOP_unmask, port), 0);
	fifo_upcall(&f, 1, note);
	assert_int_equal(nr_seen, 2);
	/* A port that is closed while linked is not used again until the guest has taken it out. */
	port_op(EVTCHNOP_send, port);
	port_op(EVTCHNOP_close, port);
	assert_int_equal(bind_ipi(1, &late), 0);
	assert_int_not_equal(late, port);
	nr_seen = 0;
	fifo_upcall(&f, 1, note);
	assert_int_equal(nr_seen, 0);
	assert_int_equal(bind_ipi(1, &late), 0);
	assert_int_equal(late, port);
}

/*
 * Random sends, moves and upcalls: every event is seen once a raise, or merged with one that is
 * pending.
 */
static bool raised[64];

static void note_raised(evtchn_port_t port)
{
	assert_true(raised[port]);
	raised[port] = false;
}

static void fifo_loses_nothing(void **state)
{
	struct fifo_guest f;
	evtchn_port_t p1[40], p2[40];
	uint64_t rnd = 7;

	fifo_start(&f, g1);
	memset(raised, 0, sizeof(raised));
	for (unsigned int i = 0; i < 40; i++) {
		event_connect(g2, g1, &p2[i], &p1[i]);
		raised[p1[i]] = true; /* by binding */
	}
	for (unsigned int n = 0; n < 50000; n++) {
		unsigned int what = unit_random(&rnd) % 16, i = unit_random(&rnd) % 40;
		struct evtchn_set_priority prio = {.port = p1[i]};

		if (what < 10) {
			guest_run(g2, 0);
			assert_int_equal(port_op(EVTCHNOP_send, p2[i]), 0);
			raised[p1[i]] = true;
		} else if (what < 12) {
			guest_run(g1, 0);
			assert_int_equal(bind_vcpu(p1[i], unit_random(&rnd) % FAKE_VCPUS), 0);
		} else if (what < 13) {
			guest_run(g1, 0);
			prio.priority = unit_random(&rnd) % 16;
			assert_int_equal(event_op(EVTCHNOP_set_priority, &prio), 0);
		} else {
			fifo_upcall(&f, i % FAKE_VCPUS, note_raised);
		}
	}
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		fifo_upcall(&f, i, note_raised);
	for (unsigned int i = 0; i < 64; i++)
		assert_false(raised[i]);
}

/* The guest may write what it likes: only it suffers. */
static void fifo_survives_a_hostile_guest(void **state)
{
	struct fifo_guest f;
	evtchn_port_t port;
	uint64_t rnd = 99;

	fifo_start(&f, g1);
	for (unsigned int i = 0; i < 300; i++)
		assert_int_equal(bind_ipi(i % FAKE_VCPUS, &port), 0);
	for (unsigned int n = 0; n < 200000; n++) {
		uint32_t r = (uint32_t)unit_random(&rnd);

		port = 1 + (uint32_t)unit_random(&rnd) % 300;
		switch (r % 6) {
		case 0:
			f.words[port] = (uint32_t)unit_random(&rnd);
			break;
		case 1:
			((uint32_t *)f.control[r / 8 % FAKE_VCPUS])[r / 64 % 18] =
				(uint32_t)unit_random(&rnd);
			break;
		case 2:
			port_op(EVTCHNOP_unmask, port);
			break;
		case 3:
			port_op(EVTCHNOP_close, port);
			bind_ipi(r / 8 % FAKE_VCPUS, &port);
			break;
		default:
			port_op(EVTCHNOP_send, port);
		}
	}
	assert_int_equal(reset_of(DOMID_SELF), 0);
	assert_int_equal(evtchn_active(g1->d), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fifo_setup_checks_its_pages, event_setup),
		cmocka_unit_test_setup(fifo_queues_by_priority, event_setup),
		cmocka_unit_test_setup(fifo_keeps_what_was_pending, event_setup),
		cmocka_unit_test_setup(fifo_loses_nothing, event_setup),
		cmocka_unit_test_setup(fifo_survives_a_hostile_guest, event_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
