// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * A client of the outer Xen's store, over the ring and the event channel the outer Xen's parameters name. One request is under way
 * at a time (`talk`); a thread reads what comes: the answer goes to who waits for it by its number, an event to its watch's work
 * item on blanket_wq, so events that come faster than they are handled become one. Nothing is allocated for what was not asked for.
 *
 * The two indices we advance are kept here, not read back. A ring that breaks the protocol is left alone from then on: each
 * request fails with -EIO.
 */
#define pr_fmt(fmt) "poncho-blanket: " fmt
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <xen/interface/hvm/params.h>
#include <xen/interface/io/xs_wire.h>
#include "blanket.h"

struct workqueue_struct *blanket_wq;

#define REPLY_TIME (10 * HZ)

static struct xenstore_domain_interface *ring;
static unsigned int port;
static XENSTORE_RING_IDX req_prod, rsp_cons;
static struct task_struct *reader;
static DECLARE_WAIT_QUEUE_HEAD(moved); /* the ring, or `reply`, or `broken` */
static bool broken;

static DEFINE_MUTEX(talk);
static DEFINE_SPINLOCK(lock); /* guards what follows */
static LIST_HEAD(watches);
static u32 next_token;
static u32 awaited; /* the request whose answer is waited for, 0: none */
static struct xsd_sockmsg reply_head;
static char *reply;

static bool store_event(void *unused)
{
	wake_up_all(&moved);
	return true; /* its only sender is the store itself */
}

static void ring_break(const char *why)
{
	pr_err("the outer store %s: it is not used any more\n", why);
	WRITE_ONCE(broken, true);
	wake_up_all(&moved);
}

/* How many bytes one side is ahead of the other. Breaks the ring when it cannot be. */
static u32 ring_distance(XENSTORE_RING_IDX prod, XENSTORE_RING_IDX cons)
{
	u32 n = prod - cons;

	if (n <= XENSTORE_RING_SIZE)
		return n;
	if (!READ_ONCE(broken))
		ring_break("sets impossible ring indices");
	return 0;
}

static u32 ring_space(void)
{
	return READ_ONCE(broken)
		       ? 0
		       : XENSTORE_RING_SIZE - ring_distance(req_prod, READ_ONCE(ring->req_cons));
}

static u32 ring_waiting(void)
{
	return READ_ONCE(broken) ? 0 : ring_distance(READ_ONCE(ring->rsp_prod), rsp_cons);
}

static int ring_write(const void *data, size_t len)
{
	while (len) {
		u32 at = MASK_XENSTORE_IDX(req_prod), n;

		if (!wait_event_timeout(moved, READ_ONCE(broken) || (n = ring_space()) != 0,
					REPLY_TIME))
			ring_break("does not read its ring");
		if (READ_ONCE(broken))
			return -EIO;
		n = min3(n, (u32)len, (u32)XENSTORE_RING_SIZE - at);
		virt_mb(); /* what was there is read before it is overwritten */
		memcpy(ring->req + at, data, n);
		virt_wmb();
		req_prod += n;
		WRITE_ONCE(ring->req_prod, req_prod);
		event_send(port);
		data += n;
		len -= n;
	}
	return 0;
}

static int ring_read(void *data, size_t len)
{
	while (len) {
		u32 at = MASK_XENSTORE_IDX(rsp_cons), n = 0;

		wait_event_idle(moved, kthread_should_stop() || READ_ONCE(broken) ||
					       (n = ring_waiting()) != 0);
		if (kthread_should_stop() || READ_ONCE(broken))
			return -EIO;
		n = min3(n, (u32)len, (u32)XENSTORE_RING_SIZE - at);
		virt_rmb(); /* the index before the data */
		memcpy(data, ring->rsp + at, n);
		virt_mb();
		rsp_cons += n;
		WRITE_ONCE(ring->rsp_cons, rsp_cons);
		event_send(port);
		data += n;
		len -= n;
	}
	return 0;
}

/* @body: path, NUL, token, NUL, as the store says. */
static void watch_fire(const char *body, size_t len)
{
	size_t path = strnlen(body, len);
	struct store_watch *w;
	u32 token;

	if (path == len || kstrtou32(body + path + 1, 16, &token))
		return;
	spin_lock(&lock);
	list_for_each_entry (w, &watches, list)
		if (w->token == token)
			queue_work(blanket_wq, &w->work);
	spin_unlock(&lock);
}

