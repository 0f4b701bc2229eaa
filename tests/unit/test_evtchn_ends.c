/* SPDX-License-Identifier: MIT */
/*
 * How event channels end: reset, the end of a domain, both ends closed at once; and the table's invariants under random use.
 */
#include "fake_events.h"

#include "mm/heap.h"

#include <pthread.h>
#include <sched.h>

static void reset_starts_anew(void **state)
{
	struct fifo_guest f;
	evtchn_port_t port, p1, p2;

	fifo_start(&f, g1);
	event_connect(g1, g2, &p1, &p2);
	guest_run(g1, 0);
	for (unsigned int i = 0; i < 500; i++)
		assert_int_equal(bind_ipi(0, &port), 0);
	fake_preempt = 3;
	assert_int_equal(reset_of(DOMID_SELF), 0);
	assert_true(guest_continuations > 0);
	fake_preempt = 0;
	assert_int_equal(evtchn_active(g1->d), 0);
	assert_false(g1->d->evtchn->fifo);
	assert_int_equal(page_type_count(mfn_to_page(f.words_mfn)), 0);
	assert_int_equal(page_type_count(mfn_to_page(f.control_mfn[3])), 0);
	assert_int_equal(mfn_to_page(f.words_mfn)->count_info & PGC_count, 1);
	guest_run(g2, 0);
	assert_int_equal(status_of(DOMID_SELF, p2).status, EVTCHNSTAT_unbound);
	guest_run(g1, 0);
	assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(port, 1);
	fifo_start(&f, g1); /* and FIFO again */
}

static void reset_knows_another_is_under_way(void **state)
{
	struct evtchn_reset r = {.dom = DOMID_SELF};
	evtchn_port_t port;

	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(bind_ipi(0, &port), 0);
	assert_int_equal(event_op(EVTCHNOP_reset_cont, &r), -EBUSY); /* of nothing */
	fake_preempt = 1;
	fake_continuation.preempted = false;
	hc_event_channel_op(EVTCHNOP_reset, (unsigned long)&r, 0, 0, 0);
	assert_true(fake_continuation.preempted);
	assert_int_equal(fake_continuation.entry.op, __HYPERVISOR_event_channel_op);
	assert_int_equal(fake_continuation.entry.args[0], EVTCHNOP_reset_cont);
	fake_preempt = 0;
	assert_int_equal(event_op(EVTCHNOP_reset, &r), -EBUSY);
	assert_int_equal(event_op(EVTCHNOP_reset_cont, &r), 0);
	assert_int_equal(evtchn_active(g1->d), 0);
	guest_run(g0, 0);
	assert_int_equal(reset_of(1), -EINVAL); /* not paused */
	g1->d->controller_pause_count = 1;
	assert_int_equal(reset_of(1), 0);
}

static void death_closes_everything(void **state)
{
	unsigned long before = heap_free_pages();
	struct fifo_guest f;
	evtchn_port_t a, b, port;
	struct fake_guest *g3 = event_guest(3);

	fifo_start(&f, g3);
	event_connect(g3, g2, &a, &b);
	event_connect(g1, g3, &a, &b);
	guest_run(g3, 0);
	assert_int_equal(bind_virq(VIRQ_TIMER, 1, &port), 0);
	g3->d->dying = DOMDYING_dying;
	assert_int_equal(evtchn_destroy(g3->d), 0);
	assert_int_equal(evtchn_active(g3->d), 0);
	assert_int_equal(g3->vcpu[1].virq_to_port[VIRQ_TIMER], 0);
	assert_int_equal(bind_ipi(0, &port), -EINVAL);
	guest_run(g1, 0);
	assert_int_equal(status_of(DOMID_SELF, a).status, EVTCHNSTAT_unbound);
	assert_int_equal(port_op(EVTCHNOP_send, a), 0);
	evtchn_destroy(g3->d); /* a second time is harmless */
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		kfree(g3->vcpu[i].evtchn);
	evtchn_free(g3->d);
	assert_int_equal(domain_relinquish_pages(g3->d), 0);
	page_free(g3->shared);
	assert_int_equal(heap_free_pages(), before);
}

struct closer {
	pthread_t thread;
	struct domain *d;
	evtchn_port_t port;
	int rc;
};

static void *close_thread(void *arg)
{
	struct closer *c = arg;

	c->rc = evtchn_close(c->d, c->port);
	return NULL;
}

/* Starts it, and waits until it is the @nr-th that waits for @lock. */
static void close_start(struct closer *c, const spinlock_t *lock, unsigned int nr)
{
	assert_int_equal(pthread_create(&c->thread, NULL, close_thread, c), 0);
	while ((uint8_t)(READ_ONCE(lock->next) - lock->turn) != nr)
		sched_yield();
}

/*
 * Both ends at once. The first wants its own lock; the second has seen the pair already and wants
 * both, so that it is through while the first, which saw the pair too, waits anew.
 */
