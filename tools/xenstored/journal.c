/* SPDX-License-Identifier: MIT */
/* See journal.h. The space is allocated before it is touched: a full file system ends the journal, never the daemon. */
#include "xenstored/journal.h"

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC	   "xsjrnl\n3"
#define SIZE_FIRST (256u << 10)
#define SIZE_HOT   (128u << 10)	 /* of the end, kept in our own page tables */
#define SPAN	   (64ull << 30) /* addresses for the file to grow into */
#define SPAN_NONE  (64ull << 20) /* memory in its place: all between two commits */
#define PAGE_MASK  ((size_t)4095)

struct header {
	char magic[8];
	uint64_t end, snapshot; /* where the records end, and those of the first moment */
	char boot[48];
	struct transfers transfers;
};

static char *path;
static struct journal {
	int fd; /* -1: there is no file, nothing is kept */
	struct header *map;
	size_t size, end; /* of the file; appended so far */
	size_t cold;	  /* what is below will not be looked at in this life */
} j;

bool journal_replaying;

static bool grow(struct journal *f, size_t size)
{
	if (posix_fallocate(f->fd, 0, (off_t)size))
		return false;
	f->size = size;
	return true;
}

static void file_close(struct journal *f)
{
	if (f->map)
		munmap(f->map, f->fd < 0 ? SPAN_NONE : SPAN);
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct journal){.fd = -1};
}

/* A file with a header of this boot, which is kept if it has one; without a name it is memory. */
static bool file_open(struct journal *f, const char *name, int flags)
{
	struct header fresh = {.magic = MAGIC, .end = sizeof(fresh)};
	char *boot = file_read("/proc/sys/kernel/random/boot_id", 64, NULL, NULL);
	int how = name ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	struct stat st;

	snprintf(fresh.boot, sizeof(fresh.boot), "%s", boot ? boot : "?");
	free(boot);
	*f = (struct journal){.fd = -1, .size = SPAN_NONE};
	if (name) {
		f->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
		if (f->fd < 0 || fstat(f->fd, &st) ||
		    !grow(f, (size_t)st.st_size > SIZE_FIRST ? (size_t)st.st_size : SIZE_FIRST))
			return false;
	}
	f->map = mmap(NULL, name ? SPAN : SPAN_NONE, PROT_READ | PROT_WRITE, how | MAP_NORESERVE,
		      f->fd, 0);
	if (f->map == MAP_FAILED) {
		f->map = NULL;
		return false;
	}
	if (memcmp(f->map, &fresh, 8) || memcmp(f->map->boot, fresh.boot, sizeof(fresh.boot)))
		*f->map = fresh;
	f->end = f->map->end < f->size ? f->map->end : f->size;
	return true;
}

static void no_file(void)
{
	file_close(&j);
	if (!file_open(&j, NULL, 0))
		abort(); /* as for any other memory */
}

static void give_up(void)
{
	log_error("the journal %s cannot be written (%s): a restart will not find this state", path,
		  strerror(errno));
	unlink(path);
	no_file();
}

int journal_open(const char *name, struct error *e)
{
	path = name ? xstrdup(name) : NULL;
	if (file_open(&j, path, 0))
		return 0;
	return error_errno(e, ERROR_NONE, errno, "the journal %s cannot be made", path);
}

void journal_close(void)
{
	file_close(&j);
	free(path);
	path = NULL;
}

static size_t record_size(size_t len)
{
	return (sizeof(struct record) + len + 7) & ~(size_t)7;
}

bool journal_replay(void (*each)(const struct record *r, void *arg), void *arg)
{
	size_t at = sizeof(struct header), end = j.end;

	journal_replaying = true;
	while (at + sizeof(struct record) <= end) {
		const struct record *r = (const struct record *)((char *)j.map + at);

		if (r->len > end || at + record_size(r->len) > end)
			break;
		each(r, arg);
		at += record_size(r->len);
	}
	j.end = at;
	journal_replaying = false;
	return at > sizeof(struct header);
}

void *journal_append(enum record_kind kind, uint32_t client, size_t len)
{
	size_t size = record_size(len);
	struct record *r;

	if (j.end + size > j.size && j.fd >= 0 && !grow(&j, (j.size + size) * 3 / 2 & ~PAGE_MASK))
		give_up();
	if (j.end + size > j.size)
		j.end = sizeof(struct header);
	r = (struct record *)((char *)j.map + j.end);
	*r = (struct record){.len = (uint32_t)len, .kind = kind, .client = client};
	j.end += size;
	return r->data;
}

/* What was written some time ago need not count as this process's memory. */
static void cool_down(void)
{
	size_t from = j.cold ?: (sizeof(struct header) + PAGE_MASK) & ~PAGE_MASK;
	size_t to = j.end & ~PAGE_MASK;

	if (to > from)
		madvise((char *)j.map + from, to - from, MADV_DONTNEED);
	j.cold = to;
}

void journal_commit(void)
{
	if (j.fd < 0) {
		j.end = sizeof(struct header);
		return;
	}
	__atomic_store_n(&j.map->end, j.end, __ATOMIC_RELEASE);
	if (j.end > j.cold + SIZE_HOT)
		cool_down();
}

bool journal_grown(unsigned int times)
{
	size_t first = j.map->snapshot;

	return j.fd >= 0 && j.end / times > first + (first > SIZE_FIRST ? first : SIZE_FIRST);
}

void journal_compact(void (*dump)(void))
{
	struct journal old = j;
	char *fresh;

	if (j.fd < 0)
		return;
	fresh = xasprintf("%s.new", path);
	if (!file_open(&j, fresh, O_TRUNC)) {
		file_close(&j);
		j = old;
		give_up();
	} else {
		dump();
		journal_commit();
		j.map->snapshot = j.end;
		file_close(&old);
		if (j.fd >= 0 && rename(fresh, path))
			give_up();
	}
	free(fresh);
}

size_t journal_size(void)
{
	return j.end;
}

struct transfers *journal_transfers(void)
{
	return &j.map->transfers;
}
