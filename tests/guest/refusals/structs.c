/* SPDX-License-Identifier: MIT */
/*
 * Well-placed arguments with bad contents: event channels, scheduling, vCPUs, callbacks, grants, and
 * the version call.
 */
#include "refusals.h"

static void event_rows(void)
{
	static const evtchn_port_t ports[] = {0, 200, 4095, 4096, 131072, ~0u};
	long rc[ARRAY_LEN(ports)];

#define PORT_ROW(op, type, member)                                               \
	do {                                                                     \
		for (unsigned int i_ = 0; i_ < ARRAY_LEN(ports); i_++) {         \
			struct type a_ = {.member = ports[i_]};                  \
			rc[i_] = hypercall_event_channel_op(EVTCHNOP_##op, &a_); \
		}                                                                \
		answers("evtchn " #op, rc, ARRAY_LEN(rc));                       \
	} while (0)

	PORT_ROW(send, evtchn_send, port);
	PORT_ROW(close, evtchn_close, port);
	PORT_ROW(unmask, evtchn_unmask, port);
	PORT_ROW(bind_vcpu, evtchn_bind_vcpu, port);
	PORT_ROW(set_priority, evtchn_set_priority, port);
	PORT_ROW(status, evtchn_status, port);
	PORT_ROW(bind_virq, evtchn_bind_virq, virq);
	PORT_ROW(bind_ipi, evtchn_bind_ipi, vcpu);
	PORT_ROW(bind_pirq, evtchn_bind_pirq, pirq);
#undef PORT_ROW
}

static void event_domain_rows(void)
{
	static const domid_t doms[] = {NOBODY,	  0x7fef,    DOMID_IO,
				       DOMID_XEN, DOMID_COW, DOMID_INVALID};
	long rc[ARRAY_LEN(doms)];

	for (unsigned int i = 0; i < ARRAY_LEN(doms); i++) {
		struct evtchn_alloc_unbound a = {.dom = doms[i], .remote_dom = 0};
		rc[i] = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &a);
	}
	answers("evtchn alloc_unbound dom", rc, ARRAY_LEN(rc));
	for (unsigned int i = 0; i < ARRAY_LEN(doms); i++) {
		struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = doms[i]};
		rc[i] = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &a);
	}
	answers("evtchn alloc_unbound remote", rc, ARRAY_LEN(rc));
	for (unsigned int i = 0; i < ARRAY_LEN(doms); i++) {
		struct evtchn_bind_interdomain b = {.remote_dom = doms[i], .remote_port = 1};
		rc[i] = hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &b);
	}
	answers("evtchn bind_interdomain", rc, ARRAY_LEN(rc));
	for (unsigned int i = 0; i < ARRAY_LEN(doms); i++) {
		struct evtchn_status s = {.dom = doms[i], .port = 1};
		rc[i] = hypercall_event_channel_op(EVTCHNOP_status, &s);
	}
	answers("evtchn status dom", rc, ARRAY_LEN(rc));
	for (unsigned int i = 0; i < ARRAY_LEN(doms); i++) {
		struct evtchn_reset r = {.dom = doms[i]};
		rc[i] = hypercall_event_channel_op(EVTCHNOP_reset, &r);
	}
	answers("evtchn reset dom", rc, ARRAY_LEN(rc));
}

static void event_other_rows(void)
{
	struct evtchn_init_control c = {.control_gfn = ~0ul};
	struct evtchn_expand_array x = {.array_gfn = 0};
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER, .vcpu = 77};
	struct evtchn_bind_vcpu b = {.port = 1, .vcpu = 77};

	answer("evtchn init_control frame", hypercall_event_channel_op(EVTCHNOP_init_control, &c));
	c = (struct evtchn_init_control){.control_gfn = 0, .offset = 1};
	answer("evtchn init_control offset", hypercall_event_channel_op(EVTCHNOP_init_control, &c));
	c = (struct evtchn_init_control){.control_gfn = 0, .vcpu = 9};
	answer("evtchn init_control vcpu", hypercall_event_channel_op(EVTCHNOP_init_control, &c));
	answer("evtchn expand_array", hypercall_event_channel_op(EVTCHNOP_expand_array, &x));
	answer("evtchn bind_virq vcpu", hypercall_event_channel_op(EVTCHNOP_bind_virq, &v));
	answer("evtchn bind_vcpu vcpu", hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &b));
	v = (struct evtchn_bind_virq){.virq = VIRQ_TIMER};
	answer("evtchn bind_virq first", hypercall_event_channel_op(EVTCHNOP_bind_virq, &v));
	v.vcpu = 0;
	answer("evtchn bind_virq again", hypercall_event_channel_op(EVTCHNOP_bind_virq, &v));
	answer("evtchn compat unknown", ({
		       struct evtchn_op op = {.cmd = 99};
		       HYPERCALL1(event_channel_op_compat, &op);
	       }));
}