static void ends_close_at_once(void **state)
{
	struct closer c1 = {.d = g1->d}, c2 = {.d = g2->d};

	event_connect(g1, g2, &c1.port, &c2.port);
	cpumask_set(1, &cpu_online_map);
	spin_lock(&g1->d->event_lock);
	close_start(&c1, &g1->d->event_lock, 1);
	close_start(&c2, &g1->d->event_lock, 2);
	spin_unlock(&g1->d->event_lock);
	pthread_join(c1.thread, NULL);
	pthread_join(c2.thread, NULL);
	cpumask_unset(1, &cpu_online_map);
	assert_int_equal(c1.rc, 0);
	assert_int_equal(c2.rc, 0);
	assert_int_equal(evtchn_active(g1->d), 0);
	assert_int_equal(evtchn_active(g2->d), 0);
}

static void dying_domains_are_not_bound_to(void **state)
{
	evtchn_port_t port, local;

	guest_run(g2, 0);
	assert_int_equal(alloc_unbound(DOMID_SELF, 1, &port), 0);
	g2->d->dying = DOMDYING_dying;
	guest_run(g1, 0);
	assert_int_equal(bind_interdomain(2, port, &local), -EINVAL);
	assert_int_equal(evtchn_active(g1->d), 0);
}

static void death_lets_interrupts_in(void **state)
{
	unsigned int restarts = 0;
	evtchn_port_t port;

	for (unsigned int i = 0; i < 300; i++)
		assert_int_equal(bind_ipi(0, &port), 0);
	g1->d->dying = DOMDYING_dying;
	fake_preempt = 1;
	while (evtchn_destroy(g1->d) == -ERESTART)
		restarts++;
	fake_preempt = 0;
	assert_int_equal(restarts, 4);
	assert_int_equal(evtchn_active(g1->d), 0);
}

/* Both ends of every channel agree, and counts are right, whatever was done. */
static void check_table(struct domain *d)
{
	unsigned int used = 0;

	for (evtchn_port_t p = 0; p < d->evtchn->valid; p++) {
		struct evtchn *chn = evtchn_lookup(d, p);

		assert_int_equal(chn->port, p);
		assert_int_equal(chn->lock, 0);
		if (chn->state == EVTCHNSTAT_interdomain) {
			assert_int_equal(chn->remote_chn->state, EVTCHNSTAT_interdomain);
			assert_ptr_equal(chn->remote_chn->remote_chn, chn);
			assert_ptr_equal(chn->remote_chn->remote_dom, d);
		} else if (chn->state == EVTCHNSTAT_virq) {
			assert_int_equal(d->vcpu[virq_is_global(chn->nr) ? 0 : chn->vcpu_id]
						 ->virq_to_port[chn->nr],
					 p);
		} else if (chn->state == EVTCHNSTAT_closed) {
			assert_true(!p || p >= d->evtchn->first_free);
			assert_false(test_bit(p, d->shared_info->evtchn_pending));
		}
		used += chn->state != EVTCHNSTAT_closed;
	}
	assert_int_equal(used, d->evtchn->active);
}

static void random_use_keeps_the_table_sound(void **state)
{
	struct fake_guest *g[] = {g0, g1, g2};
	uint64_t rnd = 2026;
	evtchn_port_t port;

	for (unsigned int n = 0; n < 30000; n++) {
		uint64_t r = unit_random(&rnd);
		domid_t other = r / 16 % 3;
		evtchn_port_t p = r / 64 % 40;

		guest_run(g[r / 1024 % 3], 0);
		switch (r % 10) {
		case 0:
			alloc_unbound(DOMID_SELF, other, &port);
			break;
		case 1:
		case 2:
			bind_interdomain(other, p, &port);
			break;
		case 3:
			bind_virq(r / 4096 % NR_VIRQS, r / 65536 % 4, &port);
			break;
		case 4:
			bind_ipi(r / 4096 % 5, &port);
			break;
		case 5:
			bind_vcpu(p, r / 4096 % 5);
			break;
		case 6:
		case 7:
			port_op(EVTCHNOP_send, p);
			break;
		default:
			port_op(EVTCHNOP_close, p);
		}
		if (n % 100 == 0)
			for (unsigned int i = 0; i < 3; i++)
				check_table(g[i]->d);
	}
	for (unsigned int i = 0; i < 3; i++) {
		assert_false(spin_is_locked(&g[i]->d->event_lock));
		g[i]->d->dying = DOMDYING_dying;
		evtchn_destroy(g[i]->d);
		check_table(g[i]->d);
		assert_int_equal(evtchn_active(g[i]->d), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reset_starts_anew, event_setup),
		cmocka_unit_test_setup(reset_knows_another_is_under_way, event_setup),
		cmocka_unit_test_setup(death_closes_everything, event_setup),
		cmocka_unit_test_setup(death_lets_interrupts_in, event_setup),
		cmocka_unit_test_setup(dying_domains_are_not_bound_to, event_setup),
		cmocka_unit_test_setup(ends_close_at_once, event_setup),
		cmocka_unit_test_setup(random_use_keeps_the_table_sound, event_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
