// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The devices the outer toolstack gave us: the folders device/vbd/N and device/vif/N of our part of the outer store, and for each
 * the dance of states with its back end (<xen/interface/io/xenbus.h>): a table of steps in front_step().
 *
 * All of it runs on blanket_wq, which is ordered: one thing at a time, so the list and the fronts need no lock. A watch's event, a
 * fault and a timer each only queue a work item that looks at the store again and does the next step, so that lost, repeated and
 * made-up events do no harm. front_fault() may be called from anywhere; it sets a bit and queues.
 */
#define pr_fmt(fmt) "poncho-blanket: " fmt
#include <linux/delay.h>
#include <linux/slab.h>
#include "blanket.h"

#define CLOSE_TIME  (5 * HZ)
#define SETTLE_TIME (15 * HZ)
#define SERVE_TIME  (30 * HZ)
#define MAX_FRONTS  256

static const struct front_ops *const kinds[] = {&blk_front, &net_front};
static struct store_watch kind_watch[ARRAY_SIZE(kinds)];
static LIST_HEAD(fronts);
static unsigned int nr_fronts;
static DECLARE_WAIT_QUEUE_HEAD(settled);
static atomic_t scans;

/* Negative: the store does not say, which is no reason to close anything. */
static int back_state(struct front *f)
{
	char *text = store_read(f->back, "state");
	int state, rc;

	if (IS_ERR(text))
		return PTR_ERR(text) == -ENOENT ? XenbusStateUnknown : PTR_ERR(text);
	rc = kstrtoint(text, 10, &state);
	kfree(text);
	return rc ? -EINVAL : state;
}

static void front_switch(struct front *f, enum xenbus_state state)
{
	int rc = store_write(0, f->node, "state", "%d", state);

	if (rc)
		pr_warn_ratelimited("%s: cannot write state %d: error %d\n", f->node, state, rc);
	f->state = state;
	wake_up_all(&settled);
}

void front_fault(struct front *f, const char *fmt, ...)
{
	struct va_format vaf = {.fmt = fmt};
	va_list args;

	if (test_and_set_bit(0, &f->faulted))
		return;
	va_start(args, fmt);
	vaf.va = &args;
	pr_err("%s: domain %u %pV: the device is closed\n", f->node, f->peer, &vaf);
	va_end(args);
	queue_work(blanket_wq, &f->fault_work);
}

/* For good also without rings: what waits for the next connection fails then. */
static void front_disconnect(struct front *f, bool for_good)
{
	if (f->rings || for_good)
		f->ops->disconnect(f, for_good);
	f->rings = false;
	f->linked = false;
}

/* Closes our side; the rings stay until the back end has closed its own, or is gone. */
static void front_close(struct front *f)
{
	if (f->rings)
		f->ops->quiesce(f);
	front_switch(f, XenbusStateClosing);
}

/* It cannot be relied on to close: what it still has mapped is set aside. */
static void front_abandon(struct front *f)
{
	front_close(f);
	front_disconnect(f, true);
}

static int front_publish(struct front *f)
{
	int rc, tries;
	u32 tx;

	for (tries = 0; tries < 10; tries++) {
		rc = store_begin(&tx);
		if (rc)
			return rc;
		rc = f->ops->publish(f, tx);
		if (rc) {
			store_end(tx, false);
			return rc;
		}
		rc = store_end(tx, true);
		if (rc != -EAGAIN)
			return rc;
	}
	return rc;
}

static void front_connect(struct front *f)
{
	int rc;

	f->rings = true;
	rc = f->ops->connect(f);
	if (!rc)
		rc = front_publish(f);
	if (!rc)
		front_switch(f, f->ops->offering);
	else
		front_fault(f, "could not be connected with (error %d)", rc);
}

static void front_connected(struct front *f)
{
	int rc = f->ops->connected(f);

	if (rc) {
		front_fault(f, "offers what cannot be used (error %d)", rc);
		return;
	}
	f->linked = true;
	if (f->state != XenbusStateConnected)
		front_switch(f, XenbusStateConnected);
}

static bool back_closed(int back)
{
	return back == XenbusStateClosed || back == XenbusStateUnknown;
}

/* We are open, or about to be: follow the back end. */
static void step_open(struct front *f, int back, bool first)
{
	if (back == XenbusStateConnected) {
		if (first || !f->linked)
			front_connected(f);
	} else if (back == XenbusStateClosing && f->ops->busy(f) &&
		   !store_read_uint(f->back, "online", 1)) {
		/* Detached from outside while in use: once it is not. */
		queue_delayed_work(blanket_wq, &f->retry, HZ);
	} else if (f->linked || back == XenbusStateClosing || back_closed(back)) {
		front_close(f);
	}
}

