# A guest with 1 and one with 4 vCPUs: ext4 on xvda, written and read back with equal checksums, on a disk of domain 0
# behind xen-blkback. 200 MB with FULL=1, 32 MB otherwise.
# limit: 600
READY=240 mb=32
! grep -q ' full=1' /proc/cmdline || mb=200
for vcpus in 1 4; do
	create disk 'kernel = "/boot/vmlinuz"' "vcpus = $vcpus" 'memory = 160' \
		'disk = [ "phy:/dev/vdb,xvda,w" ]' 'extra = "console=hvc0 quiet task=disk mb='$mb'"'
	said disk "guest: init, .* $vcpus vCPU"
	said disk 'guest: xvda is mounted'
	said disk "disk: $mb MB, checksums agree" || fail "$(tail -n 5 $CONSOLES/guest-disk.log)"
	echo "figure: $vcpus vCPUs, $(grep '^disk:' $CONSOLES/guest-disk.log)"
	stop disk
done
# ... and domain 0 sees on the disk what the guest has left there.
mount -t ext4 -o ro /dev/vdb /mnt
match 'written by the guest' </mnt/note
umount /mnt
