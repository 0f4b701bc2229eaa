/* SPDX-License-Identifier: MIT */
/* Devices: block-list, block-attach, block-detach, block-configure and the same for the network. */
#include "xm/devices.h"

#include "lib/base/sxp.h"
#include "xm/verbs.h"

#include <stdlib.h>
#include <string.h>

/* --- As text ------------------------------------------------------------------------------------------- */

static long long ring_ref(const json_t *d, size_t i)
{
	const json_t *ref = json_array_get(json_object_get(d, "ring_refs"), i);

	return json_is_integer(ref) ? json_integer_value(ref) : -1;
}

/* xl puts the domain's id into the column called handle; the back end's path has it: .../vbd/DOMID/DEVID. */
static long long block_handle(const json_t *d, bool xm)
{
	const char *vbd = strstr(member_text(d, "backend_path", ""), "/vbd/");

	return xm || !vbd ? member_number(d, "handle", 0) : atoll(vbd + 5);
}

void block_list_render(const json_t *devices, enum config_dialect dialect, bool head,
		       struct text *out)
{
	bool xm = dialect == CONFIG_XM;
	const json_t *d;
	size_t i;

	if (head && xm)
		text_str(out, "Vdev  BE handle state evt-ch ring-ref BE-path\n");
	else if (head)
		text_printf(out, "%-5s %-3s %-6s %-5s %-6s %-8s %-30s\n", "Vdev", "BE", "handle",
			    "state", "evt-ch", "ring-ref", "BE-path");
	json_array_foreach(devices, i, d)
		text_printf(out,
			    xm ? "%-3lld    %-3lld  %-3lld   %-3lld    %-3lld    %-5lld %-30s  \n"
			       : "%-5lld %-3lld %-6lld %-5lld %-6lld %-8lld %-30s\n",
			    member_number(d, "devid", 0), member_number(d, "backend_id", 0),
			    block_handle(d, xm), member_number(d, "state", 0),
			    member_number(d, "event_channel", -1), ring_ref(d, 0),
			    member_text(d, "backend_path", ""));
}

void network_list_render(const json_t *devices, enum config_dialect dialect, bool head,
			 struct text *out)
{
	bool xm = dialect == CONFIG_XM;
	const json_t *d;
	size_t i;

	if (head && xm)
		text_str(out,
			 "Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path\n");
	else if (head)
		text_printf(out, "%-3s %-2s %-17s %-6s %-5s %-6s %5s/%-5s %-30s\n", "Idx", "BE",
			    "Mac Addr.", "handle", "state", "evt-ch", "tx-", "rx-ring-ref",
			    "BE-path");
	json_array_foreach(devices, i, d) text_printf(
		out,
		xm ? "%-3lld %-3lld%-17s    %-3lld   %-3lld    %-3lld    %-5lld/%-5lld   %-30s  \n"
		   : "%-3lld %-2lld %-17s%6lld %5lld %6lld %5lld/%-11lld %-30s\n",
		member_number(d, "devid", 0), member_number(d, "backend_id", 0),
		member_text(d, "mac", ""), member_number(d, "handle", 0),
		member_number(d, "state", 0), member_number(d, "event_channel", -1), ring_ref(d, 0),
		ring_ref(d, 1), member_text(d, "backend_path", ""));
}

static void device_pair(struct sxp *list, const char *name, const json_t *value)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", json_integer_value(value));
	sxp_pair(list, name, json_is_string(value) ? json_string_value(value) : number);
}

void device_long_render(const json_t *device, struct text *out)
{
	static const char *const renamed[][2] = {{"backend_path", "backend"},
						 {"event_channel", "event-channel"},
						 {"backend_id", "backend-id"}};
	struct sxp *x = sxp_list(), *list = sxp_list();
	const char *key;
	json_t *value;
	char number[24];

	snprintf(number, sizeof(number), "%lld", member_number(device, "devid", 0));
	sxp_add(sxp_add(x, sxp_atom(number)), list);
	json_object_foreach((json_t *)device, key, value)
	{
		const char *name = key;

		for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++)
			if (!strcmp(key, renamed[i][0]))
				name = renamed[i][1];
		if (json_is_string(value) || json_is_integer(value))
			device_pair(list, name, value);
	}
	if (json_array_size(json_object_get(device, "ring_refs")) == 2) {
		device_pair(list, "tx-ring-ref",
			    json_array_get(json_object_get(device, "ring_refs"), 0));
		device_pair(list, "rx-ring-ref",
			    json_array_get(json_object_get(device, "ring_refs"), 1));
	} else if (ring_ref(device, 0) >= 0) {
		device_pair(list, "ring-ref",
			    json_array_get(json_object_get(device, "ring_refs"), 0));
	}
	sxp_print(x, true, out);
	text_str(out, "\n");
	sxp_free(x);
}

/* --- Listing ------------------------------------------------------------------------------------------------- */

typedef void list_render(const json_t *devices, enum config_dialect dialect, bool head,
			 struct text *out);

