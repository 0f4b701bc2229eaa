/* SPDX-License-Identifier: MIT */
/*
 * The frame heap, the small-object allocator and frame ownership on a pretended machine of 64 MiB whose memory is an array.
 */
#include "unit.h"

#include "fake_machine.h"
#include "mm/heap.h"

#include <string.h>

static void heap_gives_back_everything(void **state)
{
	static struct page_info *got[FAKE_FRAMES];
	static uint8_t order_of[FAKE_FRAMES];
	uint64_t rnd = 42;
	unsigned int n = 0;

	machine_reset();
	for (int i = 0; i < 20000; i++) {
		if (n && (unit_random(&rnd) & 1)) {
			unsigned int k = unit_random(&rnd) % n;

			bool dirty = unit_random(&rnd) & 1;

			if (!dirty)
				memset(page_to_virt(got[k]), 0, PAGE_SIZE << order_of[k]);
			heap_free(got[k], order_of[k], dirty);
			got[k] = got[--n];
			order_of[k] = order_of[n];
		} else {
			unsigned int order = unit_random(&rnd) % 5;
			struct page_info *pg = heap_alloc(order, 0);

			if (!pg)
				continue;
			assert_int_equal(page_to_mfn(pg) & ((1u << order) - 1), 0);
			/* Scrubbed, and ours alone. */
			for (unsigned int f = 0; f < 1u << order; f++) {
				uint64_t *w = page_to_virt(pg + f);

				assert_int_equal(w[0], 0);
				assert_int_equal(w[511], 0);
				w[0] = w[511] = i + 1;
			}
			got[n] = pg;
			order_of[n++] = (uint8_t)order;
		}
		if (i % 100 == 0)
			heap_scrub_one();
	}
	while (n--)
		heap_free(got[n], order_of[n], true);
	assert_int_equal(heap_free_pages(), FAKE_FRAMES - FAKE_FIRST);
	while (heap_scrub_one())
		;
	/* All merged again: the largest aligned run is one buddy. */
	assert_non_null(heap_alloc(13, 0));
}

static void heap_respects_address_width(void **state)
{
	struct page_info *pg;

	machine_reset();
	assert_int_equal(heap_free_pages_below(26), FAKE_FRAMES - FAKE_FIRST);
	assert_int_equal(heap_free_pages_below(25), FAKE_FRAMES / 2 - FAKE_FIRST);
	pg = heap_alloc(0, MEMF_bits(21));
	assert_non_null(pg);
	assert_true(page_to_mfn(pg) < 512);
	assert_null(heap_alloc(10, MEMF_bits(21)));
	assert_null(heap_alloc(0, MEMF_bits(12)));
	assert_null(heap_alloc(MAX_ORDER + 1, 0));
	heap_free(pg, 0, true);
	/* Low memory is left for those that need it. */
	assert_true(page_to_mfn(heap_alloc(0, 0)) >= FAKE_FRAMES / 2);
}

/* Of memory never used, idle CPUs clean 32 MiB and no more, where the next guest's frames come from. */
static void heap_keeps_clean_frames(void **state)
{
	struct page_info *pg;
	unsigned int scrubbed = 0;

	machine_reset();
	while (heap_scrub_one())
		scrubbed++;
	assert_int_equal(scrubbed, MB(32) / (PAGE_SIZE << 6));
	pg = heap_alloc(9, 0);
	assert_true(page_to_mfn(pg) >= FAKE_FRAMES / 2);
	scrubbed = 0;
	while (heap_scrub_one())
		scrubbed++;
	assert_int_equal(scrubbed, 8);
}

static void heap_flushes_before_reuse(void **state)
{
	struct page_info *pg;

	machine_reset();
	pg = heap_alloc(0, 0);
	assert_int_equal(fake_flushes, 0);
	pg->tlb_stamp = tlb_stamp_now();
	heap_free(pg, 0, false);
	assert_ptr_equal(heap_alloc(0, 0), pg);
	assert_int_equal(fake_flushes, 1);
	heap_free(pg, 0, false);
	assert_ptr_equal(heap_alloc(0, 0), pg);
	assert_int_equal(fake_flushes, 1);
}

static void objects_are_zeroed_and_apart(void **state)
{
	static struct {
		uint8_t *p;
		size_t size;
		uint8_t mark;
	} obj[600];
	uint64_t rnd = 7;
	unsigned long before;

	machine_reset();
	memset(obj, 0, sizeof(obj));
	before = heap_free_pages();
	for (int i = 0; i < 20000; i++) {
		unsigned int k = unit_random(&rnd) % 600;

		if (obj[k].p) {
			for (size_t b = 0; b < obj[k].size; b++)
				assert_int_equal(obj[k].p[b], obj[k].mark);
			kfree(obj[k].p);
			obj[k].p = NULL;
			continue;
		}
		obj[k].size = unit_random(&rnd) % (i % 50 ? 700 : 20000) + 1;
		obj[k].p = kzalloc(obj[k].size);
		obj[k].mark = (uint8_t)i;
		assert_non_null(obj[k].p);
		assert_int_equal((uintptr_t)obj[k].p & 15, 0);
		for (size_t b = 0; b < obj[k].size; b++)
			assert_int_equal(obj[k].p[b], 0);
		memset(obj[k].p, obj[k].mark, obj[k].size);
	}
	for (int k = 0; k < 600; k++)
		kfree(obj[k].p);
	assert_int_equal(heap_free_pages(), before);
	assert_null(kzalloc(KB(64) + 1));
	kfree(NULL);
}

