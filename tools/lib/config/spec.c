/* SPDX-License-Identifier: MIT */
/*
 * What stands within one text of disk=, vif=, vfb= and channel=: words between commas, "key=value", flags, and a disk's positional parts
 * with the prefixes of old (phy:, file:, tap:aio: ...). Rows of the devices' tables take the values; a key counts once.
 */
#include "lib/config/keys.h"

#include "lib/base/text.h"

#include <ctype.h>
#include <jansson.h>
#include <limits.h>
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
int device_read(struct reader *r, const char *spec)
{
	int rc = 0;

	while (spec && !rc) {
		const char *s = spec + strspn(spec, " \t\n"), *end = s + strcspn(s, ",");
		autofree char *word = NULL;

		if (r->kind == &disk_kind && str_starts(s, "target="))
			return set(r, "target", s + strlen("target=")) ? -1 : device_check(r);
		spec = *end ? end + 1 : NULL;
		while (end > s && strchr(" \t\n", end[-1]))
			end--;
		word = strndup(s, end - s);
		if (*word || spec)
			rc = read_word(r, word);
	}
	return rc ? -1 : device_check(r);
}

static int no_word(struct reader *r, const char *word)
{
	return *word ? complain(r, "'%s' is no key=value", word) : 0;
}

/* --- Disks ------------------------------------------------------------------------------------------ */

/* clang-format off */
static const struct key_name devtype_names[] = {{"disk"}, {"cdrom"}, {0}};
static const struct key_name format_names[] = {
	{"", "unknown"}, SAME("raw"), SAME("qcow"), SAME("qcow2"), SAME("vhd"), SAME("qed"),
	SAME("empty"), {0}};
static const struct key_name backend_names[] = {
	{"", "unknown"}, SAME("phy"), SAME("tap"), SAME("qdisk"), SAME("standalone"), {0}};
/* clang-format on */

static const struct prefix {
	const char *words;
	enum disk_scheme scheme;
	bool format, script; /* the word is one; a script's is block-... */
} prefixes[] = {
	{"phy", DISK_SCHEME_PHY},
	{"file", DISK_SCHEME_FILE},
	{"tap tap2 tapdisk aio", DISK_SCHEME_TAP},
	{"ioemu"},
	{"raw qcow qcow2 vhd qed", .format = true},
	{"iscsi nbd enbd drbd", .script = true},
	{0},
};

/* Takes prefixes off @word. */
static int read_prefixes(struct reader *r, const char **word)
{
	struct disk_config *disk = r->base;

	for (;;) {
		size_t len = strspn(*word, "abcdefghijklmnopqrstuvwxyz0123456789");
		autofree char *kind = strndup(*word, len);
		autofree char *script = xasprintf("block-%s", kind);
		const struct prefix *p = prefixes;

		while (p->words && !str_has_word(p->words, kind))
			p++;
		if ((*word)[len] != ':' || !p->words)
			return len && !strncmp(*word + len, ":/", 2)
				       ? complain(r,
						  "'%s:' is no kind of disk: phy, file, tap:aio, "
						  "tap:qcow2 ...",
						  kind)
				       : 0;
		r->prefixed = true;
		*word += len + 1;
		if (!disk->scheme)
			disk->scheme = p->scheme;
		for (int i = 0; p->format && format_names[i].file; i++)
			if (!strcmp(format_names[i].file, kind))
				disk->format = i;
		if (p->script && set(r, "script", script))
			return -1;
	}
}

static int disk_set_uname(const struct field *f)
{
	const char *uname = f->v->text;

	if (!seen(f->r, "script") && read_prefixes(f->r, &uname))
		return -1;
	return set(f->r, "target", uname);
}

/* "hdc", "hdc:cdrom", "ioemu:hda" */
static int read_vdev(struct reader *r, const char *word)
{
	autofree char *vdev = xstrdup(str_starts(word, "ioemu:") ? word + 6 : word);
	char *kind = strchr(vdev, ':');

	if (kind)
		*kind++ = '\0';
	if (set(r, "vdev", vdev))
		return -1;
	return kind && strcmp(kind, "disk") ? set(r, "devtype", kind) : 0;
}

