/* SPDX-License-Identifier: MIT */
/*
 * xm dump-core: a paravirtual domain's memory and registers as an ELF file of Xen's dump-core format 0.1: sections, no segments. All
 * of it is a thread's work with a handle of its own. What the guest says about its frames is its own affair: frames that are not its own
 * cannot be mapped and become zeroes; only the size it claims is checked.
 */
#include "lib/base/file.h"
#include "xend/node_private.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#define DUMP_FOLDER "/var/lib/xen/dump"

enum {
	PAGE = 4096,
	ENTRIES = PAGE / 8, /* frame numbers in a page */
	BATCH = 256,	    /* pages mapped at once */
	PFNS_MOST = 1 << 26,
	NOTE_NONE = 0x2000000,
	NOTE_HEADER,
	NOTE_XEN_VERSION,
	NOTE_FORMAT_VERSION,
	CORE_MAGIC = (int)0xF00FEBED,
};

enum section { SECTION_NULL, STRINGS, NOTES, PRSTATUS, SHARED_INFO, P2M, PAGES, SECTIONS };

static const struct {
	const char *name;
	uint32_t type;
	uint64_t entry, align;
} sections[SECTIONS] = {
	[SECTION_NULL] = {"", SHT_NULL, 0, 0},
	[STRINGS] = {".shstrtab", SHT_STRTAB, 0, 1},
	[NOTES] = {".note.Xen", SHT_NOTE, 0, 4},
	[PRSTATUS] = {".xen_prstatus", SHT_PROGBITS, sizeof(vcpu_guest_context_t), 8},
	[SHARED_INFO] = {".xen_shared_info", SHT_PROGBITS, PAGE, 8},
	[P2M] = {".xen_p2m", SHT_PROGBITS, 16, 8},
	[PAGES] = {".xen_pages", SHT_PROGBITS, PAGE, PAGE},
};

struct p2m_entry {
	uint64_t pfn, gmfn;
};

struct dump {
	char *file;
	bool live;
	atomic_bool stop;
	const struct hyper_version *version;

	/* The thread's. */
	struct hyper *h;
	uint32_t domid;
	FILE *out;
	struct text parts[SECTIONS]; /* all but the pages themselves */
};

static size_t pages_of(const struct dump *p)
{
	return p->parts[P2M].len / sizeof(struct p2m_entry);
}

/* --- What is dumped -------------------------------------------------------------------------------------------- */

static int take_vcpus(struct dump *p, const xen_domctl_getdomaininfo_t *info, struct error *e)
{
	autofree vcpu_guest_context_t *context = xcalloc(1, sizeof(*context));

	for (unsigned int i = 0; i <= info->max_vcpu_id; i++) {
		if (hyper_vcpu_context(p->h, p->domid, i, context, false, e))
			return i ? 0 : -1; /* one that was never started has nothing to show */
		text_add(&p->parts[PRSTATUS], context, sizeof(*context));
	}
	return 0;
}

/* Copies one frame of the domain. */
static int copy_frame(struct dump *p, xen_pfn_t frame, void *to, struct error *e)
{
	void *from = hyper_map(p->h, p->domid, &frame, 1, false, NULL, e);

	if (!from)
		return -1;
	memcpy(to, from, PAGE);
	hyper_unmap(p->h, from, 1);
	return 0;
}

/* The frame behind the p2m's page number @page: a list of lists of frames, or newer, a linear array in page tables of its own. */
static int find_leaf(struct dump *p, const struct arch_shared_info *arch, size_t page,
		     xen_pfn_t *frame, struct error *e)
{
	bool linear = arch->p2m_cr3;
	uint64_t table[ENTRIES], address = (linear ? arch->p2m_vaddr : 0) + page * PAGE;

	*frame = linear ? arch->p2m_cr3 >> 12 : arch->pfn_to_mfn_frame_list_list;
	for (int level = linear ? 3 : 1; level >= 0; level--) {
		uint64_t entry;

		if (copy_frame(p, *frame, table, e))
			return -1;
		entry = table[address >> (12 + 9 * level) & (ENTRIES - 1)];
		if (linear && !(entry & 1))
			return 1; /* a hole */
		*frame = linear ? entry << 12 >> 24 : entry;
	}
	return 0;
}

