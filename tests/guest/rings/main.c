/* SPDX-License-Identifier: MIT */
/*
 * A guest that lies to domain 0: garbage into the rings of its xenstore connection, its console,
 * its disk and its network interface (impossible indices, noise, absurd lengths, whole requests with
 * senseless bodies), wrong values into the nodes of its devices, events on all its channels.  It goes
 * on for as long as "seconds=" on its command line says (10), from "seed=".  "other=" is a domain
 * whose devices it names as its own, "stay=" keeps it there at the end.  Whoever serves it may stop
 * serving it: it asks for a new connection and goes on.  Unprivileged only.
 */
#include "guest.h"
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>

TEST("rings");

#define MS	  1000000ul
#define FIRST_REF 64 /* the first ones are the builder's */

static unsigned long rounds, requests, answers, connections;
static char other[8];

static unsigned char store_page[PAGE_SIZE] PAGE_ALIGNED, console_page[PAGE_SIZE] PAGE_ALIGNED;
static unsigned char ring_pages[2][PAGE_SIZE] PAGE_ALIGNED;
static union {
	grant_entry_v1_t v1[PAGE_SIZE / sizeof(grant_entry_v1_t)];
	unsigned char page[PAGE_SIZE];
} grants PAGE_ALIGNED;

#define XS  ((volatile struct xenstore_domain_interface *)store_page)
#define CON ((volatile struct xencons_interface *)console_page)

static void noise(volatile unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = random64() >> 32;
}

/* An index near where it was, or anywhere. */
static uint32_t random_index(uint32_t now)
{
	static const uint32_t edges[] = {0, 1, 1023, 1024, 1025, 2049, 0x7fffffff, 0x80000000, ~0u};

	switch (random_below(3)) {
	case 0:
		return now + edges[random_below(ARRAY_LEN(edges))];
	case 1:
		return edges[random_below(ARRAY_LEN(edges))];
	}
	return random64();
}

static void kick(evtchn_port_t port)
{
	struct evtchn_send s = {.port = port};

	hypercall_event_channel_op(EVTCHNOP_send, &s);
}

static void let_others_run(unsigned int ms)
{
	for (uint64_t end = clock_ns() + ms * MS; clock_ns() < end;)
		hypercall_sched_op(SCHEDOP_yield, NULL);
}

/* ---- Xenstore: the ring ---- */

/* A connection that is whole again, if the other end gives us one. */
static void store_connect(void)
{
	XS->connection = XENSTORE_RECONNECT;
	for (unsigned int i = 0; i < 100 && XS->connection != XENSTORE_CONNECTED; i++) {
		kick(start_info->store_evtchn);
		let_others_run(1);
	}
	connections += XS->connection == XENSTORE_CONNECTED;
}

static void store_bytes(const void *p, size_t n)
{
	uint32_t prod = XS->req_prod;

	for (size_t i = 0; i < n; i++) {
		for (unsigned int tries = 0; prod - XS->req_cons >= XENSTORE_RING_SIZE; tries++) {
			if (tries == 20)
				return;
			kick(start_info->store_evtchn);
			XS->rsp_cons = XS->rsp_prod;
			let_others_run(1);
		}
		XS->req[MASK_XENSTORE_IDX(prod)] = ((const char *)p)[i];
		asm volatile("" : : : "memory");
		XS->req_prod = ++prod;
	}
	kick(start_info->store_evtchn);
}

static void store_indices(void)
{
	volatile uint32_t *const index[] = {&XS->req_cons, &XS->req_prod, &XS->rsp_cons,
					    &XS->rsp_prod};

	for (unsigned int i = 0; i < 4; i++)
		if (random_below(2))
			*index[i] = random_index(*index[i]);
	kick(start_info->store_evtchn);
	let_others_run(2);
	store_connect();
}

/* Breaks off and begins anew as fast as it goes. */
static void store_quarrel(void)
{
	for (unsigned int i = 0; i < 200; i++) {
		XS->req_prod = XS->req_cons + XENSTORE_RING_SIZE + 1;
		kick(start_info->store_evtchn);
		for (unsigned int n = 0; n < 50 && !XS->error; n++)
			hypercall_sched_op(SCHEDOP_yield, NULL);
		XS->connection = XENSTORE_RECONNECT;
		kick(start_info->store_evtchn);
		for (unsigned int n = 0; n < 50 && XS->connection; n++)
			hypercall_sched_op(SCHEDOP_yield, NULL);
		connections += !XS->connection;
	}
}

