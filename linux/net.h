/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * A network interface's queues, which net.c makes and connects, net_tx.c and net_rx.c move packets through.
 *
 * NAPI owns the receiving side. `tx_lock` guards the sending side, which the stack fills and NAPI empties. Each place of a ring has
 * a page that the peer may use as long as the device is connected. A slot of tx[] that is busy is the peer's, and a response must
 * name one. `broken` is set for good by whoever finds the peer's word wrong.
 */
#ifndef BLANKET_NET_H
#define BLANKET_NET_H

#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <xen/page.h>
#include <xen/interface/io/netif.h>
#include "blanket.h"

#define TX_SIZE	   __CONST_RING_SIZE(xen_netif_tx, PAGE_SIZE)
#define RX_SIZE	   __CONST_RING_SIZE(xen_netif_rx, PAGE_SIZE)
#define MAX_SLOTS  XEN_NETIF_NR_SLOTS_MIN /* of a packet; each back end takes so many */
#define TX_RESERVE (MAX_SLOTS + 1)	  /* and one for its segmentation */

struct tx_slot {
	struct shared own;   /* one page */
	struct page *lent;   /* in its place; */
	struct sk_buff *skb; /* a reference to its packet, NULL: none is lent */
	grant_ref_t lent_ref;
	bool busy; /* the peer's */
};

struct net_queue {
	struct nic *nic;
	struct napi_struct napi;
	struct shared tx_shared, rx_shared;
	int port;
	spinlock_t tx_lock;
	struct xen_netif_tx_front_ring tx_ring;
	struct tx_slot tx[TX_SIZE];
	u16 tx_free[TX_SIZE], nr_tx_free;
	struct xen_netif_rx_front_ring rx_ring;
	struct shared rx[RX_SIZE]; /* one page each */
	bool broken;
};

struct nic {
	struct front *front;
	struct net_device *dev;
	struct net_queue *queues;
	unsigned int nr_queues;
	netdev_features_t able;
	bool live;
};

static inline struct nic *dev_nic(struct net_device *dev)
{
	return *(struct nic **)netdev_priv(dev);
}

void queue_break(struct net_queue *q, const char *why, unsigned int value);
netdev_tx_t net_start_xmit(struct sk_buff *skb, struct net_device *dev);
void tx_close(struct net_queue *q);
void tx_reap(struct net_queue *q);
int rx_take(struct net_queue *q, int budget);
void rx_fill(struct net_queue *q);

#endif
