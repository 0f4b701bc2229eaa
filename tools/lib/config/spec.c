/* SPDX-License-Identifier: MIT */
/*
 * What stands within one text of disk=, vif=, vfb= and channel=: words between commas, "key=value", flags, and a disk's positional parts
 * with the prefixes of old (phy:, file:, tap:aio: ...). Rows of the devices' tables take the values; a key counts once.
 */
#include "lib/config/keys.h"

#include "lib/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- Keys and words --------------------------------------------------------------------------------- */

/* By its name in files: what SXP has in one word is told as files tell it. */
static const struct config_key *find(const struct reader *r, const char *name)
{
	return key_find(&(struct reader){.kind = r->kind}, name);
}

static bool seen(const struct reader *r, const char *name)
{
	return r->seen & 1UL << (find(r, name) - r->kind->table);
}

static int set(struct reader *r, const char *key, const char *text)
{
	const struct config_key *k = find(r, key);
	struct value v = {.text = (char *)text, .at = r->at};

	return k ? field_set(r, k, &v) : key_other(r, key, *text);
}

/* A word without "=" that says "key=1" or the like. */
static const struct device_flag {
	const char *word, *key, *value;
} disk_flags[] = {{"cdrom", "devtype", "cdrom"},
		  {"direct-io-safe", "direct-io-safe", "1"},
		  {"discard", "discard", "1"},
		  {"no-discard", "discard", "0"},
		  {"trusted", "trusted", "1"},
		  {"untrusted", "trusted", "0"},
		  {0}},
  *const nic_flags = &disk_flags[4], *const no_flags = &disk_flags[6];

static int read_word(struct reader *r, char *word)
{
	const struct device_flag *f = r->kind->flags;
	char *value = strchr(word, '=');

	while (f->word && strcmp(f->word, word))
		f++;
	if (f->word)
		return set(r, f->key, f->value);
	if (!value)
		return r->kind->word(r, word);
	*value++ = '\0';
	return set(r, word, value);
}

/* Words between commas, without the blanks around them. Empty ones count, but for the last; a target goes to the end, commas too. */
static int read_words(struct reader *r, const char *spec)
{
	int rc = 0;

	while (spec && !rc) {
		const char *s = spec + strspn(spec, " \t\n"), *end = s + strcspn(s, ",");
		char *word;

		if (r->kind == &disk_kind && str_starts(s, "target="))
			return set(r, "target", s + strlen("target="));
		spec = *end ? end + 1 : NULL;
		while (end > s && strchr(" \t\n", end[-1]))
			end--;
		word = strndup(s, end - s);
		if (*word || spec)
			rc = read_word(r, word);
		free(word);
	}
	return rc;
}

static int no_word(struct reader *r, const char *word)
{
	return *word ? complain(r, "'%s' is no key=value", word) : 0;
}

/* --- Disks ------------------------------------------------------------------------------------------ */

static const struct prefix {
	const char *word;
	enum disk_scheme scheme;
	enum disk_format format;
	const char *script;
} prefixes[] = {
	{"phy", .scheme = DISK_SCHEME_PHY},
	{"file", .scheme = DISK_SCHEME_FILE},
	{"tap", .scheme = DISK_SCHEME_TAP},
	{"tap2", .scheme = DISK_SCHEME_TAP},
	{"tapdisk", .scheme = DISK_SCHEME_TAP},
	{"aio", .scheme = DISK_SCHEME_TAP},
	{"ioemu"},
	{"raw", .format = DISK_FORMAT_RAW},
	{"qcow", .format = DISK_FORMAT_QCOW},
	{"qcow2", .format = DISK_FORMAT_QCOW2},
	{"vhd", .format = DISK_FORMAT_VHD},
	{"qed", .format = DISK_FORMAT_QED},
	{"iscsi", .script = "block-iscsi"},
	{"nbd", .script = "block-nbd"},
	{"enbd", .script = "block-enbd"},
	{"drbd", .script = "block-drbd"},
	{0},
};

/* Takes prefixes off @word. */
static int read_prefixes(struct reader *r, const char **word)
{
	struct disk_config *disk = r->base;

	for (;;) {
		size_t len = strspn(*word, "abcdefghijklmnopqrstuvwxyz0123456789");
		const struct prefix *p = prefixes;

		while (p->word && (strlen(p->word) != len || strncmp(p->word, *word, len)))
			p++;
		if ((*word)[len] != ':' || !p->word)
			return len && !strncmp(*word + len, ":/", 2)
				       ? complain(r,
						  "'%.*s:' is no kind of disk: phy, file, tap:aio, "
						  "tap:qcow2 ...",
						  (int)len, *word)
				       : 0;
		r->prefixed = true;
		*word += len + 1;
		if (!disk->scheme)
			disk->scheme = p->scheme;
		if (p->format)
			disk->format = p->format;
		if (p->script && set(r, "script", p->script))
			return -1;
	}
}