static void store_noise(void)
{
	unsigned char bytes[200];

	noise(bytes, sizeof(bytes));
	store_bytes(bytes, random_below(sizeof(bytes)));
	noise(store_page, sizeof(store_page));
	kick(start_info->store_evtchn);
	let_others_run(2);
	store_connect();
}

static void store_lengths(void)
{
	static const uint32_t lengths[] = {4096,       4097, 65536,   0x7fffffff,
					   0x80000000, ~0u,  ~0u - 15};
	struct xsd_sockmsg m = {.type = random_below(XS_TYPE_COUNT), .req_id = random64()};

	m.len = lengths[random_below(ARRAY_LEN(lengths))];
	store_bytes(&m, sizeof(m));
	if (random_below(2))
		store_bytes(ring_pages, random_below(4096));
	let_others_run(2);
	store_connect();
}

/* ---- Xenstore: requests ---- */

/* Waits for the answer, a little while; what else comes is thrown away. */
static void store_answer(uint32_t req_id)
{
	struct xsd_sockmsg m;

	for (unsigned int tries = 0; tries < 50;) {
		uint32_t cons = XS->rsp_cons, n = XS->rsp_prod - cons;

		if (n < sizeof(m) || n > XENSTORE_RING_SIZE) {
			let_others_run(1);
			tries++;
			continue;
		}
		for (unsigned int i = 0; i < sizeof(m); i++)
			((char *)&m)[i] = XS->rsp[MASK_XENSTORE_IDX(cons + i)];
		if (n < sizeof(m) + m.len && m.len < XENSTORE_RING_SIZE - sizeof(m)) {
			tries++;
			continue;
		}
		XS->rsp_cons = m.len < XENSTORE_RING_SIZE - sizeof(m) ? cons + sizeof(m) + m.len
								      : XS->rsp_prod;
		kick(start_info->store_evtchn);
		if (m.type != XS_WATCH_EVENT && m.req_id == req_id) {
			answers++;
			return;
		}
	}
}

static void store_request(uint32_t type, uint32_t tx, const char *body, size_t len, bool wait)
{
	struct xsd_sockmsg m = {.type = type, .req_id = ++requests, .tx_id = tx, .len = len};

	store_bytes(&m, sizeof(m));
	store_bytes(body, len);
	if (wait)
		store_answer(m.req_id);
}

static const char *random_string(void)
{
	static char s[3100];
	static const char *const strings[] = {
		"",
		"/",
		"//",
		"/local/domain/0",
		"/local/domain/0/name",
		"device",
		"data",
		"data/a/b/c/d/e",
		"../0",
		".",
		"@introduceDomain",
		"@releaseDomain",
		"@nonsense",
		"/tool/xenstored",
		"/libxl",
		"n0",
		"b0",
		"r99999",
		"n",
		"T",
		"F",
		"1",
		"-1",
		"99999999999999999999",
		"control/shutdown",
		"poweroff",
		"\xff\xfe",
		"a b",
		"/vm",
		"/local/domain/32752/x",
	};

	if (random_below(12))
		return strings[random_below(ARRAY_LEN(strings))];
	memset(s, random_below(4) ? 'x' : '/', sizeof(s) - 1);
	s[random_below(sizeof(s))] = '\0';
	return s;
}

/* Strings that each may be right somewhere, with and without their ends. */
static size_t random_body(char *body, size_t size)
{
	size_t len = 0;

	for (unsigned int n = random_below(5); n; n--) {
		const char *s = random_string();
		size_t more = strlen(s) + (random_below(5) != 0);

		if (len + more > size)
			break;
		memcpy(body + len, s, more);
		len += more;
	}
	return len;
}

static void store_bodies(void)
{
	static char body[4096];

	for (unsigned int i = 0; i < 16; i++) {
		size_t len = random_body(body, sizeof(body));
		uint32_t type = random_below(8) ? random_below(XS_TYPE_COUNT) : random64();

		if (type == XS_RESET_WATCHES && random_below(8))
			type = XS_TRANSACTION_START;
		store_request(type, random_below(4) ? 0 : random_below(30), body, len, true);
	}
}

