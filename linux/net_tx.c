// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Sending: a packet's pages are granted read-only, one slot each, with one more for what segmentation needs; the packet is freed when
 * the last of its slots is answered. A page that the peer keeps mapped read-only is kept from other use, and that is all: it can
 * read what else lies in the pages of a packet, as with Linux's own front end. A copy of each would be the remedy, at its price.
 */
#include <linux/nospec.h>
#include "net.h"

static unsigned int slots_in(unsigned int offset, unsigned int len)
{
	return DIV_ROUND_UP(offset_in_page(offset) + len, PAGE_SIZE);
}

static unsigned int skb_slots(struct sk_buff *skb)
{
	unsigned int i, n = slots_in(offset_in_page(skb->data), skb_headlen(skb));

	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		n += slots_in(skb_frag_off(frag), skb_frag_size(frag));
	}
	return n;
}

static struct xen_netif_tx_request *tx_put(struct net_queue *q, struct sk_buff *skb,
					   struct page *page, unsigned int offset, unsigned int len,
					   grant_ref_t ref)
{
	struct xen_netif_tx_request *req = RING_GET_REQUEST(&q->tx_ring, q->tx_ring.req_prod_pvt++);
	u16 id = q->tx_free[--q->nr_tx_free];

	q->tx[id] = (struct net_slot){page, skb_get(skb), ref};
	grant_give(ref, q->nic->front->peer, page, true);
	*req = (struct xen_netif_tx_request){.gref = ref, .offset = offset, .id = id, .size = len};
	return req;
}

/* All pages of a piece of memory that may be larger than one. */
static struct xen_netif_tx_request *tx_put_range(struct net_queue *q, struct sk_buff *skb,
						 struct page *page, unsigned int offset,
						 unsigned int len, grant_ref_t **ref,
						 struct xen_netif_tx_request *last)
{
	page += offset >> PAGE_SHIFT;
	offset = offset_in_page(offset);
	while (len) {
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - offset);

		if (last)
			last->flags |= XEN_NETTXF_more_data;
		last = tx_put(q, skb, page++, offset, n, *(*ref)++);
		offset = 0;
		len -= n;
	}
	return last;
}

static void tx_put_gso(struct net_queue *q, struct sk_buff *skb)
{
	struct xen_netif_extra_info *extra =
		(void *)RING_GET_REQUEST(&q->tx_ring, q->tx_ring.req_prod_pvt++);

	*extra = (struct xen_netif_extra_info){
		.type = XEN_NETIF_EXTRA_TYPE_GSO,
		.u.gso.size = skb_shinfo(skb)->gso_size,
		.u.gso.type = skb_shinfo(skb)->gso_type & SKB_GSO_TCPV6 ? XEN_NETIF_GSO_TYPE_TCPV6
									: XEN_NETIF_GSO_TYPE_TCPV4,
	};
}

static void tx_put_packet(struct net_queue *q, struct sk_buff *skb, grant_ref_t *ref)
{
	unsigned int offset = offset_in_page(skb->data), len = skb_headlen(skb), i;
	unsigned int first_len = min_t(unsigned int, len, PAGE_SIZE - offset);
	struct xen_netif_tx_request *first, *last;

	first = tx_put(q, skb, virt_to_page(skb->data), offset, first_len, *ref++);
	first->size = skb->len; /* the first slot tells the whole length */
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		first->flags = XEN_NETTXF_csum_blank | XEN_NETTXF_data_validated;
	if (skb_is_gso(skb)) {
		first->flags |= XEN_NETTXF_extra_info;
		tx_put_gso(q, skb);
	}
	last = first;
	if (len > first_len)
		last = tx_put_range(q, skb, virt_to_page(skb->data + first_len), 0, len - first_len,
				    &ref, last);
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		last = tx_put_range(q, skb, skb_frag_page(frag), skb_frag_off(frag),
				    skb_frag_size(frag), &ref, last);
	}
}

static void tx_push(struct net_queue *q)
{
	bool notify;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&q->tx_ring, notify);
	if (notify)
		event_send(q->port);
}

static bool tx_has_room(struct net_queue *q)
{
	return q->nr_tx_free >= TX_RESERVE && RING_FREE_REQUESTS(&q->tx_ring) >= TX_RESERVE;
}