static void reply_take(const struct xsd_sockmsg *head, char *body)
{
	spin_lock(&lock);
	if (awaited && head->req_id == awaited) {
		awaited = 0;
		reply_head = *head;
		swap(reply, body);
	}
	spin_unlock(&lock);
	kfree(body);
	wake_up_all(&moved);
}

static int store_read_ring(void *unused)
{
	struct xsd_sockmsg head;
	char *body;

	while (!ring_read(&head, sizeof(head))) {
		if (head.len > XENSTORE_PAYLOAD_MAX) {
			ring_break("sends more than is allowed");
			break;
		}
		body = kmalloc(head.len + 1, GFP_KERNEL | __GFP_NOFAIL);
		if (ring_read(body, head.len)) {
			kfree(body);
			break;
		}
		body[head.len] = 0;
		if (head.type == XS_WATCH_EVENT) {
			watch_fire(body, head.len);
			kfree(body);
		} else {
			reply_take(&head, body);
		}
	}
	wait_event_idle(moved, kthread_should_stop());
	return 0;
}

static int error_number(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (!strcmp(name, xsd_errors[i].errstring))
			return -xsd_errors[i].errnum;
	return -EINVAL;
}

static bool reply_arrived(void)
{
	bool arrived;

	spin_lock(&lock);
	arrived = !awaited;
	spin_unlock(&lock);
	return arrived;
}

/* With `talk` held: the answer's body, NUL at its end, for kfree(). */
static char *reply_wait(u32 type)
{
	bool came = wait_event_timeout(moved, reply_arrived() || READ_ONCE(broken), REPLY_TIME);
	char *body;

	spin_lock(&lock);
	awaited = 0;
	body = reply;
	reply = NULL;
	spin_unlock(&lock);
	if (!body)
		return ERR_PTR(came ? -EIO : -ETIMEDOUT);
	if (reply_head.type == type)
		return body;
	came = reply_head.type == XS_ERROR;
	type = came ? error_number(body) : -EIO;
	kfree(body);
	return ERR_PTR((int)type);
}

static char *store_talk(u32 type, u32 tx, const void *body, size_t len, size_t *reply_len)
{
	static u32 number;
	struct xsd_sockmsg head = {.type = type, .tx_id = tx, .len = len};
	char *answer;
	int rc;

	if (len > XENSTORE_PAYLOAD_MAX)
		return ERR_PTR(-E2BIG);
	mutex_lock(&talk);
	head.req_id = ++number ?: ++number;
	spin_lock(&lock);
	awaited = head.req_id;
	spin_unlock(&lock);
	rc = ring_write(&head, sizeof(head));
	if (!rc)
		rc = ring_write(body, len);
	answer = rc ? ERR_PTR(rc) : reply_wait(type);
	if (reply_len && !IS_ERR(answer))
		*reply_len = reply_head.len;
	mutex_unlock(&talk);
	return answer;
}

/* For requests whose answer says nothing. */
static int store_tell(u32 type, u32 tx, const void *body, size_t len)
{
	char *answer = store_talk(type, tx, body, len, NULL);

	if (IS_ERR(answer))
		return PTR_ERR(answer);
	kfree(answer);
	return 0;
}

static char *store_path(const char *dir, const char *node, size_t *len)
{
	char *path = kasprintf(GFP_KERNEL, "%s%s%s", dir, node[0] ? "/" : "", node);

	*len = path ? strlen(path) + 1 : 0;
	return path;
}

static char *store_ask(u32 type, const char *dir, const char *node, size_t *reply_len)
{
	size_t len;
	char *path = store_path(dir, node, &len), *answer;

	answer = path ? store_talk(type, 0, path, len, reply_len) : ERR_PTR(-ENOMEM);
	kfree(path);
	return answer;
}

char *store_read(const char *dir, const char *node)
{
	return store_ask(XS_READ, dir, node, NULL);
}

u64 store_read_u64(const char *dir, const char *node, u64 otherwise)
{
	char *text = store_read(dir, node);
	u64 value;

	if (IS_ERR(text))
		return otherwise;
	if (kstrtou64(text, 10, &value))
		value = otherwise;
	kfree(text);
	return value;
}

unsigned int store_read_uint(const char *dir, const char *node, unsigned int otherwise)
{
	u64 value = store_read_u64(dir, node, otherwise);

	return value > UINT_MAX ? otherwise : value;
}

char *store_list(const char *path, size_t *len)
{
	return store_ask(XS_DIRECTORY, path, "", len);
}

int store_begin(u32 *tx)
{
	char *id = store_talk(XS_TRANSACTION_START, 0, "", 1, NULL);
	int rc;

	if (IS_ERR(id))
		return PTR_ERR(id);
	rc = kstrtou32(id, 10, tx);
	kfree(id);
	return rc;
}

