/* SPDX-License-Identifier: MIT */
/* Command-line options of the boot sequence itself: how much memory is used, what domain 0 gets; and those accepted for Xen's sake. */
#include "boot/boot.h"
#include "boot/cmdline.h"
#include "core/grant.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "x86/traps.h"

uint64_t opt_mem_limit = ~0UL;
bool opt_dom0_vcpus_pin;
uint32_t opt_dom0_watchdog;

/* A size is either absolute or, with a leading '-', what is left to the hypervisor and other guests. */
struct dom0_size {
	uint64_t bytes;
	bool negative;
};
static struct dom0_size dom0_nr, dom0_min, dom0_max = {.bytes = ~0UL};
static uint64_t dom0_vcpus_min = 1, dom0_vcpus_max = MAX_DOM0_VCPUS;

CMDLINE_FLAG(noreboot, opt_noreboot, "halt instead of rebooting after a fatal error");
CMDLINE_FLAG(dom0_vcpus_pin, opt_dom0_vcpus_pin, "pin domain 0's vCPU n to CPU n");

static int mem_option(const char *v)
{
	return parse_size(v, NULL, 'K', &opt_mem_limit);
}
CMDLINE(mem, mem_option, "<size>: use no RAM at or above this address");

static int dom0_mem_option(const char *v)
{
	for (;;) {
		struct dom0_size *s = !strncmp(v, "min:", 4)   ? &dom0_min
				      : !strncmp(v, "max:", 4) ? &dom0_max
							       : &dom0_nr;

		if (s != &dom0_nr)
			v += 4;
		s->negative = *v == '-';
		if (parse_size(v + s->negative, &v, 'K', &s->bytes))
			return -EINVAL;
		if (!*v)
			return 0;
		if (*v++ != ',')
			return -EINVAL;
	}
}
CMDLINE(dom0_mem, dom0_mem_option, "[min:<size>,][max:<size>,]<size>: domain 0's memory");

static uint64_t size_resolve(const struct dom0_size *s, uint64_t available)
{
	return s->negative ? available - min(s->bytes, available) : s->bytes;
}

unsigned long dom0_pages(unsigned long available, unsigned int *max_pages)
{
	uint64_t bytes = available << PAGE_SHIFT, hi = size_resolve(&dom0_max, bytes);
	uint64_t nr = size_resolve(&dom0_nr, bytes);

	/* Without a wish: all but a sixteenth, at most 128 MiB, which the hypervisor and first guests' needs come from. */
	if (!nr)
		nr = bytes - min(bytes / 16, MB(128));
	nr = max(nr, size_resolve(&dom0_min, bytes));
	nr = min(nr, hi);
	nr = min(nr, bytes);
	*max_pages = (unsigned int)min(hi >> PAGE_SHIFT, (uint64_t)~0u);
	return nr >> PAGE_SHIFT;
}

static int dom0_max_vcpus_option(const char *v)
{
	uint64_t lo = 1, hi = MAX_DOM0_VCPUS;

	if (*v != '-' && parse_u64(v, &v, 0, &lo))
		return -EINVAL;
	if (!*v)
		hi = lo;
	else if (*v++ != '-' || (*v && parse_u64(v, NULL, 0, &hi)))
		return -EINVAL;
	dom0_vcpus_min = lo;
	dom0_vcpus_max = hi;
	return 0;
}
CMDLINE(dom0_max_vcpus, dom0_max_vcpus_option, "<n> or <min>-<max>: domain 0's virtual CPUs");

unsigned int dom0_vcpus(unsigned int cpus)
{
	uint64_t n = max((uint64_t)cpus, dom0_vcpus_min);

	n = min(n, dom0_vcpus_max);
	n = min(n, (uint64_t)MAX_DOM0_VCPUS);
	return n ? (unsigned int)n : 1;
}

/* Domain 0's programs stop it with SCHEDOP_watchdog, id 1 and no time, once all that they wait for works. */
static int dom0_watchdog_option(const char *v)
{
	uint64_t seconds;

	if (parse_u64(v, NULL, 0, &seconds) || seconds > UINT32_MAX)
		return -EINVAL;
	opt_dom0_watchdog = (uint32_t)seconds;
	return 0;
}
CMDLINE(dom0_watchdog, dom0_watchdog_option,
	"<seconds>: reboot unless domain 0 stops its first watchdog within that time");

/* Words that Xen's users have on their command lines and that change nothing here. */
static int dom0_option(const char *v)
{
	return !strncmp(v, "pv", 2) && (!v[2] || v[2] == ',') ? 0 : -EINVAL;
}
CMDLINE(dom0, dom0_option, "pv: the only kind of domain 0 there is yet");

static int mitigation_option(const char *v)
{
	if (parse_bool(v, NULL))
		printk(LOG_WARN "xpti, spec-ctrl: page-table isolation and speculation controls "
				"are not implemented; '%s' has no effect\n",
		       v);
	return 0;
}
CMDLINE(xpti, mitigation_option, "page-table isolation (not implemented: 'no')");
CMDLINE(spec_ctrl, mitigation_option, "speculation controls (none implemented: 'no')");

static int frames_option(const char *v, unsigned int *out)
{
	uint64_t n;

	if (parse_u64(v, NULL, 0, &n) || !n || n > 65536)
		return -EINVAL;
	*out = (unsigned int)n;
	return 0;
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
