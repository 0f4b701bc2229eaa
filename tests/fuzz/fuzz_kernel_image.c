/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a kernel. One that is accepted must keep the promises of boot/kernel_image.h:
 * ascending segments with readable bytes, an entry inside, terminated texts.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/kernel_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *buffer;

static void *limited_alloc(size_t bytes)
{
	return bytes > 1 << 20 ? NULL : (buffer = malloc(bytes));
}

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static void check_segments(const struct kernel_image *img)
{
	uint64_t last_end = 0;
	uint8_t sum = 0;

	for (unsigned int i = 0; i < img->nr_segments; i++) {
		const struct kernel_segment *s = &img->segment[i];

		expect(s->virt >= last_end && s->file_size <= s->mem_size);
		for (uint64_t at = 0; at < s->file_size; at++)
			sum += s->data[at];
		last_end = s->virt + s->mem_size;
	}
	*(volatile uint8_t *)&sum = sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel_image img;
	uint8_t *module = malloc(size);

	memcpy(module, data, size);
	buffer = NULL;
	if (!kernel_image_open(&img, module, size, limited_alloc)) {
		expect(*img.why && strlen(img.why) < sizeof(img.why));
	} else {
		expect(!*img.why && img.nr_segments && img.nr_segments <= KERNEL_SEGMENTS_MAX);
		expect(img.entry >= img.virt_start && img.entry < img.virt_end);
		expect(memchr(img.guest_os, 0, KERNEL_TEXT_MAX) &&
		       memchr(img.xen_version, 0, KERNEL_TEXT_MAX) &&
		       memchr(img.linux_release, 0, sizeof(img.linux_release)));
		check_segments(&img);
	}
	free(buffer);
	free(module);
	return 0;
}
