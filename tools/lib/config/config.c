/* SPDX-License-Identifier: MIT */
/* The life of a configuration, what no single key can tell, and the kernel's command line. See domain_config.h. */
#include "lib/config/keys.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MOST    255
#define CMDLINE_MOST 1023 /* what start info has room for, without the NUL */

/* But the tabulator, which a command line may have. */
#define CONTROLS "\1\2\3\4\5\6\7\b\n\v\f\r\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37"

void config_init(struct domain_config *c, enum config_dialect dialect)
{
	fields_init(&domain_kind, c);
	c->memory_kb = 128 << 10;
	c->claim = 1;
	c->vcpus = 1;
	c->on_reboot = ACTION_RESTART;
	c->on_crash = dialect == CONFIG_XL ? ACTION_DESTROY : ACTION_RESTART;
	c->on_soft_reset = ACTION_SOFT_RESET;
}

void config_free(struct domain_config *c)
{
	fields_own(&domain_kind, c, false);
}

void config_copy(struct domain_config *to, const struct domain_config *from)
{
	*to = *from;
	fields_own(&domain_kind, to, true);
}

void config_make_uuid(struct domain_config *c)
{
	if (c->uuid)
		return;
	c->uuid = file_read("/proc/sys/kernel/random/uuid", 64, NULL, NULL);
	if (!c->uuid)
		abort();
	c->uuid[strcspn(c->uuid, "\n")] = '\0';
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
	autofree char *ip = config_ip_word(c), *extra = config_extra_words(c);
	struct text t = {0};

	if (c->cmdline)
		return xstrdup(c->cmdline);
	add_words(&t, "ip=", ip);
	add_words(&t, "root=", c->root);
	add_words(&t, "", extra);
	return text_take(&t);
}

/* --- Checks ----------------------------------------------------------------------------------------- */

static void check_name(const struct reader *r, const char *s)
{
	size_t plain = s ? strcspn(s, CONTROLS "\t /\x7f") : 0;

	if (!s)
		complain(r, "the domain needs a name (name=)");
	else if (strlen(s) > NAME_MOST)
		complain(r, "the name has %zu bytes: %d are the most", strlen(s), NAME_MOST);
	else if (strspn(s, "0123456789") == strlen(s))
		complain(r, "the name '%s' would be taken for a domain's number", s);
	else if (!strcmp(s, "Domain-0"))
		complain(r, "the name 'Domain-0' belongs to domain 0");
	if (s && s[plain])
		complain(r, "the name has a %s in it",
			 s[plain] == ' '   ? "blank"
			 : s[plain] == '/' ? "slash"
					   : "control character");
}

static void check_boot(const struct reader *r, const struct domain_config *c)
{
	autofree char *cmdline = config_cmdline(c);

	if (!c->kernel && !c->bootloader)
		complain(r, "the domain needs a kernel (kernel= or bootloader=)");
	if (c->cmdline && (c->root || c->extra))
		diagnostics_warn(r->found, r->at, "root= and extra= are ignored: cmdline= counts");
	if (c->nfs_root && !c->nfs_server)
		complain(r, "nfs_root= needs nfs_server=");
	if (strlen(cmdline) > CMDLINE_MOST)
		complain(r, "the kernel's command line has %zu bytes: %d are the most",
			 strlen(cmdline), CMDLINE_MOST);
	if (cmdline[strcspn(cmdline, CONTROLS)])
		complain(r, "the kernel's command line has a control character in it");
}

static void check_sizes(const struct reader *r, struct domain_config *c)
{
	if (!c->max_memory_kb)
		c->max_memory_kb = c->memory_kb;
	if (c->max_memory_kb < c->memory_kb)
		complain(r, "memory=%lu is more than maxmem=%lu", c->memory_kb >> 10,
			 c->max_memory_kb >> 10);
	if (!c->max_vcpus)
		c->max_vcpus = c->vcpus;
	if (c->max_vcpus < c->vcpus)
		complain(r, "vcpus=%ld is more than maxvcpus=%ld", c->vcpus, c->max_vcpus);
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static void check_disks(const struct reader *r, const struct domain_config *c)
{
	const struct disk_config *d = c->disks;

	for (size_t i = 0; i < c->nr_disks; i++)
		for (size_t j = 0; j < i; j++)
			if (d[i].devid == d[j].devid)
				complain(r, "two disks are called '%s': %s and %s", d[i].vdev,
					 or_empty(d[j].target), or_empty(d[i].target));
}

static void check_nics(const struct reader *r, struct domain_config *c)
{
	for (size_t i = 0; i < c->nr_nics; i++) {
		struct nic_config *n = &c->nics[i];

		if (n->devid < 0)
			n->devid = i;
		for (struct nic_config *m = c->nics; m < n; m++) {
			if (m->devid == n->devid)
				complain(r, "two interfaces have devid=%ld", m->devid);
			if (same(m->mac, n->mac))
				complain(r, "two interfaces have the address %s", m->mac);
			if (same(m->ifname, n->ifname))
				complain(r, "two interfaces are called '%s'", m->ifname);
		}
	}
}

static void check_channels(const struct reader *r, const struct domain_config *c)
{
	for (size_t i = 0; i < c->nr_channels; i++)
		for (size_t j = 0; j < i; j++)
			if (same(c->channels[i].name, c->channels[j].name))
				complain(r, "two channels are called '%s'", c->channels[i].name);
}

int config_check(const char *name, struct domain_config *c, struct diagnostics *found)
{
	const struct reader whole = {&domain_kind, c, found, .at.file = name}, *r = &whole;

	/* What is missing is told only where nothing was lost. */
	if (found->errors)
		return -1;
	if (c->type != DOMAIN_PV)
		return complain(
			r, "%s, which this system does not have yet: only PV guests run",
			c->type == DOMAIN_PVH
				? "PVH guests need hardware virtualization"
				: "HVM guests need hardware virtualization and a device model");
	check_name(r, c->name);
	check_boot(r, c);
	check_sizes(r, c);
	check_disks(r, c);
	check_nics(r, c);
	check_channels(r, c);
	/* A lone seclabel= is the label from the beginning. */
	if (c->seclabel && !c->init_seclabel) {
		c->init_seclabel = c->seclabel;
		c->seclabel = NULL;
	}
	return found->errors ? -1 : 0;
}
