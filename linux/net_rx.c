// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Receiving, in NAPI's context. The pages of the ring are the peer's to write as long as the device is connected; what it says it
 * wrote is copied out, once, and the page is offered again at once. A page that were passed on would cost no copy, but the peer
 * can read what it does not write, so that another one would have to be cleared: as dear, and far more for small packets.
 *
 * Pages come back in the order in which they were offered, which the protocol implies (its extra slots have no id) and is checked.
 */
#include <linux/if_vlan.h>
#include "net.h"

#define MAX_EXTRAS (XEN_NETIF_EXTRA_TYPE_MAX - 1)
#define HEAD_SIZE  256 /* of a packet larger than a frame, the rest is in pages */

/* Every page that is ours is offered. */
void rx_fill(struct net_queue *q)
{
	bool notify;

	while (RING_FREE_REQUESTS(&q->rx_ring)) {
		RING_IDX index = q->rx_ring.req_prod_pvt++;
		unsigned int id = index % RX_SIZE;

		*RING_GET_REQUEST(&q->rx_ring, index) =
			(struct xen_netif_rx_request){.id = id, .gref = q->rx[id].ref[0]};
	}
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&q->rx_ring, notify);
	if (notify)
		event_send(q->port);
}

struct rx_packet {
	struct sk_buff *skb;
	u16 flags;
	u16 gso_size;
	u8 gso_type;
	bool bad; /* to be dropped */
};

static void rx_take_extras(struct net_queue *q, struct rx_packet *p, RING_IDX prod)
{
	struct xen_netif_extra_info extra;
	unsigned int n = 0;

	do {
		if (q->rx_ring.rsp_cons == prod || n++ == MAX_EXTRAS) {
			queue_break(q, "sends a packet without end", n);
			return;
		}
		extra = *(volatile struct xen_netif_extra_info *)RING_GET_RESPONSE(
			&q->rx_ring, q->rx_ring.rsp_cons++);
		if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO) {
			p->gso_size = extra.u.gso.size;
			p->gso_type = extra.u.gso.type;
			p->bad |= !p->gso_size || (p->gso_type != XEN_NETIF_GSO_TYPE_TCPV4 &&
						   p->gso_type != XEN_NETIF_GSO_TYPE_TCPV6);
		}
	} while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
}

static bool rx_add_frag(struct sk_buff *skb, const void *from, unsigned int len)
{
	unsigned int size = SKB_DATA_ALIGN(len);
	struct page *page;
	void *to;

	if (skb_shinfo(skb)->nr_frags >= MAX_SKB_FRAGS)
		return false;
	to = napi_alloc_frag(size);
	if (!to)
		return false;
	memcpy(to, from, len);
	page = virt_to_head_page(to);
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, to - page_address(page), len, size);
	return true;
}

/* A frame is copied whole into its buffer, of a larger packet its head. */
static void rx_add(struct net_queue *q, struct rx_packet *p, const void *from, unsigned int len)
{
	unsigned int head = 0;

	if (!p->skb && !p->bad) {
		head = len <= VLAN_ETH_FRAME_LEN ? len : HEAD_SIZE;
		p->skb = napi_alloc_skb(&q->napi, max_t(unsigned int, head, HEAD_SIZE));
		if (p->skb)
			skb_put_data(p->skb, from, head);
	}
	p->bad |= !p->skb || (head < len && !rx_add_frag(p->skb, from + head, len - head));
}

/* One slot; false: the queue is broken. */
static bool rx_take_slot(struct net_queue *q, struct rx_packet *p, RING_IDX prod, bool first)
{
	RING_IDX index = q->rx_ring.rsp_cons++;
	struct xen_netif_rx_response rsp;

	RING_COPY_RESPONSE(&q->rx_ring, index, &rsp);
	if (rsp.id != index % RX_SIZE) {
		queue_break(q, "fills a page out of turn", rsp.id);
		return false;
	}
	if (first)
		p->flags = rsp.flags;
	if (first && rsp.flags & XEN_NETRXF_extra_info)
		rx_take_extras(q, p, prod);
	if (rsp.status < 0 || rsp.offset + rsp.status > PAGE_SIZE)
		p->bad = true;
	else if (!p->bad)
		rx_add(q, p, q->rx[index % RX_SIZE].va + rsp.offset, rsp.status);
	if (!(rsp.flags & XEN_NETRXF_more_data))
		p->flags &= ~XEN_NETRXF_more_data;
	return !q->broken;
}

static bool rx_finish(struct nic *nic, struct rx_packet *p)
{
	struct sk_buff *skb = p->skb;
	bool blank = p->flags & XEN_NETRXF_csum_blank;

	/* The first piece may be shorter than a header. */
	if (p->bad || !skb || !netif_running(nic->dev) || !pskb_may_pull(skb, ETH_HLEN))
		return false;
	if (p->flags & XEN_NETRXF_data_validated)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->protocol = eth_type_trans(skb, nic->dev);
	skb_reset_network_header(skb);
	if (p->gso_size) {
		skb_shinfo(skb)->gso_size = p->gso_size;
		skb_shinfo(skb)->gso_type =
			p->gso_type == XEN_NETIF_GSO_TYPE_TCPV4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
		skb_shinfo(skb)->gso_type |=
			SKB_GSO_DODGY; /* the stack looks at its headers itself */
	}
	if (blank || p->gso_size) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		/* A large packet needs its pseudo header's sum whatever the peer says. */
		if (skb_checksum_setup(skb, p->gso_size && !blank))
			return false;
	}
	return true;
}

/* A whole packet; false: the queue is broken. */
static bool rx_take_packet(struct net_queue *q, RING_IDX prod)
{
	struct net_device *dev = q->nic->dev;
	struct rx_packet p = {.flags = XEN_NETRXF_more_data};
	bool first = true, ok;

	do {
		if (q->rx_ring.rsp_cons == prod) {
			queue_break(q, "sends half a packet", prod);
			break;
		}
		ok = rx_take_slot(q, &p, prod, first);
		first = false;
	} while (ok && p.flags & XEN_NETRXF_more_data);
	if (!q->broken && rx_finish(q->nic, &p)) {
		dev_sw_netstats_rx_add(dev, p.skb->len + ETH_HLEN);
		napi_gro_receive(&q->napi, p.skb);
		return true;
	}
	dev->stats.rx_dropped++;
	if (p.skb)
		kfree_skb(p.skb);
	return !q->broken;
}

int rx_take(struct net_queue *q, int budget)
{
	RING_IDX prod = READ_ONCE(q->rx_ring.sring->rsp_prod);
	int done = 0;

	virt_rmb(); /* the index before the responses */
	if (prod - q->rx_ring.rsp_cons > q->rx_ring.req_prod_pvt - q->rx_ring.rsp_cons) {
		queue_break(q, "sets an impossible index of its receiving ring", prod);
		return 0;
	}
	while (done < budget && q->rx_ring.rsp_cons != prod) {
		done++;
		if (!rx_take_packet(q, prod))
			break;
	}
	return done;
}
