/* SPDX-License-Identifier: MIT */
/*
 * See settings.h. One table names every option: its type, its member, what it is without a line in the file, and what is said of one
 * that does nothing here (or not yet). The presets pass through the same reader as the file's values.
 */
#include "xend/settings.h"

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/sxp.h"
#include "lib/base/text.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FILE_MOST     (256 << 10)
#define DISTANCE_MOST 3
#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))

enum option_type {
	OPTION_TEXT,
	OPTION_SERVERS, /* shown as it was written */
	OPTION_LONG,
	OPTION_BOOL,
	OPTION_LEVEL,
	OPTION_IGNORED, /* a warning where it differs from its preset */
	OPTION_LATER,	/* refused when switched on */
};

struct option {
	const char *name;
	enum option_type type;
	unsigned short offset;
	const char *preset;
	long min, max;
	const char *note; /* what it takes; why it is ignored or refused */
	bool start;	  /* what holds at the start holds */
};

/* One of a struct xend_settings. */
union value {
	const char *text;
	long number;
};

#define AT(member)			  offsetof(struct xend_settings, member)
#define TEXT(member, preset)		  OPTION_TEXT, AT(member), preset
#define BOOL(member, preset)		  OPTION_BOOL, AT(member), preset, 0, 0, "yes or no"
#define LONG(member, preset, least, most) OPTION_LONG, AT(member), preset, least, most
#define IGNORED(preset, what)		  OPTION_IGNORED, 0, preset, 0, 0, what
#define LATER(what)			  OPTION_LATER, 0, "", 0, 0, what

#define NO_RELOCATION "guests cannot be moved between hosts yet"
#define NO_XMLRPC \
	"the old XML-RPC protocol of xm is not spoken; see xend-http-server, xen-api-server"
#define NO_UNIX_PATH "the Unix socket is " XEND_API_SOCKET "; xend-api-socket moves it"
#define NO_VNC	     "there is no VNC server yet"
#define NO_NETWORK   "no script is run at xend's start: let the system make the bridge"

static const struct option options[] = {
	{"logfile", TEXT(logfile, "/var/log/xen/xend.log")},
	{"loglevel", OPTION_LEVEL, AT(loglevel), "INFO", 0, 0, "DEBUG, INFO, WARNING or ERROR"},
	{"xend-api-socket", TEXT(api_socket, XEND_API_SOCKET), .start = true},
	{"xend-http-server", BOOL(http_server, "no"), .start = true},
	{"xend-port", LONG(http_port, "8000", 1, 65535), .start = true},
	{"xend-address", TEXT(http_address, "127.0.0.1"), .start = true},
	{"xend-http-hosts", TEXT(http_hosts, "")},
	{"xend-token-file", TEXT(token_file, "/etc/xen/xend-tokens")},
	{"xend-http-ssl-key-file", TEXT(http_key_file, ""), .start = true},
	{"xend-http-ssl-cert-file", TEXT(http_cert_file, ""), .start = true},
	{"vif-script", TEXT(vif_script, "vif-bridge"), .start = true},
	{"xend-domains-path", TEXT(domains_path, "/var/lib/xend/domains"), .start = true},
	{"device-create-timeout", LONG(device_create_timeout, "100", 1, 86400), .start = true},
	{"enable-dump", BOOL(enable_dump, "no")},
	{"enable-dom0-ballooning", BOOL(dom0_ballooning, "yes")},
	{"dom0-min-mem", LONG(dom0_min_mem_mb, "196", 0, 1L << 40)},
	{"dom0-cpus", LONG(dom0_cpus, "0", 0, 4096)},
	{"xen-api-server", OPTION_SERVERS, AT(api_servers), "((unix))", .start = true},

	{"network-script", IGNORED("", NO_NETWORK)},
	{"xend-unix-path", IGNORED("/var/lib/xend/xend-socket", NO_UNIX_PATH)},
	{"device-destroy-timeout", IGNORED("100", "device-create-timeout counts for both")},
	{"console-limit", IGNORED("1024", "a console keeps 1024 KiB for its reader")},
	{"total_available_memory", IGNORED("0", "domains may use all of the memory")},
	{"vnc-listen", IGNORED("127.0.0.1", NO_VNC)},
	{"vncpasswd", IGNORED("", NO_VNC)},
	{"keymap", IGNORED("en-us", NO_VNC)},
	{"xsm_module_name",
	 IGNORED("dummy", "the security module is chosen at the hypervisor's boot")},

	{"xend-relocation-server", LATER(NO_RELOCATION)},
	{"xend-relocation-ssl-server", LATER(NO_RELOCATION)},
	{"external-migration-tool", LATER(NO_RELOCATION)},
	{"xend-tcp-xmlrpc-server", LATER(NO_XMLRPC)},
	{"xend-udev-event-server", LATER("devices' scripts report through xenstore")},
	{"vnc-tls", LATER(NO_VNC)},
	{"resource-label-change-script", LATER("resources bear no labels")},
};

