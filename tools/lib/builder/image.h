/* SPDX-License-Identifier: MIT */
/*
 * A kernel file, validated: where its parts go, and what it says about itself in its Xen notes.
 *
 * Accepts an ELF-64 image and a bzImage that holds one, either of them packed with gzip, xz, lzma, bzip2, lz4 (legacy frame) or zstd.
 * Invariant after image_load(): every pointer and range in the struct lies inside the ELF image, segments ascend and do not overlap,
 * entry and hypercall page lie in one of them. Unpacking a kernel takes seconds of CPU the first time; afterwards it comes from the
 * cache. Needs no hypervisor and keeps no state, so it may run in a thread or a child.
 */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_CACHE "/var/cache/xen/kernels"

enum {
	IMAGE_LIMIT = 256 << 20,       /* bytes of a kernel, packed or unpacked */
	IMAGE_CACHE_LIMIT = 256 << 20, /* bytes in the cache; those not used for longest go first */
	IMAGE_SEGMENTS = 16,
};

#define IMAGE_NO_ADDRESS UINT64_MAX

struct image_segment {
	uint64_t virt;	     /* where the guest sees it */
	const uint8_t *data; /* file_size bytes; what lies beyond is zero */
	uint64_t file_size, mem_size;
};

struct image {
	const uint8_t *elf;
	size_t elf_size;
	bool from_cache;

	unsigned int nr_segments;
	struct image_segment segment[IMAGE_SEGMENTS];
	uint64_t virt_end; /* behind its last byte */

	uint32_t notes;	    /* bit XEN_ELFNOTE_...: that note is there */
	uint64_t entry;	    /* note ENTRY, or ELF's own */
	uint64_t virt_base; /* page aligned */
	uint64_t paddr_offset;
	uint64_t hypercall_page, init_p2m; /* IMAGE_NO_ADDRESS: none */
	uint64_t mod_start_pfn;		   /* not 0: the RAM disk need not be mapped */
	char loader[32], xen_version[32];
	char features[512];

	void *map; /* private: what holds elf */
	size_t map_size;
};

/*
 * @cache: folder of unpacked kernels, made if needed; NULL: none. An entry belongs to one device, inode, size and modification time of
 * a file and is verified before use; whatever goes wrong there only costs time. image_free() is due after success only.
 */
int image_load(struct image *img, const char *path, const char *cache, struct error *e);
void image_free(struct image *img);

/* "a|!b|c": names of features (NULL: none); one with '!' that no guest is given is an error. */
int image_check_features(const char *features, struct error *e);
