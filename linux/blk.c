// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The front end of an outer block device: blk-mq with one hardware queue for each ring, indirect segments, flush, discard.
 *
 * Its disks are called xvdoa, xvdob, ... ("o" for outer), with the letter that the toolstack's configuration has: xvdoa is the outer
 * xvda, hda or sda. By such names udev, GRUB and others know a disk from a partition. xen-blkfront in domain 0, whose disks come from
 * Poncho's own back ends, would use them for its 391st disk; its numbers are Xen's, ours are of the kernel's extended range.
 */
#define pr_fmt(fmt) "poncho-blanket: " fmt
#include "blk.h"

static unsigned int blk_queues = 4, blk_segments = 64, blk_ring_order = 1;
module_param(blk_queues, uint, 0444);
MODULE_PARM_DESC(blk_queues, "rings for each disk, at most (4)");
module_param(blk_segments, uint, 0444);
MODULE_PARM_DESC(blk_segments, "pages in a request, at most (64; 11 to 512)");
module_param(blk_ring_order, uint, 0444);
MODULE_PARM_DESC(blk_ring_order, "log2 of a ring's pages, at most (1; 0 to 4)");

#define INDIRECT_SEGMENTS \
	(PAGE_SIZE / sizeof(struct blkif_request_segment)) /* of one page; we use one */
#define MAX_GRANULARITY (1U << 30)
#define DISK_LETTERS	(26 + 26 * 26)

static DECLARE_BITMAP(letters, DISK_LETTERS);

/* --- Connection --------------------------------------------------------------------------------------- */

static int ring_open(struct blk_ring *ring, unsigned int pages)
{
	struct front *f = ring->blk->front;
	int rc = shared_alloc(&ring->shared, f->peer, pages);

	if (rc)
		return rc;
	XEN_FRONT_RING_INIT(&ring->front, (struct blkif_sring *)ring->shared.va, pages * PAGE_SIZE);
	rc = event_alloc(f->peer, ring_event, ring);
	if (rc < 0)
		return rc;
	ring->port = rc;
	return 0;
}

static int blk_connect(struct front *f)
{
	struct blk *blk = f->priv;
	unsigned int order =
		min3(store_read_uint(f->back, "max-ring-page-order", 0), blk_ring_order, 4U);
	unsigned int rings = store_read_uint(f->back, "multi-queue-max-queues", 1), i;
	int rc = 0;

	rings = clamp(min3(rings, blk_queues, num_online_cpus()), 1U, (unsigned int)MAX_RINGS);
	if (!blk->disk) {
		blk->ring_pages = 1 << order;
		blk->nr_rings = rings;
		blk->depth = __CONST_RING_SIZE(blkif, PAGE_SIZE) << order;
	} else if (blk->nr_rings > rings || blk->ring_pages > 1 << order) {
		return -EOPNOTSUPP; /* less than its forerunner had */
	}
	for (i = 0; i < blk->nr_rings && !rc; i++)
		rc = ring_open(&blk->rings[i], blk->ring_pages);
	return rc;
}

static int ring_publish(struct blk_ring *ring, u32 tx, const char *dir)
{
	char name[16] = "ring-ref";
	unsigned int i;
	int rc = 0;

	for (i = 0; i < ring->shared.nr && !rc; i++) {
		if (ring->shared.nr > 1)
			snprintf(name, sizeof(name), "ring-ref%u", i);
		rc = store_write(tx, dir, name, "%u", ring->shared.ref[i]);
	}
	return rc ?: store_write(tx, dir, "event-channel", "%d", ring->port);
}

static int blk_publish(struct front *f, u32 tx)
{
	struct blk *blk = f->priv;
	char dir[sizeof(f->node) + 16];
	unsigned int i;
	int rc = store_write(tx, f->node, "protocol", "x86_64-abi");

	if (!rc)
		rc = store_write(tx, f->node, "feature-persistent", "0");
	if (!rc && blk->ring_pages > 1)
		rc = store_write(tx, f->node, "ring-page-order", "%u", ilog2(blk->ring_pages));
	if (rc || blk->nr_rings == 1)
		return rc ?: ring_publish(&blk->rings[0], tx, f->node);
	rc = store_write(tx, f->node, "multi-queue-num-queues", "%u", blk->nr_rings);
	for (i = 0; i < blk->nr_rings && !rc; i++) {
		snprintf(dir, sizeof(dir), "%s/queue-%u", f->node, i);
		rc = ring_publish(&blk->rings[i], tx, dir);
	}
	return rc;
}