int store_end(u32 tx, bool commit)
{
	return store_tell(XS_TRANSACTION_END, tx, commit ? "T" : "F", 2);
}

int store_write(u32 tx, const char *dir, const char *node, const char *fmt, ...)
{
	char *body = kmalloc(XENSTORE_PAYLOAD_MAX, GFP_KERNEL);
	va_list args;
	size_t len;
	int rc;

	if (!body)
		return -ENOMEM;
	len = scnprintf(body, XENSTORE_PAYLOAD_MAX, "%s/%s", dir, node) + 1;
	va_start(args, fmt);
	len += vscnprintf(body + len, XENSTORE_PAYLOAD_MAX - len, fmt, args);
	va_end(args);
	rc = store_tell(XS_WRITE, tx, body, len);
	kfree(body);
	return rc;
}

int store_rm(u32 tx, const char *dir, const char *node)
{
	size_t len;
	char *path = store_path(dir, node, &len);
	int rc = path ? store_tell(XS_RM, tx, path, len) : -ENOMEM;

	kfree(path);
	return rc;
}

static int watch_request(u32 type, const struct store_watch *w)
{
	char *body = kasprintf(GFP_KERNEL, "%s%c%08x", w->path, 1, w->token);
	size_t path = strlen(w->path);
	int rc = -ENOMEM;

	if (body) {
		body[path] = 0;
		rc = store_tell(type, 0, body, path + 1 + 8 + 1);
	}
	kfree(body);
	return rc;
}

int store_watch(struct store_watch *w, const char *path, work_func_t fn)
{
	int rc;

	INIT_WORK(&w->work, fn);
	w->path = kstrdup(path, GFP_KERNEL);
	if (!w->path)
		return -ENOMEM;
	spin_lock(&lock);
	w->token = ++next_token;
	list_add(&w->list, &watches);
	spin_unlock(&lock);
	rc = watch_request(XS_WATCH, w);
	/* One of an earlier kernel or load tells of what comes, not of what is there. */
	if (rc == -EEXIST) {
		queue_work(blanket_wq, &w->work);
		rc = 0;
	}
	if (rc)
		store_unwatch(w);
	return rc;
}

/* Not from its own work: the caller sees to it that this has ended (blanket_wq is ordered). */
void store_unwatch(struct store_watch *w)
{
	if (!w->path)
		return;
	watch_request(XS_UNWATCH, w);
	spin_lock(&lock);
	list_del(&w->list);
	spin_unlock(&lock);
	kfree(w->path);
	w->path = NULL;
}

/* The ring as its last user left it; half a message that waits there is dropped by its number or ends the ring. */
static int ring_attach(void)
{
	req_prod = READ_ONCE(ring->req_prod);
	rsp_cons = READ_ONCE(ring->rsp_cons);
	if (req_prod - READ_ONCE(ring->req_cons) > XENSTORE_RING_SIZE ||
	    READ_ONCE(ring->rsp_prod) - rsp_cons > XENSTORE_RING_SIZE)
		return -EIO;
	return 0;
}

static int store_connect(void)
{
	u64 frame, channel;
	int rc;

	if (nested_hvm_param(HVM_PARAM_STORE_PFN, &frame) ||
	    nested_hvm_param(HVM_PARAM_STORE_EVTCHN, &channel) || !frame || channel > UINT_MAX) {
		pr_err("the outer Xen gives us no store\n");
		return -ENODEV;
	}
	port = channel;
	ring = frames_map(frame, 1);
	if (!ring)
		return -ENOMEM;
	rc = ring_attach();
	if (rc)
		pr_err("the outer store's ring is in disorder\n");
	if (!rc)
		rc = event_bind(port, store_event, NULL);
	if (!rc) {
		reader = kthread_run(store_read_ring, NULL, "poncho-store");
		rc = PTR_ERR_OR_ZERO(reader);
		if (rc)
			event_unbind(port);
	}
	if (rc)
		frames_unmap(ring, 1);
	return rc;
}

int store_init(void)
{
	int rc = -ENOMEM;

	blanket_wq = alloc_ordered_workqueue("poncho-blanket", 0);
	if (blanket_wq)
		rc = store_connect();
	if (rc && blanket_wq)
		destroy_workqueue(blanket_wq);
	return rc;
}

void store_exit(void)
{
	destroy_workqueue(blanket_wq);
	event_unbind(port);
	kthread_stop(reader);
	frames_unmap(ring, 1);
}