static void tlb_clock_filters(void **state)
{
	cpumask_t m;
	uint32_t stamp;

	machine_reset();
	cpumask_clear(&m);
	m.bits[0] = 3;
	stamp = tlb_stamp_now();
	fake_cpu_id = 0;
	tlb_note_flush();
	tlb_filter(&m, stamp);
	assert_int_equal(m.bits[0], 2);
	/* A clock that nobody has stamped with stands still. */
	assert_int_equal(tlb_clock, per_cpu(tlb_time, 0));
	tlb_note_flush();
	assert_int_equal(tlb_clock, per_cpu(tlb_time, 0));
	/* A stamp right after that flush is later than it. */
	m.bits[0] = 1;
	stamp = tlb_stamp_now();
	tlb_filter(&m, stamp);
	assert_int_equal(m.bits[0], 1);
	/* A CPU that slept through four thousand million flushes is not taken for a fresh one. */
	tlb_clock += 0x100000005UL;
	stamp = tlb_stamp_now();
	tlb_filter(&m, stamp);
	assert_int_equal(m.bits[0], 1);
}

static void domain_owns_until_last_reference(void **state)
{
	struct domain *d;
	struct page_info *pg;
	unsigned long before;

	machine_reset();
	before = heap_free_pages();
	d = fake_domain(1);
	d->max_pages = 3;
	assert_null(domain_page_alloc(d, 2, 0));
	pg = domain_page_alloc(d, 0, 0);
	assert_non_null(pg);
	assert_int_equal(d->tot_pages, 1);
	assert_int_equal(d->refcount, 2);
	assert_true(get_page(pg, d));
	assert_false(get_page(pg, fake_domain(2)));
	assert_true(domain_page_release(d, pg));
	assert_false(domain_page_release(d, pg));
	assert_int_equal(d->tot_pages, 1);
	put_page(pg);
	assert_int_equal(d->tot_pages, 0);
	assert_int_equal(d->refcount, 1);
	assert_int_equal(d->page_list, 0);
	assert_false(get_page(pg, d));
	assert_int_equal(heap_free_pages(), before);

	d->dying = DOMDYING_dying;
	assert_null(domain_page_alloc(d, 0, 0));
	assert_int_equal(domain_relinquish_pages(d), 0);
	assert_int_equal(heap_free_pages(), before);
	assert_int_equal(d->refcount, 1);
}

static void reference_count_does_not_overflow(void **state)
{
	struct domain *d;
	struct page_info *pg;

	machine_reset();
	d = fake_domain(1);
	pg = domain_page_alloc(d, 0, 0);
	pg->count_info |= PGC_count;
	assert_false(get_page(pg, d));
	assert_null(get_page_owner(pg));
	assert_int_equal(pg->count_info, PGC_allocated | PGC_count);
	pg->count_info = PGC_allocated | 1;
	pg->type_info = PGT_writable_page | PGT_validated | PGT_count_mask;
	assert_int_equal(get_page_type(pg, PGT_writable_page), -EINVAL);
}

static void shared_memory_outlives_its_user(void **state)
{
	struct domain *d;
	struct page_info *pg;
	unsigned long before;
	void *va;

	machine_reset();
	before = heap_free_pages();
	d = fake_domain(1);
	va = page_alloc();
	share_page_with_guest(va, d, true);
	pg = virt_to_page(va);
	assert_int_equal(d->xen_pages, 1);
	assert_int_equal(get_page_and_type(pg, d, PGT_writable_page), 0);
	assert_int_equal(get_page_type(pg, PGT_l1_page_table), -EINVAL);
	page_free(va);
	assert_int_equal(heap_free_pages(), before - 1);
	put_page_and_type(pg);
	assert_int_equal(heap_free_pages(), before);
	assert_int_equal(d->refcount, 1);

	/* Taken back while nobody maps it. */
	va = page_alloc();
	share_page_with_guest(va, d, true);
	assert_true(get_page(virt_to_page(va), d));
	assert_false(unshare_page_with_guest(va));
	put_page(virt_to_page(va));
	assert_true(unshare_page_with_guest(va));
	assert_int_equal(d->xen_pages, 0);
	assert_int_equal(d->refcount, 1);

	/* The domain goes first. */
	share_page_with_guest(va, d, false);
	pg = virt_to_page(va);
	assert_true(get_page(pg, d));
	assert_int_equal(get_page_type(pg, PGT_writable_page), -EINVAL);
	assert_int_equal(domain_relinquish_pages(d), 0);
	assert_int_equal(d->xen_pages, 1);
	put_page(pg);
	assert_int_equal(d->xen_pages, 0);
	assert_int_equal(heap_free_pages(), before - 1);
	page_free(va);
	assert_int_equal(heap_free_pages(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap_gives_back_everything),
		cmocka_unit_test(heap_respects_address_width),
		cmocka_unit_test(heap_keeps_clean_frames),
		cmocka_unit_test(heap_flushes_before_reuse),
		cmocka_unit_test(objects_are_zeroed_and_apart),
		cmocka_unit_test(tlb_clock_filters),
		cmocka_unit_test(domain_owns_until_last_reference),
		cmocka_unit_test(reference_count_does_not_overflow),
		cmocka_unit_test(shared_memory_outlives_its_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
