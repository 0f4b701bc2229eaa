/* SPDX-License-Identifier: MIT */
/* Devices: block-list, block-attach, block-detach, block-configure and the same for the network. */
#include "xm/devices.h"

#include "lib/base/sxp.h"
#include "xm/verbs.h"

#include <string.h>

/* --- The classes --------------------------------------------------------------------------------------- */

static const struct device_class disks = {
	.name = "disk",
	.spec = "disk: ",
	.head = {[CONFIG_XL] =
			 "Vdev  BE  handle state evt-ch ring-ref BE-path                       \n",
		 [CONFIG_XM] = "Vdev  BE handle state evt-ch ring-ref BE-path\n"},
	.row = {[CONFIG_XL] = "{devid:-5d} {backend_id:-3d} {handle:-6d} {state:-5d} "
			      "{event_channel=-1:-6d} {ring_refs.0=-1:-8d} {backend_path:-30s}\n",
		[CONFIG_XM] =
			"{devid:-3d}    {backend_id:-3d}  {handle:-3d}   {state:-3d}    "
			"{event_channel=-1:-3d}    {ring_refs.0=-1:-5d} {backend_path:-30s}  \n"},
	.kind = &disk_kind,
};

static const struct device_class networks = {
	.name = "network",
	.spec = "vif: ",
	.head = {[CONFIG_XL] = "Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref "
			       "BE-path                       \n",
		 [CONFIG_XM] =
			 "Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path\n"},
	.row = {[CONFIG_XL] = "{devid:-3d} {backend_id:-2d} {mac:-17s}{handle:6d} {state:5d} "
			      "{event_channel=-1:6d} {ring_refs.0=-1:5d}/{ring_refs.1=-1:-11d} "
			      "{backend_path:-30s}\n",
		[CONFIG_XM] =
			"{devid:-3d} {backend_id:-3d}{mac:-17s}    {handle:-3d}   {state:-3d}    "
			"{event_channel=-1:-3d}    {ring_refs.0=-1:-5d}/{ring_refs.1=-1:-5d}   "
			"{backend_path:-30s}  \n"},
	.kind = &nic_kind,
};

const struct device_class *device_class(const char *command)
{
	return str_starts(command, "block") ? &disks : &networks;
}

/* --- As text ------------------------------------------------------------------------------------------- */

/* xl puts the domain's id into a disk's column called handle; the back end's path has it: .../vbd/DOMID/DEVID. */
static void handles_for_xl(const json_t *devices)
{
	json_t *d;
	size_t i;

	json_array_foreach(devices, i, d)
	{
		const char *vbd = strstr(member_text(d, "backend_path", ""), "/vbd/");

		if (vbd)
			json_object_set_new(d, "handle", json_integer(atoll(vbd + 5)));
	}
}

void devices_render(const struct device_class *class, const json_t *devices,
		    enum config_dialect dialect, bool head, struct text *out)
{
	if (head)
		text_str(out, class->head[dialect]);
	if (dialect == CONFIG_XL)
		handles_for_xl(devices);
	rows_render(devices, class->row[dialect], out);
}

void device_long_render(const json_t *device, struct text *out)
{
	static const char *const renamed[][2] = {{"backend_path", "backend"},
						 {"event_channel", "event-channel"},
						 {"backend_id", "backend-id"}};
	const json_t *refs = json_object_get(device, "ring_refs");
	struct sxp *x = sxp_add_json(sxp_list(), json_object_get(device, "devid"));
	json_auto_t *shown = json_object();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)device, key, value)
	{
		const char *name = key;

		for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++)
			if (!strcmp(key, renamed[i][0]))
				name = renamed[i][1];
		if (json_is_string(value) || json_is_integer(value))
			json_object_set(shown, name, value);
	}
	json_object_set(shown, json_array_size(refs) == 1 ? "ring-ref" : "tx-ring-ref",
			json_array_get(refs, 0));
	json_object_set(shown, "rx-ring-ref", json_array_get(refs, 1));
	sxp_add(x, sxp_add_json(sxp_list(), shown));
	sxp_print(x, true, out);
	text_str(out, "\n");
	sxp_free(x);
}

