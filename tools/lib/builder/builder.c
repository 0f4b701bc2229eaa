/* SPDX-License-Identifier: MIT */
/*
 * Building a PV guest: see builder.h. The order: everything that may be refused for the sake of files and sizes, then the domain's
 * limits and memory, then its content in one mapping, then, with that unmapped (a page table must be nobody's writable page), grants,
 * hypercall page, pinning, vCPU 0. Memory comes scrubbed from the hypervisor, so what is zero is not written.
 */
#include "lib/builder/guest.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xen/elfnote.h>
#include <xen/grant_table.h>

enum { LARGE_ORDER = 9, LARGE_PAGES = 1 << LARGE_ORDER };

#define MEMORY_KB_MOST (1ull << 38) /* 256 TiB */

struct build {
	struct hyper *h;
	uint32_t domid;
	const struct builder_args *args;
	struct builder_result *out;
	const struct image *img;
	int ramdisk; /* file descriptor, -1: none */
	uint64_t nr_pages;
	xen_pfn_t *frames; /* machine frame of each pfn; one more for the shared info */
	struct guest_layout l;
	xen_pfn_t *list; /* frames of the pages that are written */
	size_t nr_listed;
};

/* --- Before the domain is touched --- */

static int ramdisk_open(struct build *b, struct error *e)
{
	const char *path = b->args->ramdisk;
	struct stat st;

	if (!path || !*path)
		return 0;
	b->ramdisk = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (b->ramdisk < 0 || fstat(b->ramdisk, &st))
		return error_errno(e, ERROR_NONE, errno, "RAM disk %s cannot be opened", path);
	if (!S_ISREG(st.st_mode))
		return error_set(e, ERROR_CONFIG, "RAM disk %s is no regular file", path);
	b->l.ramdisk_bytes = (uint64_t)st.st_size;
	return 0;
}

static int args_check(struct build *b, struct error *e)
{
	const struct builder_args *a = b->args;

	b->nr_pages = a->memory_kb >> (PAGE_SHIFT - 10);
	if (a->memory_kb > MEMORY_KB_MOST)
		return error_set(e, ERROR_CONFIG, "%" PRIu64 " MiB are more than any machine has",
				 a->memory_kb >> 10);
	if (a->cmdline && strlen(a->cmdline) >= MAX_GUEST_CMDLINE)
		return error_set(e, ERROR_CONFIG,
				 "the kernel's command line has %zu characters, %d at most fit",
				 strlen(a->cmdline), MAX_GUEST_CMDLINE - 1);
	if (image_check_features(a->features, e))
		return error_prefix(e, "features");
	if (ramdisk_open(b, e))
		return -1;
	return layout_make(&b->l, b->img, b->nr_pages, e) ? error_prefix(e, "domain %u", b->domid)
							  : 0;
}

/* --- Limits and memory --- */

static int domain_set_up(struct build *b, struct error *e)
{
	const struct builder_args *a = b->args;
	uint64_t max_kb = a->max_memory_kb > a->memory_kb ? a->max_memory_kb : a->memory_kb;

	if (hyper_domain_do(b->h, XEN_DOMCTL_max_vcpus, b->domid, a->vcpus ? a->vcpus : 1, e) ||
	    hyper_domain_do(b->h, XEN_DOMCTL_max_mem, b->domid, max_kb, e) ||
	    hyper_memory_set_map(b->h, b->domid, max_kb, e) ||
	    hyper_evtchn_alloc(b->h, b->domid, 0, &b->out->store_port, e))
		return -1;
	return hyper_evtchn_alloc(b->h, b->domid, 0, &b->out->console_port, e);
}

/* In pieces of 2 MiB as far as there are any, the rest in single pages. */
static int memory_populate(struct build *b, struct error *e)
{
	unsigned long large = b->nr_pages >> LARGE_ORDER, rest;
	autofree xen_pfn_t *start = xmalloc((large + 1) * sizeof(*start));
	long got;

	for (unsigned long i = 0; i < large; i++)
		start[i] = i << LARGE_ORDER;
	got = hyper_memory_populate(b->h, b->domid, LARGE_ORDER, start, large, e);
	for (long i = 0; i < got; i++)
		for (unsigned int j = 0; j < LARGE_PAGES; j++)
			b->frames[i * LARGE_PAGES + j] = start[i] + j;
	if (got < 0)
		return -1;
	rest = b->nr_pages - (unsigned long)got * LARGE_PAGES;
	for (uint64_t pfn = b->nr_pages - rest; pfn < b->nr_pages; pfn++)
		b->frames[pfn] = pfn;
	got = hyper_memory_populate(b->h, b->domid, 0, b->frames + b->nr_pages - rest, rest, e);
	if (got >= 0 && (unsigned long)got < rest)
		return hyper_memory_short(b->h, b->args->memory_kb, e);
	return got < 0 ? -1 : 0;
}