static void blk_set_live(struct blk *blk, bool live)
{
	unsigned int i;

	for (i = 0; i < blk->nr_rings; i++) {
		spin_lock_irq(&blk->rings[i].lock);
		blk->rings[i].live = live && blk->rings[i].port;
		spin_unlock_irq(&blk->rings[i].lock);
	}
}

static void blk_quiesce(struct front *f)
{
	struct blk *blk = f->priv;

	/* It counts; and before it is added and once it is deleted there is nothing in it. */
	if (!blk->disk || blk->quiesced || !disk_live(blk->disk))
		return;
	blk->quiesced = true;
	blk_mq_quiesce_queue(blk->disk->queue);
}

/* What waited goes on, or fails where there is no ring. */
static void blk_unquiesce(struct blk *blk)
{
	if (!blk->quiesced)
		return;
	blk->quiesced = false;
	blk_mq_unquiesce_queue(blk->disk->queue);
	blk_mq_kick_requeue_list(blk->disk->queue);
}

static void ring_close(struct blk_ring *ring, bool for_good)
{
	unsigned int id;

	if (ring->port)
		event_free(ring->port);
	ring->port = 0;
	ring_drop_requests(ring, for_good);
	for (id = 0; ring->indirect && id < ring->blk->depth; id++)
		shared_free(&ring->indirect[id]);
	shared_free(&ring->shared);
}

static void blk_disconnect(struct front *f, bool for_good)
{
	struct blk *blk = f->priv;
	unsigned int i;

	blk_quiesce(f);
	blk_set_live(blk, false);
	for (i = 0; i < blk->nr_rings; i++)
		ring_close(&blk->rings[i], for_good);
	blk->dead |= for_good;
	if (!for_good)
		return;
	if (blk->disk && disk_live(blk->disk))
		blk_mark_disk_dead(blk->disk);
	blk_unquiesce(blk);
}

/* --- The disk ----------------------------------------------------------------------------------------- */

static const struct block_device_operations blk_fops = {.owner = THIS_MODULE};

static void blk_set_discard(struct blk *blk, const char *back)
{
	struct request_queue *q = blk->disk->queue;
	unsigned int granularity = store_read_uint(back, "discard-granularity", 0);
	unsigned int alignment = store_read_uint(back, "discard-alignment", 0);

	/* Of others the block layer makes requests of no length, without end. */
	if (!is_power_of_2(granularity) || granularity < queue_logical_block_size(q) ||
	    granularity > MAX_GRANULARITY)
		granularity = queue_physical_block_size(q);
	blk->discard = store_read_uint(back, "feature-discard", 0);
	blk->secure_discard = blk->discard && store_read_uint(back, "discard-secure", 0);
	q->limits.discard_granularity = granularity;
	q->limits.discard_alignment = alignment & (granularity - 1) & -SECTOR_SIZE;
	blk_queue_max_discard_sectors(q, blk->discard ? UINT_MAX >> SECTOR_SHIFT : 0);
	blk_queue_max_secure_erase_sectors(q, blk->secure_discard ? UINT_MAX >> SECTOR_SHIFT : 0);
}

static bool block_size_ok(unsigned int size)
{
	return size >= SECTOR_SIZE && size <= PAGE_SIZE && is_power_of_2(size);
}

static int blk_set_limits(struct blk *blk)
{
	struct request_queue *q = blk->disk->queue;
	const char *back = blk->front->back;
	unsigned int logical = store_read_uint(back, "sector-size", SECTOR_SIZE);
	unsigned int physical = store_read_uint(back, "physical-sector-size", logical);

	if (!block_size_ok(logical))
		return -EINVAL;
	blk_queue_logical_block_size(q, logical);
	blk_queue_physical_block_size(q, block_size_ok(physical) && physical >= logical ? physical
											: logical);
	blk_queue_max_segments(q, blk->max_segments);
	blk_queue_max_hw_sectors(q, blk->max_segments * (PAGE_SIZE >> SECTOR_SHIFT));
	/* A segment is sectors of one frame. */
	blk_queue_max_segment_size(q, PAGE_SIZE);
	blk_queue_segment_boundary(q, PAGE_SIZE - 1);
	blk_queue_dma_alignment(q, SECTOR_SIZE - 1);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	blk_set_discard(blk, back);
	blk->flush_op = store_read_uint(back, "feature-flush-cache", 0) ? BLKIF_OP_FLUSH_DISKCACHE
			: store_read_uint(back, "feature-barrier", 0)	? BLKIF_OP_WRITE_BARRIER
									: 0;
	/* FUA has no word in the protocol: the block layer makes it of a write and a flush. */
	blk_queue_write_cache(q, blk->flush_op, false);
	return 0;
}

