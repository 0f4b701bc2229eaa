/* SPDX-License-Identifier: MIT */
/*
 * console_io: a guest's text to the hypervisor's console, and the console's input to the control domain. The work is in
 * core/console_io.c. Unprivileged guests may print, within a limit, only on a debug build, as on Xen's.
 */
#include "core/console.h"
#include "hypercall/dispatch.h"

#ifdef DEBUG
#define GUESTS_MAY_PRINT true
#else
#define GUESTS_MAY_PRINT false
#endif

HYPERCALL_FN(console_io)
{
	struct domain *d = current->domain;
	unsigned int cmd = (uint32_t)a1, count = (uint32_t)a2;
	long rc;

	switch (cmd) {
	case CONSOLEIO_write:
		if (!d->is_privileged && !GUESTS_MAY_PRINT)
			return -EPERM;
		rc = console_guest_write(d, a3, count);
		/* Positive: so far it has got before the CPU was wanted. */
		return rc <= 0 ? rc
			       : hypercall_continue_with(__HYPERVISOR_console_io, CONSOLEIO_write,
							 count - (unsigned long)rc,
							 a3 + (unsigned long)rc);
	case CONSOLEIO_read:
		if (!d->is_privileged)
			return -EPERM;
		return count > INT32_MAX ? -E2BIG : console_guest_read(a3, count);
	default:
		return d->is_privileged ? -ENOSYS : -EPERM;
	}
}