/* Asks and does not read. */
static void store_silence(void)
{
	for (unsigned int i = 0; i < 60; i++)
		if (XS->req_prod - XS->req_cons < XENSTORE_RING_SIZE - 64)
			store_request(XS_DIRECTORY, 0, "/", 2, false);
	kick(start_info->store_evtchn);
	let_others_run(5);
	if (random_below(2))
		store_connect();
}

/* ---- The console ---- */

static void console_reset(void)
{
	CON->in_cons = CON->in_prod = CON->out_cons = CON->out_prod = 0;
}

static void console_indices(void)
{
	volatile uint32_t *const index[] = {&CON->in_cons, &CON->in_prod, &CON->out_cons,
					    &CON->out_prod};

	for (unsigned int i = 0; i < 4; i++)
		if (random_below(2))
			*index[i] = random_index(*index[i]);
	kick(start_info->console.domU.evtchn);
	let_others_run(1);
	console_reset();
}

static void console_noise(void)
{
	for (unsigned int i = 0; i < 20; i++) {
		noise((volatile unsigned char *)CON->out, sizeof(CON->out));
		CON->out_prod = CON->out_cons + sizeof(CON->out);
		kick(start_info->console.domU.evtchn);
		hypercall_sched_op(SCHEDOP_yield, NULL);
	}
}

/* ---- Devices ---- */

static void node_write(const char *path, const char *value)
{
	char body[600];
	size_t len = guest_snprintf(body, sizeof(body), "%s", path) + 1;

	len += guest_snprintf(body + len, sizeof(body) - len, "%s", value);
	store_request(XS_WRITE, 0, body, len, true);
}

static void node_number(const char *path, unsigned long value)
{
	char text[24];

	guest_snprintf(text, sizeof(text), "%lu", value);
	node_write(path, text);
}

static const char *random_value(void)
{
	static char text[80];
	static const char *const values[] = {
		"",	    "-1",   "0", "1",	 "2",	     "3",	   "4",
		"5",	    "6",    "7", "8",	 "99",	     "4294967295", "18446744073709551616",
		"nonsense", "%s%n", "/", "\xff", "poweroff", "halt",	   "/local/domain/0",
	};

	if (random_below(6))
		return values[random_below(ARRAY_LEN(values))];
	guest_snprintf(text, sizeof(text), "/local/domain/0/backend/vbd/%s/51712", other);
	return text;
}

static void front_nodes(void)
{
	static const char *const nodes[] = {
		"device/vbd/51712/state",
		"device/vbd/51712/ring-ref",
		"device/vbd/51712/event-channel",
		"device/vbd/51712/backend",
		"device/vbd/51712/backend-id",
		"device/vbd/51712/protocol",
		"device/vbd/51712/ring-page-order",
		"device/vbd/51712/multi-queue-num-queues",
		"device/vif/0/state",
		"device/vif/0/tx-ring-ref",
		"device/vif/0/rx-ring-ref",
		"device/vif/0/event-channel",
		"device/vif/0/multi-queue-num-queues",
		"device/vif/0/mac",
		"device/vif/0/backend",
		"console/ring-ref",
		"console/port",
		"console/limit",
		"console/tty",
		"console/type",
		"store/port",
		"memory/target",
		"name",
		"domid",
		"vm",
		"control/shutdown",
		"control/platform-feature-xs_reset_watches",
		"data/more",
		"device/vbd/1/state",
		"device/pci/0/state",
		"backend/vbd/0/51712/state",
		"error/device/vbd/51712/error",
	};
	const char *node;

	for (unsigned int i = 0; i < 12; i++) {
		node = nodes[random_below(ARRAY_LEN(nodes))];
		if (random_below(24))
			node_write(node, random_value());
		else
			store_request(XS_RM, 0, node, strlen(node) + 1, true);
	}
}

static void grants_setup(void)
{
	xen_pfn_t frame = 0;
	struct gnttab_set_version version = {.version = 1};
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 1};

	set_xen_guest_handle(s.frame_list, &frame);
	hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);
	if (hypercall_grant_table_op(GNTTABOP_setup_table, &s, 1) || s.status ||
	    hypercall_update_va_mapping((unsigned long)&grants, pte_of(frame, PTE_RW), UVMF_INVLPG))
		verdict_error("no grant table");
	for (unsigned int i = 0; i < 2; i++)
		grants.v1[FIRST_REF + i] = (grant_entry_v1_t){.flags = GTF_permit_access,
							      .frame = virt_to_mfn(ring_pages[i])};
}