int disk_set_uname(const struct field *f)
{
	const char *uname = f->v->text;

	if (!seen(f->r, "script") && read_prefixes(f->r, &uname))
		return -1;
	return set(f->r, "target", uname);
}

/* "hdc", "hdc:cdrom", "ioemu:hda" */
static int read_vdev(struct reader *r, const char *word)
{
	char *vdev = xstrdup(str_starts(word, "ioemu:") ? word + 6 : word);
	char *kind = strchr(vdev, ':');
	int rc;

	if (kind)
		*kind++ = '\0';
	rc = set(r, "vdev", vdev);
	if (kind && strcmp(kind, "disk"))
		rc |= set(r, "devtype", kind);
	free(vdev);
	return rc;
}

int disk_set_vdev(const struct field *f)
{
	return read_vdev(f->r, f->v->text);
}

/* The first part not yet said of: target, format (which a prefix stands for too), vdev, access. */
static int read_part(struct reader *r, const char *word)
{
	struct disk_config *disk = r->base;

	if (!seen(r, "target"))
		return read_prefixes(r, &word) ? -1 : set(r, "target", word);
	if (!r->prefixed && !seen(r, "format")) {
		if (disk->target || !strchr(word, ':'))
			return set(r, "format", word);
		set(r, "format", "empty");
	}
	if (!seen(r, "vdev"))
		return read_vdev(r, word);
	if (!seen(r, "access"))
		return set(r, "access", word);
	return complain(r, "'%s' is one part too many for a disk", word);
}

int disk_set_access(const struct field *f)
{
	struct disk_config *disk = f->r->base;
	const char *s = f->v->text;

	disk->force = !strcmp(s, "w!") || !strcmp(s, "rw!");
	disk->readwrite = disk->force || !*s || !strcmp(s, "w") || !strcmp(s, "rw");
	if (disk->readwrite || !strcmp(s, "r") || !strcmp(s, "ro"))
		return 0;
	return field_wrong(f, "r (ro), w (rw) or w!");
}

int disk_set_specification(const struct field *f)
{
	return strcmp(f->v->text, "xen") ? field_wrong(f, "xen") : 0;
}

static int check_target(struct reader *r)
{
	struct disk_config *disk = r->base;
	char *path;

	if (!disk->target || !*disk->target) {
		if (!disk->cdrom)
			return complain(r, "a disk needs its target");
		disk->format = DISK_FORMAT_EMPTY;
		if (!disk->target)
			disk->target = xstrdup("");
		return 0;
	}
	if (disk->format == DISK_FORMAT_EMPTY)
		return complain(r, "a disk of format 'empty' has no target");
	if (disk->script || *disk->target == '/')
		return 0;
	if (disk->scheme == DISK_SCHEME_FILE || disk->scheme == DISK_SCHEME_TAP)
		return complain(r, "'%s' is no whole path: it must begin with '/'", disk->target);
	path = xasprintf("/dev/%s", disk->target);
	free(disk->target);
	disk->target = path;
	return 0;
}

static int check_disk(struct reader *r)
{
	struct disk_config *disk = r->base;

	if (r->form != FORM_JSON && !seen(r, "access"))
		disk->readwrite = true;
	if (disk->cdrom) {
		disk->removable = true;
		disk->readwrite = false;
	}
	if (check_target(r))
		return -1;
	if (!disk->vdev)
		return complain(r, "a disk needs the name it shall have in the guest: xvda1, ...");
	disk->devid = vdev_number(disk->vdev);
	if (disk->devid < 0)
		return complain(r, "'%s' is no name for a disk in the guest: xvda1, sda, hdc ...",
				disk->vdev);
	if (disk->format == DISK_FORMAT_UNKNOWN)
		disk->format = DISK_FORMAT_RAW;
	if (disk->backend == DISK_BACKEND_PHY && disk->format != DISK_FORMAT_RAW)
		return complain(r, "the back end phy has format raw only");
	return 0;
}

/* --- Network interfaces ----------------------------------------------------------------------------- */

