/* SPDX-License-Identifier: MIT */
/*
 * Names of virtual disks and their numbers in xenstore (docs of the interface: xen-vbd-interface): xvd 202 << 8 | disk << 4 | partition, beyond
 * 15 of either 1 << 28 | disk << 8 | partition; sd 8 << 8 | disk << 4 | partition; hd 3 << 8 or 22 << 8, 64 partitions each.
 */
#include "lib/config/domain_config.h"

#include "lib/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define EXTENDED (1L << 28)

/* "PREFIX<letters><digits>": disk and partition within the limits. */
static bool decode(const char *s, const char *prefix, long disks, long partitions, long *disk,
		   long *partition)
{
	long n = -1;

	if (!str_starts(s, prefix))
		return false;
	for (s += strlen(prefix); islower((unsigned char)*s) && n < disks; s++)
		n = (n + 1) * 26 + (*s - 'a');
	*disk = n;
	*partition = 0;
	return n >= 0 && n < disks &&
	       (!*s || (*s != '0' && isdigit((unsigned char)*s) &&
			str_to_long(s, 1, partitions - 1, partition)));
}

/* "d<disk>p<partition>" */
static bool decode_plain(const char *s, long *disk, long *partition)
{
	char *end;

	if (*s != 'd' || !isdigit((unsigned char)s[1]))
		return false;
	*disk = strtol(s + 1, &end, 0);
	return *end == 'p' && isdigit((unsigned char)end[1]) && *disk < 1L << 20 &&
	       str_to_long(end + 1, 0, 255, partition);
}

long vdev_number(const char *s)
{
	long disk, part, n;

	if (str_starts(s, "/dev/"))
		s += 5;
	if (decode(s, "xvd", 1L << 20, 256, &disk, &part) || decode_plain(s, &disk, &part))
		return disk <= 15 && part <= 15 ? 202 << 8 | disk << 4 | part
						: EXTENDED | disk << 8 | part;
	if (decode(s, "hd", 4, 64, &disk, &part))
		return (disk < 2 ? 3 : 22) << 8 | (disk & 1) << 6 | part;
	if (decode(s, "sd", 16, 16, &disk, &part))
		return 8 << 8 | disk << 4 | part;
	return isdigit((unsigned char)*s) && str_to_long(s, 0, 0x7fffffff, &n) ? n : -1;
}

static char *name(const char *prefix, long disk, long part)
{
	char letters[8], *p = letters + sizeof(letters) - 1;

	*p = '\0';
	do {
		*--p = 'a' + disk % 26;
		disk = disk / 26 - 1;
	} while (disk >= 0);
	return part ? xasprintf("%s%s%ld", prefix, p, part) : xasprintf("%s%s", prefix, p);
}

char *vdev_name(long n)
{
	if (n >= EXTENDED && n < EXTENDED * 2)
		return name("xvd", (n & ~EXTENDED) >> 8, n & 255);
	if (n >> 8 == 202 || n >> 8 == 8)
		return name(n >> 8 == 8 ? "sd" : "xvd", n >> 4 & 15, n & 15);
	if (n >> 8 == 3 || n >> 8 == 22)
		return name("hd", (n >> 8 == 22 ? 2 : 0) + (n >> 6 & 1), n & 63);
	return xasprintf("%ld", n);
}
