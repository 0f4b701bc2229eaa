/* SPDX-License-Identifier: MIT */
/*
 * One request, between the transport (http.c, which knows sockets and limits) and the handlers (api_*.c, which know the model): what was
 * asked, and the answer as it is put together. A handler returns 0 with the answer set or a wait begun, or -1 with the error that becomes
 * a problem (RFC 9457). Nothing here knows where the bytes come from.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "xend/api_json.h"
#include "xend/domain.h"
#include "xend/node.h"
#include "xend/operation.h"

#include <sys/types.h>

struct api_request;

typedef int api_handler(struct api_request *r, struct error *e);

enum { API_SEGMENTS_MOST = 8, API_BODY_MOST = 1 << 20 };

enum route_flags {
	/* Without a token, and by listeners for XenAPI only, too: /healthz, and XenAPI, which has sessions of its own. */
	ROUTE_OPEN = 1,
	ROUTE_DOMAIN = 2,  /* {domain} is looked up, running or not */
	ROUTE_RUNNING = 4, /* {domain} must run */
	ROUTE_STREAM = 8,  /* the answer is the stream of events */
	ROUTE_ASYNC = 16,  /* starts an operation: ?async=1 does not wait for it */
	ROUTE_FIRST = 32,  /* the first member of @body must be there */
};

/*
 * One row for each method of each path. @body names the members of the JSON object that is taken, between blanks; api_asked_members has
 * their types (NULL: no body; "{}": any object, in r->json; "*": the handler reads r->body). @answer is the name of what comes back, for /openapi.json.
 */
struct route {
	const char *method, *pattern;
	api_handler *handle;
	unsigned int flags;
	const char *summary, *body, *answer;
	/* In place of a handler. */
	int (*act)(struct node *n, struct domain *d, struct error *e);
};

extern const struct route api_routes[]; /* ended by one without a method */

/* What bodies say: -1 and NULL where they do not, @vcpu then API_NO_VCPU. */
enum { API_NO_VCPU = -2 };

struct api_asked {
	long vcpu, online, target_kb, max_kb, weight, cap, tslice_ms, ratelimit_us,
		migration_delay_us;
	bool ignore_host, force, paused, managed, start, fallback, live;
	const char *scheduler, *keys, *reason, *trigger, *key, *name, *file;
	struct json_t *config;
	struct cpu_set hard, soft; /* empty: not said */
};

extern const struct json_member api_asked_members[];

struct api_request {
	struct node *node;	   /* NULL: no request yet */
	const struct route *route; /* NULL: the answer is already there (404, 405) */
	char *uri;		   /* cut into: */
	const char *segment[API_SEGMENTS_MOST];
	unsigned int nr_segments;
	const char *query;
	bool trusted;	  /* came over the Unix socket from root or group xen */
	struct text body; /* up to API_BODY_MOST */
	struct json_t *json;
	struct api_asked asked;
	/* With ROUTE_DOMAIN and ROUTE_RUNNING; valid during the handler only. */
	struct domain *domain;

	int status;	  /* 0: no answer yet */
	const char *type; /* NULL: JSON */
	struct text answer;
	struct json_writer out; /* into @answer */
	char *location;
	char allow[64];
	unsigned int retry_after; /* seconds; 0: no header */
	bool challenge;		  /* WWW-Authenticate */

	/* While it waits: @wake is called when the answer is there, which may be before api_dispatch() returns. */
	struct operation *operation;
	api_handler *finish;
	void (*refuse)(struct api_request *r, const struct error *e);
	void (*wake)(struct api_request *r);
};

/* @uri as it came, "/v1/domains?async=1", is taken over; finds the route, or sets the answer 404, 405. */
void api_request_begin(struct api_request *r, struct node *n, const char *method, char *uri);
/* With the body complete: r->status is set, or the request waits. */
void api_dispatch(struct api_request *r);
/* Frees it; a wait ends without wake(). */
void api_request_end(struct api_request *r);

/* --- For handlers ------------------------------------------------------------------------------------- */

/* The value of ?name=, "" where it has none, NULL where it is not there; the buffer is static. */
const char *api_query(const struct api_request *r, const char *name);
bool api_query_flag(const struct api_request *r, const char *name, bool preset);

/* {"name":[ begins; what is open in r->out at a handler's end is closed. An answer's status is 200 if no other is set, without one it is 204. */
void api_list(struct api_request *r, const char *name);
/* Such a list of @nr structs. */
void api_answer_array(struct api_request *r, const char *name, const void *objects, size_t nr,
		      size_t size, const struct json_member *members);
/* The error as a problem; @status 0: as its class says. */
void api_problem(struct api_request *r, int status, const struct error *e);
/*
 * Answers when @op has ended: by r->finish if that is set, else by @finish (NULL: 204), with r->operation still there; or with its
 * error; with ?async=1 at once.
 * Returns 0; @op NULL: -1, so that `return api_wait(r, domain_destroy(..., e), NULL)` does.
 */
int api_wait(struct api_request *r, struct operation *op, api_handler *finish);

/* --- The handlers of the table -------------------------------------------------------------------------- */

api_handler api_node_get, api_dmesg, api_log_get, api_debug_keys, api_health_get, api_openapi_get,
	api_pools_get, api_pool_put, api_schedulers_get, api_metrics_get, api_xenapi_post;
api_handler api_domains_get, api_domains_post, api_domain_get, api_vcpus_get, api_vcpus_put,
	api_memory_put, api_scheduler_get, api_scheduler_put, api_config_get, api_config_put;
api_handler api_shutdown, api_destroy, api_reboot, api_reset, api_trigger, api_sysrq, api_rename,
	api_start_managed, api_dump_core;
api_handler api_devices_get, api_devices_post, api_device_delete;
api_handler api_operations_get, api_operation_get, api_operation_delete;

/* What answers, events and the schemas share. */
extern const struct json_member api_domain_members[], api_vcpu_members[], api_scheduler_members[],
	api_device_members[], api_dump_members[], api_node_members[], api_cpus_members[],
	api_hypervisor_members[], api_pool_members[], api_operation_members[],
	api_problem_members[];
/* A problem as an object; @status 0: as its class says. */
void api_put_error(struct json_writer *w, const char *key, const struct error *e, int status);
void api_put_operation(struct json_writer *w, const char *key, const struct operation *op);

/*
 * --- events.c --------------------------------------------------------------------------------------------
 *
 * Server-sent events: what happens in the model, rendered once into a ring of the last bytes, which every stream reads at its own pace.
 * Memory is bounded by the ring: a client that falls behind it is cut off and comes back with Last-Event-ID. The model is only listened
 * to while there are streams.
 */

struct event_stream;

/* r->wake is called when there is something to read. @last: the client's Last-Event-ID or NULL. NULL (@e set) when there are too many. */
struct event_stream *events_open(struct api_request *r, const char *last, struct error *e);
/* Up to @most bytes; 0: nothing yet; -1: it fell behind. */
ssize_t events_read(struct event_stream *s, char *buffer, size_t most);
void events_close(struct event_stream *s);

/* --- For tests -------------------------------------------------------------------------------------------- */

/* The name and the parameters as an array of texts ("" for structs and arrays); NULL: no call in XML-RPC's form. */
struct json_t *xmlrpc_parse(const char *xml, size_t len);
extern const char *metrics_sysfs; /* "/sys" */
