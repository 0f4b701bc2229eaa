/* SPDX-License-Identifier: MIT */
/* Requests about a domain's devices: disks and network interfaces. */
#include "xend/api_request.h"

#include "lib/device/device.h"

#include <stdlib.h>
#include <string.h>

static int class_kind(const struct api_request *r, enum device_kind *kind, struct error *e)
{
	*kind = !strcmp(r->segment[4], "disk") ? DEVICE_VBD : DEVICE_VIF;
	if (*kind == DEVICE_VBD || !strcmp(r->segment[4], "network"))
		return 0;
	error_set(e, ERROR_NOT_FOUND, "there are no devices of the class %.40s", r->segment[4]);
	return error_hint(e, "the classes are disk and network");
}

/* --- Listing ------------------------------------------------------------------------------------------------ */

const struct json_member api_device_members[] = {
	{"frontend_path", JSON_TEXT, offsetof(struct device_info, frontend)},
	{"backend_path", JSON_TEXT, offsetof(struct device_info, backend)},
	{"ring_refs", JSON_OTHER},
	{"trouble", JSON_OTHER},
	JSON_MEMBERS(struct device_info, devid, backend_id, handle, state, backend_state,
		     event_channel, script, type, vdev, target, mode, device_type, mac, bridge, ip,
		     vifname, rate, mtu, error),
};

static void put_device(struct json_writer *w, const struct device_info *d)
{
	const long vif[] = {d->tx_ring_ref, d->rx_ring_ref}, vbd[] = {d->ring_ref, -1};
	const long *rings = d->kind == DEVICE_VIF ? vif : vbd;
	char *trouble = device_trouble(d);

	json_begin(w, NULL, '{');
	json_put_members(w, d, api_device_members, JSON_ALL);
	json_begin(w, "ring_refs", '[');
	for (int i = 0; i < 2 && rings[0] >= 0 && rings[i] >= 0; i++)
		json_put_number(w, NULL, rings[i]);
	json_end(w);
	json_put_text(w, "trouble", trouble);
	json_end(w);
	free(trouble);
}

int api_devices_get(struct api_request *r, struct error *e)
{
	struct device_info *list;
	enum device_kind kind;
	size_t nr;

	if (class_kind(r, &kind, e) ||
	    device_list(r->node->store, r->domain->id, kind, &list, &nr, e))
		return -1;
	api_list(r, "devices");
	for (size_t i = 0; i < nr; i++)
		put_device(&r->out, &list[i]);
	device_list_free(list, nr);
	return 0;
}

/* --- Attaching, detaching --------------------------------------------------------------------------------- */

int api_devices_post(struct api_request *r, struct error *e)
{
	struct diagnostics found = {0};
	struct device_config device = {0};
	struct operation *op = NULL;

	if (class_kind(r, &device.kind, e))
		return -1;
	if (device.kind == DEVICE_VBD ? spec_from_json(&disk_kind, r->json, &device.disk, &found)
				      : spec_from_json(&nic_kind, r->json, &device.nic, &found))
		diagnostics_to_error(&found, e);
	else
		op = domain_attach(r->node, r->domain, &device, e);
	spec_free(&disk_kind, &device.disk);
	spec_free(&nic_kind, &device.nic);
	diagnostics_free(&found);
	return api_wait(r, op, NULL);
}

int api_device_delete(struct api_request *r, struct error *e)
{
	const char *device = r->segment[5];
	bool force = api_query_flag(r, "force", false);
	enum device_kind kind;

	if (class_kind(r, &kind, e))
		return -1;
	return api_wait(r, domain_detach(r->node, r->domain, kind, device, force, e), NULL);
}
