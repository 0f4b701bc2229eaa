/* SPDX-License-Identifier: MIT */
/* The table of routes: everything the API can do. Dispatch, 405's Allow and /openapi.json are made from it. */
#include "xend/api_request.h"

#include <string.h>

#define DOMAINS "/v1/domains"
#define DOMAIN	DOMAINS "/{domain}"
#define DEVICES DOMAIN "/devices/{class}"

const struct route api_routes[] = {
	{"GET", "/healthz", api_health_get, ROUTE_OPEN | ROUTE_XENAPI,
	 "Whether the daemon serves: 200, or 503 while it recovers or stops", NULL, "Health"},
	{"GET", "/openapi.json", api_openapi_get, 0, "This description", NULL, "object"},
	{"GET", "/metrics", api_metrics_get, 0, "Figures in Prometheus' text format", NULL, "text"},
	{"POST", "/xenapi", api_xenapi_post, ROUTE_OPEN | ROUTE_XENAPI,
	 "XenAPI over XML-RPC: sessions and the VM methods a fence agent needs", "*", "xml"},
	{"POST", "/RPC2", api_xenapi_post, ROUTE_OPEN | ROUTE_XENAPI, "The same as /xenapi", "*",
	 "xml"},
	{"POST", "/", api_xenapi_post, ROUTE_OPEN | ROUTE_XENAPI, "The same as /xenapi", "*",
	 "xml"},

	{"GET", "/v1/node", api_node_get, 0,
	 "The machine and its hypervisor; ?detail=0 leaves numa and topology out", NULL, "Node"},
	{"GET", "/v1/node/dmesg", api_dmesg_get, 0, "The hypervisor's messages", NULL, "text"},
	{"POST", "/v1/node/dmesg", api_dmesg_clear, 0,
	 "The hypervisor's messages, which are cleared with ?clear=1", NULL, "text"},
	{"GET", "/v1/node/log", api_log_get, 0, "The end of the daemon's log; ?bytes=N of it", NULL,
	 "text"},
	{"POST", "/v1/node/debug-keys", api_debug_keys, 0, "Sends keys to the hypervisor",
	 "keys:string!", NULL},
	{"GET", "/v1/pools", api_pools_get, 0, "All CPU pools", NULL, "pools[]Pool"},
	{"PUT", "/v1/pools/{pool}", api_pool_put, 0, "Parameters of a pool's scheduler",
	 "tslice_ms:integer ratelimit_us:integer migration_delay_us:integer", NULL},
	{"GET", "/v1/schedulers", api_schedulers_get, 0,
	 "Every running domain's scheduling parameters", NULL, "schedulers[]Scheduler"},

	{"GET", DOMAINS, api_domains_get, 0,
	 "All domains by id, those that do not run last; ?fields=id,name,... only these, "
	 "?detail=1 also those that cost a look into xenstore",
	 NULL, "domains[]Domain"},
	{"POST", DOMAINS, api_domains_post, ROUTE_ASYNC,
	 "Creates a domain; start=false only defines a managed one",
	 "config:object! paused:boolean managed:boolean start:boolean", "Domain"},
	{"GET", DOMAIN, api_domain_get, ROUTE_DOMAIN, "One domain by name, id or uuid", NULL,
	 "Domain"},
	{"DELETE", DOMAIN, api_domain_delete, ROUTE_DOMAIN,
	 "Forgets a managed domain that does not run", NULL, NULL},
	{"GET", DOMAIN "/vcpus", api_vcpus_get, ROUTE_RUNNING, "State and affinity of its vCPUs",
	 NULL, "vcpus[]Vcpu"},
	{"PUT", DOMAIN "/vcpus", api_vcpus_put, ROUTE_RUNNING,
	 "Number online, or the affinity of one or all",
	 "online:integer ignore_host:boolean vcpu:vcpu hard:cpus soft:cpus force:boolean", NULL},
	{"PUT", DOMAIN "/memory", api_memory_put, ROUTE_DOMAIN, "Balloon target, or the limit",
	 "target_kb:integer max_kb:integer", NULL},
	{"GET", DOMAIN "/scheduler", api_scheduler_get, ROUTE_RUNNING, "Weight and cap", NULL,
	 "Scheduler"},
	{"PUT", DOMAIN "/scheduler", api_scheduler_put, ROUTE_RUNNING, "Weight and cap",
	 "scheduler:string weight:integer cap:integer", NULL},
	{"GET", DOMAIN "/config", api_config_get, ROUTE_DOMAIN,
	 "Its configuration in libxl's shape", NULL, "object"},
	{"PUT", DOMAIN "/config", api_config_put, ROUTE_DOMAIN,
	 "The configuration that the next start uses", "*", NULL},

	{"POST", DOMAIN "/pause", api_pause, ROUTE_RUNNING, "Pauses it", NULL, NULL},
	{"POST", DOMAIN "/unpause", api_unpause, ROUTE_RUNNING, "Lets it run again", NULL, NULL},
	{"POST", DOMAIN "/shutdown", api_shutdown, ROUTE_RUNNING | ROUTE_ASYNC,
	 "Asks the guest to end; done when it has acknowledged", "reason:string fallback:boolean",
	 NULL},
	{"POST", DOMAIN "/destroy", api_destroy, ROUTE_RUNNING | ROUTE_ASYNC, "Ends it at once",
	 NULL, NULL},
	{"POST", DOMAIN "/reboot", api_reboot, ROUTE_RUNNING | ROUTE_ASYNC,
	 "Asks the guest to reboot", "fallback:boolean", NULL},
	{"POST", DOMAIN "/reset", api_reset, ROUTE_RUNNING | ROUTE_ASYNC,
	 "Destroys it and starts it anew", NULL, "Domain"},
	{"POST", DOMAIN "/trigger", api_trigger, ROUTE_RUNNING, "nmi, init, reset, power, sleep",
	 "trigger:string! vcpu:integer", NULL},
	{"POST", DOMAIN "/sysrq", api_sysrq, ROUTE_RUNNING, "Sends a magic SysRq key",
	 "key:string!", NULL},
	{"POST", DOMAIN "/rename", api_rename, ROUTE_DOMAIN, "Gives it another name",
	 "name:string!", NULL},
	{"POST", DOMAIN "/start", api_start_managed, ROUTE_DOMAIN | ROUTE_ASYNC,
	 "Starts a managed domain", "paused:boolean", "Domain"},
	{"POST", DOMAIN "/dump-core", api_dump_core, ROUTE_RUNNING | ROUTE_ASYNC,
	 "Writes its memory to a file in domain 0", "file:string live:boolean", "Dump"},

	{"GET", DEVICES, api_devices_get, ROUTE_RUNNING, "Its devices; class is disk or network",
	 NULL, "devices[]Device"},
	{"POST", DEVICES, api_devices_post, ROUTE_RUNNING | ROUTE_ASYNC,
	 "Attaches one: a member of the configuration's disks or nics", "*", NULL},
	{"DELETE", DEVICES "/{device}", api_device_delete, ROUTE_RUNNING | ROUTE_ASYNC,
	 "Detaches one; ?force=1 without the guest's consent", NULL, NULL},

	{"GET", "/v1/operations", api_operations_get, 0, "Running and lately ended work", NULL,
	 "operations[]Operation"},
	{"GET", "/v1/operations/{id}", api_operation_get, 0, "One operation", NULL, "Operation"},
	{"DELETE", "/v1/operations/{id}", api_operation_delete, 0, "Cancels it", NULL, NULL},
	{"GET", "/v1/events", NULL, ROUTE_STREAM,
	 "Server-sent events: domain and operation; Last-Event-ID resumes", NULL, "events"},
	{0},
};