static int ring_make_buffers(struct blk_ring *ring)
{
	struct blk *blk = ring->blk;

	ring->rq = kcalloc(blk->depth, sizeof(*ring->rq), GFP_KERNEL);
	ring->sg = kcalloc(blk->max_segments, sizeof(*ring->sg), GFP_KERNEL);
	ring->refs = kcalloc(blk->max_segments, sizeof(*ring->refs), GFP_KERNEL);
	if (!ring->rq || !ring->sg || !ring->refs)
		return -ENOMEM;
	if (blk->max_segments > DIRECT_SEGMENTS)
		ring->indirect = kcalloc(blk->depth, sizeof(*ring->indirect), GFP_KERNEL);
	return blk->max_segments > DIRECT_SEGMENTS && !ring->indirect ? -ENOMEM : 0;
}

static int ring_make_indirect(struct blk_ring *ring)
{
	unsigned int id;
	int rc = 0;

	for (id = 0; ring->indirect && id < ring->blk->depth && !rc; id++)
		if (!ring->indirect[id].va)
			rc = shared_alloc(&ring->indirect[id], ring->blk->front->peer, 1);
	return rc;
}

static int blk_alloc_disk_and_tags(struct blk *blk)
{
	struct blk_mq_tag_set *tags = &blk->tags;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < blk->nr_rings && !rc; i++)
		rc = ring_make_buffers(&blk->rings[i]);
	if (rc)
		return rc;
	tags->ops = &blk_mq_ops;
	tags->nr_hw_queues = blk->nr_rings;
	tags->queue_depth = blk->depth;
	tags->numa_node = NUMA_NO_NODE;
	tags->flags = BLK_MQ_F_SHOULD_MERGE;
	tags->cmd_size = sizeof(struct blk_pdu) + blk->max_segments * sizeof(struct blk_segment);
	tags->driver_data = blk;
	rc = blk_mq_alloc_tag_set(tags);
	if (rc)
		return rc;
	blk->disk = blk_mq_alloc_disk(tags, blk);
	if (!IS_ERR(blk->disk))
		return 0;
	rc = PTR_ERR(blk->disk);
	blk->disk = NULL;
	blk_mq_free_tag_set(tags);
	return rc;
}

/* The disk number in the device number that the toolstack chose (xen-vbd-interface). */
static unsigned int vdev_disk(unsigned int vdev)
{
	unsigned int major = (vdev >> 8) & 0xfffff, minor = vdev & 0xff;

	if (vdev & 1 << 28)
		return (vdev >> 8) & 0xfffff;
	switch (major) {
	case XEN_IDE0_MAJOR:
		return minor >> 6;
	case XEN_IDE1_MAJOR:
		return 2 + (minor >> 6);
	default: /* xvd, sd */
		return minor >> 4;
	}
}

static int letter_take(unsigned int wanted)
{
	unsigned int letter = wanted;

	if (letter >= DISK_LETTERS || test_bit(letter, letters))
		letter = find_first_zero_bit(letters, DISK_LETTERS);
	if (letter >= DISK_LETTERS)
		return -ENOSPC;
	set_bit(letter, letters);
	return letter;
}

/* Reads the partition table: not on blanket_wq, which would have to close a back end that does not answer. */
static void blk_add(struct work_struct *work)
{
	struct blk *blk = container_of(work, struct blk, add_work);

	if (device_add_disk(NULL, blk->disk, NULL))
		front_fault(blk->front, "has a disk that cannot be added");
}

static int blk_make_disk(struct blk *blk, u64 sectors)
{
	unsigned int info = store_read_uint(blk->front->back, "info", 0), indirect;
	int rc;

	indirect = store_read_uint(blk->front->back, "feature-max-indirect-segments", 0);
	indirect = min3(indirect, blk_segments, (unsigned int)INDIRECT_SEGMENTS);
	blk->max_segments = max(indirect, (unsigned int)DIRECT_SEGMENTS);
	rc = blk_alloc_disk_and_tags(blk);
	if (rc)
		return rc;
	if (blk->letter < 26)
		snprintf(blk->disk->disk_name, DISK_NAME_LEN, "xvdo%c", 'a' + blk->letter);
	else
		snprintf(blk->disk->disk_name, DISK_NAME_LEN, "xvdo%c%c",
			 'a' + blk->letter / 26 - 1, 'a' + blk->letter % 26);
	blk->disk->fops = &blk_fops;
	blk->disk->private_data = blk;
	set_capacity(blk->disk, sectors);
	set_disk_ro(blk->disk, info & VDISK_READONLY);
	return blk_set_limits(blk);
}

