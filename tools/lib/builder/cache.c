/* SPDX-License-Identifier: MIT */
/* See image_parts.h. When an entry was last used is its file's modification time. */
#include "lib/builder/image_parts.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <lzma.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct header {
	char magic[16];
	uint64_t dev, ino, size;
	int64_t mtime[2], ctime[2];
	uint64_t image_size, crc;
};

static struct header header_for(const struct stat *st, const void *map, size_t size)
{
	/* CRC-64 is by carry-less multiplication in liblzma: the checksum of 60 MiB is not felt. */
	return (struct header){
		.magic = "poncho-kernel-1",
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime = {st->st_mtim.tv_sec, st->st_mtim.tv_nsec},
		.ctime = {st->st_ctim.tv_sec, st->st_ctim.tv_nsec},
		.image_size = size - CACHE_HEADER,
		.crc = lzma_crc64((const uint8_t *)map + CACHE_HEADER, size - CACHE_HEADER, 0),
	};
}

static char *entry_path(const char *folder, const struct stat *st)
{
	return xasprintf("%s/%lx-%lx-%lx-%lx.%lx", folder, (long)st->st_dev, (long)st->st_ino,
			 (long)st->st_size, (long)st->st_mtim.tv_sec, (long)st->st_mtim.tv_nsec);
}

static bool entry_map(int fd, const struct stat *source, void **map, size_t *size)
{
	struct header want, have;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_mode & (S_IWGRP | S_IWOTH) || st.st_size <= CACHE_HEADER ||
	    st.st_size > CACHE_HEADER + IMAGE_LIMIT)
		return false;
	*size = (size_t)st.st_size;
	*map = mmap(NULL, *size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (*map == MAP_FAILED)
		return false;
	memcpy(&have, *map, sizeof(have));
	if (have.image_size == *size - CACHE_HEADER) {
		want = header_for(source, *map, *size);
		if (!memcmp(&want, &have, sizeof(want)))
			return true;
	}
	munmap(*map, *size);
	return false;
}

bool cache_get(const char *folder, const struct stat *st, void **map, size_t *size)
{
	autofree char *path = entry_path(folder, st);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool found = fd >= 0 && entry_map(fd, st, map, size);

	if (found)
		(void)futimens(fd, NULL);
	if (fd >= 0)
		close(fd);
	return found;
}

/* The bytes in the folder; *oldest is the name of the entry used before all others, or "". */
static uint64_t folder_size(DIR *dir, char oldest[NAME_MAX + 1])
{
	struct timespec first = {0};
	struct dirent *de;
	uint64_t total = 0;
	struct stat st;

	*oldest = '\0';
	rewinddir(dir);
	while ((de = readdir(dir))) {
		if (fstatat(dirfd(dir), de->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st.st_mode))
			continue;
		total += (uint64_t)st.st_size;
		if (!*oldest || st.st_mtim.tv_sec < first.tv_sec ||
		    (st.st_mtim.tv_sec == first.tv_sec && st.st_mtim.tv_nsec < first.tv_nsec)) {
			first = st.st_mtim;
			strcpy(oldest, de->d_name);
		}
	}
	return total;
}

static bool room_make(const char *folder, size_t size)
{
	char oldest[NAME_MAX + 1];
	DIR *dir = opendir(folder);
	bool fits = false;

	if (!dir)
		return false;
	do
		fits = folder_size(dir, oldest) + size <= IMAGE_CACHE_LIMIT;
	while (!fits && *oldest && !unlinkat(dirfd(dir), oldest, 0));
	closedir(dir);
	return fits;
}

void cache_put(const char *folder, const struct stat *st, void *map, size_t size)
{
	struct header header = header_for(st, map, size);
	autofree char *path = entry_path(folder, st);

	memset(map, 0, CACHE_HEADER);
	memcpy(map, &header, sizeof(header));
	if (!folder_make(folder, 0700, NULL) && room_make(folder, size))
		(void)file_replace(path, map, size, false, NULL);
}
