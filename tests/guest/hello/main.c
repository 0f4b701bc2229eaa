/* SPDX-License-Identifier: MIT */
/*
 * The smallest guest: one line on the console and a clean power-off.  What must work is the domain
 * builder, the hypercall page, console_io and SCHEDOP_shutdown.
 */
#include "guest.h"

TEST("hello");

void test_main(void)
{
	print("Hello from a PV kernel as %s: %s\n", is_dom0() ? "domain 0" : "a guest",
	      start_info->magic);
	CHECK(start_info->nr_pages > 0);
}
