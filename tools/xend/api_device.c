/* SPDX-License-Identifier: MIT */
/* Requests about a domain's devices: disks and network interfaces. */
#include "xend/api_request.h"

#include "lib/device/device.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *class;
	enum device_kind kind;
} classes[] = {{"disk", DEVICE_VBD}, {"network", DEVICE_VIF}};

static int class_kind(const struct api_request *r, enum device_kind *kind, struct error *e)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (!strcmp(classes[i].class, r->segment[4])) {
			*kind = classes[i].kind;
			return 0;
		}
	error_set(e, ERROR_NOT_FOUND, "there are no devices of the class %.40s", r->segment[4]);
	return error_hint(e, "the classes are disk and network");
}

/* --- Listing ------------------------------------------------------------------------------------------------ */

static const struct json_member known_members[] = {
	JSON_MEMBERS(struct device_info, devid, backend_id, handle, state, backend_state,
		     event_channel),
};

/* Only where there is something to say. */
static const struct json_member text_members[] = {
	JSON_MEMBERS(struct device_info, script, type, vdev, target, mode, device_type, mac, bridge,
		     ip, vifname, rate, mtu, error),
};

static void put_rings(struct json_writer *w, const struct device_info *d)
{
	bool vif = d->kind == DEVICE_VIF;

	json_begin(w, "ring_refs", '[');
	if (vif && d->tx_ring_ref >= 0) {
		json_put_number(w, NULL, d->tx_ring_ref);
		json_put_number(w, NULL, d->rx_ring_ref);
	} else if (!vif && d->ring_ref >= 0) {
		json_put_number(w, NULL, d->ring_ref);
	}
	json_end(w, ']');
}

static void put_device(struct json_writer *w, const struct device_info *d)
{
	char *trouble = device_trouble(d);

	json_begin(w, NULL, '{');
	json_put_members(w, d, known_members);
	put_rings(w, d);
	json_put_text(w, "frontend_path", d->frontend);
	json_put_text(w, "backend_path", d->backend);
	json_put_text(w, "trouble", trouble);
	for (const struct json_member *m = text_members; m->name; m++)
		if (*(char *const *)((const char *)d + m->offset))
			json_put_members(w, d, (const struct json_member[]){*m, {0}});
	json_end(w, '}');
	free(trouble);
}

int api_devices_get(struct api_request *r, struct error *e)
{
	struct device_info *list;
	enum device_kind kind;
	struct json_writer w;
	size_t nr;

	if (class_kind(r, &kind, e) ||
	    device_list(r->node->store, r->domain->id, kind, &list, &nr, e))
		return -1;
	w = api_list(r, "devices");
	for (size_t i = 0; i < nr; i++)
		put_device(&w, &list[i]);
	device_list_free(list, nr);
	return api_list_end(&w);
}

/* --- Attaching, detaching --------------------------------------------------------------------------------- */

static struct operation *attach_disk(struct api_request *r, struct error *e)
{
	struct diagnostics found = {0};
	struct disk_config disk = {0};
	struct operation *op = NULL;

	if (disk_from_json(r->json, &disk, &found))
		diagnostics_to_error(&found, e);
	else
		op = domain_attach_disk(r->node, r->domain, &disk, e);
	disk_free(&disk);
	diagnostics_free(&found);
	return op;
}

static struct operation *attach_nic(struct api_request *r, struct error *e)
{
	struct diagnostics found = {0};
	struct nic_config nic = {0};
	struct operation *op = NULL;

	if (nic_from_json(r->json, &nic, &found))
		diagnostics_to_error(&found, e);
	else
		op = domain_attach_nic(r->node, r->domain, &nic, e);
	nic_free(&nic);
	diagnostics_free(&found);
	return op;
}

int api_devices_post(struct api_request *r, struct error *e)
{
	enum device_kind kind;

	if (class_kind(r, &kind, e) || api_body_tree(r, e))
		return -1;
	return api_wait(r, kind == DEVICE_VBD ? attach_disk(r, e) : attach_nic(r, e), NULL);
}

int api_device_delete(struct api_request *r, struct error *e)
{
	enum device_kind kind;

	if (class_kind(r, &kind, e))
		return -1;
	return api_wait(r,
			domain_detach(r->node, r->domain, r->segment[4], r->segment[5],
				      api_query_flag(r, "force", false), e),
			NULL);
}