/* "10Mb/s", "250KB/s@20ms": bits or bytes a second, and how often the credit is renewed. */
int nic_set_rate(const struct field *f)
{
	static const char wanted[] = "a rate like 10Mb/s, 250KB/s or 1MB/s@20ms";
	struct nic_config *nic = f->r->base;
	unsigned long rate, us = 50000;
	char *end;

	rate = strtoul(f->v->text, &end, 10);
	if (!isdigit((unsigned char)*f->v->text) || !rate || rate > UINT32_MAX)
		return field_wrong(f, wanted);
	rate *= *end == 'G' ? 1000000000 : *end == 'M' ? 1000000 : *end == 'K' ? 1000 : 1;
	end += *end && strchr("GMK", *end);
	if (!str_starts(end, "b/s") && !str_starts(end, "B/s"))
		return field_wrong(f, wanted);
	rate /= *end == 'b' ? 8 : 1;
	end += strlen("b/s");
	if (*end == '@' && isdigit((unsigned char)end[1])) {
		us = strtoul(end + 1, &end, 10);
		if (us <= UINT32_MAX)
			us *= *end == 'u' ? 1 : *end == 'm' ? 1000 : 1000000;
		end += *end == 'u' || *end == 'm';
		end += *end == 's';
	}
	if (*end || !us || us > UINT32_MAX || rate > UINT64_MAX / us)
		return field_wrong(f, wanted);
	if (rate * us < 1000000)
		return field_wrong(f, "a byte every interval at least");
	nic->rate_bytes_per_interval = rate * us / 1000000;
	nic->rate_interval_us = us;
	return 0;
}

/* A word alone is the bridge. */
static int read_bridge(struct reader *r, const char *word)
{
	return find(r, word) || r->seen ? no_word(r, word) : *word ? set(r, "bridge", word) : 0;
}

static int check_nic(struct reader *r)
{
	const struct nic_config *nic = r->base;

	if (!nic->ifname || strlen(nic->ifname) < 16)
		return 0;
	return complain(r, "'%s' is too long for an interface: 15 letters at most", nic->ifname);
}

/* --- Displays and channels -------------------------------------------------------------------------- */

/* The form of Xen 3.0: type=vnc or type=sdl. */
int vfb_set_type(const struct field *f)
{
	struct vfb_config *vfb = f->r->base;

	vfb->sdl = !strcmp(f->v->text, "sdl");
	vfb->vnc = !strcmp(f->v->text, "vnc");
	return vfb->sdl || vfb->vnc ? 0 : field_wrong(f, "vnc or sdl");
}

static int check_channel(struct reader *r)
{
	const struct channel_config *channel = r->base;

	if (!channel->name)
		return complain(r, "a channel needs its name=");
	if (channel->connection == CHANNEL_SOCKET && !channel->path)
		return complain(r, "channel %s needs the path= of its socket", channel->name);
	return 0;
}

/* --- All kinds -------------------------------------------------------------------------------------- */

const struct spec_kind disk_kind = {
	disk_keys, sizeof(struct disk_config), "vbd", disk_flags, read_part, check_disk};
const struct spec_kind nic_kind = {
	nic_keys, sizeof(struct nic_config), "vif", nic_flags, read_bridge, check_nic};
const struct spec_kind vfb_kind = {vfb_keys, sizeof(struct vfb_config), "vfb", no_flags,
				   no_word,  .numbered = true};
const struct spec_kind channel_kind = {
	channel_keys, sizeof(struct channel_config), NULL, no_flags, no_word, check_channel, true};

struct reader device_begin(const struct reader *r, const struct config_key *k)
{
	void *device = array_grow(member_at(r->base, k->offset), member_at(r->base, k->other),
				  k->kind->size);

	fields_init(k->kind->table, device, k->kind->size);
	return (struct reader){k->kind, device, r->found, r->form, r->xm, r->at};
}

int device_check(struct reader *r)
{
	return r->kind->check ? r->kind->check(r) : 0;
}

int device_read(struct reader *r, const char *spec)
{
	return read_words(r, spec) ? -1 : device_check(r);
}

int spec_parse(const struct spec_kind *kind, const char *spec, void *device,
	       struct diagnostics *found)
{
	struct reader r = {kind, device, found};

	fields_init(kind->table, device, kind->size);
	return device_read(&r, spec);
}

void spec_free(const struct spec_kind *kind, void *device)
{
	fields_own(kind->table, device, false);
}