/* Noise for the back end to take for requests, with indices that say there are some. */
static void ring_garbage(evtchn_port_t port)
{
	for (unsigned int i = 0; i < 20; i++) {
		volatile uint32_t *index = (uint32_t *)ring_pages[random_below(2)];

		noise((volatile unsigned char *)index + 64, PAGE_SIZE - 64);
		index[0] = random_below(2) ? index[0] + random_below(32) : random64();
		index[1] = index[0] + 1;
		kick(port);
		let_others_run(2);
	}
}

/* Connects as a front end ought to, and then fills the ring with garbage; mostly ends as it ought to. */
static void device_ring(const char *path, const char *ring_ref, const char *second, unsigned int up)
{
	static evtchn_port_t ports[64];
	static unsigned int nr;
	char node[64];
	evtchn_port_t port =
		nr < ARRAY_LEN(ports) ? event_alloc_unbound(0) : ports[random_below(nr)];

#define NODE(name) (guest_snprintf(node, sizeof(node), "%s/%s", path, name), node)
	if (nr < ARRAY_LEN(ports))
		ports[nr++] = port;
	memset(ring_pages, 0, sizeof(ring_pages));
	node_number(NODE("state"), 1);
	let_others_run(20);
	node_number(NODE(ring_ref), FIRST_REF);
	if (second)
		node_number(NODE(second), FIRST_REF + 1);
	node_number(NODE("event-channel"), port);
	node_write(NODE("protocol"), "x86_64-abi");
	node_number(NODE("request-rx-copy"), 1);
	node_number(NODE("multi-queue-num-queues"), 1);
	node_number(NODE("state"), up);
	let_others_run(50);
	ring_garbage(port);
	for (unsigned int s = 5; s <= 6 && random_below(8); s++) {
		node_number(NODE("state"), s);
		let_others_run(20);
	}
#undef NODE
}

static void disk_ring(void)
{
	device_ring("device/vbd/51712", "ring-ref", NULL, 3);
}

static void network_ring(void)
{
	device_ring("device/vif/0", "tx-ring-ref", "rx-ring-ref", 4);
}

/* These take their time. */
static void device_rings(void)
{
	switch (random_below(8)) {
	case 0:
		disk_ring();
		break;
	case 1:
		network_ring();
		break;
	}
}

static void kicks(void)
{
	for (unsigned int i = 0; i < 2000; i++)
		kick(random_below(32));
}

/* ---- all of it ---- */

static void page_share(void *page, unsigned long mfn)
{
	if (!mfn ||
	    hypercall_update_va_mapping((unsigned long)page, pte_of(mfn, PTE_RW), UVMF_INVLPG))
		verdict_error("a ring is not there");
}

void test_main(void)
{
	static void (*const attacks[])(void) = {
		store_indices, store_quarrel, store_noise,    store_lengths, store_bodies,
		store_bodies,  store_silence, front_nodes,    front_nodes,   device_rings,
		kicks,	       console_noise, console_indices};
	uint64_t seed, end;

	events_disable();
	if (is_dom0())
		verdict_skip("only as an unprivileged guest");
	seed = cmdline_number("seed", rdtsc());
	random_seed(seed);
	guest_snprintf(other, sizeof(other), "%lu", cmdline_number("other", 0));
	end = clock_ns() + cmdline_number("seconds", 10) * 1000 * MS;
	print("rings: seed %lu\n", seed);
	page_share(store_page, start_info->store_mfn);
	page_share(console_page, start_info->console.domU.mfn);
	grants_setup();
	/* First with back ends that have not lost their faith in it. */
	disk_ring();
	network_ring();
	for (; clock_ns() < end; rounds++)
		attacks[random_below(ARRAY_LEN(attacks))]();
	console_reset();
	store_connect();
	node_write("data/last", "words");
	let_others_run(300);
	print("\nrings: %lu rounds, %lu requests, %lu answers, %lu connections\n", rounds, requests,
	      answers, connections);
	/* Whoever looks for what it has left wants it to stay until it is taken away. */
	while (cmdline_value("stay"))
		hypercall_sched_op(SCHEDOP_block, NULL);
	CHECK(rounds > 0);
}
