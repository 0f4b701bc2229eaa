/* SPDX-License-Identifier: MIT */
/* See record.h. Nothing but these few stores lies between the log's last system call and a complete page: a kill does not fall there. */
#include "xenconsoled/record.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <unistd.h>

/* The file has all of its memory from the start: a full /run is no SIGBUS later. */
static int file_open(const char *path, bool keep)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | (keep ? 0 : O_TRUNC), 0600);

	if (fd >= 0 && posix_fallocate(fd, 0, sizeof(struct record_page))) {
		close(fd);
		return -1;
	}
	return fd;
}

void record_open(struct record *r, const char *path, bool keep)
{
	int fd = file_open(path, keep);
	int how = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;

	r->page = mmap(NULL, sizeof(*r->page), PROT_READ | PROT_WRITE, how, fd, 0);
	if (r->page == MAP_FAILED)
		abort(); /* as for any other memory */
	if (fd >= 0)
		close(fd);
}

void record_close(struct record *r)
{
	munmap(r->page, sizeof(*r->page));
	logfile_close(&r->log);
}

void record_say(struct record *r, const char *bytes, size_t n)
{
	struct record_page *p = r->page;

	while (n) {
		size_t at = p->end % RECORD_SIZE, run = MIN(n, RECORD_SIZE - at);

		memcpy(p->data + at, bytes, run);
		p->end += run;
		bytes += run;
		n -= run;
	}
}

void record_add(struct record *r, const char *bytes, size_t n, uint32_t taken)
{
	logfile_make_room(&r->log, n);
	r->page->place = r->log.place;
	logfile_write(&r->log, bytes, n);
	record_say(r, bytes, n);
	r->page->place = r->log.place;
	r->page->taken = taken;
}

size_t record_run(const struct record *r, uint64_t at, const char **bytes)
{
	size_t offset = at % RECORD_SIZE;

	*bytes = r->page->data + offset;
	return MIN((size_t)(r->page->end - at), RECORD_SIZE - offset);
}