/* --- Listing ------------------------------------------------------------------------------------------------- */

/* xm names one domain, xl any number. */
int xm_devices_list(struct xm *x)
{
	const struct device_class *class = device_class(x->command->name);
	autofree char *tail = xasprintf("devices/%s", class->name);
	bool json = option(x, "json"), details = option(x, "long");
	json_auto_t *all = json_array();

	for (int i = 0; i < x->nr; i++) {
		json_auto_t *answer = domain_call(x, "GET", x->operand[i], tail, NULL);
		json_t *devices = json_object_get(answer, "devices"), *d;
		size_t k;

		if (!answer)
			return -1;
		if (json)
			json_array_extend(all, devices);
		else if (details)
			json_array_foreach(devices, k, d) device_long_render(d, &x->out);
		else if (x->dialect == CONFIG_XL || json_array_size(devices))
			devices_render(class, devices, x->dialect, !i, &x->out);
	}
	return json ? put_json(x, all) : 0;
}

/* --- Attaching, detaching ------------------------------------------------------------------------------------- */

/*
 * The words behind the domain as one specification: xl's, in one or several words, or xm's BackDev FrontDev Mode [BackDomain]. NULL with
 * the error set.
 */
static json_t *device_spec(struct xm *x, const struct device_class *class)
{
	bool old = x->dialect == CONFIG_XM && class == &disks && x->nr > 4 &&
		   !strchr(x->operand[1], '=');
	struct diagnostics found = {0};
	struct text spec = {0};
	json_t *json = NULL;
	union {
		struct disk_config disk;
		struct nic_config nic;
	} device;

	memset(&device, 0, sizeof(device));
	for (int i = 1; i < x->nr && !(old && i > 4); i++)
		text_printf(&spec, "%s%s%s", i > 1 ? "," : "", old && i == 4 ? "backend=" : "",
			    x->operand[i]);
	if (spec_parse(class->kind, spec.data ? spec.data : "", &device, &found))
		diagnostics_to_error(&found, &x->error);
	else
		json = spec_to_json(class->kind, &device, false);
	spec_free(class->kind, &device);
	diagnostics_free(&found);
	text_free(&spec);
	return json;
}

/* xl -N prints what would be attached. @json is taken over. */
static int device_attach(struct xm *x, const struct device_class *class, json_t *json)
{
	autofree char *tail = xasprintf("devices/%s", class->name);

	if (!json)
		return -1;
	if (!x->dry_run)
		return domain_do(x, "POST", tail, json);
	text_str(&x->out, class->spec);
	config_print_json(json, &x->out);
	json_decref(json);
	return 0;
}

static int device_detach(struct xm *x, const struct device_class *class, const char *device)
{
	autofree char *tail = xasprintf("devices/%s/%s%s", class->name, device,
					option(x, "force") ? "?force=1" : "");

	if (strpbrk(device, "/?#% "))
		return error_set(&x->error, ERROR_USAGE, "'%s' is no device's name", device);
	return domain_do(x, "DELETE", tail, NULL);
}

int xm_device_attach(struct xm *x)
{
	const struct device_class *class = device_class(x->command->name);

	return device_attach(x, class, device_spec(x, class));
}

int xm_device_detach(struct xm *x)
{
	return device_detach(x, device_class(x->command->name), x->operand[1]);
}

/* Another back end for a disk: it is taken away and comes back. */
int xm_device_configure(struct xm *x)
{
	json_auto_t *json = device_spec(x, &disks);

	if (!json || device_detach(x, &disks, member_text(json, "vdev", "")))
		return -1;
	return device_attach(x, &disks, json_incref(json));
}
