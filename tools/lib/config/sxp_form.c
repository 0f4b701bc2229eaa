/* SPDX-License-Identifier: MIT */
/*
 * The S-expressions of xend: (vm (name ..) (image (linux ..)) (device (vbd ..)) ...) as xm create -F reads it and -n prints it, (domain ...)
 * as xm list -l does. What only a running domain has is passed over.
 */
#include "lib/config/keys.h"

#include "lib/base/sxp.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

struct sxp_reader {
	struct domain_config *c;
	struct place at;
	struct diagnostics *found;
	int rc;
};

static int refuse(struct sxp_reader *r, const char *what, const char *name)
{
	r->rc = complain(r, "%s '%.60s'", what, name);
	return -1;
}

static const char *head(const struct sxp *x)
{
	return x->nr && x->member[0]->atom ? x->member[0]->atom : NULL;
}

static struct value value_of(const struct sxp *x, struct place at)
{
	struct value v = {.list = true, .at = at};

	if (x->atom)
		return value_text(x->atom, at);
	for (size_t i = 0; i < x->nr; i++)
		value_append(&v, value_of(x->member[i], at));
	return v;
}

static void read_row(struct sxp_reader *r, const struct config_key *k, const struct sxp *x)
{
	struct value v;

	if (x->nr < 2 || (!x->member[1]->atom && !x->member[1]->nr) ||
	    (x->member[1]->atom && !*x->member[1]->atom))
		return; /* (bootloader ) */
	v = value_of(x->member[1], r->at);
	r->rc |= field_set(k, r->c, &v, FORM_SXP, r->found);
	value_free(&v);
}

static int read_device_member(struct sxp_reader *r, struct reader *d, const struct sxp *member)
{
	const char *name = head(member), *value = member->nr > 1 ? member->member[1]->atom : "";
	const struct config_key *k;

	if (!name)
		return refuse(r, "a device has no name in", "()");
	if (key_group(device_groups, name))
		return 0;
	if (value && d->kind == &disk_kind && !strcmp(name, "uname"))
		return disk_set_uname(d, value);
	if (value && d->kind == &disk_kind && !strcmp(name, "dev"))
		return disk_set_vdev(d, value);
	k = key_find(d->kind->table, name, FORM_SXP, CONFIG_XM);
	if (!k)
		return key_unknown(d->kind->table, name, CONFIG_XM, r->at, r->found);
	if (!value || strchr(value, ','))
		return refuse(r, "a text without commas is wanted of", name);
	return *value && (strcmp(name, "backend") || strcmp(value, "0")) ? device_set(d, k, value)
									 : 0;
}

/* (vbd (uname phy:/dev/x) (dev sda1:disk) (mode w)); whether the name has a prefix depends on the script. */
static int read_device(struct sxp_reader *r, const struct sxp *x)
{
	const char *name = head(x) ? head(x) : "()";
	bool tap = !strcmp(name, "tap") || !strcmp(name, "tap2");
	const struct config_key *k = domain_keys;
	struct reader d;
	int rc = 0;

	if (!strcmp(name, "vkbd") || !strcmp(name, "console"))
		return 0;
	while (!key_is_last(k) &&
	       (!k->kind || !k->kind->sxp || strcmp(k->kind->sxp, tap ? "vbd" : name)))
		k++;
	if (key_is_last(k))
		return refuse(r, "this kind of device is not supported:", name);
	d = device_begin(k->kind, device_add(k, r->c), r->at, r->found);
	for (int uname = 0; uname < 2; uname++)
		for (size_t i = 1; i < x->nr && !rc; i++)
			if ((head(x->member[i]) && !strcmp(head(x->member[i]), "uname")) == uname)
				rc = read_device_member(r, &d, x->member[i]);
	return rc ? rc : device_check(&d);
}

static void read_members(struct sxp_reader *r, const char *path, const struct sxp *x);

static void read_image(struct sxp_reader *r, const struct sxp *x)
{
	const char *kind = head(x);

	if (kind && !strcmp(kind, "linux"))
		read_members(r, "image/linux/", x);
	else if (kind && (!strcmp(kind, "hvm") || !strcmp(kind, "vmx")))
		r->c->type = DOMAIN_HVM;
	else
		refuse(r, "this kind of image is not known:", kind ? kind : "()");
}

static void read_backends(struct sxp_reader *r, const struct sxp *x)
{
	r->c->driver_domain |= sxp_child(x, "blkif") || sxp_child(x, "netif");
	if (sxp_child(x, "tpmif"))
		refuse(r, "this kind of back end is not supported:", "tpmif");
}

static void read_members(struct sxp_reader *r, const char *path, const struct sxp *x)
{
	static const struct sxp nothing;

	for (size_t i = 1; i < x->nr; i++) {
		const struct sxp *one = x->member[i];
		const char *name = head(one);
		bool has_list = one->nr > 1 && !one->member[1]->atom;
		const struct config_key *k;
		char *full;

		if (!name) {
			refuse(r, "(name value) is wanted, not", one->atom ? one->atom : "()");
			continue;
		}
		/* xend kept some of the image's values beside it. */
		full = xasprintf("image/linux/%s", name);
		k = key_find(domain_keys, *path ? full : name, FORM_SXP, CONFIG_XM);
		if (!k)
			k = key_find(domain_keys, full, FORM_SXP, CONFIG_XM);
		if (k)
			read_row(r, k, one);
		else if (!*path && !strcmp(name, "device"))
			r->rc |= read_device(r, has_list ? one->member[1] : &nothing);
		else if (!*path && !strcmp(name, "image"))
			read_image(r, has_list ? one->member[1] : &nothing);
		else if (!*path && !strcmp(name, "backend"))
			read_backends(r, one);
		else if (!key_group(sxp_groups, name))
			r->rc = key_unknown(domain_keys, name, CONFIG_XM, r->at, r->found);
		free(full);
	}
}

int sxp_read(const char *name, const char *text, struct domain_config *c, struct diagnostics *found)
{
	struct sxp_reader r = {.c = c, .at = {.file = name}, .found = found};
	struct error e = {0};
	struct sxp *x = sxp_parse(name ? name : "configuration", text, &e);
	const char *kind = x ? head(x) : NULL;

	if (!x)
		return diagnostics_error(found, (struct place){0}, "%s", e.text);
	c->vcpus = 0;
	if (kind && (!strcmp(kind, "vm") || !strcmp(kind, "domain")))
		read_members(&r, "", x);
	else
		refuse(&r, "(vm ...) or (domain ...) is wanted, not",
		       x->atom ? x->atom
		       : kind  ? kind
			       : "()");
	if (!c->vcpus)
		c->vcpus = c->max_vcpus ? c->max_vcpus : 1;
	c->memory_given = sxp_child(x, "memory") || sxp_child(x, "maxmem");
	c->vcpus_given = sxp_child(x, "vcpus") != NULL;
	sxp_free(x);
	return r.rc ? -1 : 0;
}
