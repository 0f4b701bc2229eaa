/* SPDX-License-Identifier: MIT */
/*
 * From a file to a validated image: reading, looking into a bzImage (Linux' Documentation/arch/x86/boot.rst), unpacking, the cache.
 * Sources are read, not mapped: who can shorten one while we look would end the process with SIGBUS.
 */
#include "lib/builder/image_parts.h"

#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int map_take(struct image *img, size_t size, struct error *e)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return error_errno(e, ERROR_RETRY, errno, "no memory to load it");
	img->map = p;
	img->map_size = size;
	return 0;
}

static int source_open(const char *path, struct stat *st, struct error *e)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return error_errno(e, ERROR_NONE, errno, "it cannot be opened");
	if (!fstat(fd, st) && S_ISREG(st->st_mode) && st->st_size <= IMAGE_LIMIT)
		return fd;
	close(fd);
	return error_set(e, ERROR_CONFIG, "it is no regular file of at most %d MiB",
			 IMAGE_LIMIT >> 20);
}

/* The whole file. */
static int source_read(struct image *img, int fd, size_t size, struct error *e)
{
	int rc;

	if (!size)
		return error_set(e, ERROR_CONFIG, "it is empty");
	if (map_take(img, size, e))
		return -1;
	rc = file_fill(fd, img->map, size);
	if (rc < 0)
		return error_errno(e, ERROR_NONE, errno, "it cannot be read");
	if (rc)
		return error_set(e, ERROR_CONFIG, "it became shorter while being read");
	img->elf = img->map;
	img->elf_size = size;
	return 0;
}

static bool source_same(int fd, const struct stat *st)
{
	struct stat now;

	return !fstat(fd, &now) && now.st_size == st->st_size &&
	       now.st_mtim.tv_sec == st->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == st->st_mtim.tv_nsec;
}

/* A bzImage's setup sectors, as far as they matter. */
struct bzimage {
	uint8_t skipped1[0x1f1], setup_sectors, skipped2[12];
	uint16_t boot_flag, jump;
	char magic[4];
	uint16_t version;
	uint8_t skipped3[64];
	uint32_t payload_offset, payload_length;
} __attribute__((packed));
_Static_assert(sizeof(struct bzimage) == 0x250, "boot protocol 2.08");

/* Narrows the image to a bzImage's payload. */
static int bzimage_enter(struct image *img, struct error *e)
{
	const struct bzimage *bz = (const void *)img->elf;
	uint64_t start;

	if (img->elf_size < sizeof(*bz) || bz->boot_flag != 0xaa55 || memcmp(bz->magic, "HdrS", 4))
		return 0;
	if (bz->version < 0x208)
		return error_set(e, ERROR_UNSUPPORTED,
				 "its boot protocol %u.%02u is older than 2.08", bz->version >> 8,
				 bz->version & 0xff);
	start = ((bz->setup_sectors ? bz->setup_sectors : 4) + 1) * 512 +
		(uint64_t)bz->payload_offset;
	if (!bz->payload_length || start + bz->payload_length > img->elf_size)
		return error_set(e, ERROR_CONFIG, "it is cut short: %zu bytes of at least %llu",
				 img->elf_size, (unsigned long long)start + bz->payload_length);
	img->elf += start;
	img->elf_size = bz->payload_length;
	return 0;
}

/* Replaces what holds the image by what it unpacks to, with room for the cache's header before it. */
static int image_unpack(struct image *img, struct error *e)
{
	struct image packed = *img;
	size_t used;
	ssize_t n;

	if (map_take(img, CACHE_HEADER + (size_t)IMAGE_LIMIT, e))
		return -1;
	img->elf = (uint8_t *)img->map + CACHE_HEADER;
	n = unpack(packed.elf, packed.elf_size, (uint8_t *)img->map + CACHE_HEADER, IMAGE_LIMIT, e);
	image_free(&packed);
	if (n < 0)
		return -1;
	img->elf_size = (size_t)n;
	used = (CACHE_HEADER + img->elf_size + 4095) & ~(size_t)4095;
	if (used < img->map_size)
		munmap((char *)img->map + used, img->map_size - used);
	img->map_size = used;
	return 0;
}

static int load_source(struct image *img, int fd, const struct stat *st, const char *cache,
		       struct error *e)
{
	bool packed;

	if (source_read(img, fd, (size_t)st->st_size, e) || bzimage_enter(img, e))
		return -1;
	packed = unpack_knows(img->elf, img->elf_size);
	if ((packed && image_unpack(img, e)) || elf_parse(img, e))
		return -1;
	if (cache && packed && source_same(fd, st))
		cache_put(cache, st, img->map, CACHE_HEADER + img->elf_size);
	return 0;
}

static bool load_cached(struct image *img, const struct stat *st, const char *cache)
{
	if (!cache_get(cache, st, &img->map, &img->map_size))
		return false;
	img->elf = (uint8_t *)img->map + CACHE_HEADER;
	img->elf_size = img->map_size - CACHE_HEADER;
	img->from_cache = true;
	if (!elf_parse(img, NULL))
		return true;
	image_free(img);
	return false;
}

int image_load(struct image *img, const char *path, const char *cache, struct error *e)
{
	struct stat st;
	int fd = source_open(path, &st, e), rc;

	if (fd < 0)
		return error_prefix(e, "kernel %s", path);
	*img = (struct image){0};
	rc = cache && load_cached(img, &st, cache) ? 0 : load_source(img, fd, &st, cache, e);
	close(fd);
	if (!rc)
		return 0;
	image_free(img);
	return error_prefix(e, "kernel %s", path);
}

void image_free(struct image *img)
{
	if (img->map)
		munmap(img->map, img->map_size);
	*img = (struct image){0};
}
