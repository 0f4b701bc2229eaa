/* SPDX-License-Identifier: MIT */
/*
 * GNTTABOP_copy: the right bytes and no others, by reference and by number, out of part of a page and through a transitive
 * grant; references come back.
 */
#include "fake_grants.h"

#include <string.h>

static void copies_reach_the_right_bytes(void **state)
{
	mfn_t theirs = grant_frame(g1, 20, 2, GTF_readonly), to = grant_frame(g1, 21, 2, 0);
	mfn_t mine = guest_frame(g2);
	struct gnttab_copy c = copy_op(1, 20, DOMID_SELF, mine, GNTCOPY_source_gref);

	memset(mfn_to_virt(theirs), 'x', PAGE_SIZE);
	memset(mfn_to_virt(mine), 0, PAGE_SIZE);
	c.source.offset = 4000;
	c.dest.offset = 10;
	c.len = 96;
	assert_int_equal(copy_status(c), GNTST_okay);
	assert_int_equal(((char *)mfn_to_virt(mine))[9], 0);
	assert_int_equal(((char *)mfn_to_virt(mine))[10], 'x');
	assert_int_equal(((char *)mfn_to_virt(mine))[105], 'x');
	assert_int_equal(((char *)mfn_to_virt(mine))[106], 0);
	c.len = 97;
	assert_int_equal(copy_status(c), GNTST_bad_copy_arg);
	c.source.offset = 0;
	c.dest.offset = 4000;
	assert_int_equal(copy_status(c), GNTST_bad_copy_arg);
	c.dest.offset = c.len = 0xffff;
	assert_int_equal(copy_status(c), GNTST_bad_copy_arg);
	c.len = 0;
	c.source.domid = 6; /* all is checked, even when nothing is to copy */
	assert_int_equal(copy_status(c), GNTST_bad_domain);
	assert_int_equal(
		copy_status(copy_op(1, 20, 1, 21, GNTCOPY_source_gref | GNTCOPY_dest_gref)),
		GNTST_okay);
	assert_int_equal(*(char *)mfn_to_virt(to), 'x');
	assert_int_equal(grant_entry(g1, 20)->flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(grant_entry(g1, 21)->flags, GTF_permit_access);
	assert_idle(g1, theirs);
	assert_idle(g1, to);
	assert_idle(g2, mine);
}

static void copies_are_refused(void **state)
{
	mfn_t ro = grant_frame(g1, 20, 2, GTF_readonly), mine = guest_frame(g2);
	mfn_t theirs = guest_frame(g1);

	assert_int_equal(copy_status(copy_op(DOMID_SELF, mine, 1, 20, GNTCOPY_dest_gref)),
			 GNTST_general_error);
	assert_int_equal(copy_status(copy_op(DOMID_SELF, theirs, DOMID_SELF, mine, 0)),
			 GNTST_bad_page);
	assert_int_equal(copy_status(copy_op(DOMID_SELF, ~0UL, DOMID_SELF, mine, 0)),
			 GNTST_bad_page);
	assert_int_equal(copy_status(copy_op(1, theirs, DOMID_SELF, mine, 0)),
			 GNTST_permission_denied);
	assert_int_equal(copy_status(copy_op(2, mine, DOMID_SELF, mine, 0)),
			 GNTST_permission_denied);
	assert_int_equal(copy_status(copy_op(6, 20, DOMID_SELF, mine, GNTCOPY_source_gref)),
			 GNTST_bad_domain);
	assert_int_equal(copy_status(copy_op(1, 19, DOMID_SELF, mine, GNTCOPY_source_gref)),
			 GNTST_general_error);
	assert_int_equal(copy_status(copy_op(1, 600, DOMID_SELF, mine, GNTCOPY_source_gref)),
			 GNTST_bad_gntref);
	mfn_to_page(mine)->type_info = PGT_l2_page_table | PGT_validated | 1;
	assert_int_equal(copy_status(copy_op(1, 20, DOMID_SELF, mine, GNTCOPY_source_gref)),
			 GNTST_general_error);
	assert_int_equal(copy_status(copy_op(DOMID_SELF, mine, DOMID_SELF, mine, 0)),
			 GNTST_general_error);
	mfn_to_page(mine)->type_info = 0;
	assert_idle(g1, ro);
	assert_idle(g1, theirs);
	assert_idle(g2, mine);
}

/* Rights gained for one element do not carry over to the next. */
static void a_batch_checks_each_element(void **state)
{
	mfn_t granted = grant_frame(g1, 20, 2, GTF_readonly), secret = guest_frame(g1);
	mfn_t mine = guest_frame(g2), other = guest_frame(g2);
	struct gnttab_copy c[40];

	for (unsigned int i = 0; i < 40; i++) {
		c[i] = copy_op(1, 20, DOMID_SELF, i % 2 ? mine : other, GNTCOPY_source_gref);
		c[i].dest.offset = (uint16_t)(i * 64);
	}
	c[3] = copy_op(1, secret, DOMID_SELF, mine, 0); /* by number, domain known */
	c[5] = copy_op(1, 20, DOMID_SELF, mine, 0);	/* the reference as a number */
	c[9] = copy_op(1, 20, 1, 20, GNTCOPY_source_gref | GNTCOPY_dest_gref);
	c[11].source.domid = 0; /* same reference, other domain */
	fake_preempt = 6;
	assert_int_equal(grant_op(GNTTABOP_copy, c, 40), 0);
	assert_true(guest_continuations >= 5);
	for (unsigned int i = 0; i < 40; i++)
		assert_int_equal(c[i].status, i == 3 || i == 5	  ? GNTST_permission_denied
					      : i == 9 || i == 11 ? GNTST_general_error
								  : GNTST_okay);
	assert_idle(g1, granted);
	assert_idle(g1, secret);
	assert_idle(g2, mine);
	assert_idle(g2, other);
	assert_int_equal(g1->d->refcount, 2);
}

/* A reference and a frame number may be the same number. */
static void references_are_not_numbers(void **state)
{
	mfn_t mine = guest_frame(g2), granted = guest_frame(g2), to = guest_frame(g2), unused;
	struct gnttab_copy c[2] = {
		copy_op(DOMID_SELF, mine, DOMID_SELF, to, GNTCOPY_source_gref),
		copy_op(DOMID_SELF, mine, DOMID_SELF, to, 0),
	};

	assert_int_equal(grant_table_frame(g2->d, XENMEM_resource_grant_table_id_shared,
					   FAKE_FRAMES / V1_PER_PAGE, &unused),
			 0);
	*grant_entry(g2, (grant_ref_t)mine) =
		(grant_entry_v1_t){GTF_permit_access, 2, (uint32_t)granted};
	strcpy(mfn_to_virt(mine), "mine");
	strcpy(mfn_to_virt(granted), "granted");
	c[1].dest.offset = 64;
	assert_int_equal(grant_op(GNTTABOP_copy, c, 2), 0);
	assert_string_equal(mfn_to_virt(to), "granted");
	assert_string_equal((char *)mfn_to_virt(to) + 64, "mine");
	assert_idle(g2, mine);
	assert_idle(g2, granted);
}

static void sub_pages_are_copied_within_bounds(void **state)
{
	mfn_t mine = guest_frame(g2), sub;
	struct gnttab_copy c = copy_op(1, 20, DOMID_SELF, mine, GNTCOPY_source_gref);

	grant_use_v2(g1);
	sub = grant_sub(g1, 20, 2, 100, 64);
	c.source.offset = 100;
	assert_int_equal(copy_status(c), GNTST_okay);
	c.source.offset = 99;
	assert_int_equal(copy_status(c), GNTST_general_error);
	c.source.offset = 101;
	assert_int_equal(copy_status(c), GNTST_general_error);
	c.len = 63;
	assert_int_equal(copy_status(c), GNTST_okay);
	grant_v2(g1->d->grant, 20)->sub_page.page_off = 0xfff0;
	grant_v2(g1->d->grant, 20)->sub_page.length = 0xffff;
	assert_int_equal(copy_status(c), GNTST_general_error);
	assert_idle(g1, sub);
	assert_idle(g2, mine);
}

static void transitive_grants_are_copied_only(void **state)
{
	mfn_t secret, mine = guest_frame(g2);
	struct gnttab_copy c = copy_op(1, 20, DOMID_SELF, mine, GNTCOPY_source_gref);
	struct gnttab_copy w = copy_op(DOMID_SELF, mine, 1, 20, GNTCOPY_dest_gref);

	grant_use_v2(g1);
	secret = grant_frame(g0, 30, 1, 0);
	strcpy(mfn_to_virt(secret), "through");
	grant_through(g1, 20, 2, 0, 30);
	assert_int_equal(copy_status(c), GNTST_okay);
	assert_string_equal(mfn_to_virt(mine), "through");
	assert_int_equal(copy_status(w), GNTST_okay);
	assert_int_equal(grant_map_status(1, 20, GNTMAP_host_map), GNTST_general_error);
	grant_entry(g0, 30)->flags |= GTF_readonly;
	assert_int_equal(copy_status(c), GNTST_okay);
	assert_int_equal(copy_status(w), GNTST_general_error);
	grant_entry(g0, 30)->domid = 2; /* for us, but not through the other */
	assert_int_equal(copy_status(c), GNTST_general_error);
	grant_entry(g0, 30)->domid = 1;
	grant_through(g1, 20, 2, 1, 21); /* through itself */
	assert_int_equal(copy_status(c), GNTST_general_error);
	grant_through(g1, 20, 2, 6, 30);
	assert_int_equal(copy_status(c), GNTST_general_error);
	grant_use_v2(g0);
	grant_through(g0, 30, 1, 2, 30); /* two steps */
	grant_through(g1, 20, 2, 0, 30);
	assert_int_equal(copy_status(c), GNTST_general_error);
	grant_opt_transitive = false;
	assert_int_equal(copy_status(c), GNTST_general_error);
	assert_int_equal(*grant_status_v2(g1->d->grant, 20), 0);
	assert_int_equal(*grant_status_v2(g0->d->grant, 30), 0);
	assert_int_equal(g0->d->refcount, 2);
	assert_idle(g0, secret);
	assert_idle(g1, secret);
	assert_idle(g2, mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(copies_reach_the_right_bytes, grant_setup),
		cmocka_unit_test_setup(copies_are_refused, grant_setup),
		cmocka_unit_test_setup(a_batch_checks_each_element, grant_setup),
		cmocka_unit_test_setup(references_are_not_numbers, grant_setup),
		cmocka_unit_test_setup(sub_pages_are_copied_within_bounds, grant_setup),
		cmocka_unit_test_setup(transitive_grants_are_copied_only, grant_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