/* Known, and of no meaning here. */
static const char ignored[] =
	"xend-unix-server xend-unix-xmlrpc-server xend-relocation-port "
	"xend-relocation-address xend-relocation-hosts-allow xend-relocation-ssl-port "
	"xend-relocation-ssl xend-relocation-server-ssl-key-file "
	"xend-relocation-server-ssl-cert-file xend-tcp-xmlrpc-server-address "
	"xend-tcp-xmlrpc-server-port xend-tcp-xmlrpc-server-ssl-key-file "
	"xend-tcp-xmlrpc-server-ssl-cert-file vnc-x509-cert-dir vnc-x509-verify "
	"qemu-dm-logrotate-count pci-passthrough-strict-check pscsi-device-mask";

struct reading {
	struct place at;
	struct xend_settings *s;
	struct diagnostics *found;
};

#define complain(r, ...) diagnostics_error((r)->found, (r)->at, __VA_ARGS__)

/* --- One value -------------------------------------------------------------------------------------- */

static const char *const switches[] = {"no", "yes", "off", "on", "false", "true", "0", "1", NULL};
static const char *const levels[] = {"ERROR", "WARNING", "INFO", "DEBUG", NULL};

static int word_of(const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcasecmp(value, words[i]))
			return i;
	return -1;
}

static union value *value_of(const struct option *o, const struct xend_settings *s)
{
	return (union value *)((char *)s + o->offset);
}

static void set_value(const struct reading *r, const struct option *o, const char *value)
{
	int n = word_of(value, o->type == OPTION_LEVEL ? levels : switches);
	union value *to = value_of(o, r->s);

	switch (o->type) {
	case OPTION_LONG:
		if (!str_to_long(value, o->min, o->max, &to->number))
			complain(r, "%s is '%.60s': it takes a number from %ld to %ld", o->name,
				 value, o->min, o->max);
		return;
	case OPTION_BOOL:
	case OPTION_LEVEL:
		to->number = o->type == OPTION_BOOL ? n & 1 : n;
		if (n < 0)
			complain(r, "%s is '%.60s': it takes %s", o->name, value, o->note);
		return;
	case OPTION_IGNORED:
		if (strcmp(value, o->preset))
			diagnostics_warn(r->found, r->at, "%s is ignored: %s", o->name, o->note);
		return;
	case OPTION_LATER:
		if (*value && n & 1)
			complain(r, "%s is not supported yet: %s", o->name, o->note);
		return;
	default:
		to->text = value;
	}
}

/* --- (xen-api-server ((9363 pam '^localhost$' key cert) (unix none))) ------------------------------- */

/* "" where there is no atom. */
static char *atom_at(const struct sxp *x, size_t i)
{
	static char none[1];
	char *atom = x->nr ? i < x->nr ? x->member[i]->atom : NULL : i ? NULL : x->atom;

	return atom ? atom : none;
}

bool address_is_loopback(const char *address)
{
	return str_starts(address, "127.") || !strcmp(address, "::1");
}

static void listener_add(const struct reading *r, struct listener_settings l)
{
	struct xend_settings *s = r->s;

	if (!*l.address)
		l.address = "0.0.0.0";
	else if (!strcasecmp(l.address, "localhost"))
		l.address = "127.0.0.1";
	if (!*l.key_file != !*l.cert_file)
		complain(r, "%s port %ld: TLS takes a key file and a certificate file", l.address,
			 l.port);
	else if (!*l.key_file && !address_is_loopback(l.address))
		complain(r,
			 "%s port %ld is open to other machines and has no TLS: name "
			 "xend-http-ssl-key-file and -cert-file, or serve 127.0.0.1",
			 l.address, l.port);
	s->listeners = xrealloc(s->listeners, (s->nr_listeners + 1) * sizeof(l));
	s->listeners[s->nr_listeners++] = l;
}

/* "9363", "host:9363" */
static void server_entry(const struct reading *r, const struct sxp *entry)
{
	char *where = atom_at(entry, 0), *who = atom_at(entry, 1), *hosts = atom_at(entry, 2);
	char *colon = strrchr(where, ':');
	struct listener_settings l = {colon ? where : "localhost", 0,	  atom_at(entry, 3),
				      atom_at(entry, 4),	   hosts, true};

	if (!strcmp(where, "unix"))
		return; /* always there; the socket's mode says who may */
	if (!str_to_long(colon ? colon + 1 : where, 1, 65535, &l.port)) {
		complain(r, "xen-api-server: '%.60s' is neither unix nor a port", where);
		return;
	}
	if (!strcmp(who, "none"))
		complain(r, "xen-api-server: %s needs authentication: say pam or token", where);
	else if (!strcmp(who, "pam"))
		diagnostics_warn(
			r->found, r->at,
			"xen-api-server: PAM is not asked; a password is a line of xend-token-file");
	else if (*who && strcmp(who, "token"))
		complain(r, "xen-api-server: '%.60s' is no kind of authentication", who);
	while ((hosts = strchr(hosts, ' ')))
		*hosts = '|';
	if (colon)
		*colon = '\0';
	listener_add(r, l);
}

