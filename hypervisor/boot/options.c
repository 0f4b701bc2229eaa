/* SPDX-License-Identifier: MIT */
/* Command-line options of the boot sequence itself: how much memory is used, what domain 0 gets; and those accepted for Xen's sake. */
#include "boot/boot.h"
#include "boot/cmdline.h"
#include "core/console.h"
#include "core/grant.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "lib/types.h"
#include "x86/traps.h"

uint64_t opt_mem_limit = ~0UL;
bool opt_dom0_vcpus_pin;

/* A size is either absolute or, with a leading '-', what is left to the hypervisor and other guests. */
struct dom0_size {
	uint64_t bytes;
	bool negative, set;
};
static struct dom0_size dom0_nr, dom0_min, dom0_max;
static unsigned int dom0_vcpus_min = 1, dom0_vcpus_max = ~0u;

static int mem_option(const char *v)
{
	return parse_size(v, NULL, 'K', &opt_mem_limit);
}
CMDLINE(mem, mem_option, "<size>: use no RAM at or above this address");

static int noreboot_option(const char *v)
{
	int on = *v ? parse_bool(v, NULL) : 1;

	if (on < 0)
		return on;
	opt_noreboot = on;
	return 0;
}
CMDLINE(noreboot, noreboot_option, "halt instead of rebooting after a fatal error");

static int size_parse(const char *s, const char **end, struct dom0_size *out)
{
	out->negative = *s == '-';
	out->set = true;
	return parse_size(s + out->negative, end, 'K', &out->bytes);
}

static int dom0_mem_option(const char *v)
{
	int rc = 0;

	while (!rc) {
		struct dom0_size *which = &dom0_nr;

		if (!strncmp(v, "min:", 4))
			which = &dom0_min, v += 4;
		else if (!strncmp(v, "max:", 4))
			which = &dom0_max, v += 4;
		rc = size_parse(v, &v, which);
		if (rc || !*v)
			break;
		rc = *v++ == ',' ? 0 : -EINVAL;
	}
	return rc;
}
CMDLINE(dom0_mem, dom0_mem_option, "[min:<size>,][max:<size>,]<size>: domain 0's memory");

static uint64_t size_resolve(const struct dom0_size *s, uint64_t available, uint64_t otherwise)
{
	if (!s->set)
		return otherwise;
	if (!s->negative)
		return s->bytes;
	return s->bytes < available ? available - s->bytes : 0;
}

unsigned long dom0_pages(unsigned long available, unsigned long *max_pages)
{
	uint64_t bytes = (uint64_t)available << PAGE_SHIFT;
	/* Without a wish: all but a sixteenth, at most 128 MiB, which the hypervisor and first guests' needs come from. */
	uint64_t nr = size_resolve(&dom0_nr, bytes, bytes - min(bytes / 16, (uint64_t)MB(128)));
	uint64_t lo = size_resolve(&dom0_min, bytes, 0);
	uint64_t hi = size_resolve(&dom0_max, bytes, ~0UL);

	nr = max(nr, lo);
	nr = min(nr, hi);
	nr = min(nr, bytes);
	*max_pages = dom0_max.set ? hi >> PAGE_SHIFT : ~0u;
	return nr >> PAGE_SHIFT;
}

static int dom0_max_vcpus_option(const char *v)
{
	uint64_t n;
	int rc = 0;

	if (*v != '-') {
		rc = parse_u64(v, &v, 0, &n);
		if (rc)
			return rc;
		dom0_vcpus_min = dom0_vcpus_max = (unsigned int)n;
	}
	if (*v == '-') {
		dom0_vcpus_max = ~0u;
		if (v[1]) {
			rc = parse_u64(v + 1, NULL, 0, &n);
			dom0_vcpus_max = (unsigned int)n;
		}
	}
	return rc;
}
CMDLINE(dom0_max_vcpus, dom0_max_vcpus_option, "<n> or <min>-<max>: domain 0's virtual CPUs");

