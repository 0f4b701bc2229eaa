// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The front end of an outer network interface: some queues, each a ring to send, a ring of empty pages to receive into, one event
 * channel and one NAPI context that serves both; checksums left to the peer, and packets larger than the wire's, both ways.
 *
 * The interface exists from its first connection until the device goes; between connections it has no carrier and no rings. `live`
 * and the queues change on blanket_wq only, with the stack kept out by net_quiesce().
 */
#define pr_fmt(fmt) "poncho-blanket: " fmt
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include "net.h"

static unsigned int net_queues = 4;
static char *net_name = "eth%d";
static bool net_threaded;
module_param(net_queues, uint, 0444);
MODULE_PARM_DESC(net_queues, "queues for each interface, at most (4)");
module_param(net_name, charp, 0444);
MODULE_PARM_DESC(net_name, "pattern of the interfaces' names (eth%d)");
module_param(net_threaded, bool, 0444);
MODULE_PARM_DESC(net_threaded,
		 "a kernel thread for each queue, so that several CPUs share the work (off)");

#define MAX_QUEUES 16

/* No work is done for a queue that was found in disorder. */
void queue_break(struct net_queue *q, const char *why, unsigned int value)
{
	q->broken = true;
	front_fault(q->nic->front, "%s (%u)", why, value);
}

static int net_poll(struct napi_struct *napi, int budget)
{
	struct net_queue *q = container_of(napi, struct net_queue, napi);
	int done = 0, more = 0;

	if (q->broken) {
		napi_complete_done(napi, 0);
		return 0;
	}
	tx_reap(q);
	if (!q->broken)
		done = rx_take(q, budget);
	if (!q->broken)
		rx_fill(q);
	if (done < budget && napi_complete_done(napi, done) && !q->broken) {
		RING_FINAL_CHECK_FOR_RESPONSES(&q->rx_ring, more);
		if (more)
			napi_schedule(napi);
	}
	return done;
}

static bool net_event(void *data)
{
	struct net_queue *q = data;
	bool work = READ_ONCE(q->rx_ring.sring->rsp_prod) != READ_ONCE(q->rx_ring.rsp_cons) ||
		    READ_ONCE(q->tx_ring.sring->rsp_prod) != READ_ONCE(q->tx_ring.rsp_cons);

	if (READ_ONCE(q->broken) || !work)
		return false;
	napi_schedule(&q->napi);
	return true;
}

/* --- The interface ------------------------------------------------------------------------------------ */

static void net_start(struct nic *nic)
{
	if (!nic->live)
		return;
	netif_carrier_on(nic->dev);
	if (netif_running(nic->dev))
		netif_tx_wake_all_queues(nic->dev);
}

static int net_open(struct net_device *dev)
{
	netif_tx_start_all_queues(dev);
	return 0;
}

static int net_stop(struct net_device *dev)
{
	netif_tx_stop_all_queues(dev);
	return 0;
}

static netdev_features_t net_fix_features(struct net_device *dev, netdev_features_t features)
{
	return features & (dev_nic(dev)->able | ~dev->hw_features);
}

static int net_change_mtu(struct net_device *dev, int mtu)
{
	if (mtu > ETH_DATA_LEN && !(dev_nic(dev)->able & NETIF_F_SG))
		return -EINVAL;
	dev->mtu = mtu;
	return 0;
}