static int memory_make(struct build *b, struct error *e)
{
	xen_domctl_getdomaininfo_t info;
	struct xen_sysctl_physinfo host;

	if (hyper_domain_info(b->h, b->domid, &info, e) || hyper_physinfo(b->h, &host, e))
		return -1;
	/* Looks before anything of that size is allocated. */
	if (host.free_pages < b->nr_pages)
		return hyper_memory_short(b->h, b->args->memory_kb, e);
	b->frames = xmalloc((b->nr_pages + 1) * sizeof(*b->frames));
	b->frames[b->nr_pages] = info.shared_info_frame;
	return memory_populate(b, e);
}

/* --- Content --- */

/* A run of guest pages that are written; how many bytes into the mapping. */
static size_t part_add(struct build *b, uint64_t pfn, uint64_t nr)
{
	size_t first = b->nr_listed;

	b->nr_listed += nr;
	b->list = xrealloc(b->list, b->nr_listed * sizeof(*b->list));
	memcpy(b->list + first, b->frames + pfn, nr * sizeof(*b->list));
	return first << PAGE_SHIFT;
}

/* Page by page: a long memcpy() turns into one string instruction, which costs an emulator a step a byte. */
static void copy_in(uint8_t *to, const void *data, uint64_t len)
{
	const uint8_t *from = data;

	for (uint64_t n; len; to += n, from += n, len -= n) {
		n = len < PAGE_SIZE ? len : PAGE_SIZE;
		memcpy(to, from, n);
	}
}

static int ramdisk_read(const struct build *b, uint8_t *to, struct error *e)
{
	int rc = file_fill(b->ramdisk, to, b->l.ramdisk_bytes);

	if (rc < 0)
		return error_errno(e, ERROR_NONE, errno, "RAM disk %s cannot be read",
				   b->args->ramdisk);
	return rc ? error_set(e, ERROR_FAILED, "RAM disk %s became shorter while being read",
			      b->args->ramdisk)
		  : 0;
}

static void start_info_fill(const struct build *b, struct start_info *si)
{
	const struct guest_layout *l = &b->l;
	const char *cmdline = b->args->cmdline ? b->args->cmdline : "";

	strcpy(si->magic, "xen-3.0-x86_64");
	si->nr_pages = b->nr_pages;
	si->shared_info = b->frames[b->nr_pages] << PAGE_SHIFT;
	si->flags = SIF_VIRT_P2M_4TOOLS;
	si->store_mfn = b->out->store_mfn;
	si->store_evtchn = b->out->store_port;
	si->console.domU.mfn = b->out->console_mfn;
	si->console.domU.evtchn = b->out->console_port;
	si->pt_base = layout_va(b->img, l->tables.pfn);
	si->nr_pt_frames = l->tables.nr;
	si->mfn_list = l->p2m_va;
	if (l->p2m_tables.nr) {
		si->first_p2m_pfn = l->p2m_pfn;
		si->nr_p2m_frames = l->p2m_pages + l->p2m_tables.nr;
	}
	if (l->ramdisk_bytes) {
		si->mod_start = layout_va(b->img, l->ramdisk_pfn);
		si->mod_len = l->ramdisk_bytes;
		if (b->img->mod_start_pfn) {
			si->mod_start = l->ramdisk_pfn;
			si->flags |= SIF_MOD_START_PFN;
		}
	}
	memcpy(si->cmd_line, cmdline, strlen(cmdline));
}