unsigned int dom0_vcpus(unsigned int cpus)
{
	unsigned int n = max(cpus, dom0_vcpus_min);

	n = min(n, dom0_vcpus_max);
	n = min(n, (unsigned int)MAX_DOM0_VCPUS);
	return n ? n : 1;
}

static int dom0_vcpus_pin_option(const char *v)
{
	int on = *v ? parse_bool(v, NULL) : 1;

	if (on < 0)
		return on;
	opt_dom0_vcpus_pin = on;
	return 0;
}
CMDLINE(dom0_vcpus_pin, dom0_vcpus_pin_option, "pin domain 0's vCPU n to CPU n");

/* Words that Xen's users have on their command lines and that change nothing here. */
static int dom0_option(const char *v)
{
	return !strncmp(v, "pv", 2) && (!v[2] || v[2] == ',') ? 0 : -EINVAL;
}
CMDLINE(dom0, dom0_option, "pv: the only kind of domain 0 there is yet");

static int xpti_option(const char *v)
{
	int on = *v ? parse_bool(v, NULL) : 1;

	if (on > 0)
		printk(LOG_WARN
		       "xpti: page-table isolation is not implemented; guests share the hypervisor's mappings\n");
	return 0;
}
CMDLINE(xpti, xpti_option, "<bool>: page-table isolation (not implemented: always off)");

static int spec_ctrl_option(const char *v)
{
	if (strcmp(v, "no") && strcmp(v, "off"))
		printk(LOG_WARN
		       "spec-ctrl: no speculation controls are used yet; '%s' has no effect\n",
		       v);
	return 0;
}
CMDLINE(spec_ctrl, spec_ctrl_option, "speculation controls (none implemented: 'no')");

static int frames_option(const char *v, unsigned int *out)
{
	uint64_t n;
	int rc = parse_u64(v, NULL, 0, &n);

	if (!rc && (!n || n > 65536))
		rc = -ERANGE;
	if (!rc)
		*out = (unsigned int)n;
	return rc;
}

static int gnttab_max_frames_option(const char *v)
{
	return frames_option(v, &grant_opt_max_frames);
}
CMDLINE(gnttab_max_frames, gnttab_max_frames_option,
	"<n>: grant-table frames a domain may have by default");

static int gnttab_max_maptrack_frames_option(const char *v)
{
	return frames_option(v, &grant_opt_max_maptrack);
}
CMDLINE(gnttab_max_maptrack_frames, gnttab_max_maptrack_frames_option,
	"<n>: the same for its table of mappings");

static int gnttab_option(const char *v)
{
	for (;;) {
		if (!strncmp(v, "max-ver:", 8) && (v[8] == '1' || v[8] == '2')) {
			grant_opt_max_version = (unsigned int)(v[8] - '0');
			v += 9;
		} else if (!strncmp(v, "transitive", 10)) {
			grant_opt_transitive = true;
			v += 10;
		} else if (!strncmp(v, "no-transitive", 13)) {
			grant_opt_transitive = false;
			v += 13;
		} else {
			return -EINVAL;
		}
		if (!*v)
			return 0;
		if (*v++ != ',')
			return -EINVAL;
	}
}
CMDLINE(gnttab, gnttab_option, "max-ver:<1|2>,[no-]transitive");

CMDLINE(loglvl, loglvl_option,
	"<lower>[/<upper>] of none, error, warning, info, debug, all: what is logged");
CMDLINE(guest_loglvl, guest_loglvl_option, "the same for messages about guests");
CMDLINE(console, console_option, "list of vga, com1, com2: where the log goes");
CMDLINE(console_timestamps, console_timestamps_option, "none, date, datems, boot, raw");
CMDLINE(sync_console, sync_console_option, "wait for each line to be out");
CMDLINE(conring_size, conring_size_option, "size of the log ring");
CMDLINE(conswitch, conswitch_option,
	"<switch char>[x]: key that gives serial input to the hypervisor or domain 0");
CMDLINE(console_to_ring, console_to_ring_option,
	"keep domain 0's console output in the log ring, too");
