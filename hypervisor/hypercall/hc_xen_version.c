/* SPDX-License-Identifier: MIT */
/*
 * xen_version: who we are. Guests and tools take their decisions from the version and the features; the texts are for people.
 *
 * The number is that of the ABI we keep, 4.17; the extra version is our own. Everyone may ask everything but the command line and
 * the build id, which are the control domain's. Read-only, no lock.
 */
#include "boot/boot_info.h"
#include "hypercall/dispatch.h"
#include "lib/printf.h"
#include "lib/string.h"
#include <xen/features.h>
#include <xen/version.h>

#define ABI_VERSION   (4 << 16 | 17)
#define EXTRA_VERSION ".0-poncho"
#define CAPABILITIES  "xen-3.0-x86_64 "
#define CHANGESET     "poncho"
#define DENIED	      "<denied>"

/* A date would make two builds of one source differ. */
#ifndef BUILD_DATE
#define BUILD_DATE "not recorded"
#endif

/* image.lds: the ELF note the linker made. */
extern const uint8_t __build_id_start[], __build_id_end[];

static int version_extra(struct hc *hc, void *arg)
{
	strlcpy(arg, EXTRA_VERSION, sizeof(xen_extraversion_t));
	return 0;
}

static int version_compile_info(struct hc *hc, void *arg)
{
	struct xen_compile_info *info = arg;

#ifdef __clang__
	strlcpy(info->compiler, __VERSION__, sizeof(info->compiler));
#else
	scnprintf(info->compiler, sizeof(info->compiler), "gcc %s", __VERSION__);
#endif
	strlcpy(info->compile_by, "poncho", sizeof(info->compile_by));
	strlcpy(info->compile_domain, "localhost", sizeof(info->compile_domain));
	strlcpy(info->compile_date, BUILD_DATE, sizeof(info->compile_date));
	return 0;
}

/* The two texts of a kilobyte: too long for a row's copied structure. */
static int text_1k_to_guest(struct hc *hc, const char *text)
{
	size_t len = min(strlen(text), sizeof(xen_capabilities_info_t) - 1);

	if (copy_to_guest_va(hc->arg_va, text, len) ||
	    clear_guest_va(hc->arg_va + len, sizeof(xen_capabilities_info_t) - len))
		return -EFAULT;
	return 0;
}

static int version_capabilities(struct hc *hc, void *arg)
{
	return text_1k_to_guest(hc, CAPABILITIES);
}

static int version_commandline(struct hc *hc, void *arg)
{
	if (hc->d->is_privileged)
		return text_1k_to_guest(hc, boot_info.cmdline);
	return copy_to_guest_va(hc->arg_va, DENIED, sizeof(DENIED)) ? -EFAULT : 0;
}

static int version_changeset(struct hc *hc, void *arg)
{
	strlcpy(arg, CHANGESET, sizeof(xen_changeset_info_t));
	return 0;
}

static int version_platform(struct hc *hc, void *arg)
{
	*(struct xen_platform_parameters *)arg = (struct xen_platform_parameters){HYP_VIRT_START};
	return 0;
}

static int version_features(struct hc *hc, void *arg)
{
	struct xen_feature_info *fi = arg;

	if (fi->submap_idx >= XENFEAT_NR_SUBMAPS)
		return -EINVAL;
	fi->submap = 1u << XENFEAT_memory_op_vnode_supported |
		     1u << XENFEAT_mmu_pt_update_preserve_ad | 1u << XENFEAT_highmem_assist |
		     1u << XENFEAT_gnttab_map_avail_bits | 1u << XENFEAT_direct_mapped;
	if (hc->d->is_hardware || test_bit(VMASST_TYPE_pae_extended_cr3, &hc->d->vm_assist))
		fi->submap |= 1u << XENFEAT_pae_pgdir_above_4gb;
	if (hc->d->is_hardware)
		fi->submap |= 1u << XENFEAT_dom0;
	return 0;
}

static int version_pagesize(struct hc *hc, void *arg)
{
	return hc->arg_va ? -EINVAL : (int)PAGE_SIZE;
}

static int version_guest_handle(struct hc *hc, void *arg)
{
	memcpy(arg, hc->d->handle, sizeof(xen_domain_handle_t));
	return 0;
}

/* The note: name size, descriptor size, type, then "GNU\0" and the id itself. */
static int version_build_id(struct hc *hc, void *arg)
{
	const uint32_t *note = (const uint32_t *)__build_id_start;
	struct xen_build_id id;
	uint32_t len;

	if (__build_id_end - __build_id_start <= 16)
		return -ENODATA;
	len = note[1];
	if (!hc->arg_va)
		return (int)len;
	if (copy_from_guest_va(&id, hc->arg_va, sizeof(id.len)))
		return -EFAULT;
	if (!id.len)
		return -EINVAL;
	if (id.len < len)
		return -ENOBUFS;
	if (copy_to_guest_va(hc->arg_va + offsetof(struct xen_build_id, buf), note + 4, len))
		return -EFAULT;
	return (int)len;
}

static const struct subop version_ops[] = {
	SUBOP(XENVER_extraversion, xen_extraversion_t, DIR_OUT, WHO_ANY, version_extra),
	SUBOP(XENVER_compile_info, struct xen_compile_info, DIR_OUT, WHO_ANY, version_compile_info),
	SUBOP_0(XENVER_capabilities, WHO_ANY, version_capabilities),
	SUBOP(XENVER_changeset, xen_changeset_info_t, DIR_OUT, WHO_ANY, version_changeset),
	SUBOP(XENVER_platform_parameters, struct xen_platform_parameters, DIR_OUT, WHO_ANY,
	      version_platform),
	SUBOP(XENVER_get_features, struct xen_feature_info, DIR_INOUT, WHO_ANY, version_features),
	SUBOP_0(XENVER_pagesize, WHO_ANY, version_pagesize),
	SUBOP(XENVER_guest_handle, xen_domain_handle_t, DIR_OUT, WHO_ANY, version_guest_handle),
	SUBOP_0(XENVER_commandline, WHO_ANY, version_commandline),
	SUBOP_0(XENVER_build_id, WHO_PRIV, version_build_id),
};

HYPERCALL_FN(xen_version)
{
	/* The shortest hypercall there is; Linux makes it to have pending events delivered. */
	if (likely((uint32_t)a1 == XENVER_version))
		return ABI_VERSION;
	return sub_call(version_ops, (uint32_t)a1, a2);
}