static const struct net_device_ops net_ops = {
	.ndo_open = net_open,
	.ndo_stop = net_stop,
	.ndo_start_xmit = net_start_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
	.ndo_fix_features = net_fix_features,
	.ndo_change_mtu = net_change_mtu,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static netdev_features_t net_able(const char *back)
{
	netdev_features_t able = NETIF_F_RXCSUM;
	bool sg = store_read_uint(back, "feature-sg", 0);

	if (sg)
		able |= NETIF_F_SG;
	if (!store_read_uint(back, "feature-no-csum-offload", 0))
		able |= NETIF_F_IP_CSUM;
	if (store_read_uint(back, "feature-ipv6-csum-offload", 0))
		able |= NETIF_F_IPV6_CSUM;
	if (sg && store_read_uint(back, "feature-gso-tcpv4", 0))
		able |= NETIF_F_TSO;
	if (sg && store_read_uint(back, "feature-gso-tcpv6", 0))
		able |= NETIF_F_TSO6;
	return able;
}

static int net_read_mac(struct front *f, u8 *mac)
{
	char *text = store_read(f->node, "mac");
	bool ok = !IS_ERR(text) && mac_pton(text, mac) && is_valid_ether_addr(mac);

	if (!IS_ERR(text))
		kfree(text);
	return ok ? 0 : -EINVAL;
}

static int net_probe(struct front *f)
{
	struct net_device *dev;
	struct nic *nic;
	u8 mac[ETH_ALEN];
	int rc = net_read_mac(f, mac);

	if (rc)
		return rc;
	nic = kzalloc(sizeof(*nic), GFP_KERNEL);
	dev = nic ? alloc_etherdev_mqs(sizeof(nic), MAX_QUEUES, MAX_QUEUES) : NULL;
	if (dev)
		dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!dev || !dev->tstats) {
		if (dev)
			free_netdev(dev);
		kfree(nic);
		return -ENOMEM;
	}
	*(struct nic **)netdev_priv(dev) = nic;
	nic->front = f;
	nic->dev = dev;
	f->priv = nic;
	dev->netdev_ops = &net_ops;
	dev->hw_features = NETIF_F_SG | NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_TSO |
			   NETIF_F_TSO6 | NETIF_F_RXCSUM;
	dev->features = dev->hw_features;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = XEN_NETIF_MAX_TX_SIZE - VLAN_ETH_HLEN;
	netif_set_tso_max_size(dev, XEN_NETIF_MAX_TX_SIZE);
	eth_hw_addr_set(dev, mac);
	strscpy(dev->name, net_name, IFNAMSIZ);
	netif_carrier_off(dev);
	return 0;
}

static void net_free(struct front *f)
{
	struct nic *nic = f->priv;

	free_percpu(nic->dev->tstats);
	free_netdev(nic->dev);
	kfree(nic);
}

/* --- Connection --------------------------------------------------------------------------------------- */

static int queue_open(struct nic *nic, struct net_queue *q)
{
	domid_t peer = nic->front->peer;
	unsigned int i;
	int rc;

	q->nic = nic;
	spin_lock_init(&q->tx_lock);
	rc = shared_alloc(&q->tx_shared, peer, 1);
	if (!rc)
		rc = shared_alloc(&q->rx_shared, peer, 1);
	for (i = 0; i < TX_SIZE && !rc; i++) {
		rc = shared_alloc(&q->tx[i].own, peer, 1);
		q->tx_free[q->nr_tx_free++] = i;
	}
	for (i = 0; i < RX_SIZE && !rc; i++)
		rc = shared_alloc(&q->rx[i], peer, 1);
	if (rc)
		return rc;
	XEN_FRONT_RING_INIT(&q->tx_ring, (struct xen_netif_tx_sring *)q->tx_shared.va, PAGE_SIZE);
	XEN_FRONT_RING_INIT(&q->rx_ring, (struct xen_netif_rx_sring *)q->rx_shared.va, PAGE_SIZE);
	netif_napi_add(nic->dev, &q->napi, net_poll);
	napi_enable(&q->napi);
	rc = event_alloc(peer, net_event, q);
	if (rc < 0)
		return rc;
	q->port = rc;
	return 0;
}

static void queue_close(struct net_queue *q)
{
	unsigned int i;

	if (!q->nic)
		return;
	if (q->port)
		event_free(q->port);
	if (q->napi.poll) {
		napi_disable(&q->napi);
		netif_napi_del(&q->napi);
	}
	tx_close(q);
	for (i = 0; i < RX_SIZE; i++)
		shared_free(&q->rx[i]);
	shared_free(&q->tx_shared);
	shared_free(&q->rx_shared);
}

static int net_connect(struct front *f)
{
	struct nic *nic = f->priv;
	unsigned int nr = store_read_uint(f->back, "multi-queue-max-queues", 1), i;
	int rc = 0;

	if (!store_read_uint(f->back, "feature-rx-copy", 0))
		return -EOPNOTSUPP;
	nr = clamp(min3(nr, net_queues, num_online_cpus()), 1U, (unsigned int)MAX_QUEUES);
	nic->queues = kvcalloc(nr, sizeof(*nic->queues), GFP_KERNEL);
	if (!nic->queues)
		return -ENOMEM;
	nic->nr_queues = nr;
	nic->able = net_able(f->back);
	for (i = 0; i < nr && !rc; i++)
		rc = queue_open(nic, &nic->queues[i]);
	return rc;
}