/* Everything that is not zero, by way of one mapping. */
static int content_write(struct build *b, struct error *e)
{
	struct guest_layout *l = &b->l;
	const struct image *img = b->img;
	size_t segment[IMAGE_SEGMENTS], ramdisk, p2m, info, tables, shared;
	uint8_t *at;
	int rc;

	for (unsigned int i = 0; i < img->nr_segments; i++) {
		const struct image_segment *s = &img->segment[i];
		uint64_t start = s->virt - img->virt_base, in_page = start & (PAGE_SIZE - 1);

		segment[i] = in_page + part_add(b, start >> PAGE_SHIFT,
						s->file_size ? PFN_UP(in_page + s->file_size) : 0);
	}
	ramdisk = part_add(b, l->ramdisk_pfn, PFN_UP(l->ramdisk_bytes));
	p2m = part_add(b, l->p2m_pfn, l->p2m_pages);
	info = part_add(b, l->info_pfn, INFO_PAGES);
	tables = part_add(b, l->tables.pfn, l->tables.nr);
	part_add(b, l->p2m_tables.pfn, l->p2m_tables.nr); /* right behind the others */
	shared = part_add(b, b->nr_pages, 1);
	at = hyper_map(b->h, b->domid, b->list, b->nr_listed, true, NULL, e);
	if (!at)
		return -1;
	for (unsigned int i = 0; i < img->nr_segments; i++)
		copy_in(at + segment[i], img->segment[i].data, img->segment[i].file_size);
	rc = l->ramdisk_bytes ? ramdisk_read(b, at + ramdisk, e) : 0;
	copy_in(at + p2m, b->frames, b->nr_pages * sizeof(*b->frames));
	/* The little that must be zero whatever the memory held. */
	memset(at + info, 0, INFO_PAGES * PAGE_SIZE);
	start_info_fill(b, (struct start_info *)(at + info));
	memset(at + tables, 0, (l->tables.nr + l->p2m_tables.nr) * PAGE_SIZE);
	layout_map(l, img, b->frames, (uint64_t *)(at + tables));
	for (int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		((shared_info_t *)(at + shared))->vcpu_info[i].evtchn_upcall_mask = 1;
	hyper_unmap(b->h, at, b->nr_listed);
	return rc;
}

/* --- The rest --- */

static int grants_enter(struct build *b, struct error *e)
{
	struct hyper_resource r;
	struct grant_entry_v1 *entry;

	if (hyper_map_grants(b->h, b->domid, 1, &r, e))
		return -1;
	entry = r.data;
	entry[GNTTAB_RESERVED_CONSOLE] =
		(struct grant_entry_v1){GTF_permit_access, 0, (uint32_t)b->out->console_mfn};
	entry[GNTTAB_RESERVED_XENSTORE] =
		(struct grant_entry_v1){GTF_permit_access, 0, (uint32_t)b->out->store_mfn};
	hyper_unmap_grants(b->h, &r);
	return 0;
}

static int vcpu_start(struct build *b, struct error *e)
{
	const struct guest_layout *l = &b->l;
	uint64_t l4 = b->frames[l->tables.pfn], stack = layout_va(b->img, l->stack_pfn + 1);
	vcpu_guest_context_t c = {
		.flags = VGCF_in_kernel | VGCF_online,
		.user_regs.rip = b->img->entry,
		.user_regs.rsp = stack,
		.user_regs.rsi = layout_va(b->img, l->info_pfn + INFO_START),
		.user_regs.rflags = 1 << 9, /* interrupts on */
		.user_regs.cs = FLAT_KERNEL_CS,
		.user_regs.ss = FLAT_KERNEL_SS,
		.kernel_ss = FLAT_KERNEL_SS,
		.kernel_sp = stack,
		.ctrlreg[3] = l4 << PAGE_SHIFT,
		/* SDM 3A table 10-1, after reset. */
		.debugreg[6] = 0xffff0ff0,
		.debugreg[7] = 0x400,
	};

	if (hyper_pin_table(b->h, b->domid, l4, e))
		return -1;
	return hyper_vcpu_context(b->h, b->domid, 0, &c, true, e);
}

static int build_run(struct build *b, struct error *e)
{
	uint64_t page = (b->img->hypercall_page - b->img->virt_base) >> PAGE_SHIFT;

	if (args_check(b, e) || domain_set_up(b, e) || memory_make(b, e))
		return -1;
	b->out->store_mfn = b->frames[b->l.info_pfn + INFO_STORE];
	b->out->console_mfn = b->frames[b->l.info_pfn + INFO_CONSOLE];
	if (content_write(b, e) || grants_enter(b, e))
		return -1;
	if (b->img->hypercall_page != IMAGE_NO_ADDRESS &&
	    hyper_domain_do(b->h, XEN_DOMCTL_hypercall_init, b->domid, b->frames[page], e))
		return -1;
	return vcpu_start(b, e);
}

int builder_build(struct hyper *h, uint32_t domid, const struct builder_args *args,
		  struct builder_result *out, struct error *e)
{
	struct image img;
	struct build b = {h, domid, args, out, &img, .ramdisk = -1};
	int rc;

	if (image_load(&img, args->kernel, IMAGE_CACHE, e))
		return -1;
	rc = build_run(&b, e);
	image_free(&img);
	free(b.frames);
	free(b.list);
	if (b.ramdisk >= 0)
		close(b.ramdisk);
	return rc;
}