static void read_servers(const struct reading *r, const struct option *o, const struct sxp *list)
{
	struct text shown = {0};

	sxp_print(list, false, &shown);
	set_value(r, o, sxp_pair(r->s->file, o->name, shown.data)->member[1]->atom);
	text_free(&shown);
	/* ((9363 pam) (unix)), and also (9363 pam) alone. */
	if (!list->nr || list->member[0]->atom)
		server_entry(r, list);
	else
		for (size_t i = 0; i < list->nr; i++)
			server_entry(r, list->member[i]);
}

/* --- The file --------------------------------------------------------------------------------------- */

static const struct option *option_find(const struct reading *r, const char *name)
{
	unsigned int least = DISTANCE_MOST + 1, n = least;
	const struct option *best = NULL;

	for (const struct option *o = options; n && o < options + COUNT(options); o++) {
		n = str_distance(name, o->name);
		if (n < least) {
			least = n;
			best = o;
		}
	}
	if (!least)
		return best;
	if (best)
		complain(r, "unknown option '%.60s' (did you mean '%s'?)", name, best->name);
	else
		complain(r, "unknown option '%.60s'", name);
	return NULL;
}

static void read_pair(const struct reading *r, const struct sxp *pair)
{
	const char *name = atom_at(pair, 0);
	const struct option *o;

	if (pair->atom || !*name) {
		complain(r, "'%.60s' is no option: write (NAME VALUE)", name);
		return;
	}
	if (str_has_word(ignored, name))
		return;
	o = option_find(r, name);
	if (o && pair->nr != 2)
		complain(r, "%s takes one value, not %zu", name, pair->nr - 1);
	else if (o && o->type == OPTION_SERVERS)
		read_servers(r, o, pair->member[1]);
	else if (o)
		set_value(r, o, atom_at(pair->member[1], 0)); /* of a list the first member */
}

int xend_settings_read_text(const char *name, const char *text, struct xend_settings *s,
			    struct diagnostics *found)
{
	struct reading r = {.at = {.file = name}, .s = s, .found = found};
	struct error e;

	*s = (struct xend_settings){.file = sxp_parse_all(name, text, &e)};
	for (size_t i = 0; i < COUNT(options); i++)
		if (options[i].type < OPTION_IGNORED)
			set_value(&r, &options[i], options[i].preset);
	if (!s->file)
		return diagnostics_error(found, (struct place){0}, "%s", e.text);
	for (size_t i = 0, nr = s->file->nr; i < nr; i++)
		read_pair(&r, s->file->member[i]);
	if (s->http_server)
		listener_add(&r,
			     (struct listener_settings){s->http_address, s->http_port,
							s->http_key_file, s->http_cert_file, ""});
	return found->errors ? -1 : 0;
}

int xend_settings_read(const char *path, struct xend_settings *s, struct diagnostics *found)
{
	autofree char *text = NULL;
	struct error e;

	if (!access(path, F_OK) && !(text = file_read(path, FILE_MOST, NULL, &e)))
		diagnostics_error(found, (struct place){0}, "%s", e.text);
	return xend_settings_read_text(path, text ? text : "", s, found);
}

void xend_settings_free(struct xend_settings *s)
{
	sxp_free(s->file);
	free(s->listeners);
	*s = (struct xend_settings){0};
}

void xend_settings_keep(struct xend_settings *old, struct xend_settings *s)
{
	for (const struct option *o = options; o->type < OPTION_IGNORED; o++) {
		const union value *was = value_of(o, old);
		union value *is = value_of(o, s);

		if (!o->start || (o->type <= OPTION_SERVERS ? !strcmp(was->text, is->text)
							    : was->number == is->number))
			continue;
		log_warning("%s stays as it was until xend is started anew", o->name);
		if (o->type <= OPTION_SERVERS)
			is->text = sxp_pair(s->file, o->name, was->text)->member[1]->atom;
		else
			is->number = was->number;
	}
}

json_t *xend_settings_to_json(const struct xend_settings *s)
{
	json_t *all = json_object();

	for (const struct option *o = options; o->type < OPTION_IGNORED; o++) {
		const union value *v = value_of(o, s);

		json_object_set_new(all, o->name,
				    o->type == OPTION_LONG    ? json_integer(v->number)
				    : o->type == OPTION_BOOL  ? json_boolean(v->number)
				    : o->type == OPTION_LEVEL ? json_string(levels[v->number])
							      : json_string(v->text));
	}
	return all;
}
