/* SPDX-License-Identifier: MIT */
/*
 * What xend-config.sxp says, typed: every option that xend of Xen 3.0 and 4.1 knew, and a few of our own for HTTP over TCP. Options that
 * this system does not do yet are refused by name once they are switched on; those that mean nothing here any more are accepted, with a
 * warning where somebody might miss them. Read once at start (and at a reload into a second struct); nothing here touches the host.
 */
#pragma once

#include "lib/config/diagnostics.h"

#include <stdbool.h>
#include <stddef.h>

#define XEND_CONFIG_PATH "/etc/xen/xend-config.sxp"
#define XEND_API_SOCKET	 "/run/xend/api.sock"

/* One TCP address the API is served on; made from xend-http-server and from the entries of xen-api-server. */
struct listener_settings {
	const char *address; /* numeric */
	long port;
	const char *key_file, *cert_file; /* both or none (""): TLS */
	const char *hosts_allow;	  /* an extended regular expression; "": everyone */
	bool xenapi_only;		  /* nothing but the XML-RPC methods */
};

/* Texts are never NULL after reading, and stand in @file or are constant; all others are numbers. */
struct xend_settings {
	struct sxp *file;

	/* The daemon itself. */
	const char *logfile; /* /var/log/xen/xend.log */
	long loglevel;	     /* enum log_level; INFO */
	const char *
		api_socket; /* /run/xend/api.sock: xend-api-socket, for tests and second instances */

	/* HTTP on TCP: off unless xend-http-server says yes. */
	long http_server;
	long http_port;		  /* 8000 */
	const char *http_address; /* 127.0.0.1; '' is every address, which takes TLS */
	const char *http_hosts;	  /* more names that a Host: header may bear, between blanks */
	const char *token_file;	  /* /etc/xen/xend-tokens: one token a line, mode 0600 */
	const char *http_key_file, *http_cert_file;
	const char *api_servers; /* xen-api-server as it was written */
	struct listener_settings *listeners;
	size_t nr_listeners;

	/* Domains. */
	const char *vif_script;	    /* vif-bridge; may carry arguments behind a blank */
	const char *domains_path;   /* /var/lib/xend/domains: managed domains */
	long device_create_timeout; /* seconds; 100 */
	long enable_dump;	    /* a core of a crashed domain before on_crash is done */

	/* Domain 0. */
	long dom0_ballooning; /* take memory from domain 0 for a new domain */
	long dom0_min_mem_mb; /* never below; 196 */
	long dom0_cpus;	      /* vCPUs domain 0 keeps; 0: all */
};

/* The file @path (a missing one is all defaults); 0, or -1 with errors in @found. @s is to be freed in either case. */
int xend_settings_read(const char *path, struct xend_settings *s, struct diagnostics *found);
/* The same for a text that messages call @name. */
int xend_settings_read_text(const char *name, const char *text, struct xend_settings *s,
			    struct diagnostics *found);
void xend_settings_free(struct xend_settings *s);
/* What only a start can change stays as it was in @old, and the log names it. @old is only good to be freed then, before or after @s. */
void xend_settings_keep(struct xend_settings *old, struct xend_settings *s);
bool address_is_loopback(const char *address);

/* {"xend-port":8000,...} of all options that do something; a new reference. */
struct json_t *xend_settings_to_json(const struct xend_settings *s);
