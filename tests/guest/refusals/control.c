/* SPDX-License-Identifier: MIT */
/*
 * The control calls with contents that must be refused: wrong interface versions, domains that do not
 * exist, unknown operations.  Nothing here changes the machine.
 */
#include "refusals.h"

/* The control structures proper are for tools only; what matters here is where their head lies. */
struct control_head {
	uint32_t cmd, version;
	uint16_t domain, pad[3];
	unsigned char rest[240];
};

#define DOMCTL_VERSION	 0x15u
#define SYSCTL_VERSION	 0x15u
#define PLATFORM_VERSION 0x03000001u

static struct control_head head(uint32_t cmd, uint32_t version)
{
	return (struct control_head){.cmd = cmd, .version = version};
}

static void domctl_rows(void)
{
	struct control_head h;
	long rc[3];
	char key[40];

	for (unsigned int cmd = 0; cmd < 90; cmd++) {
		if (cmd == 1) /* creates a domain */
			continue;
		h = head(cmd, DOMCTL_VERSION);
		h.domain = NOBODY;
		rc[0] = HYPERCALL1(domctl, &h);
		h = head(cmd, DOMCTL_VERSION);
		h.domain = DOMID_IO;
		rc[1] = cmd == 2 ? -XEN_ESRCH : HYPERCALL1(domctl, &h);
		h = head(cmd, DOMCTL_VERSION - 1);
		rc[2] = HYPERCALL1(domctl, &h);
		guest_snprintf(key, sizeof(key), "domctl %u", cmd);
		answers(key, rc, 3);
	}
	h = head(1000, DOMCTL_VERSION);
	answer("domctl 1000", HYPERCALL1(domctl, &h));
	h = head(1001, DOMCTL_VERSION);
	answer("domctl 1001", HYPERCALL1(domctl, &h));
}

static void sysctl_rows(void)
{
	struct control_head h;
	char key[40];

	for (unsigned int cmd = 0; cmd < 32; cmd++) {
		h = head(cmd, SYSCTL_VERSION - 1);
		guest_snprintf(key, sizeof(key), "sysctl %u version", cmd);
		answer(key, HYPERCALL1(sysctl, &h));
	}
	h = head(0, SYSCTL_VERSION);
	answer("sysctl 0", HYPERCALL1(sysctl, &h));
	h = head(99, SYSCTL_VERSION);
	answer("sysctl 99", HYPERCALL1(sysctl, &h));
}

static void platform_rows(void)
{
	struct control_head h = head(0, PLATFORM_VERSION);

	answer("platform_op 0", hypercall_platform_op(&h));
	h = head(999, PLATFORM_VERSION);
	answer("platform_op 999", hypercall_platform_op(&h));
	h = head(55, PLATFORM_VERSION - 1);
	answer("platform_op version", hypercall_platform_op(&h));
}

void control_rows(void)
{
	domctl_rows();
	sysctl_rows();
	platform_rows();
}
