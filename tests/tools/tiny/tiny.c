/* SPDX-License-Identifier: MIT */
/*
 * The smallest guest worth the name, for tests that need a hundred: prints "tiny" on its console, echoes what it is sent, shuts down when
 * control/shutdown says so, and sleeps the rest of the time. One vCPU, a few pages, no page faults, no timer.
 *
 * tiny_run() handles whatever is there and blocks; the event that wakes it enters tiny_run() anew. So there is no state but the rings'
 * indices and @asked.
 */
#include <stdint.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

void tiny_start(struct start_info *start_info);
void tiny_run(void);

extern char base[], event[], hypercall_page[];
extern shared_info_t shared_info;

static struct start_info *info;
static struct xencons_interface *console;
static struct xenstore_domain_interface *store;

static long hypercall(unsigned int op, unsigned long a, unsigned long b, unsigned long c)
{
	register unsigned long r8 __asm__("r8") = 0, r10 __asm__("r10") = 0;
	long rc;

	__asm__ volatile("call *%[entry]"
			 : "=a"(rc), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
			 : [entry] "r"(hypercall_page + 32 * op)
			 : "memory", "rcx", "r11");
	return rc;
}

static void notify(evtchn_port_t port)
{
	struct evtchn_send send = {port};

	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&send, 0);
}

static void *mfn_address(unsigned long mfn)
{
	const unsigned long *m2p = (const unsigned long *)MACH2PHYS_VIRT_START;

	return base + (m2p[mfn] << 12);
}

/* Barrier pairs with the one of the ring's other end: content before indices, indices before content. */
static uint32_t index_read(const volatile uint32_t *index)
{
	uint32_t v = *index;

	__sync_synchronize();
	return v;
}

static void index_write(volatile uint32_t *index, uint32_t v)
{
	__sync_synchronize();
	*index = v;
}

/* --- Console --- */

static void console_put(char c)
{
	uint32_t prod = console->out_prod;

	if (prod - index_read(&console->out_cons) >= sizeof(console->out))
		return;
	console->out[MASK_XENCONS_IDX(prod, console->out)] = c;
	index_write(&console->out_prod, prod + 1);
}

static void console_echo(void)
{
	uint32_t cons = console->in_cons, prod = index_read(&console->in_prod);

	if (cons == prod)
		return;
	for (; cons != prod; cons++) {
		char c = console->in[MASK_XENCONS_IDX(cons, console->in)];

		console_put(c);
		if (c == '\r')
			console_put('\n');
	}
	index_write(&console->in_cons, cons);
	notify(info->console.domU.evtchn);
}

/* --- Xenstore: one watch, and a read each time it fires --- */

static void store_send(uint32_t type, const char *body, uint32_t len)
{
	struct xsd_sockmsg header = {.type = type, .len = len};
	uint32_t prod = store->req_prod;

	for (uint32_t i = 0; i < sizeof(header); i++, prod++)
		store->req[MASK_XENSTORE_IDX(prod)] = ((const char *)&header)[i];
	for (uint32_t i = 0; i < len; i++, prod++)
		store->req[MASK_XENSTORE_IDX(prod)] = body[i];
	index_write(&store->req_prod, prod);
	notify(info->store_evtchn);
}

static void store_answer(uint32_t type, char first)
{
	static const char node[] = "control/shutdown";
	struct sched_shutdown op = {.reason = first == 'r' ? SHUTDOWN_reboot : SHUTDOWN_poweroff};

	if (type == XS_WATCH_EVENT)
		store_send(XS_READ, node, sizeof(node));
	/* "poweroff", "halt", "reboot": taken note of by emptying it, which fires the watch again. */
	if (type != XS_READ || (first != 'p' && first != 'h' && first != 'r'))
		return;
	store_send(XS_WRITE, node, sizeof(node));
	hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&op, 0);
}

static void store_receive(void)
{
	uint32_t cons = store->rsp_cons, prod = index_read(&store->rsp_prod);
	struct xsd_sockmsg header;

	while (prod - cons >= sizeof(header)) {
		for (uint32_t i = 0; i < sizeof(header); i++)
			((char *)&header)[i] = store->rsp[MASK_XENSTORE_IDX(cons + i)];
		if (prod - cons < sizeof(header) + header.len)
			return;
		cons += sizeof(header);
		char first = header.len ? store->rsp[MASK_XENSTORE_IDX(cons)] : '\0';
		cons += header.len;
		index_write(&store->rsp_cons, cons);
		notify(info->store_evtchn);
		store_answer(header.type, first);
	}
}

/* --- */

void tiny_start(struct start_info *start_info)
{
	static const char watch[] = "control/shutdown\0tiny", hello[] = "tiny\r\n";

	info = start_info;
	console = mfn_address(info->console.domU.mfn);
	store = mfn_address(info->store_mfn);
	/* The shared info page replaces one of ours: present, writable, user, accessed, dirty. */
	hypercall(__HYPERVISOR_update_va_mapping, (unsigned long)&shared_info,
		  info->shared_info | 0x67, UVMF_INVLPG);
	hypercall(__HYPERVISOR_set_callbacks, (unsigned long)event, (unsigned long)event, 0);
	hypercall(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0);
	for (const char *s = hello; *s; s++)
		console_put(*s);
	notify(info->console.domU.evtchn);
	store_send(XS_WATCH, watch, sizeof(watch));
}

void tiny_run(void)
{
	vcpu_info_t *me = &shared_info.vcpu_info[0];

	/* Handled before blocking, and blocking looks at what came since; events stay masked until then. */
	me->evtchn_upcall_pending = 0;
	__atomic_exchange_n(&me->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	__atomic_exchange_n(&shared_info.evtchn_pending[0], 0, __ATOMIC_SEQ_CST);
	console_echo();
	store_receive();
	for (;;)
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
}
