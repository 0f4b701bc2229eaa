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
	OPTION_SECRET, /* a text that is never shown */
	OPTION_LONG,
	OPTION_BOOL,
	OPTION_LEVEL,
	OPTION_SERVERS,
	OPTION_IGNORED, /* a warning where it differs from its preset */
	OPTION_LATER,	/* refused when switched on; the note is the hint */
};

struct option {
	const char *name;
	enum option_type type;
	unsigned short offset;
	const char *preset;
	long min, max;
	const char *note;
};

#define AT(member)			  offsetof(struct xend_settings, member)
#define TEXT(member, preset)		  OPTION_TEXT, AT(member), preset
#define BOOL(member, preset)		  OPTION_BOOL, AT(member), preset
#define LONG(member, preset, least, most) OPTION_LONG, AT(member), preset, least, most
#define IGNORED(preset, what)		  OPTION_IGNORED, 0, preset, 0, 0, what
#define LATER(what)			  OPTION_LATER, 0, "", 0, 0, what

#define NO_RELOCATION "guests cannot be moved between hosts yet"
#define NO_XMLRPC \
	"the old XML-RPC protocol of xm is not spoken; see xend-http-server, xen-api-server"
#define NO_UNIX_PATH "the Unix socket is " XEND_API_SOCKET "; xend-api-socket moves it"
#define NO_NETWORK   "no script is run at xend's start: let the system make the bridge"

