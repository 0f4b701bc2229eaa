# virtio-blk, AHCI and NVMe disks: what is written is read back, past the page cache, and by interrupt.
# limit: 120
dd if=/dev/urandom of=/tmp/pattern bs=1M count=24
sum=$(md5sum </tmp/pattern)
for disk in vda sda nvme0n1; do
	echo "$disk: $(cat /sys/block/$disk/size) sectors"
	dd if=/tmp/pattern of=/dev/$disk bs=1M conv=fsync
	echo 3 >/proc/sys/vm/drop_caches
	same "checksum on $disk" "$sum" "$(dd if=/dev/$disk bs=1M count=24 | md5sum)"
done
rm /tmp/pattern
grew() { awk -v n="$1" '$0 ~ n { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) s += $i } END { exit !(s > 0) }' /proc/interrupts; }
grew 'virtio[0-9]*-(req|virtqueues)'
grew 'nvme0q'
grew 'ahci'