static int blk_connected(struct front *f)
{
	struct blk *blk = f->priv;
	u64 sectors = store_read_u64(f->back, "sectors", 0);
	bool again = blk->disk;
	unsigned int i;
	int rc = 0;

	if (!sectors || sectors > LLONG_MAX >> SECTOR_SHIFT)
		return -EINVAL;
	if (f->linked) { /* only its size may have changed */
		set_capacity_and_notify(blk->disk, sectors);
		return 0;
	}
	if (!again)
		rc = blk_make_disk(blk, sectors);
	else if (blk->max_segments > DIRECT_SEGMENTS &&
		 store_read_uint(f->back, "feature-max-indirect-segments", 0) < blk->max_segments)
		rc = -EOPNOTSUPP;
	for (i = 0; i < blk->nr_rings && !rc; i++)
		rc = ring_make_indirect(&blk->rings[i]);
	if (rc)
		return rc;
	blk_set_live(blk, true);
	if (again) {
		set_capacity_and_notify(blk->disk, sectors);
		blk_unquiesce(blk);
		return 0;
	}
	pr_info("%s: %s, %llu MiB, %u rings of %u, %u segments%s%s\n", f->node,
		blk->disk->disk_name, sectors >> 11, blk->nr_rings, blk->depth, blk->max_segments,
		blk->flush_op ? ", flush" : "", blk->discard ? ", discard" : "");
	queue_work(system_unbound_wq, &blk->add_work);
	return 0;
}

static bool blk_waits(struct front *f)
{
	struct blk *blk = f->priv;
	unsigned int i, id;

	for (i = 0; blk->disk && i < blk->nr_rings; i++)
		for (id = 0; id < blk->depth; id++)
			if (READ_ONCE(blk->rings[i].rq[id]))
				return true;
	return work_busy(&blk->add_work);
}

static bool blk_busy(struct front *f)
{
	struct blk *blk = f->priv;

	return blk->disk && disk_openers(blk->disk);
}

static void blk_remove(struct front *f)
{
	struct blk *blk = f->priv;

	if (!blk->disk)
		return;
	flush_work(&blk->add_work);
	if (disk_live(blk->disk))
		del_gendisk(blk->disk);
}

static void blk_free(struct front *f)
{
	struct blk *blk = f->priv;
	unsigned int i;

	if (blk->disk) {
		put_disk(blk->disk);
		blk_mq_free_tag_set(&blk->tags);
	}
	for (i = 0; i < MAX_RINGS; i++) {
		kfree(blk->rings[i].rq);
		kfree(blk->rings[i].sg);
		kfree(blk->rings[i].refs);
		kfree(blk->rings[i].indirect);
	}
	clear_bit(blk->letter, letters);
	kfree(blk);
}

/* CD-ROMs stay with the emulated drive, which can eject them. */
static bool vbd_is_disk(struct front *f)
{
	char *type = store_read(f->node, "device-type");
	bool disk = IS_ERR(type) || strcmp(type, "cdrom");

	if (!IS_ERR(type))
		kfree(type);
	return disk;
}

static int blk_probe(struct front *f)
{
	unsigned int vdev, i;
	struct blk *blk;
	int letter;

	if (kstrtouint(strrchr(f->node, '/') + 1, 10, &vdev))
		return -EINVAL;
	if (!vbd_is_disk(f))
		return -EBUSY;
	if (unplug_disk_has_twin(vdev)) {
		pr_info("%s: left alone, the emulated disk may be in use (see the parameter unplug)\n",
			f->node);
		return -EBUSY;
	}
	letter = letter_take(vdev_disk(vdev));
	blk = letter < 0 ? NULL : kzalloc(sizeof(*blk), GFP_KERNEL);
	if (!blk) {
		if (letter >= 0)
			clear_bit(letter, letters);
		return letter < 0 ? letter : -ENOMEM;
	}
	blk->front = f;
	blk->vdev = vdev;
	blk->letter = letter;
	INIT_WORK(&blk->add_work, blk_add);
	for (i = 0; i < MAX_RINGS; i++) {
		blk->rings[i].blk = blk;
		blk->rings[i].index = i;
		spin_lock_init(&blk->rings[i].lock);
	}
	f->priv = blk;
	return 0;
}

const struct front_ops blk_front = {
	.type = "vbd",
	.offering = XenbusStateInitialised,
	.probe = blk_probe,
	.connect = blk_connect,
	.publish = blk_publish,
	.connected = blk_connected,
	.quiesce = blk_quiesce,
	.disconnect = blk_disconnect,
	.busy = blk_busy,
	.waits = blk_waits,
	.remove = blk_remove,
	.free = blk_free,
};
