/* SPDX-License-Identifier: MIT */
/* The life of a configuration, what no single key can tell, and the kernel's command line. See domain_config.h. */
#include "lib/config/keys.h"

#include "lib/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define NAME_MOST    255
#define CMDLINE_MOST 1023 /* what start info has room for, without the NUL */

/* But the tabulator, which a command line may have. */
#define CONTROLS "\1\2\3\4\5\6\7\b\n\v\f\r\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37"

void config_init(struct domain_config *c, enum config_dialect dialect)
{
	fields_init(domain_keys, c, sizeof(*c));
	c->dialect = dialect;
	c->memory_kb = 128 << 10;
	c->claim = 1;
	c->vcpus = 1;
	c->on_reboot = ACTION_RESTART;
	c->on_crash = dialect == CONFIG_XM ? ACTION_RESTART : ACTION_DESTROY;
	c->on_soft_reset = ACTION_SOFT_RESET;
}

void config_free(struct domain_config *c)
{
	fields_free(domain_keys, c);
}

void config_copy(struct domain_config *to, const struct domain_config *from)
{
	*to = *from;
	fields_own(domain_keys, to);
}

void config_make_uuid(struct domain_config *c)
{
	unsigned char b[16];

	if (c->uuid)
		return;
	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	c->uuid = xasprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
			    b[11], b[12], b[13], b[14], b[15]);
}

/* --- The command line ------------------------------------------------------------------------------- */

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

/* client:server:gateway:netmask:hostname:device:autoconf of Linux' ip=; SXP has it whole. */
char *config_ip_word(const struct domain_config *c)
{
	if (!c->ip && (!c->dhcp || !strcmp(c->dhcp, "off")))
		return NULL;
	if (c->ip && strchr(c->ip, ':'))
		return xstrdup(c->ip);
	return xasprintf("%s:%s:%s:%s:%s:%s:%s", or_empty(c->ip),
			 c->nfs_server ? c->nfs_server : "127.0.255.255", or_empty(c->gateway),
			 or_empty(c->netmask), or_empty(c->hostname),
			 c->interface ? c->interface : "eth0", c->dhcp ? c->dhcp : "off");
}

char *config_extra_words(const struct domain_config *c)
{
	if (!c->nfs_root)
		return xstrdup(or_empty(c->extra));
	return xasprintf("nfsroot=%s:%s%s%s", or_empty(c->nfs_server), c->nfs_root,
			 c->extra ? " " : "", or_empty(c->extra));
}

static void add_words(struct text *t, const char *prefix, const char *words)
{
	if (words && *words)
		text_printf(t, "%s%s%s", t->len ? " " : "", str_starts(words, prefix) ? "" : prefix,
			    words);
}

char *config_cmdline(const struct domain_config *c)
{
	struct text t = {0};
	char *ip, *extra;

	if (c->cmdline)
		return xstrdup(c->cmdline);
	ip = config_ip_word(c);
	extra = config_extra_words(c);
	add_words(&t, "ip=", ip);
	add_words(&t, "root=", c->root);
	add_words(&t, "", extra);
	free(ip);
	free(extra);
	return text_take(&t);
}

json_t *domain_get_cmdline(const void *base)
{
	char *cmdline = config_cmdline(base);
	json_t *json = *cmdline ? json_string(cmdline) : NULL;

	free(cmdline);
	return json;
}

json_t *domain_get_placement(const void *base)
{
	const struct domain_config *c = base;

	return c->cpus_each || c->cpus_soft.nr ? json_string("False") : NULL;
}

/* --- Checks ----------------------------------------------------------------------------------------- */

static void check_type(const struct domain_config *c, struct place at, struct diagnostics *found)
{
	static const char *const reasons[] = {
		[DOMAIN_PVH] = "PVH guests need hardware virtualization",
		[DOMAIN_HVM] = "HVM guests need hardware virtualization and a device model",
	};

	diagnostics_error(found, at, "%s, which this system does not have yet: only PV guests run",
			  reasons[c->type]);
}

static void check_name(const struct domain_config *c, struct place at, struct diagnostics *found)
{
	const char *s = c->name;

	if (!s)
		diagnostics_error(found, at, "the domain needs a name (name=)");
	else if (strlen(s) > NAME_MOST)
		diagnostics_error(found, at, "the name has %zu bytes: %d are the most", strlen(s),
				  NAME_MOST);
	else if (strspn(s, "0123456789") == strlen(s))
		diagnostics_error(found, at, "the name '%s' would be taken for a domain's number",
				  s);
	else if (!strcmp(s, "Domain-0"))
		diagnostics_error(found, at, "the name 'Domain-0' belongs to domain 0");
	s += s ? strcspn(s, CONTROLS "\t /\x7f") : 0;
	if (s && *s)
		diagnostics_error(found, at, "the name has a %s in it",
				  *s == ' '   ? "blank"
				  : *s == '/' ? "slash"
					      : "control character");
}