static const struct option options[] = {
	{"logfile", TEXT(logfile, "/var/log/xen/xend.log")},
	{"loglevel", OPTION_LEVEL, AT(loglevel), "INFO"},
	{"xend-api-socket", TEXT(api_socket, XEND_API_SOCKET)},
	{"xend-http-server", BOOL(http_server, "no")},
	{"xend-port", LONG(http_port, "8000", 1, 65535)},
	{"xend-address", TEXT(http_address, "127.0.0.1")},
	{"xend-http-hosts", TEXT(http_hosts, "")},
	{"xend-token-file", TEXT(token_file, "/etc/xen/xend-tokens")},
	{"xend-http-ssl-key-file", TEXT(http_key_file, "")},
	{"xend-http-ssl-cert-file", TEXT(http_cert_file, "")},
	{"xen-api-server", OPTION_SERVERS},
	{"vif-script", TEXT(vif_script, "vif-bridge")},
	{"console-limit", LONG(console_limit_kb, "1024", 1, 1 << 20)},
	{"xend-domains-path", TEXT(domains_path, "/var/lib/xend/domains")},
	{"device-create-timeout", LONG(device_create_timeout, "100", 1, 86400)},
	{"device-destroy-timeout", LONG(device_destroy_timeout, "100", 1, 86400)},
	{"enable-dump", BOOL(enable_dump, "no")},
	{"keymap", TEXT(keymap, "en-us")},
	{"vnc-listen", TEXT(vnc_listen, "127.0.0.1")},
	{"vncpasswd", OPTION_SECRET, AT(vncpasswd), ""},
	{"enable-dom0-ballooning", BOOL(dom0_ballooning, "yes")},
	{"dom0-min-mem", LONG(dom0_min_mem_mb, "196", 0, 1L << 40)},
	{"dom0-cpus", LONG(dom0_cpus, "0", 0, 4096)},
	{"total_available_memory", LONG(total_memory_mb, "0", 0, 1L << 40)},

	{"network-script", IGNORED("", NO_NETWORK)},
	{"xend-unix-path", IGNORED("/var/lib/xend/xend-socket", NO_UNIX_PATH)},
	{"xsm_module_name",
	 IGNORED("dummy", "the security module is chosen at the hypervisor's boot")},

	{"xend-relocation-server", LATER(NO_RELOCATION)},
	{"xend-relocation-ssl-server", LATER(NO_RELOCATION)},
	{"external-migration-tool", LATER(NO_RELOCATION)},
	{"xend-tcp-xmlrpc-server", LATER(NO_XMLRPC)},
	{"xend-udev-event-server", LATER("devices' scripts report through xenstore")},
	{"vnc-tls", LATER("there is no VNC server yet")},
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

static void *member_of(const struct option *o, const struct xend_settings *s)
{
	return (char *)s + o->offset;
}

/* --- One value -------------------------------------------------------------------------------------- */

static int word_of(const char *value, const char *const *words, int nr)
{
	for (int i = 0; i < nr; i++)
		if (!strcasecmp(value, words[i]))
			return i;
	return -1;
}

static int bool_of(const char *value)
{
	static const char *const words[] = {"no", "yes", "off", "on", "false", "true", "0", "1"};
	int i = word_of(value, words, COUNT(words));

	return i < 0 ? i : i & 1;
}

static const char *const levels[] = {"ERROR", "WARNING", "INFO", "DEBUG"};

static void set_word(const struct reading *r, const struct option *o, const char *value)
{
	bool level = o->type == OPTION_LEVEL;
	int n = level ? word_of(value, levels, COUNT(levels)) : bool_of(value);

	if (n < 0)
		complain(r, "%s is '%.60s': it takes %s", o->name, value,
			 level ? "DEBUG, INFO, WARNING or ERROR" : "yes or no");
	else if (level)
		*(int *)member_of(o, r->s) = n;
	else
		*(bool *)member_of(o, r->s) = n;
}

static void set_value(const struct reading *r, const struct option *o, const char *value)
{
	char **text = member_of(o, r->s);

	switch (o->type) {
	case OPTION_TEXT:
	case OPTION_SECRET:
		free(*text);
		*text = xstrdup(value);
		break;
	case OPTION_LONG:
		if (!str_to_long(value, o->min, o->max, member_of(o, r->s)))
			complain(r, "%s is '%.60s': it takes a number from %ld to %ld", o->name,
				 value, o->min, o->max);
		break;
	case OPTION_IGNORED:
		if (strcmp(value, o->preset))
			diagnostics_warn(r->found, r->at, "%s is ignored: %s", o->name, o->note);
		break;
	case OPTION_LATER:
		if (*value && bool_of(value))
			complain(r, "%s is not supported yet: %s", o->name, o->note);
		break;
	default:
		set_word(r, o, value);
	}
}

/* --- (xen-api-server ((9363 pam '^localhost$' key cert) (unix none))) ------------------------------- */

static struct listener_settings *listener_add(struct xend_settings *s)
{
	s->listeners = xrealloc(s->listeners, (s->nr_listeners + 1) * sizeof(*s->listeners));
	s->listeners[s->nr_listeners] = (struct listener_settings){0};
	return &s->listeners[s->nr_listeners++];
}

/* "" where there is no atom. */
static const char *atom_at(const struct sxp *x, size_t i)
{
	const char *atom = x->nr ? i < x->nr ? x->member[i]->atom : NULL : i ? NULL : x->atom;

	return atom ? atom : "";
}

static char *text_or_null(const char *s)
{
	return *s ? xstrdup(s) : NULL;
}

/* "9363", "host:9363" */
static bool address_split(const char *where, struct listener_settings *l)
{
	const char *colon = strrchr(where, ':');

	if (!str_to_long(colon ? colon + 1 : where, 1, 65535, &l->port))
		return false;
	l->address = colon ? strndup(where, (size_t)(colon - where)) : xstrdup("127.0.0.1");
	return true;
}

static void server_entry(const struct reading *r, const struct sxp *entry)
{
	const char *where = atom_at(entry, 0), *who = atom_at(entry, 1);
	struct listener_settings l = {.xenapi_only = true};

	if (!strcmp(where, "unix"))
		return; /* always there; the socket's mode says who may */
	if (!address_split(where, &l)) {
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
	l.hosts_allow = xstrdup(atom_at(entry, 2));
	for (char *p = l.hosts_allow; *p; p++)
		if (*p == ' ')
			*p = '|';
	l.key_file = text_or_null(atom_at(entry, 3));
	l.cert_file = text_or_null(atom_at(entry, 4));
	*listener_add(r->s) = l;
}

static void read_servers(const struct reading *r, const struct sxp *list)
{
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
	unsigned int least = DISTANCE_MOST + 1;
	const char *best = NULL;

	for (size_t i = 0; i < COUNT(options); i++) {
		unsigned int n = str_distance(name, options[i].name);

		if (!strcmp(name, options[i].name))
			return &options[i];
		if (n < least) {
			least = n;
			best = options[i].name;
		}
	}
	complain(r, "unknown option '%.60s'%s%s%s", name, best ? " (did you mean '" : "",
		 best ? best : "", best ? "'?)" : "");
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
		read_servers(r, pair->member[1]);
	else if (o)
		set_value(r, o, atom_at(pair->member[1], 0)); /* of a list the first member */
}

bool address_is_loopback(const char *address)
{
	return str_starts(address, "127.") || !strcmp(address, "::1");
}

static void check_listener(const struct reading *r, struct listener_settings *l)
{
	if (!strcasecmp(l->address, "localhost") || !*l->address) {
		const char *number = *l->address ? "127.0.0.1" : "0.0.0.0";

		free(l->address);
		l->address = xstrdup(number);
	}
	if (!l->key_file != !l->cert_file)
		complain(r, "%s port %ld: TLS takes a key file and a certificate file", l->address,
			 l->port);
	else if (!l->key_file && !address_is_loopback(l->address))
		complain(r,
			 "%s port %ld is open to other machines and has no TLS: name "
			 "xend-http-ssl-key-file and -cert-file, or serve 127.0.0.1",
			 l->address, l->port);
}

static void settle(const struct reading *r)
{
	struct xend_settings *s = r->s;

	if (s->http_server)
		*listener_add(s) = (struct listener_settings){
			.address = xstrdup(s->http_address),
			.port = s->http_port,
			.key_file = text_or_null(s->http_key_file),
			.cert_file = text_or_null(s->http_cert_file),
		};
	for (size_t i = 0; i < s->nr_listeners; i++)
		check_listener(r, &s->listeners[i]);
}

int xend_settings_read_text(const char *name, const char *text, struct xend_settings *s,
			    struct diagnostics *found)
{
	struct reading r = {.at = {.file = name}, .s = s, .found = found};
	struct error e;
	struct sxp *all = sxp_parse_all(name, text, &e);

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < COUNT(options); i++)
		if (options[i].type < OPTION_SERVERS)
			set_value(&r, &options[i], options[i].preset);
	if (!all) {
		diagnostics_error(found, (struct place){0}, "%s", e.text);
		return -1;
	}
	for (size_t i = 0; i < all->nr; i++)
		read_pair(&r, all->member[i]);
	sxp_free(all);
	settle(&r);
	return found->errors ? -1 : 0;
}

int xend_settings_read(const char *path, struct xend_settings *s, struct diagnostics *found)
{
	struct error e;
	char *text = NULL;
	int rc;

	if (!access(path, F_OK)) {
		text = file_read(path, FILE_MOST, NULL, &e);
		if (!text)
			diagnostics_error(found, (struct place){0}, "%s", e.text);
	}
	rc = xend_settings_read_text(path, text ? text : "", s, found);
	free(text);
	return rc;
}

void xend_settings_free(struct xend_settings *s)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (options[i].type <= OPTION_SECRET)
			free(*(char **)member_of(&options[i], s));
	for (size_t i = 0; i < s->nr_listeners; i++) {
		free(s->listeners[i].address);
		free(s->listeners[i].key_file);
		free(s->listeners[i].cert_file);
		free(s->listeners[i].hosts_allow);
	}
	free(s->listeners);
	memset(s, 0, sizeof(*s));
}

static json_t *value_to_json(const struct option *o, const void *member)
{
	switch (o->type) {
	case OPTION_TEXT:
		return json_string(*(char *const *)member);
	case OPTION_LONG:
		return json_integer(*(const long *)member);
	case OPTION_BOOL:
		return json_boolean(*(const bool *)member);
	case OPTION_LEVEL:
		return json_string(levels[*(const int *)member]);
	default:
		return NULL;
	}
}

json_t *xend_settings_to_json(const struct xend_settings *s)
{
	json_t *all = json_object();

	for (size_t i = 0; i < COUNT(options); i++)
		json_object_set_new(all, options[i].name,
				    value_to_json(&options[i], member_of(&options[i], s)));
	return all;
}