static void step_closed(struct front *f, int back)
{
	if (!back_closed(back) && back != XenbusStateInitWait)
		return;
	front_disconnect(f, f->faulted || !store_read_uint(f->back, "online", 0));
	if (!f->faulted && back != XenbusStateUnknown && store_read_uint(f->back, "online", 0))
		front_switch(f, XenbusStateInitialising);
}

static void front_step(struct front *f)
{
	enum xenbus_state before;
	int back = back_state(f);
	bool first = true;

	if (back < 0 && !f->faulted)
		return;
	do {
		before = f->state;
		if (f->faulted && before != XenbusStateClosing && before != XenbusStateClosed)
			front_abandon(f);
		else if (before == XenbusStateInitialising && back == XenbusStateInitWait)
			front_connect(f);
		else if (before == XenbusStateInitialised || before == XenbusStateConnected)
			step_open(f, back, first);
		else if (before == XenbusStateClosing)
			front_switch(f, XenbusStateClosed);
		else if (before == XenbusStateClosed)
			step_closed(f, back);
		first = false;
	} while (f->state != before);
}

static void front_watch_fired(struct work_struct *work)
{
	front_step(container_of(work, struct front, watch.work));
}

static void front_retry(struct work_struct *work)
{
	front_step(container_of(to_delayed_work(work), struct front, retry));
}

static void front_fault_handle(struct work_struct *work)
{
	front_step(container_of(work, struct front, fault_work));
}

/* Waits for the back end to come to rest; events are not needed for it. */
static void back_wait(struct front *f, bool closing_will_do)
{
	unsigned long end = jiffies + CLOSE_TIME;
	int back;

	do {
		back = back_state(f);
		if (back_closed(back) || back == XenbusStateInitWait ||
		    (closing_will_do && back == XenbusStateClosing))
			return;
		msleep(20);
	} while (time_before(jiffies, end));
	pr_warn("%s: the back end does not close\n", f->node);
}

/* Does it serve what is in flight? */
static bool back_serves(struct front *f)
{
	unsigned long end = jiffies + SERVE_TIME;

	while (f->ops->waits && f->ops->waits(f)) {
		if (f->faulted || time_after(jiffies, end))
			return false;
		msleep(20);
	}
	return !f->faulted;
}

/* @orderly: the back end serves what is in flight. Otherwise that fails first, or removal would wait for it for ever. */
static void front_remove(struct front *f, bool orderly)
{
	if (!orderly || !f->linked || !back_serves(f))
		front_disconnect(f, true);
	f->ops->remove(f);
	if (f->rings) {
		front_close(f);
		back_wait(f, true);
		front_switch(f, XenbusStateClosed);
		back_wait(f, false);
		front_disconnect(f, true);
	}
	store_unwatch(&f->watch);
	/* We are on their queue, so none of these runs now. */
	cancel_work(&f->watch.work);
	cancel_work(&f->fault_work);
	cancel_delayed_work(&f->retry);
	f->ops->free(f);
	list_del(&f->list);
	nr_fronts--;
	kfree(f->back);
	kfree(f);
	wake_up_all(&settled);
}

/* What the machine's last user of the device left: a kernel that was replaced in place may have left it open. */
static void front_begin(struct front *f)
{
	enum xenbus_state left = store_read_uint(f->node, "state", XenbusStateInitialising);

	if (left == XenbusStateInitialising) {
		f->state = left;
	} else if (left == XenbusStateClosed) {
		f->state = left;
	} else {
		front_switch(f, XenbusStateClosing);
		back_wait(f, true);
	}
	front_step(f);
}

static int front_find_back(struct front *f)
{
	unsigned int peer = store_read_uint(f->node, "backend-id", UINT_MAX);
	char path[64];
	int rc;

	f->back = store_read(f->node, "backend");
	if (IS_ERR(f->back)) {
		rc = PTR_ERR(f->back);
		f->back = NULL;
		return rc;
	}
	if (peer >= DOMID_FIRST_RESERVED || strlen(f->back) >= sizeof(path))
		return -EINVAL;
	f->peer = peer;
	return 0;
}

static int front_watch_back(struct front *f)
{
	char *path = kasprintf(GFP_KERNEL, "%s/state", f->back);
	int rc = path ? store_watch(&f->watch, path, front_watch_fired) : -ENOMEM;

	kfree(path);
	return rc;
}