/* xen/arch-x86/xen.h, struct arch_shared_info. */
static int take_p2m(struct dump *p, const struct arch_shared_info *arch, struct error *e)
{
	uint64_t leaf[ENTRIES];
	xen_pfn_t frame;
	int hole;

	if (!arch->max_pfn || arch->max_pfn > PFNS_MOST ||
	    (!arch->p2m_cr3 && !(arch->pfn_to_mfn_frame_list_list + 1 > 1)))
		return error_set(e, ERROR_UNSUPPORTED,
				 "domain %u: its kernel does not tell where its memory is",
				 p->domid);
	for (size_t pfn = 0; pfn < arch->max_pfn; pfn += ENTRIES) {
		hole = find_leaf(p, arch, pfn / ENTRIES, &frame, e);
		if (hole < 0 || (!hole && copy_frame(p, frame, leaf, e)))
			return -1;
		for (size_t i = 0; !hole && i < ENTRIES && pfn + i < arch->max_pfn; i++) {
			const struct p2m_entry entry = {pfn + i, leaf[i]};

			if (!(leaf[i] >> 62)) /* neither invalid nor another domain's */
				text_add(&p->parts[P2M], &entry, sizeof(entry));
		}
	}
	return 0;
}

static void add_note(struct dump *p, uint32_t type, const void *what, size_t size)
{
	const Elf64_Nhdr note = {4, (uint32_t)size, type};
	static const char zero[4];

	text_add(&p->parts[NOTES], &note, sizeof(note));
	text_add(&p->parts[NOTES], "Xen", 4);
	text_add(&p->parts[NOTES], what, size);
	text_add(&p->parts[NOTES], zero, -size % 4);
}

static void take_notes(struct dump *p)
{
	const struct hyper_version *v = p->version;
	const uint64_t header[] = {(uint32_t)CORE_MAGIC,
				   p->parts[PRSTATUS].len / sizeof(vcpu_guest_context_t),
				   pages_of(p), PAGE};
	const uint64_t format = 1; /* 0.1 */
	struct {
		uint64_t major, minor;
		xen_extraversion_t extra;
		xen_compile_info_t compile;
		xen_capabilities_info_t capabilities;
		xen_changeset_info_t changeset;
		xen_platform_parameters_t platform;
		uint64_t pagesize;
	} version = {.major = v->major, .minor = v->minor, .pagesize = v->page_size};

	memcpy(version.extra, v->extra, sizeof(version.extra));
	version.compile = v->compile;
	memcpy(version.capabilities, v->capabilities, sizeof(version.capabilities));
	memcpy(version.changeset, v->changeset, sizeof(version.changeset));
	version.platform.virt_start = v->virt_start;
	add_note(p, NOTE_NONE, "", 0);
	add_note(p, NOTE_HEADER, header, sizeof(header));
	add_note(p, NOTE_XEN_VERSION, &version, sizeof(version));
	add_note(p, NOTE_FORMAT_VERSION, &format, sizeof(format));
}

static int take_all(struct dump *p, struct error *e)
{
	xen_domctl_getdomaininfo_t info;
	shared_info_t shared;
	char page[PAGE];

	if (hyper_domain_info(p->h, p->domid, &info, e) || take_vcpus(p, &info, e) ||
	    copy_frame(p, info.shared_info_frame, page, e))
		return -1;
	text_add(&p->parts[SHARED_INFO], page, sizeof(page));
	memcpy(&shared, page, sizeof(shared));
	if (take_p2m(p, &shared.arch, e))
		return -1;
	take_notes(p);
	return 0;
}

/* --- The file ---------------------------------------------------------------------------------------------------- */

static int put(struct dump *p, const void *data, size_t len, struct error *e)
{
	if (fwrite(data, 1, len, p->out) == len)
		return 0;
	return error_errno(e, ERROR_NONE, errno, "%s cannot be written", p->file);
}

static int put_head(struct dump *p, struct error *e)
{
	Elf64_Ehdr head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT, ELFOSABI_SYSV},
			   .e_type = ET_CORE,
			   .e_machine = EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_shoff = sizeof(head),
			   .e_ehsize = sizeof(head),
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = SECTIONS,
			   .e_shstrndx = STRINGS};
	Elf64_Shdr table[SECTIONS] = {0};
	uint64_t at = sizeof(head) + sizeof(table);
	int rc;

	for (int i = 0; i < SECTIONS; i++) {
		table[i].sh_name = (uint32_t)p->parts[STRINGS].len;
		text_add(&p->parts[STRINGS], sections[i].name, strlen(sections[i].name) + 1);
	}
	for (int i = STRINGS; i < SECTIONS; i++) {
		at = (at + sections[i].align - 1) & -sections[i].align;
		table[i].sh_type = sections[i].type;
		table[i].sh_offset = at;
		table[i].sh_size = i == PAGES ? pages_of(p) * PAGE : p->parts[i].len;
		table[i].sh_entsize = sections[i].entry;
		table[i].sh_addralign = sections[i].align;
		at += table[i].sh_size;
	}
	rc = put(p, &head, sizeof(head), e) || put(p, table, sizeof(table), e) ? -1 : 0;
	for (int i = STRINGS; !rc && i < SECTIONS; i++) {
		fseek(p->out, (long)table[i].sh_offset, SEEK_SET);
		rc = put(p, p->parts[i].data, p->parts[i].len, e);
	}
	return rc;
}

