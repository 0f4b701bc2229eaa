/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What the parts of poncho-blanket offer each other. The module drives the PV devices that an outer Xen gives the machine Poncho
 * runs on: a second stack of event channels, grants and store, beside the kernel's own, which talks to Poncho. "Outer" is the Xen
 * below Poncho; a "front" is one device of ours, its "peer" the outer domain with the back end.
 *
 * The back end and the store are not trusted: each word they share with us is read once and checked, and what breaks the protocol
 * ends that device (front_fault()) and nothing else.
 */
#ifndef BLANKET_H
#define BLANKET_H

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/workqueue.h>
#include <linux/mm.h>
#include <xen/interface/xen.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/io/xenbus.h>
#include <nested_abi.h>

/* nested.c: the hypercall, and frames that are not domain 0's own */
extern struct nested_info nested;
long nested_op(unsigned int call, unsigned int op, void *arg);
long nested_hvm_param(u32 index, u64 *value);
void *frames_map(unsigned long mfn,
		 unsigned int nr); /* NULL: no memory, or the hypervisor refused */
void frames_unmap(void *va, unsigned int nr);

/*
 * events.c. A handler runs in hard-irq context, never twice at once, and says whether there was work: a peer that keeps sending
 * events for nothing is slowed down.
 */
typedef bool (*event_fn)(void *data);
int events_init(void);
void events_exit(void);
int event_bind(unsigned int port, event_fn fn, void *data); /* a port that exists */
int event_alloc(domid_t peer, event_fn fn,
		void *data);	      /* a new one for @peer to bind to: its number */
void event_unbind(unsigned int port); /* sleeps; the handler has returned for good */
void event_free(unsigned int port);   /* the same, and closes it */
void event_send(unsigned int port);

/* grants.c */
int grants_init(void);
void grants_exit(void);
int grant_reserve(grant_ref_t *refs, unsigned int nr); /* all or -ENOSPC */
void grant_give(grant_ref_t ref, domid_t peer, struct page *page, bool readonly);
/* Ends access and frees @ref; false where the peer still has @page mapped: then both stay until it has not. */
bool grant_end(grant_ref_t ref, struct page *page);

/* Pages shared with a peer for as long as a device is connected. */
#define SHARED_PAGES 16
struct shared {
	void *va;
	unsigned int nr;
	grant_ref_t ref[SHARED_PAGES];
};
int shared_alloc(struct shared *s, domid_t peer, unsigned int nr);
void shared_free(struct shared *s);

/* store.c: paths are relative to the outer domain's own. All of it sleeps. */
extern struct workqueue_struct *blanket_wq; /* ordered */
struct store_watch {
	struct work_struct work; /* queued on blanket_wq for each change */
	struct list_head list;
	char *path;
	u32 token;
};
int store_init(void);
void store_exit(void);
char *store_read(const char *dir, const char *node); /* for kfree(), or ERR_PTR */
unsigned int store_read_uint(const char *dir, const char *node, unsigned int otherwise);
u64 store_read_u64(const char *dir, const char *node, u64 otherwise);
char *store_list(const char *path, size_t *len); /* names, each with its NUL */
int store_begin(u32 *tx);
int store_end(u32 tx, bool commit);
__printf(4, 5) int store_write(u32 tx, const char *dir, const char *node, const char *fmt, ...);
int store_rm(u32 tx, const char *dir, const char *node);
int store_watch(struct store_watch *w, const char *path, work_func_t fn);
void store_unwatch(struct store_watch *w);

/* bus.c: the devices. What it calls runs on blanket_wq, one at a time. */
struct front;
struct front_ops {
	const char *type;	    /* "vbd": the folder below device/ */
	enum xenbus_state offering; /* our state once the rings are published */
	int (*probe)(struct front *f);
	/* Back end in InitWait: make the rings and write their keys. */
	int (*connect)(struct front *f);
	int (*publish)(struct front *f, u32 tx);
	/* Back end connected, or its properties changed. */
	int (*connected)(struct front *f);
	void (*quiesce)(struct front *f); /* give the back end nothing more */
	/* The rings go. What is in flight waits for the next connection, or fails where there is none. */
	void (*disconnect)(struct front *f, bool for_good);
	bool (*busy)(struct front *f);
	bool (*waits)(struct front *f); /* for answers of the back end; NULL: never */
	void (*remove)(
		struct front *f); /* the kernel's side of it; before the orderly disconnect */
	void (*free)(struct front *f);
};

struct front {
	const struct front_ops *ops;
	struct list_head list;
	struct store_watch watch; /* of the back end's state */
	struct delayed_work retry;
	struct work_struct fault_work;
	unsigned long faulted; /* bit 0 */
	char node[48];	       /* device/vbd/51712 */
	char *back;	       /* the back end's path */
	domid_t peer;
	enum xenbus_state state; /* ours */
	bool rings;		 /* connect() was called, and no disconnect() since */
	bool linked;		 /* the back end was seen connected since */
	bool seen;
	void *priv;
};
extern const struct front_ops blk_front, net_front;
int bus_init(void);
void bus_exit(void);
/* Any context: @f broke the protocol. Logged once; the device is closed. */
__printf(2, 3) void front_fault(struct front *f, const char *fmt, ...);

/* unplug.c */
int unplug_init(void);
bool unplug_disk_has_twin(unsigned int vdev); /* may an emulated controller offer this disk, too? */
int shutdown_init(void);
void shutdown_exit(void);

#endif