static int queue_publish(struct net_queue *q, u32 tx, const char *dir)
{
	int rc = store_write(tx, dir, "tx-ring-ref", "%u", q->tx_shared.ref[0]);

	if (!rc)
		rc = store_write(tx, dir, "rx-ring-ref", "%u", q->rx_shared.ref[0]);
	return rc ?: store_write(tx, dir, "event-channel", "%d", q->port);
}

static int net_publish(struct front *f, u32 tx)
{
	static const char *const features[] = {
		"request-rx-copy",   "feature-rx-notify", "feature-sg",
		"feature-gso-tcpv4", "feature-gso-tcpv6", "feature-ipv6-csum-offload",
	};
	struct nic *nic = f->priv;
	char dir[sizeof(f->node) + 16];
	unsigned int i;
	int rc = 0;

	for (i = 0; i < ARRAY_SIZE(features) && !rc; i++)
		rc = store_write(tx, f->node, features[i], "1");
	if (rc || nic->nr_queues == 1)
		return rc ?: queue_publish(&nic->queues[0], tx, f->node);
	rc = store_write(tx, f->node, "multi-queue-num-queues", "%u", nic->nr_queues);
	for (i = 0; i < nic->nr_queues && !rc; i++) {
		snprintf(dir, sizeof(dir), "%s/queue-%u", f->node, i);
		rc = queue_publish(&nic->queues[i], tx, dir);
	}
	return rc;
}

static int net_register(struct nic *nic)
{
	int rc = 0;

	rtnl_lock();
	netif_set_real_num_tx_queues(nic->dev, nic->nr_queues);
	netif_set_real_num_rx_queues(nic->dev, nic->nr_queues);
	if (nic->dev->reg_state == NETREG_UNINITIALIZED)
		rc = register_netdevice(nic->dev);
	if (!rc && net_threaded)
		dev_set_threaded(nic->dev, true);
	if (!rc)
		netdev_update_features(nic->dev);
	rtnl_unlock();
	return rc;
}

static int net_connected(struct front *f)
{
	struct nic *nic = f->priv;
	bool anew = nic->dev->reg_state == NETREG_UNINITIALIZED;
	unsigned int i;
	int rc;

	if (f->linked)
		return 0;
	rc = net_register(nic);
	if (rc)
		return rc;
	WRITE_ONCE(nic->live, true);
	net_start(nic);
	for (i = 0; i < nic->nr_queues; i++) {
		local_bh_disable();
		napi_schedule(&nic->queues[i].napi); /* gives the first pages */
		local_bh_enable();
	}
	if (anew)
		pr_info("%s: %s, %pM, %u queues\n", f->node, nic->dev->name, nic->dev->dev_addr,
			nic->nr_queues);
	return 0;
}

static void net_quiesce(struct front *f)
{
	struct nic *nic = f->priv;

	WRITE_ONCE(nic->live, false);
	if (nic->dev->reg_state ==
	    NETREG_REGISTERED) /* afterwards nobody waits for the news of it */
		netif_carrier_off(nic->dev);
	netif_tx_disable(nic->dev);
	synchronize_net();
}

static void net_disconnect(struct front *f, bool for_good)
{
	struct nic *nic = f->priv;
	unsigned int i;

	net_quiesce(f);
	for (i = 0; nic->queues && i < nic->nr_queues; i++)
		queue_close(&nic->queues[i]);
	kvfree(nic->queues);
	nic->queues = NULL;
	nic->nr_queues = 0;
}

static bool net_busy(struct front *f)
{
	return false;
}

static void net_remove(struct front *f)
{
	struct nic *nic = f->priv;

	if (nic->dev->reg_state == NETREG_REGISTERED)
		unregister_netdev(nic->dev);
}

const struct front_ops net_front = {
	.type = "vif",
	.offering = XenbusStateConnected,
	.probe = net_probe,
	.connect = net_connect,
	.publish = net_publish,
	.connected = net_connected,
	.quiesce = net_quiesce,
	.disconnect = net_disconnect,
	.busy = net_busy,
	.remove = net_remove,
	.free = net_free,
};
