/* SPDX-License-Identifier: MIT */
/*
 * Whether a boot has gone well. A try notes what worked before it: the address, sshd. In domain 0 `poncho healthy` waits until the same
 * works again and then stops the hypervisor's watchdog; in plain Linux after a try it notes that the machine has fallen back. In both
 * cases nothing of the try remains in GRUB's folder. The note outlives the boots in PONCHO_STATE.
 */
#include "lib/base/file.h"
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

struct note {
	char *text, *boot, *how, *seconds, *address, *ssh, *result;
};

static void note_free(struct note *n)
{
	free(n->text);
	free(n->boot);
	free(n->how);
	free(n->seconds);
	free(n->address);
	free(n->ssh);
	free(n->result);
}

static bool note_read(struct note *n)
{
	memset(n, 0, sizeof(*n));
	n->text = host_read(PONCHO_STATE);
	if (!n->text)
		return false;
	n->boot = setting_get(n->text, "boot");
	n->how = setting_get(n->text, "how");
	n->seconds = setting_get(n->text, "seconds");
	n->address = setting_get(n->text, "address");
	n->ssh = setting_get(n->text, "ssh");
	n->result = setting_get(n->text, "result");
	return n->boot && n->result;
}

static int note_write(const struct note *n, const char *result, struct error *e)
{
	autofree char *path = host_path(PONCHO_STATE), *folder = host_path("/var/lib/poncho");
	autofree char *text = xasprintf(
		"boot=%s\nhow=%s\nseconds=%s\naddress=%s\nssh=%s\nresult=%s\nwhen=%ld\n",
		n->boot ? n->boot : "", n->how ? n->how : "", n->seconds ? n->seconds : "",
		n->address ? n->address : "", n->ssh ? n->ssh : "", result, (long)time(NULL));

	return folder_make(folder, 0755, e) || host_write(path, text, 0644, e) ? -1 : 0;
}

int poncho_state_begin(const char *how, unsigned int seconds, struct error *e)
{
	struct network net;
	struct note n = {
		.boot = host_read("/proc/sys/kernel/random/boot_id"),
		.how = xstrdup(how),
		.seconds = xasprintf("%u", seconds),
		.address = xstrdup(
			network_find(&net, false) || network_find(&net, true) ? net.address : ""),
		.ssh = xstrdup(ssh_listens() ? "yes" : "no"),
	};
	int rc = note_write(&n, "pending", e);

	note_free(&n);
	return rc;
}

bool poncho_tried_well(void)
{
	struct note n;
	bool well = note_read(&n) && !strcmp(n.result, "healthy");

	note_free(&n);
	return well;
}

/* --- domain 0's health --- */

/* NULL, or what does not work yet. */
static const char *ailment(const struct note *n)
{
	autofree char *probe = host_path("/var/lib/poncho/probe");
	struct network four, six;

	if (host_write(probe, "writable\n", 0600, NULL) || host_write(probe, NULL, 0, NULL))
		return "the root file system cannot be written";
	if (n->ssh && !strcmp(n->ssh, "yes") && !ssh_listens())
		return "sshd does not listen";
	if (!n->address || !*n->address)
		return NULL;
	if (network_find(&four, false) + network_find(&six, true) == 0)
		return "there is no route to the world";
	if (strcmp(n->address, four.address) && strcmp(n->address, six.address))
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

static int healthy_in_domain0(const struct options *o, struct note *n, struct error *e)
{
	time_t end = time(NULL) + (o->seconds ? o->seconds : PONCHO_SECONDS);
	const char *why;
	int stopped;

	while ((why = ailment(n))) {
		if (time(NULL) >= end) {
			sync();
			return error_set(e, ERROR_FAILED, "domain 0 is not healthy: %s", why);
		}
		sleep(1);
	}
	stopped = watchdog_stop(e);
	if (stopped < 0 || poncho_try_clear(e) || note_write(n, "healthy", e))
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
	struct note n;
	bool noted = note_read(&n);
	int rc = 0;

	if (host_is_domain0()) {
		rc = healthy_in_domain0(o, &n, e);
	} else if (noted && !strcmp(n.result, "pending") && boot && strcmp(boot, n.boot)) {
		printf("Poncho was tried and did not get healthy: this is plain Linux again.\n");
		rc = poncho_try_clear(e) || note_write(&n, "fell-back", e) ? -1 : 0;
	}
	note_free(&n);
	return rc;
}

int poncho_status(const struct options *o, struct error *e)
{
	static const struct {
		const char *result, *says;
	} results[] = {
		{"pending", "a try is due at the next boot"},
		{"healthy", "the last try was healthy"},
		{"fell-back", "the last try was not healthy, and plain Linux was booted"},
	};
	const char *last = "not tried yet";
	struct note n;

	if (note_read(&n))
		for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
			if (!strcmp(n.result, results[i].result))
				last = results[i].says;
	if (o->json) {
		json_t *top = json_pack("{si,sb,sb,ss}", "version", 1, "domain0", host_is_domain0(),
					"enabled", poncho_is_enabled(), "try",
					n.result ? n.result : "none");

		json_dumpf(top, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(top);
	} else {
		printf("running    %s\ndefault    %s\ntry        %s\n",
		       host_is_domain0() ? "domain 0 of Poncho" : "plain Linux",
		       poncho_is_enabled() ? "Poncho (enabled)" : "plain Linux", last);
	}
	note_free(&n);
	return 0;
}
