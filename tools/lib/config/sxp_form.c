/* SPDX-License-Identifier: MIT */
/*
 * The S-expressions of xend: (vm (name ..) (image (linux ..)) (device (vbd ..)) ...) as xm create -F reads it and -n prints it, (domain ...)
 * as xm list -l does. What only a running domain has is passed over.
 */
#include "lib/config/keys.h"

#include "lib/base/sxp.h"
#include "lib/base/text.h"

#include <string.h>

/* "()" for what has none. */
static const char *head(const struct sxp *x)
{
	return x->nr && x->member[0]->atom ? x->member[0]->atom : "()";
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

static void read_row(struct reader *r, const struct config_key *k, const struct sxp *x)
{
	const struct sxp *one = x->nr > 1 ? x->member[1] : NULL;
	autovalue struct value v = {0};

	if (!one || !(one->atom ? *one->atom : one->nr))
		return; /* (bootloader ) */
	v = value_of(one, r->at);
	field_set(r, k, &v);
}

static int read_device_member(struct reader *r, const struct sxp *member)
{
	const char *name = head(member), *text = member->nr > 1 ? member->member[1]->atom : "";
	const struct config_key *k = key_find(r, name);

	if (!k)
		return strcmp(name, "()") ? key_other(r, name, false)
					  : complain(r, "a device has no name in '()'");
	/* What has a name in files could not be told there. */
	if (!text || (k->name && strchr(text, ',')))
		return complain(r, "a text without commas is wanted of '%.60s'", name);
	if (!*text || (!strcmp(name, "backend") && !strcmp(text, "0")))
		return 0;
	return field_set(r, k, &(struct value){.text = (char *)text, .at = r->at});
}

/* (vbd (uname phy:/dev/x) (dev sda1:disk) (mode w)); whether the name has a prefix depends on the script. */
static void read_device(struct reader *r, const struct sxp *x)
{
	const char *name = head(x);
	bool tap = !strcmp(name, "tap") || !strcmp(name, "tap2");
	const struct config_key *k = domain_kind.table;
	struct reader d;
	int rc = 0;

	if (!strcmp(name, "vkbd") || !strcmp(name, "console"))
		return;
	while (!key_is_last(k) &&
	       (!k->kind || !k->kind->sxp || strcmp(k->kind->sxp, tap ? "vbd" : name)))
		k++;
	if (key_is_last(k)) {
		complain(r, "this kind of device is not supported: '%.60s'", name);
		return;
	}
	d = device_begin(r, k);
	for (int uname = 0; uname < 2; uname++)
		for (size_t i = 1; i < x->nr && !rc; i++)
			if (uname == !strcmp(head(x->member[i]), "uname"))
				rc = read_device_member(&d, x->member[i]);
	if (!rc)
		device_check(&d);
}

static void read_members(struct reader *r, const struct sxp *x, bool image);

static void read_image(struct reader *r, const struct sxp *x)
{
	const char *kind = head(x);

	if (!strcmp(kind, "linux"))
		read_members(r, x, true);
	else if (!strcmp(kind, "hvm") || !strcmp(kind, "vmx"))
		((struct domain_config *)r->base)->type = DOMAIN_HVM;
	else
		complain(r, "this kind of image is not known: '%.60s'", kind);
}

static void read_backends(struct reader *r, const struct sxp *x)
{
	((struct domain_config *)r->base)->driver_domain |=
		sxp_child(x, "blkif") || sxp_child(x, "netif");
	if (sxp_child(x, "tpmif"))
		complain(r, "this kind of back end is not supported: 'tpmif'");
}

static void read_members(struct reader *r, const struct sxp *x, bool image)
{
	static struct sxp nothing;

	for (size_t i = 1; i < x->nr; i++) {
		struct sxp *one = x->member[i], *list = one->nr > 1 ? one->member[1] : &nothing;
		const char *name = head(one);
		autofree char *full = xasprintf("image/linux/%s", name);
		const struct config_key *k = image ? NULL : key_find(r, name);

		/* xend kept some of the image's values beside it. */
		if (!k)
			k = key_find(r, full);
		if (k)
			read_row(r, k, one);
		else if (!image && !strcmp(name, "device"))
			read_device(r, list);
		else if (!image && !strcmp(name, "image"))
			read_image(r, list);
		else if (!image && !strcmp(name, "backend"))
			read_backends(r, one);
		else if (!strcmp(name, "()"))
			complain(r, "(name value) is wanted, not '%.60s'",
				 one->atom ? one->atom : "()");
		else
			key_other(r, name, false);
	}
}

void sxp_read(const char *name, const char *text, struct domain_config *c,
	      struct diagnostics *found)
{
	struct reader r = {&domain_kind, c, found, FORM_SXP, true, {.file = name}};
	struct error e = {0};
	struct sxp *x = sxp_parse(name ? name : "configuration", text, &e);
	const char *kind = x ? head(x) : NULL;

	c->vcpus = 0;
	if (!x)
		diagnostics_error(found, (struct place){0}, "%s", e.text);
	else if (!strcmp(kind, "vm") || !strcmp(kind, "domain"))
		read_members(&r, x, false);
	else
		complain(&r, "(vm ...) or (domain ...) is wanted, not '%.60s'",
			 x->atom ? x->atom : kind);
	if (!c->vcpus)
		c->vcpus = c->max_vcpus ? c->max_vcpus : 1;
	sxp_free(x);
}