static int disk_set_vdev(const struct field *f)
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

static int disk_set_access(const struct field *f)
{
	struct disk_config *disk = f->r->base;
	const char *s = f->v->text;

	disk->force = !strcmp(s, "w!") || !strcmp(s, "rw!");
	disk->readwrite = disk->force || !*s || !strcmp(s, "w") || !strcmp(s, "rw");
	if (disk->readwrite || !strcmp(s, "r") || !strcmp(s, "ro"))
		return 0;
	return field_wrong(f, "r (ro), w (rw) or w!");
}

static int disk_set_specification(const struct field *f)
{
	return strcmp(f->v->text, "xen") ? field_wrong(f, "xen") : 0;
}

static int check_target(struct reader *r)
{
	struct disk_config *disk = r->base;
	autofree char *name = NULL;

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
	name = disk->target;
	disk->target = xasprintf("/dev/%s", name);
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

/* The script a prefix stands for, "drbd:" for block-drbd, or NULL. */
static const char *script_prefix(const struct disk_config *disk)
{
	static const char known[] = "block-drbd block-nbd block-enbd block-iscsi";

	return disk->script && disk->target && *disk->target && str_has_word(known, disk->script)
		       ? disk->script + strlen("block-")
		       : NULL;
}

/* "phy:/dev/x", "tap:qcow2:/x", "drbd:res0": what a file would say. */
static json_t *disk_get_uname(const void *base, enum key_form form)
{
	const struct disk_config *disk = base;
	const char *target = disk->target ? disk->target : "", *script = script_prefix(disk);
	const char *prefix = disk->scheme == DISK_SCHEME_TAP ? "tap:aio:"
			     : disk->scheme == DISK_SCHEME_PHY || str_starts(target, "/dev/")
				     ? "phy:"
				     : "file:";

	if (script)
		return json_sprintf("%s:%s", script, target);
	if (disk->format >= DISK_FORMAT_QCOW && disk->format <= DISK_FORMAT_QED)
		return json_sprintf("tap:%s:%s", format_names[disk->format].file, target);
	return json_sprintf("%s%s", *target && !disk->script ? prefix : "", target);
}

static json_t *disk_get_vdev(const void *base, enum key_form form)
{
	const struct disk_config *disk = base;

	return json_sprintf("%s%s", disk->vdev, disk->cdrom ? ":cdrom" : "");
}

static json_t *disk_get_access(const void *base, enum key_form form)
{
	const struct disk_config *disk = base;

	return json_string(disk->force ? "w!" : disk->readwrite ? "w" : "r");
}

static json_t *disk_get_script(const void *base, enum key_form form)
{
	const struct disk_config *disk = base;

	return form == FORM_SXP && script_prefix(disk) ? NULL : json_string(disk->script);
}

/* clang-format off */
#define DISK(member) .offset = offsetof(struct disk_config, member)
static const struct config_key disk_keys[] = {
	{NULL, NULL, "uname", KEY_OWN, .set = disk_set_uname, .get = disk_get_uname},
	{NULL, NULL, "dev", KEY_OWN, .set = disk_set_vdev, .get = disk_get_vdev},
	{"access", NULL, "mode", KEY_OWN, .set = disk_set_access, .get = disk_get_access},
	{"backend", "backend_domname", "backend", KEY_TEXT, DISK(backend_domain)},
	{"target", "pdev_path", TYPE(TEXT), DISK(target)},
	{"vdev", "vdev", TYPE(TEXT), DISK(vdev)},
	{"backendtype", "backend", TYPE(ENUM), DISK(backend), NAMES(backend)},
	{"format", "format", TYPE(ENUM), DISK(format), NAMES(format)},
	{"script", "script", "script", KEY_TEXT, DISK(script), .get = disk_get_script},
	{"specification", .type = KEY_OWN, .set = disk_set_specification},
	{NULL, "removable", TYPE(SWITCH), DISK(removable), .json_bool = NUMBER},
	{NULL, "readwrite", TYPE(SWITCH), DISK(readwrite), .json_bool = NUMBER},
	{NULL, "is_cdrom", TYPE(SWITCH), DISK(cdrom), .json_bool = NUMBER},
	{"devtype", TYPE(ENUM), DISK(cdrom), NAMES(devtype), .wants = "disk or cdrom"},
	{"direct-io-safe", "direct_io_safe", TYPE(SWITCH), DISK(direct_io_safe),
	 .json_bool = LITERAL},
	{"discard", "discard_enable", TYPE(SWITCH), DISK(discard), .unset = -1},
	{"trusted", "trusted", TYPE(SWITCH), DISK(trusted), .unset = -1},
	RUNNING("colo_restore_enable", "False"),
	{NULL, "force", TYPE(SWITCH), DISK(force)},
	{0},
};
/* clang-format on */

/* --- Network interfaces ----------------------------------------------------------------------------- */

/* "10Mb/s", "250KB/s@20ms": bits or bytes a second, and how often the credit is renewed. */
static int nic_set_rate(const struct field *f)
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

static json_t *nic_get_rate(const void *base, enum key_form form)
{
	const struct nic_config *nic = base;
	unsigned long us = nic->rate_interval_us;

	/* Rounded up, so that reading it gives the same bytes again. */
	return us ? json_sprintf("%luB/s@%luus",
				 (nic->rate_bytes_per_interval * 1000000 + us - 1) / us, us)
		  : NULL;
}

static int nic_set_mac(const struct field *f)
{
	const char *s = f->v->text;
	unsigned int b[6];
	int end = -1;

	if (!*s)
		return field_text(f, NULL);
	if (strspn(s, "0123456789abcdefABCDEF:") == strlen(s))
		sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		       &end);
	if (end < 0 || s[end])
		return field_wrong(f, "an address like 00:16:3e:00:00:01");
	if (b[0] & 1)
		return field_wrong(f, "one interface's address, which is even in its first byte");
	return field_text(
		f, xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]));
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