static void front_create(const struct front_ops *ops, const char *node)
{
	struct front *f = kzalloc(sizeof(*f), GFP_KERNEL);
	int rc;

	if (!f)
		return;
	f->ops = ops;
	f->seen = true;
	f->state = XenbusStateUnknown;
	strscpy(f->node, node, sizeof(f->node));
	INIT_WORK(&f->fault_work, front_fault_handle);
	INIT_DELAYED_WORK(&f->retry, front_retry);
	rc = front_find_back(f);
	if (!rc)
		rc = ops->probe(f);
	if (!rc) {
		rc = front_watch_back(f);
		if (rc)
			ops->free(f);
	}
	if (rc) {
		if (rc != -ENOENT && rc != -EBUSY)
			pr_warn("%s: not used: error %d\n", node, rc);
		kfree(f->back);
		kfree(f);
		return;
	}
	list_add_tail(&f->list, &fronts);
	nr_fronts++;
	front_begin(f);
}

/* The same folder with another back end: a driver domain that was started anew. */
static bool front_moved(struct front *f)
{
	char *back = store_read(f->node, "backend");
	bool moved = !IS_ERR(back) && strcmp(back, f->back);

	if (!IS_ERR(back))
		kfree(back);
	return moved;
}

static struct front *front_find(const char *node)
{
	struct front *f;

	list_for_each_entry (f, &fronts, list)
		if (!strcmp(f->node, node))
			return f;
	return NULL;
}

static void node_seen(const struct front_ops *ops, const char *name)
{
	struct front *f;
	char node[sizeof(f->node)];

	if (snprintf(node, sizeof(node), "device/%s/%s", ops->type, name) >= sizeof(node))
		return;
	f = front_find(node);
	if (f && front_moved(f)) {
		pr_info("%s: has a new back end\n", node);
		front_remove(f, false);
		f = NULL;
	}
	if (f)
		f->seen = true;
	else if (nr_fronts < MAX_FRONTS)
		front_create(ops, node);
}

static void kind_scan(const struct front_ops *ops)
{
	struct front *f, *next;
	char path[32], *names, *name;
	size_t len = 0;

	snprintf(path, sizeof(path), "device/%s", ops->type);
	names = store_list(path, &len);
	if (IS_ERR(names) && PTR_ERR(names) != -ENOENT)
		return;
	list_for_each_entry (f, &fronts, list)
		f->seen = f->ops != ops;
	/* The body ends in a NUL of our own, whatever the store sent. */
	for (name = names; !IS_ERR(names) && name < names + len; name += strlen(name) + 1)
		if (*name)
			node_seen(ops, name);
	if (!IS_ERR(names))
		kfree(names);
	list_for_each_entry_safe (f, next, &fronts, list)
		if (!f->seen)
			front_remove(f, false);
}

static void kind_watch_fired(struct work_struct *work)
{
	struct store_watch *w = container_of(work, struct store_watch, work);

	kind_scan(kinds[w - kind_watch]);
	atomic_inc(&scans);
	wake_up_all(&settled);
}

/* Read without order from the loader's thread: used to wait only. */
static void count_unsettled(struct work_struct *work);
static unsigned int unsettled = 1;
static DECLARE_WORK(count_work, count_unsettled);

static void count_unsettled(struct work_struct *work)
{
	unsigned int n = atomic_read(&scans) < ARRAY_SIZE(kinds);
	struct front *f;

	list_for_each_entry (f, &fronts, list)
		n += f->state != XenbusStateConnected && f->state != XenbusStateClosed &&
		     !f->faulted;
	WRITE_ONCE(unsettled, n);
}

/* Loading ends when the devices that are there are ready: an initramfs looks for its root right after. */
static void bus_settle(void)
{
	unsigned long end = jiffies + SETTLE_TIME;

	do {
		queue_work(blanket_wq, &count_work);
		flush_work(&count_work);
		if (!READ_ONCE(unsettled))
			return;
		wait_event_timeout(settled, false, HZ / 20 ?: 1);
	} while (time_before(jiffies, end));
	pr_warn("%u devices are not ready yet\n", unsettled);
}

static void bus_stop_all(struct work_struct *work)
{
	struct front *f, *next;

	list_for_each_entry_safe (f, next, &fronts, list)
		front_remove(f, true);
}

static DECLARE_WORK(stop_work, bus_stop_all);

int bus_init(void)
{
	char path[32];
	unsigned int i;
	int rc = 0;

	for (i = 0; i < ARRAY_SIZE(kinds) && !rc; i++) {
		snprintf(path, sizeof(path), "device/%s", kinds[i]->type);
		rc = store_watch(&kind_watch[i], path, kind_watch_fired);
	}
	if (rc) {
		pr_err("the outer store takes no watch: error %d\n", rc);
		bus_exit();
		return rc;
	}
	bus_settle();
	return 0;
}

void bus_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		store_unwatch(&kind_watch[i]);
	flush_workqueue(blanket_wq);
	queue_work(blanket_wq, &stop_work);
	flush_work(&stop_work);
}
