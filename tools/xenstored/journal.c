/* SPDX-License-Identifier: MIT */
/* See journal.h. The space is allocated before it is mapped: a full file system ends the journal, never the daemon. */
#include "xenstored/journal.h"

#include "lib/base/log.h"
#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC	   "xsjrnl\n2"
#define SIZE_FIRST (256u << 10)
#define SIZE_HOT   (128u << 10) /* of the end, kept in our own page tables */

struct header {
	char magic[8];
	uint64_t end, snapshot; /* where the records end, and those of the first moment */
	char boot[48];
	struct transfers transfers;
};

struct file {
	int fd;
	struct header *map;
	size_t size;
};

static struct {
	char *path;
	struct file file;  /* map NULL: no journal */
	size_t end, limit; /* appended so far; compact when beyond */
	size_t cold;	   /* what is below will not be looked at in this life */
	struct text none;  /* where records go without one */
	struct transfers transfers;
} j;

bool journal_replaying;

static void read_boot(char boot[48])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(boot, 0, 48);
	if (fd >= 0 && read(fd, boot, 47) < 0)
		boot[0] = '?';
	close(fd);
}

static int file_grow(struct file *f, size_t size)
{
	void *map;

	if (posix_fallocate(f->fd, 0, (off_t)size))
		return -1;
	if (f->map)
		map = mremap(f->map, f->size, size, MREMAP_MAYMOVE);
	else
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	if (map == MAP_FAILED)
		return -1;
	f->map = map;
	f->size = size;
	return 0;
}

static void file_close(struct file *f)
{
	if (f->map)
		munmap(f->map, f->size);
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct file){.fd = -1};
}

static int file_new(struct file *f, const char *path, size_t size)
{
	*f = (struct file){.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
	if (f->fd < 0 || file_grow(f, size)) {
		file_close(f);
		return -1;
	}
	memcpy(f->map->magic, MAGIC, sizeof(f->map->magic));
	f->map->end = sizeof(struct header);
	read_boot(f->map->boot);
	return 0;
}

/* A journal of this boot; else there is none. */
static int file_open(struct file *f, const char *path)
{
	char boot[48];
	struct stat st;

	*f = (struct file){.fd = open(path, O_RDWR | O_CLOEXEC)};
	read_boot(boot);
	if (f->fd < 0 || fstat(f->fd, &st) || st.st_size < SIZE_FIRST ||
	    file_grow(f, (size_t)st.st_size) || memcmp(f->map->magic, MAGIC, 8) ||
	    memcmp(f->map->boot, boot, sizeof(boot))) {
		file_close(f);
		return -1;
	}
	return 0;
}

static void give_up(void)
{
	log_error("the journal %s cannot be written (%s): a restart will not find this state",
		  j.path, strerror(errno));
	unlink(j.path);
	file_close(&j.file);
}

int journal_open(const char *path, struct error *e)
{
	j.file = (struct file){.fd = -1};
	j.end = 0;
	if (!path)
		return 0;
	j.path = xstrdup(path);
	if (!file_open(&j.file, path))
		return 0;
	if (file_new(&j.file, path, SIZE_FIRST))
		return error_errno(e, ERROR_NONE, errno, "the journal %s cannot be made", path);
	j.end = j.limit = sizeof(struct header);
	return 0;
}

void journal_close(void)
{
	file_close(&j.file);
	free(j.path);
	j.path = NULL;
	text_free(&j.none);
}

static size_t record_size(size_t len)
{
	return (sizeof(struct record) + len + 7) & ~(size_t)7;
}

static void set_limit(void)
{
	size_t first = j.file.map->snapshot;

	j.limit = first + (first > SIZE_FIRST ? first : SIZE_FIRST);
	j.cold = 0;
}

bool journal_replay(void (*each)(const struct record *r, void *arg), void *arg)
{
	size_t at = sizeof(struct header), end;
	bool any = false;

	if (!j.file.map)
		return false;
	journal_replaying = true;
	end = j.file.map->end < j.file.size ? j.file.map->end : j.file.size;
	while (at + sizeof(struct record) <= end) {
		const struct record *r = (const struct record *)((char *)j.file.map + at);

		if (r->len > end || at + record_size(r->len) > end)
			break;
		each(r, arg);
		any = true;
		at += record_size(r->len);
	}
	j.end = at;
	set_limit();
	journal_replaying = false;
	return any;
}

void *journal_append(enum record_kind kind, uint32_t client, size_t len)
{
	bool kept = j.file.map && !journal_replaying;
	size_t size = record_size(len);
	struct record *r;

	if (kept && j.end + size > j.file.size &&
	    file_grow(&j.file, (j.file.size + size) * 3 / 2 / 4096 * 4096)) {
		give_up();
		kept = false;
	}
	if (kept) {
		r = (struct record *)((char *)j.file.map + j.end);
		j.end += size;
	} else {
		j.none.len = 0;
		r = (struct record *)text_room(&j.none, size);
	}
	*r = (struct record){.len = (uint32_t)len, .kind = kind, .client = client};
	return r->data;
}

/* What was written some time ago need not count as this process's memory. */
static void cool_down(void)
{
	size_t from = j.cold, to = j.end & ~(size_t)4095;

	if (!from)
		from = (sizeof(struct header) + 4095) & ~(size_t)4095;
	if (to > from)
		madvise((char *)j.file.map + from, to - from, MADV_DONTNEED);
	j.cold = to;
}

void journal_commit(void)
{
	if (!j.file.map)
		return;
	__atomic_store_n(&j.file.map->end, j.end, __ATOMIC_RELEASE);
	if (j.end > j.cold + SIZE_HOT)
		cool_down();
}

bool journal_grown(unsigned int times)
{
	return j.file.map && j.end / times > j.limit;
}

void journal_compact(void (*dump)(void))
{
	struct file old = j.file;
	char *fresh;

	if (!j.file.map)
		return;
	fresh = xasprintf("%s.new", j.path);
	if (file_new(&j.file, fresh, j.end / 4096 * 4096 + SIZE_FIRST)) {
		j.file = old;
		give_up();
	} else {
		j.end = sizeof(struct header);
		dump();
		journal_commit();
		if (j.file.map)
			j.file.map->snapshot = j.end;
		file_close(&old);
		if (j.file.map)
			set_limit();
		if (j.file.map && rename(fresh, j.path))
			give_up();
	}
	free(fresh);
}

size_t journal_size(void)
{
	return j.end;
}

/* --- Transfers ------------------------------------------------------------------------------------ */

struct transfers *journal_transfers(void)
{
	return j.file.map ? &j.file.map->transfers : &j.transfers;
}

void transfer_begin(struct transfer *t, uint32_t client, const void *bytes, size_t len)
{
	t->client = 0; /* while it is only half described */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->bytes = (struct iovec){(void *)(uintptr_t)bytes, len};
	t->message.msg_hdr = (struct msghdr){.msg_iov = &t->bytes, .msg_iovlen = 1};
	t->message.msg_len = TRANSFER_NONE;
	t->at = j.end;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->client = client;
}

uint32_t transfer_cut_off(const struct transfer *t)
{
	return t->client && t->at == j.end && t->message.msg_len != TRANSFER_NONE
		       ? t->message.msg_len
		       : 0;
}