static int put_pages(struct dump *p, struct error *e)
{
	const struct p2m_entry *p2m = (const struct p2m_entry *)p->parts[P2M].data;
	static const char zero[PAGE];
	size_t nr;
	int rc = 0;

	for (size_t left = pages_of(p); !rc && left; left -= nr, p2m += nr) {
		xen_pfn_t frames[BATCH] = {0};
		int failed[BATCH] = {0};
		char *map;

		if (p->stop)
			return error_set(e, ERROR_FAILED, "the dump to %s was cancelled", p->file);
		nr = left < BATCH ? left : BATCH;
		for (size_t i = 0; i < nr; i++)
			frames[i] = p2m[i].gmfn;
		map = hyper_map(p->h, p->domid, frames, nr, false, failed, e);
		if (!map)
			return -1;
		for (size_t i = 0; !rc && i < nr; i++)
			rc = put(p, failed[i] ? zero : map + i * PAGE, PAGE, e);
		hyper_unmap(p->h, map, nr);
	}
	return rc;
}

static int dump(struct hyper *h, struct operation *op, struct error *e)
{
	struct dump *p = op->data;
	int fd = open(p->file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600), rc;

	if (fd < 0)
		return error_errno(e, ERROR_NONE, errno, "%s cannot be written", p->file);
	p->out = fdopen(fd, "w");
	p->h = h;
	p->domid = op->domid;
	rc = take_all(p, e) || put_head(p, e) || put_pages(p, e) ? -1 : 0;
	if (fclose(p->out) && !rc)
		rc = error_errno(e, ERROR_NONE, errno, "%s cannot be written", p->file);
	if (rc)
		unlink(p->file);
	return rc;
}

/* --- The operation ------------------------------------------------------------------------------------------------ */

/* Written down first: a xend killed meanwhile must not leave the domain paused. */
static int dump_pause(struct operation *op)
{
	struct dump *p = op->data;
	struct domain *d = op->d;

	if (domain_refresh(op->node, d, false, &op->error))
		return -1;
	if (p->live || (d->info.flags & (XEN_DOMINF_paused | XEN_DOMINF_shutdown)))
		return 0;
	strcpy(d->doing, op->kind);
	if (record_save(d, &op->error))
		return -1;
	return hyper_domain_do(op->node->hyper, XEN_DOMCTL_pausedomain, op->domid, 0, &op->error);
}

static int dump_write(struct operation *op)
{
	return operation_work(op, true, dump);
}

static void dump_abandon(struct operation *op)
{
	((struct dump *)op->data)->stop = true;
}

static void dump_finish(struct operation *op)
{
	struct dump *p = op->data;

	if (*op->d->doing)
		hyper_domain_do(op->node->hyper, XEN_DOMCTL_unpausedomain, op->domid, 0, NULL);
	op->d->doing[0] = '\0';
	record_save(op->d, NULL);
	for (int i = 0; i < SECTIONS; i++)
		text_free(&p->parts[i]);
	op->result = p->file;
}

static const struct step dump_steps[] = {
	{"pausing it", 0, dump_pause},
	{"writing its memory", 5, dump_write, dump_abandon},
	{0},
};

static char *default_file(const struct domain *d)
{
	time_t now = time(NULL);
	struct tm local;
	char stamp[32];

	folder_make(DUMP_FOLDER, 0700, NULL);
	strftime(stamp, sizeof(stamp), "%Y-%m%d-%H%M.%S", localtime_r(&now, &local));
	/* A name may have slashes in it; the uuid has none. */
	return xasprintf(DUMP_FOLDER "/%s-%s.%u.core", stamp,
			 strchr(d->name, '/') ? d->uuid : d->name, d->id);
}

struct operation *domain_dump(struct node *n, struct domain *d, const char *file, bool live,
			      struct error *e)
{
	struct operation *op = NULL;
	struct dump *p;

	if (!d->id)
		error_set(e, ERROR_CONFLICT, "domain 0 cannot be dumped from within");
	else
		op = operation_new(n, "dump-core", d, dump_steps, e);
	if (!op)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->file = file ? xstrdup(file) : default_file(d);
	p->live = live;
	p->version = n->version;
	op->data = p;
	op->finish = dump_finish;
	operation_run(op);
	return op;
}