/* clang-format off */
static const struct key_name nic_type_names[] = {SAME("vif"), {"ioemu", "vif_ioemu"}, {0}};
#define NIC(member) .offset = offsetof(struct nic_config, member)
static const struct config_key nic_keys[] = {
	{"backend", "backend_domname", "backend", KEY_TEXT, NIC(backend_domain)},
	{"devid", "devid", TYPE(LONG), NIC(devid), RANGE(0, 65535), .unset = -1},
	{"mtu", "mtu", "mtu", KEY_LONG, NIC(mtu), RANGE(0, 65535)},
	{"model", "model", "model", KEY_TEXT, NIC(model)},
	{"mac", "mac", "mac", KEY_TEXT, NIC(mac), .set = nic_set_mac},
	{"ip", "ip", "ip", KEY_TEXT, NIC(ip)},
	{"bridge", "bridge", "bridge", KEY_TEXT, NIC(bridge)},
	{"vifname", "ifname", "vifname", KEY_TEXT, NIC(ifname)},
	{"script", "script", "script", KEY_TEXT, NIC(script)},
	{"type", "nictype", "type", KEY_ENUM, NIC(type), NAMES(nic_type), .running = "vif"},
	{NULL, "rate_bytes_per_interval", TYPE(LONG), NIC(rate_bytes_per_interval),
	 RANGE(0, LONG_MAX)},
	{NULL, "rate_interval_usecs", TYPE(LONG), NIC(rate_interval_us), RANGE(0, 0xffffffff)},
	{"gatewaydev", "gatewaydev", "gatewaydev", KEY_TEXT, NIC(gatewaydev)},
	{"netdev", TYPE(TEXT), "gatewaydev", NIC(gatewaydev)},
	{"trusted", "trusted", "trusted", KEY_SWITCH, NIC(trusted), .unset = -1},
	{"rate", NULL, "rate", KEY_OWN, .set = nic_set_rate, .get = nic_get_rate},
	{0},
};
/* clang-format on */

