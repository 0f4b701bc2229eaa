/* SPDX-License-Identifier: MIT */
/*
 * console_io: long writes, lines without an end, unprintable bytes, and reading with nothing there.
 */
#include "guest.h"

TEST("console");

static char big[3000];

void test_main(void)
{
	char in[16];

	events_disable();
	if (!is_dom0())
		verdict_skip("console_io is for domain 0");
	for (unsigned int i = 0; i < sizeof(big); i++)
		big[i] = i % 64 == 63 ? '\n' : 'a' + i % 26;
	CHECK_EQ(hypercall_console_io(CONSOLEIO_write, sizeof(big), big), 0);
	CHECK_EQ(hypercall_console_io(CONSOLEIO_write, 0, big), 0);
	CHECK_EQ(hypercall_console_io(CONSOLEIO_write, 5, (char *)"\0\1\x7f\xff\n"), 0);
	CHECK_EQ(hypercall_console_io(CONSOLEIO_read, sizeof(in), in), 0);
	CHECK_EQ(hypercall_console_io(9, 1, in), -XEN_ENOSYS);
	print("half a line, ");
	print("the other half\n");
}
