/* SPDX-License-Identifier: MIT */
/* What devices there are: /libxl says which, their front and back ends how they fare. Two exchanges a kind, however many there are. */
#include "lib/device/internal.h"

#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER(side, name, member)                                     \
	{                                                              \
		side, name, offsetof(struct device_info, member), true \
	}
#define TEXT(side, name, member)                                        \
	{                                                               \
		side, name, offsetof(struct device_info, member), false \
	}

/* Where two nodes are for one member, the first that is there counts. */
static const struct {
	enum node_path at;
	const char *name;
	size_t offset;
	bool number;
} fields[] = {
	NUMBER(AT_FRONT, "backend-id", backend_id),
	NUMBER(AT_FRONT, "handle", handle),
	NUMBER(AT_FRONT, "state", state),
	NUMBER(AT_BACK, "state", backend_state),
	NUMBER(AT_FRONT, "event-channel", event_channel),
	NUMBER(AT_FRONT, "event-channel-tx", event_channel_tx),
	NUMBER(AT_FRONT, "event-channel-rx", event_channel_rx),
	NUMBER(AT_FRONT, "ring-ref", ring_ref),
	NUMBER(AT_FRONT, "tx-ring-ref", tx_ring_ref),
	NUMBER(AT_FRONT, "rx-ring-ref", rx_ring_ref),
	TEXT(AT_BACK, "script", script),
	TEXT(AT_BACK, "type", type),
	TEXT(AT_BACK, "hotplug-status", hotplug_status),
	TEXT(AT_BACK, "hotplug-error", error),
	TEXT(AT_ERROR, "error", error),
	TEXT(AT_BACK, "dev", vdev),
	TEXT(AT_BACK, "params", target),
	TEXT(AT_BACK, "mode", mode),
	TEXT(AT_BACK, "device-type", device_type),
	TEXT(AT_BACK, "physical-device", physical_device),
	TEXT(AT_BACK, "mac", mac),
	TEXT(AT_BACK, "bridge", bridge),
	TEXT(AT_BACK, "ip", ip),
	TEXT(AT_BACK, "vifname", vifname),
	TEXT(AT_BACK, "rate", rate),
	TEXT(AT_FRONT, "mtu", mtu),
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static void take_field(struct device_info *d, int field, char *value)
{
	char *member = (char *)d + fields[field].offset;

	if (!value)
		return;
	if (fields[field].number)
		str_to_long(value, 0, INT64_MAX, (long *)member);
	else if (!*(char **)member)
		*(char **)member = xstrdup(value);
}

/* Reads all @nr devices' fields with one exchange. */
static int read_fields(struct store *s, struct device_info *list, const struct nodes *at, size_t nr,
		       struct error *e)
{
	char **paths = xcalloc(nr * FIELDS, sizeof(*paths)), **values;
	int rc;

	values = xcalloc(nr * FIELDS, sizeof(*values));
	for (size_t i = 0; i < nr * FIELDS; i++) {
		paths[i] = xasprintf("%s/%s", at[i / FIELDS].path[fields[i % FIELDS].at],
				     fields[i % FIELDS].name);
	}
	rc = store_read_each(s, "", (const char *const *)paths, nr * FIELDS, values, e);
	for (size_t i = 0; i < nr * FIELDS; i++) {
		if (!rc)
			take_field(&list[i / FIELDS], (int)(i % FIELDS), values[i]);
		free(values[i]);
		free(paths[i]);
	}
	free(values);
	free(paths);
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
	char *folder = xasprintf("/libxl/%u/device/%s", domid, device_kind_name(kind)), **names;
	struct nodes *at;
	size_t found;
	int rc = store_list(s, folder, &names, &found, e);

	*nr = 0;
	*out = xcalloc(found, sizeof(**out));
	at = xcalloc(found, sizeof(*at));
	for (size_t i = 0; i < found; i++) {
		struct device_info *d = &(*out)[*nr];

		if (!str_to_long(names[i], 0, INT32_MAX, &d->devid))
			continue;
		nodes_init(&at[*nr], domid, kind, d->devid);
		d->kind = kind;
		d->frontend = xstrdup(at[*nr].path[AT_FRONT]);
		d->backend = xstrdup(at[*nr].path[AT_BACK]);
		d->backend_id = d->state = d->backend_state = d->event_channel = -1;
		d->event_channel_tx = d->event_channel_rx = -1;
		d->ring_ref = d->tx_ring_ref = d->rx_ring_ref = -1;
		++*nr;
	}
	if (!rc && *nr)
		rc = read_fields(s, *out, at, *nr, e);
	for (size_t i = 0; i < *nr; i++)
		nodes_free(&at[i]);
	free(at);
	free(names);
	free(folder);
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
		for (int f = 0; f < FIELDS; f++) {
			char **text = (char **)((char *)&list[i] + fields[f].offset);

			if (!fields[f].number) {
				free(*text);
				*text = NULL; /* two fields may be one member */
			}
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
	    (d->state == STATE_CONNECTED && d->backend_state == STATE_CONNECTED))
		return NULL;
	if (d->backend_state < STATE_INIT_WAIT)
		return xasprintf("%s %ld: no driver in domain 0 has taken it up, state %ld", kind,
				 d->devid, d->backend_state);
	if (d->backend_state >= STATE_CLOSING)
		return xasprintf("%s %ld: the back end is closed, state %ld", kind, d->devid,
				 d->backend_state);
	return xasprintf("%s %ld: the guest's driver has not connected, state %ld", kind, d->devid,
			 d->state);
}

long device_next_id(struct store *s, uint32_t domid, enum device_kind kind)
{
	char *folder = xasprintf("/libxl/%u/device/%s", domid, device_kind_name(kind)), **names;
	long next = 0, devid;
	size_t nr;

	store_list(s, folder, &names, &nr, NULL);
	for (size_t i = 0; i < nr; i++)
		if (str_to_long(names[i], 0, INT32_MAX, &devid) && devid == next) {
			next++;
			i = (size_t)-1; /* in whatever order they come */
		}
	free(names);
	free(folder);
	return next;
}
