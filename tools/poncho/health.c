/* SPDX-License-Identifier: MIT */
/*
 * Whether a boot has gone well. A try notes what worked before it: the address, sshd. In domain 0 `poncho healthy` waits until the same
 * works again and then stops the hypervisor's watchdog; in plain Linux after a try it notes that the machine has fallen back. In both
 * cases nothing of the try remains in GRUB's folder. The note outlives the boots in PONCHO_STATE.
 */
#include "lib/base/file.h"
#include "poncho/counters.h"
#include "poncho/grub.h"
#include "poncho/host.h"
#include "poncho/poncho.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/sched.h>
#include <xencall.h>

/* --- the note --- */

static char *note_get(const char *name)
{
	autofree char *text = host_read(PONCHO_STATE);

	return text ? setting_get(text, name) : NULL;
}

static bool note_says(const char *name, const char *value)
{
	autofree char *v = note_get(name);

	return v && !strcmp(v, value);
}

/* The result is the last line. */
static int note_write(const char *facts, const char *result, struct error *e)
{
	autofree char *folder = host_path(PONCHO_FOLDER);
	autofree char *text = xasprintf("%s\nresult=%s\n", facts, result);

	return folder_make(folder, 0755, e) || host_write(PONCHO_STATE, text, 0644, e) ? -1 : 0;
}

static int note_result(const char *result, struct error *e)
{
	autofree char *text = host_read(PONCHO_STATE);
	char *last = text ? strstr(text, "\nresult=") : NULL;

	if (last)
		*last = '\0';
	return note_write(last ? text : "how=unknown", result, e);
}

int poncho_state_begin(const char *how, struct error *e)
{
	autofree char *boot = host_read("/proc/sys/kernel/random/boot_id"), *facts = NULL;
	struct network n;

	if (!network_find(&n, false))
		(void)network_find(&n, true);
	facts = xasprintf("how=%s\nboot=%s\naddress=%s\nssh=%s", how, boot, n.address,
			  ssh_listens() ? "yes" : "no");
	return note_write(facts, "pending", e);
}

bool poncho_tried_well(void)
{
	return note_says("result", "healthy");
}

/* --- domain 0's health --- */

/*
 * NULL, or what does not work yet. The address and sshd count for a try only: later they may be changed on purpose, and the machine
 * shall not fall back for that.
 */
static const char *ailment(void)
{
	static const char probe[] = PONCHO_FOLDER "/probe";
	autofree char *address = note_get("address");
	bool tried = note_says("result", "pending"), routed;
	struct network four, six;

	if (host_write(probe, "writable\n", 0600, NULL) || host_write(probe, NULL, 0, NULL))
		return "the root file system cannot be written";
	if (tried && note_says("ssh", "yes") && !ssh_listens())
		return "sshd does not listen";
	if (!address || !*address)
		return NULL;
	routed = network_find(&four, false);
	routed |= network_find(&six, true);
	if (!routed)
		return "there is no route to the world";
	if (tried && strcmp(address, four.address) && strcmp(address, six.address))
		return "the machine has not got its address back";
	return NULL;
}

/* 1 if it ran, 0 if it did not. */
static int watchdog_stop(struct error *e)
{
	xencall_handle *x = xencall_open(NULL, 0);
	struct sched_watchdog *w = x ? xencall_alloc_buffer(x, sizeof(*w)) : NULL;
	int rc = -1, err;

	if (w) {
		*w = (struct sched_watchdog){.id = 1};
		rc = xencall2(x, __HYPERVISOR_sched_op, SCHEDOP_watchdog, (unsigned long)w);
	}
	err = errno;
	if (w)
		xencall_free_buffer(x, w);
	if (x)
		xencall_close(x);
	if (!rc)
		return 1;
	return err == EINVAL ? 0
			     : error_errno(e, ERROR_NONE, err,
					   "the hypervisor's watchdog cannot be stopped");
}

static int healthy_in_domain0(const struct options *o, struct error *e)
{
	time_t end = time(NULL) + (o->seconds ? o->seconds : PONCHO_SECONDS);
	const char *why;
	int stopped;

	while ((why = ailment())) {
		if (time(NULL) >= end) {
			sync();
			return error_set(e, ERROR_FAILED, "domain 0 is not healthy: %s", why);
		}
		sleep(1);
	}
	stopped = watchdog_stop(e);
	if (stopped < 0 || poncho_try_clear(e) || note_result("healthy", e))
		return -1;
	/* Our default entry has set the plain kernel as the next one, for the case that we had not got here. */
	if (poncho_is_enabled())
		(void)host_run(NULL, "grub-editenv", "/boot/grub/grubenv", "unset", "next_entry",
			       NULL);
	printf("Domain 0 is healthy%s.\n", stopped ? "; the hypervisor's watchdog is stopped" : "");
	return 0;
}

int poncho_healthy(const struct options *o, struct error *e)
{
	autofree char *boot = host_read("/proc/sys/kernel/random/boot_id");

	if (host_is_domain0())
		return healthy_in_domain0(o, e);
	/* Still the boot that the try was prepared in: nothing has been tried. */
	if (!note_says("result", "pending") || !boot || note_says("boot", boot))
		return 0;
	printf("Poncho was tried and did not get healthy: this is plain Linux again.\n");
	return poncho_try_clear(e) || note_result("fell-back", e) ? -1 : 0;
}

static json_t *counters_json(const struct counters *c)
{
	json_t *exits = json_object();

	for (unsigned int i = 0; i < c->nr; i++)
		json_object_set_new(exits, c->counter[i].name,
				    json_integer((json_int_t)c->counter[i].value));
	return json_pack("{ss,so}", "name", c->outer, "exits", exits);
}

static void counters_print(const struct counters *c)
{
	printf("below      %s;",
	       strcmp(c->outer, "none") ? c->outer : "no hypervisor whose services are used");
	for (unsigned int i = 0; i < c->nr; i++)
		printf("%s %s %llu", i ? "," : "", c->counter[i].name,
		       (unsigned long long)c->counter[i].value);
	printf("\n");
}

int poncho_status(const struct options *o, struct error *e)
{
	autofree char *result = note_get("result");
	const char *last = !result			? "not tried yet"
			   : !strcmp(result, "pending") ? "a try is due at the next boot"
			   : !strcmp(result, "fell-back")
				   ? "the last try was not healthy, and plain "
				     "Linux was booted"
				   : "the last try was healthy";
	bool domain0 = host_is_domain0(), enabled = poncho_is_enabled();
	struct counters c;
	bool counted = counters_read(&c);
	json_t *top;

	if (!o->json) {
		printf("running    %s\ndefault    %s\ntry        %s\n",
		       domain0 ? "domain 0 of Poncho" : "plain Linux",
		       enabled ? "Poncho (enabled)" : "plain Linux", last);
		if (counted)
			counters_print(&c);
		return 0;
	}
	top = json_pack("{si,sb,sb,ss,so*}", "version", 1, "domain0", domain0, "enabled", enabled,
			"try", result ? result : "none", "outer",
			counted ? counters_json(&c) : NULL);
	json_dumpf(top, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(top);
	return 0;
}
