/* SPDX-License-Identifier: MIT */
/* What devices there are: /libxl says which, their front and back ends how they fare. One exchange a kind, and one a device. */
#include "lib/device/internal.h"

#define AT(member) offsetof(struct device_info, member)

/* Numbers first, then texts. Where two nodes are for one member, the first that is there counts. */
static const struct {
	enum node_path at;
	const char *name;
	size_t offset;
} fields[] = {
	{AT_FRONT, "backend-id", AT(backend_id)},
	{AT_FRONT, "handle", AT(handle)},
	{AT_FRONT, "state", AT(state)},
	{AT_BACK, "state", AT(backend_state)},
	{AT_FRONT, "event-channel", AT(event_channel)},
	{AT_FRONT, "ring-ref", AT(ring_ref)},
	{AT_FRONT, "tx-ring-ref", AT(tx_ring_ref)},
	{AT_FRONT, "rx-ring-ref", AT(rx_ring_ref)},
	{AT_BACK, "script", AT(script)},
	{AT_BACK, "type", AT(type)},
	{AT_BACK, "hotplug-error", AT(error)},
	{AT_ERROR, "error", AT(error)},
	{AT_BACK, "dev", AT(vdev)},
	{AT_BACK, "params", AT(target)},
	{AT_BACK, "mode", AT(mode)},
	{AT_BACK, "device-type", AT(device_type)},
	{AT_BACK, "mac", AT(mac)},
	{AT_BACK, "bridge", AT(bridge)},
	{AT_BACK, "ip", AT(ip)},
	{AT_BACK, "vifname", AT(vifname)},
	{AT_BACK, "rate", AT(rate)},
	{AT_FRONT, "mtu", AT(mtu)},
};

enum { NUMBERS = 8, FIELDS = sizeof(fields) / sizeof(fields[0]) };

static void take_field(struct device_info *d, size_t field, char *value)
{
	char *member = (char *)d + fields[field].offset;

	if (field < NUMBERS)
		str_to_long(value ? value : "", 0, INT64_MAX, (long *)member);
	else if (!*(char **)member && value)
		*(char **)member = xstrdup(value);
}

static int read_fields(struct store *s, struct device_info *d, const struct nodes *at,
		       struct error *e)
{
	char *paths[FIELDS], *values[FIELDS];
	int rc;

	for (int i = 0; i < FIELDS; i++)
		paths[i] = xasprintf("%s/%s", at->path[fields[i].at], fields[i].name);
	rc = store_read_each(s, "", (const char *const *)paths, FIELDS, values, e);
	for (size_t i = 0; i < FIELDS && !rc; i++)
		take_field(d, i, values[i]);
	store_values_free(values, FIELDS);
	store_values_free(paths, FIELDS);
	return rc;
}

static int by_devid(const void *a, const void *b)
{
	const struct device_info *x = a, *y = b;

	return (x->devid > y->devid) - (x->devid < y->devid);
}

int device_list(struct store *s, uint32_t domid, enum device_kind kind, struct device_info **out,
		size_t *nr, struct error *e)
{
	autofree char *folder = xasprintf("/libxl/%u/device/%s", domid, device_kind_name(kind));
	autofree char **names = NULL;
	size_t found;
	int rc = store_list(s, folder, &names, &found, e);

	*nr = 0;
	*out = xcalloc(found, sizeof(**out));
	for (size_t i = 0; i < found && !rc; i++) {
		struct device_info *d = &(*out)[*nr];
		struct nodes at;

		if (!str_to_long(names[i], 0, INT32_MAX, &d->devid))
			continue;
		++*nr;
		nodes_init(&at, domid, kind, d->devid);
		d->kind = kind;
		d->frontend = xstrdup(at.path[AT_FRONT]);
		d->backend = xstrdup(at.path[AT_BACK]);
		d->backend_id = d->state = d->backend_state = d->event_channel = -1;
		d->ring_ref = d->tx_ring_ref = d->rx_ring_ref = -1;
		rc = read_fields(s, d, &at, e);
		nodes_free(&at);
	}
	qsort(*out, *nr, sizeof(**out), by_devid);
	if (rc)
		device_list_free(*out, *nr);
	return rc;
}

void device_list_free(struct device_info *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(list[i].frontend);
		free(list[i].backend);
		for (int f = NUMBERS; f < FIELDS; f++) {
			char **text = (char **)((char *)&list[i] + fields[f].offset);

			free(*text);
			*text = NULL; /* two fields may be one member */
		}
	}
	free(list);
}

char *device_trouble(const struct device_info *d)
{
	const char *kind = device_kind_name(d->kind);

	if (d->error)
		return xasprintf("%s %ld: %s", kind, d->devid, d->error);
	if (d->kind > DEVICE_VIF ||
	    (d->state == XenbusStateConnected && d->backend_state == XenbusStateConnected))
		return NULL;
	if (d->backend_state < XenbusStateInitWait)
		return xasprintf("%s %ld: no driver in domain 0 has taken it up, state %ld", kind,
				 d->devid, d->backend_state);
	if (d->backend_state >= XenbusStateClosing)
		return xasprintf("%s %ld: the back end is closed, state %ld", kind, d->devid,
				 d->backend_state);
	return xasprintf("%s %ld: the guest's driver has not connected, state %ld", kind, d->devid,
			 d->state);
}

long device_next_id(struct store *s, uint32_t domid, enum device_kind kind)
{
	for (long next = 0;; next++) {
		autofree char *path =
			xasprintf("/libxl/%u/device/%s/%ld", domid, device_kind_name(kind), next);
		autofree char *there = store_read(s, path, NULL);

		if (!there)
			return next;
	}
}