static void sched_rows(void)
{
	struct sched_poll p = {.nr_ports = 129};
	struct sched_remote_shutdown r = {.domain_id = NOBODY};
	struct sched_watchdog w = {.id = 3, .timeout = 1};
	struct sched_pin_override pin = {.pcpu = 4095};
	evtchn_port_t bad[1] = {131072};

	answer("sched poll many", hypercall_sched_op(SCHEDOP_poll, &p));
	p.nr_ports = 1;
	set_xen_guest_handle(p.ports, (evtchn_port_t *)0xffff82d040200000ul);
	answer("sched poll pointer", hypercall_sched_op(SCHEDOP_poll, &p));
	set_xen_guest_handle(p.ports, bad);
	answer("sched poll port", hypercall_sched_op(SCHEDOP_poll, &p));
	answer("sched remote_shutdown", hypercall_sched_op(SCHEDOP_remote_shutdown, &r));
	answer("sched watchdog id", hypercall_sched_op(SCHEDOP_watchdog, &w));
	w = (struct sched_watchdog){.id = 1, .timeout = 0};
	answer("sched watchdog idle", hypercall_sched_op(SCHEDOP_watchdog, &w));
	answer("sched pin_override", hypercall_sched_op(SCHEDOP_pin_override, &pin));
}

static void vcpu_rows(void)
{
	static struct vcpu_guest_context zero;
	struct vcpu_set_periodic_timer per = {.period_ns = 999};
	struct vcpu_set_singleshot_timer one = {.timeout_abs_ns = 1, .flags = VCPU_SSHOTTMR_future};
	struct vcpu_register_vcpu_info info = {.mfn = ~0ul};

	answer("vcpu initialise 0", hypercall_vcpu_op(VCPUOP_initialise, 0, &zero));
	answer("vcpu initialise 1", hypercall_vcpu_op(VCPUOP_initialise, 1, &zero));
	answer("vcpu periodic short", hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &per));
	answer("vcpu singleshot past", hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &one));
	answer("vcpu info frame", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &info));
	info = (struct vcpu_register_vcpu_info){.mfn = virt_to_mfn(&zero), .offset = 4090};
	answer("vcpu info offset", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &info));
	info.offset = 4;
	answer("vcpu info aligned", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &info));
}

static void callback_rows(void)
{
	struct callback_register reg = {.type = 99, .address = (unsigned long)event_entry};
	struct callback_unregister un = {.type = 99};
	char key[40];

	answer("callback register 99", hypercall_callback_op(CALLBACKOP_register, &reg));
	answer("callback unregister 99", hypercall_callback_op(CALLBACKOP_unregister, &un));
	for (unsigned int t = 0; t < 9; t++) {
		reg = (struct callback_register){.type = t, .address = 0x0008000000000000};
		guest_snprintf(key, sizeof(key), "callback register %u", t);
		answer(key, hypercall_callback_op(CALLBACKOP_register, &reg));
		un.type = t;
		guest_snprintf(key, sizeof(key), "callback unregister %u", t);
		answer(key, hypercall_callback_op(CALLBACKOP_unregister, &un));
	}
	trap_callbacks_set();
}

/* Grant operations answer in a status field of each element. */
static void grant_rows(void)
{
	struct gnttab_map_grant_ref map = {.host_addr = 0, .flags = 0, .ref = 8, .dom = DOMID_SELF};
	struct gnttab_unmap_grant_ref un = {.host_addr = 0, .handle = 12345};
	struct gnttab_setup_table setup = {.dom = NOBODY, .nr_frames = 1};
	struct gnttab_query_size size = {.dom = NOBODY};
	struct gnttab_get_version ver = {.dom = NOBODY};
	struct gnttab_set_version set = {.version = 3};
	struct gnttab_swap_grant_ref swap = {.ref_a = ~0u, .ref_b = 1};
	long rc[2];

#define GRANT_ROW(key, op, arg)                                           \
	do {                                                              \
		rc[0] = hypercall_grant_table_op(GNTTABOP_##op, &arg, 1); \
		rc[1] = arg.status;                                       \
		answers("grant " key, rc, 2);                             \
	} while (0)

	GRANT_ROW("map flags", map_grant_ref, map);
	map.flags = GNTMAP_host_map;
	GRANT_ROW("map self", map_grant_ref, map);
	map.dom = NOBODY;
	GRANT_ROW("map domain", map_grant_ref, map);
	GRANT_ROW("unmap", unmap_grant_ref, un);
	GRANT_ROW("setup domain", setup_table, setup);
	setup = (struct gnttab_setup_table){.dom = DOMID_SELF, .nr_frames = ~0u};
	GRANT_ROW("setup frames", setup_table, setup);
	GRANT_ROW("query domain", query_size, size);
	GRANT_ROW("swap", swap_grant_ref, swap);
	answer("grant version domain", hypercall_grant_table_op(GNTTABOP_get_version, &ver, 1));
	answer("grant version 3", hypercall_grant_table_op(GNTTABOP_set_version, &set, 1));
#undef GRANT_ROW
}

void struct_rows(void)
{
	event_rows();
	event_domain_rows();
	event_other_rows();
	sched_rows();
	vcpu_rows();
	callback_rows();
	grant_rows();
}
