/* SPDX-License-Identifier: MIT */
/*
 * poncho: from a plain machine to one that runs guests, and back. The command line; what the commands do is in check.c, boot.c and
 * health.c, and in the script that `poncho network` calls.
 */
#include "lib/base/text.h"
#include "poncho/check.h"
#include "poncho/poncho.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NETWORK_SCRIPT "/usr/lib/poncho/network"

static int doctor(const struct options *o, struct error *e)
{
	return (int)checks_print(o->json);
}

static const struct verb {
	const char *name;
	int (*run)(const struct options *o, struct error *e);
	bool root;
	const char *options, *text;
} verbs[] = {
	{"doctor", doctor, false, "json",
	 "says whether Poncho will work on this machine, and what to do; exit status 0, 1 (warnings), 2"},
	{"try", poncho_try, true, "kexec seconds no-reboot force hypervisor-args dom0-args",
	 "boots Poncho once; a boot that is not healthy in time is followed by one of plain Linux"},
	{"enable", poncho_enable, true, "force", "makes Poncho the default of GRUB"},
	{"disable", poncho_disable, true, "", "takes Poncho out of GRUB again"},
	{"status", poncho_status, false, "json",
	 "says what runs, what is the default, and how the last try went"},
	{"healthy", poncho_healthy, true, "seconds",
	 "waits for domain 0's health and stops the hypervisor's watchdog (a service calls it)"},
	{"grub-entry", poncho_grub_entry, false, "", NULL},
};

static const struct option {
	const char *name, *value, *text;
} options[] = {
	{"json", NULL, "JSON instead of text"},
	{"kexec", NULL, "by kexec, without the firmware and GRUB"},
	{"no-reboot", NULL, "prepare only; the next reboot is the try"},
	{"force", NULL, "although a check fails, or without a try"},
	{"seconds", "N", "how long domain 0 may take to get healthy (300)"},
	{"hypervisor-args", "WORDS", "behind Poncho's command line, this time"},
	{"dom0-args", "WORDS", "behind domain 0's command line, this time"},
};

static void help(void)
{
	printf("usage: poncho COMMAND [--OPTION...]\n\n");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (verbs[i].text)
			printf("  %-10s %s\n", verbs[i].name, verbs[i].text);
	printf("  %-10s the guests' network: start, stop, status, reload, bridge, confirm\n\n",
	       "network");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		printf("  --%-15s %-6s %s\n", options[i].name,
		       options[i].value ? options[i].value : "", options[i].text);
}

static int option_set(struct options *o, const char *name, const char *value, struct error *e)
{
	if (!strcmp(name, "seconds"))
		return str_to_long(value, 10, 86400, &o->seconds)
			       ? 0
			       : error_set(e, ERROR_USAGE, "--seconds takes 10 to 86400, not '%s'",
					   value);
	if (!strcmp(name, "hypervisor-args"))
		o->hypervisor_args = value;
	else if (!strcmp(name, "dom0-args"))
		o->domain0_args = value;
	else if (!strcmp(name, "json"))
		o->json = true;
	else if (!strcmp(name, "kexec"))
		o->kexec = true;
	else if (!strcmp(name, "no-reboot"))
		o->no_reboot = true;
	else
		o->force = true;
	return 0;
}

static int words_read(const struct verb *v, char **words, struct options *o, struct error *e)
{
	for (; *words; words++) {
		const struct option *known = NULL;
		const char *value = strchr(*words, '=');
		autofree char *name = NULL;

		if (!str_starts(*words, "--"))
			return error_set(e, ERROR_USAGE, "poncho %s takes no '%s'", v->name,
					 *words);
		name = xasprintf("%.*s", (int)strcspn(*words + 2, "="), *words + 2);
		for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
			if (!strcmp(name, options[i].name) && str_has_word(v->options, name))
				known = &options[i];
		if (!known)
			return error_set(e, ERROR_USAGE, "poncho %s has no option --%s", v->name,
					 name);
		if (!known->value == !!value)
			value = value || !words[1] ? "" : *++words;
		else if (value)
			value++;
		if (known->value && (!value || !*value))
			return error_set(e, ERROR_USAGE, "--%s needs a value", name);
		if (option_set(o, name, value, e))
			return -1;
	}
	return 0;
}

static int run(int argc, char **argv, struct error *e)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		struct options o = {0};

		if (strcmp(verbs[i].name, argv[1]))
			continue;
		if (words_read(&verbs[i], argv + 2, &o, e))
			return -1;
		if (verbs[i].root && geteuid())
			return error_set(e, ERROR_PERMISSION, "poncho %s is for root", argv[1]);
		return verbs[i].run(&o, e);
	}
	error_set(e, ERROR_USAGE, "there is no command '%s'", argv[1]);
	return error_hint(e, "poncho help");
}

int main(int argc, char **argv)
{
	struct error e = {0};
	int rc;

	if (argc < 2 || !strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-h")) {
		help();
		return argc < 2 ? ERROR_USAGE : 0;
	}
	if (!strcmp(argv[1], "network")) {
		execv(NETWORK_SCRIPT, argv + 1);
		perror(NETWORK_SCRIPT);
		return ERROR_ABSENT;
	}
	rc = run(argc, argv, &e);
	if (rc >= 0)
		return rc;
	fprintf(stderr, "Error: %s.\n", e.text);
	if (*e.hint)
		fprintf(stderr, "Hint: %s.\n", e.hint);
	/* What doctor would say with 2. */
	return e.class == ERROR_UNSUPPORTED ? 2 : (int)e.class;
}