static netdev_tx_t net_drop(struct net_device *dev, struct sk_buff *skb)
{
	dev->stats.tx_dropped++;
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

netdev_tx_t net_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nic *nic = dev_nic(dev);
	unsigned int index = skb_get_queue_mapping(skb), slots = skb_slots(skb);
	grant_ref_t refs[MAX_SLOTS];
	struct netdev_queue *txq;
	struct net_queue *q;
	unsigned long flags;

	if (slots > MAX_SLOTS && !skb_linearize(skb))
		slots = skb_slots(skb);
	if (!READ_ONCE(nic->live) || index >= nic->nr_queues || slots > MAX_SLOTS ||
	    skb->len > XEN_NETIF_MAX_TX_SIZE || grant_reserve(refs, slots))
		return net_drop(dev, skb);
	q = &nic->queues[index];
	txq = netdev_get_tx_queue(dev, index);
	spin_lock_irqsave(&q->tx_lock, flags);
	if (q->broken || !tx_has_room(q)) { /* the queue is stopped before that happens */
		spin_unlock_irqrestore(&q->tx_lock, flags);
		while (slots--)
			grant_end(refs[slots], NULL);
		return net_drop(dev, skb);
	}
	tx_put_packet(q, skb, refs);
	if (!tx_has_room(q))
		netif_tx_stop_queue(txq);
	if (!netdev_xmit_more() || netif_xmit_stopped(txq))
		tx_push(q);
	dev_sw_netstats_tx_add(dev, 1, skb->len);
	spin_unlock_irqrestore(&q->tx_lock, flags);
	dev_consume_skb_any(skb); /* its slots hold it */
	return NETDEV_TX_OK;
}

static void tx_slot_end(struct net_queue *q, unsigned int id)
{
	struct net_slot *slot = &q->tx[id];

	grant_end(slot->ref,
		  slot->page); /* a page kept mapped read-only is kept from other use: no harm */
	slot->page = NULL;
	q->tx_free[q->nr_tx_free++] = id;
	dev_consume_skb_any(slot->skb);
}

/* With tx_lock. One round over what has been answered. */
static void tx_take_responses(struct net_queue *q)
{
	RING_IDX prod = READ_ONCE(q->tx_ring.sring->rsp_prod);

	virt_rmb(); /* the index before the responses */
	if (prod - q->tx_ring.rsp_cons > q->tx_ring.req_prod_pvt - q->tx_ring.rsp_cons) {
		queue_break(q, "sets an impossible index of its sending ring", prod);
		return;
	}
	while (q->tx_ring.rsp_cons != prod) {
		struct xen_netif_tx_response rsp;

		RING_COPY_RESPONSE(&q->tx_ring, q->tx_ring.rsp_cons, &rsp);
		q->tx_ring.rsp_cons++;
		if (rsp.status == XEN_NETIF_RSP_NULL)
			continue;
		if (rsp.id >= TX_SIZE || !q->tx[array_index_nospec(rsp.id, TX_SIZE)].page) {
			queue_break(q, "answers what was not sent", rsp.id);
			return;
		}
		tx_slot_end(q, array_index_nospec(rsp.id, TX_SIZE));
	}
}

void tx_reap(struct net_queue *q)
{
	struct netdev_queue *txq = netdev_get_tx_queue(q->nic->dev, q - q->nic->queues);
	RING_IDX waiting;

	spin_lock_irq(&q->tx_lock);
	do {
		if (!q->broken)
			tx_take_responses(q);
		/* The next event when half of what is under way is done. */
		waiting = q->tx_ring.req_prod_pvt - q->tx_ring.rsp_cons;
		q->tx_ring.sring->rsp_event = q->tx_ring.rsp_cons + (waiting >> 1) + 1;
		virt_mb();
	} while (!q->broken && READ_ONCE(q->tx_ring.sring->rsp_prod) != q->tx_ring.rsp_cons);
	if (!q->broken && netif_tx_queue_stopped(txq) && tx_has_room(q) &&
	    netif_running(q->nic->dev) && q->nic->live)
		netif_tx_wake_queue(txq);
	spin_unlock_irq(&q->tx_lock);
}