static void check_boot(const struct domain_config *c, struct place at, struct diagnostics *found)
{
	char *cmdline = config_cmdline(c);

	if (!c->kernel && !c->bootloader)
		diagnostics_error(found, at, "the domain needs a kernel (kernel= or bootloader=)");
	if (c->cmdline && (c->root || c->extra))
		diagnostics_warn(found, at, "root= and extra= are ignored: cmdline= counts");
	if (c->nfs_root && !c->nfs_server)
		diagnostics_error(found, at, "nfs_root= needs nfs_server=");
	if (strlen(cmdline) > CMDLINE_MOST)
		diagnostics_error(found, at,
				  "the kernel's command line has %zu bytes: %d are the most",
				  strlen(cmdline), CMDLINE_MOST);
	if (cmdline[strcspn(cmdline, CONTROLS)])
		diagnostics_error(found, at,
				  "the kernel's command line has a control character in it");
	free(cmdline);
}

static void check_sizes(struct domain_config *c, struct place at, struct diagnostics *found)
{
	if (!c->max_memory_kb)
		c->max_memory_kb = c->memory_kb;
	if (c->max_memory_kb < c->memory_kb)
		diagnostics_error(found, at, "memory=%llu is more than maxmem=%llu",
				  (unsigned long long)c->memory_kb >> 10,
				  (unsigned long long)c->max_memory_kb >> 10);
	if (!c->max_vcpus)
		c->max_vcpus = c->vcpus;
	if (c->max_vcpus < c->vcpus)
		diagnostics_error(found, at, "vcpus=%ld is more than maxvcpus=%ld", c->vcpus,
				  c->max_vcpus);
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static void check_disks(const struct domain_config *c, struct place at, struct diagnostics *found)
{
	const struct disk_config *d = c->disks;

	for (size_t i = 0; i < c->nr_disks; i++)
		for (size_t j = 0; j < i; j++)
			if (d[i].vdev && d[j].vdev && d[i].devid == d[j].devid)
				diagnostics_error(found, at, "two disks are called '%s': %s and %s",
						  d[i].vdev, or_empty(d[j].target),
						  or_empty(d[i].target));
}

static void check_nic_pair(const struct nic_config *a, const struct nic_config *b, struct place at,
			   struct diagnostics *found)
{
	if (a->devid == b->devid)
		diagnostics_error(found, at, "two interfaces have devid=%ld", a->devid);
	if (same(a->mac, b->mac))
		diagnostics_error(found, at, "two interfaces have the address %s", a->mac);
	if (same(a->ifname, b->ifname))
		diagnostics_error(found, at, "two interfaces are called '%s'", a->ifname);
}

static void check_nics(struct domain_config *c, struct place at, struct diagnostics *found)
{
	for (size_t i = 0; i < c->nr_nics; i++)
		if (c->nics[i].devid < 0)
			c->nics[i].devid = i;
	for (size_t i = 0; i < c->nr_nics; i++)
		for (size_t j = 0; j < i; j++)
			check_nic_pair(&c->nics[j], &c->nics[i], at, found);
}

static void check_channels(const struct domain_config *c, struct place at,
			   struct diagnostics *found)
{
	for (size_t i = 0; i < c->nr_channels; i++)
		for (size_t j = 0; j < i; j++)
			if (same(c->channels[i].name, c->channels[j].name))
				diagnostics_error(found, at, "two channels are called '%s'",
						  c->channels[i].name);
}

/* vnc=1 of the file itself is one display more. */
static void check_display(struct domain_config *c)
{
	if (c->display.vnc == 1)
		*(struct vfb_config *)array_grow(&c->vfbs, &c->nr_vfbs, sizeof(*c->vfbs)) =
			c->display;
	else
		fields_free(vfb_keys, &c->display);
	fields_init(vfb_keys, &c->display, sizeof(c->display));
}

int config_check_at(struct domain_config *c, struct place at, struct diagnostics *found)
{
	size_t before = found->errors;

	if (c->type == DOMAIN_PV) {
		check_name(c, at, found);
		check_boot(c, at, found);
		check_sizes(c, at, found);
		check_disks(c, at, found);
		check_nics(c, at, found);
		check_channels(c, at, found);
		check_display(c);
	} else {
		check_type(c, at, found);
	}
	/* A lone seclabel= is the label from the beginning. */
	if (c->seclabel && !c->init_seclabel) {
		c->init_seclabel = c->seclabel;
		c->seclabel = NULL;
	}
	return found->errors == before ? 0 : -1;
}