/* xm names one domain, xl any number. */
static int devices_list(struct xm *x, const struct call *call, const char *class,
			list_render *render, struct error *e)
{
	struct text out = {0};
	json_t *all = json_array(), *d;
	int rc = 0;
	size_t k;

	for (int i = 0; !rc && i < call->nr; i++) {
		json_t *answer = domain_call(x, "GET", call->operand[i], class, NULL, e);
		json_t *devices = json_object_get(answer, "devices");

		rc = answer ? 0 : -1;
		if (rc)
			break;
		if (call->json)
			json_array_extend(all, devices);
		else if (call_option(call, "long"))
			json_array_foreach(devices, k, d) device_long_render(d, &out);
		else if (x->dialect == CONFIG_XL || json_array_size(devices))
			render(devices, x->dialect, !i, &out);
		json_decref(answer);
	}
	if (!rc)
		rc = call->json ? put_json(all, e) : put(&out, e);
	text_free(&out);
	json_decref(all);
	return rc;
}

int xm_block_list(struct xm *x, const struct call *call, struct error *e)
{
	return devices_list(x, call, "devices/disk", block_list_render, e);
}

int xm_network_list(struct xm *x, const struct call *call, struct error *e)
{
	return devices_list(x, call, "devices/network", network_list_render, e);
}

/* --- Attaching ------------------------------------------------------------------------------------------------ */

/* The operands from @first on, with commas between; the caller frees. */
static char *join(const struct call *call, int first)
{
	struct text t = {0};

	for (int i = first; i < call->nr; i++)
		text_printf(&t, "%s%s", i > first ? "," : "", call->operand[i]);
	return text_take(&t);
}

static json_t *disk_json(const char *spec, struct error *e)
{
	struct diagnostics found = {0};
	struct disk_config disk = {0};
	json_t *json = NULL;

	if (disk_parse(spec, &disk, &found))
		diagnostics_to_error(&found, e);
	else
		json = disk_to_json(&disk);
	disk_free(&disk);
	diagnostics_free(&found);
	return json;
}

static json_t *nic_json(const char *spec, struct error *e)
{
	struct diagnostics found = {0};
	struct nic_config nic = {0};
	json_t *json = NULL;

	if (nic_parse(spec, &nic, &found))
		diagnostics_to_error(&found, e);
	else
		json = nic_to_json(&nic);
	nic_free(&nic);
	diagnostics_free(&found);
	return json;
}

/* xl -N prints what would be attached. @json is taken over. */
static int device_attach(struct xm *x, const struct call *call, const char *class, json_t *json,
			 struct error *e)
{
	struct text out = {0};

	if (!json)
		return -1;
	if (!x->dry_run)
		return domain_do(x, "POST", call->operand[0], class, json, e);
	text_str(&out, strstr(class, "disk") ? "disk: " : "vif: ");
	config_print_json(json, &out);
	json_decref(json);
	return put(&out, e);
}

/* xm: BackDev FrontDev Mode [BackDomain]; xl: a disk as the configuration has it, in one or several words. */
static json_t *disk_of(struct xm *x, const struct call *call, struct error *e)
{
	bool old = x->dialect == CONFIG_XM && call->nr >= 4 && !strchr(call->operand[1], '=');
	char *spec = old && call->nr > 4
			     ? xasprintf("%s,%s,%s,backend=%s", call->operand[1], call->operand[2],
					 call->operand[3], call->operand[4])
			     : join(call, 1);
	json_t *json = disk_json(spec, e);

	free(spec);
	return json;
}

int xm_block_attach(struct xm *x, const struct call *call, struct error *e)
{
	return device_attach(x, call, "devices/disk", disk_of(x, call, e), e);
}

int xm_network_attach(struct xm *x, const struct call *call, struct error *e)
{
	char *spec = join(call, 1);
	json_t *json = nic_json(spec, e);

	free(spec);
	return device_attach(x, call, "devices/network", json, e);
}

/* --- Detaching ------------------------------------------------------------------------------------------------- */

static int device_detach(struct xm *x, const char *domain, const char *class, const char *device,
			 bool force, struct error *e)
{
	char *tail;
	int rc;

	for (const char *p = device; *p; p++)
		if (strchr("/?#% ", *p))
			return error_set(e, ERROR_USAGE, "'%s' is no device's name", device);
	tail = xasprintf("devices/%s/%s%s", class, device, force ? "?force=1" : "");
	rc = domain_do(x, "DELETE", domain, tail, NULL, e);
	free(tail);
	return rc;
}

int xm_block_detach(struct xm *x, const struct call *call, struct error *e)
{
	return device_detach(x, call->operand[0], "disk", call->operand[1],
			     call_option(call, "force"), e);
}

int xm_network_detach(struct xm *x, const struct call *call, struct error *e)
{
	return device_detach(x, call->operand[0], "network", call->operand[1],
			     call_option(call, "force"), e);
}

/* Another back end for a device: it is taken away and comes back. */
int xm_block_configure(struct xm *x, const struct call *call, struct error *e)
{
	json_t *json = disk_of(x, call, e);

	if (!json)
		return -1;
	if (device_detach(x, call->operand[0], "disk", member_text(json, "vdev", ""), false, e)) {
		json_decref(json);
		return -1;
	}
	return device_attach(x, call, "devices/disk", json, e);
}