static const struct {
	const char *name, *members;
} schemas[] = {
	{"Domain", api_domain_schema},
	{"Health", "status:string"},
	{"Vcpu",
	 "vcpu:integer cpu:integer online:boolean blocked:boolean running:boolean cpu_ns:integer "
	 "hard:cpus soft:cpus"},
	{"Pool",
	 "id:integer name:string scheduler:string cpus:cpus domains:integer tslice_ms:integer "
	 "ratelimit_us:integer migration_delay_us:integer"},
	{"Scheduler",
	 "id:integer name:string cpupool:string scheduler:string weight:integer cap:integer"},
	{"Device",
	 "devid:integer backend_id:integer handle:integer state:integer event_channel:integer "
	 "ring_refs:cpus backend_path:string"},
	{"Operation",
	 "id:integer kind:string domain:string uuid:string state:string progress:integer "
	 "step:string error:object started_at:integer ended_at:integer"},
	{"Problem", "type:string title:string status:integer class:string hint:string"},
	{"Dump", "file:string"},
	{"Node", "host:string nr_cpus:integer total_kb:integer free_kb:integer xen_major:integer "
		 "xen_minor:integer xend:object"},
	{0},
};

const char *api_schema(const char *name)
{
	for (size_t i = 0; schemas[i].name; i++)
		if (!strcmp(schemas[i].name, name))
			return schemas[i].members;
	return NULL;
}

const char *api_schema_name(unsigned int i)
{
	return schemas[i].name;
}
