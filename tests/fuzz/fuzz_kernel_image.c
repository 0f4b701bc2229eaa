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
static uint64_t last_end;

static void *limited_alloc(size_t bytes)
{
	return bytes > 1 << 20 ? NULL : (buffer = malloc(bytes));
}

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static int check_copy(void *ctx, uint64_t virt, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	expect(virt >= last_end);
	while (len--)
		sum += *p++;
	*(volatile uint8_t *)ctx = sum;
	return 0;
}

static int check_zero(void *ctx, uint64_t virt, size_t len)
{
	(void)ctx;
	expect(len && virt >= last_end);
	last_end = virt + len;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel_image img;
	uint8_t *module = malloc(size);
	uint8_t sum;

	memcpy(module, data, size);
	buffer = NULL;
	last_end = 0;
	if (kernel_image_open(&img, module, size, limited_alloc)) {
		expect(*img.why && strlen(img.why) < sizeof(img.why));
	} else {
		expect(!*img.why && img.nr_segments && img.nr_segments <= KERNEL_SEGMENTS_MAX);
		expect(img.entry >= img.virt_start && img.entry < img.virt_end);
		expect(memchr(img.guest_os, 0, KERNEL_TEXT_MAX) &&
		       memchr(img.xen_version, 0, KERNEL_TEXT_MAX) &&
		       memchr(img.linux_release, 0, sizeof(img.linux_release)));
		kernel_image_load(&img, check_copy, check_zero, &sum);
	}
	free(buffer);
	free(module);
	return 0;
}