/* --- Displays and channels -------------------------------------------------------------------------- */

/* The form of Xen 3.0: type=vnc or type=sdl. */
static int vfb_set_type(const struct field *f)
{
	struct vfb_config *vfb = f->r->base;

	vfb->sdl = !strcmp(f->v->text, "sdl");
	vfb->vnc = !strcmp(f->v->text, "vnc");
	return vfb->sdl || vfb->vnc ? 0 : field_wrong(f, "vnc or sdl");
}

/* clang-format off */
#define VFB(member) .offset = offsetof(struct vfb_config, member)
static const struct config_key vfb_keys[] = {
	FIXED("devid", "0"),
	BRANCH("vnc"),
	{"type", NULL, "type", KEY_OWN, .set = vfb_set_type},
	{"vnc", "vnc/enable", "vnc", KEY_SWITCH, VFB(vnc), .unset = -1},
	{"vnclisten", "vnc/listen", "vnclisten", KEY_TEXT, VFB(vnc_listen)},
	{"vncpasswd", "vnc/passwd", "vncpasswd", KEY_TEXT, VFB(vnc_passwd)},
	{"vncdisplay", "vnc/display", "vncdisplay", KEY_LONG, VFB(vnc_display), RANGE(0, 59635),
	 .unset = -1},
	{"vncunused", "vnc/findunused", "vncunused", KEY_SWITCH, VFB(vnc_unused), .unset = -1},
	BRANCH("sdl"),
	{"sdl", "sdl/enable", "sdl", KEY_SWITCH, VFB(sdl), .unset = -1},
	{"opengl", "sdl/opengl", "opengl", KEY_SWITCH, VFB(opengl), .unset = -1},
	{"display", "sdl/display", "display", KEY_TEXT, VFB(sdl_display)},
	{"xauthority", "sdl/xauthority", "xauthority", KEY_TEXT, VFB(sdl_xauthority)},
	{"keymap", "keymap", "keymap", KEY_TEXT, VFB(keymap)},
	{0},
};
/* clang-format on */

static int check_channel(struct reader *r)
{
	const struct channel_config *channel = r->base;

	if (!channel->name)
		return complain(r, "a channel needs its name=");
	if (channel->connection == CHANNEL_SOCKET && !channel->path)
		return complain(r, "channel %s needs the path= of its socket", channel->name);
	return 0;
}

/* clang-format off */
static const struct key_name connection_names[] = {SAME("pty"), SAME("socket"), {0}};
#define CHANNEL(member) .offset = offsetof(struct channel_config, member)
static const struct config_key channel_keys[] = {
	FIXED("devid", "0"),
	{"backend", "backend_domname", TYPE(TEXT), CHANNEL(backend_domain)},
	{"name", "name", TYPE(TEXT), CHANNEL(name)},
	{"connection", TYPE(ENUM), CHANNEL(connection), NAMES(connection)},
	BRANCH("connection.pty"),
	BRANCH("connection.socket"),
	{"path", "connection.socket/path", TYPE(TEXT), CHANNEL(path)},
	{0},
};
/* clang-format on */

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

	fields_init(k->kind, device);
	return (struct reader){k->kind, device, r->found, r->form, r->xm, r->at};
}

int device_check(struct reader *r)
{
	return r->kind->check ? r->kind->check(r) : 0;
}

int spec_parse(const struct spec_kind *kind, const char *spec, void *device,
	       struct diagnostics *found)
{
	struct reader r = {kind, device, found};

	fields_init(kind, device);
	return device_read(&r, spec);
}

void spec_free(const struct spec_kind *kind, void *device)
{
	fields_own(kind, device, false);
}
