# limit: 1500
# ... and by our module, the emulated devices unplugged: 200 MB, 1,000 mounts, a guest, five times anew, and how much faster it is.
. /tests/outer-xen-hvm/lib.sh
module=/tests/boot/poncho-blanket.ko

load() {
	insmod $module unplug=all
	within 20 test -b /dev/xvdoa
	[ ! -e /sys/block/sda ]
	wire
}

dmesg -c >/dev/null
load
if compgen -G '/sys/bus/pci/drivers/e1000/0000:*'; then fail "the emulated interface is still there"; fi
dd if=/dev/sr0 bs=2048 skip=16 count=1 | grep -q CD001 # the CD-ROM has stayed
carries /dev/xvdoa

# Five times as fast and more where nothing else runs; a busy machine is given some room.
if [ -e /tmp/emulated ]; then
	. /tmp/emulated
	speeds /dev/xvdoa 4
	slow=
	for what in write read send receive; do
		ratio=$((speed[$what] * 10 / emulated[$what]))
		echo "figure: paravirtual, $what: ${speed[$what]} kB/s, $((ratio / 10)).$((ratio % 10)) times the emulated"
		[ $ratio -ge 30 ] || slow="$slow $what"
	done
	[ -z "$slow" ] || fail "less than three times as fast as the emulated devices:$slow"
fi

make_filesystem /dev/xvdoa
dd if=/dev/urandom of=/tmp/data bs=1M count=200
dd if=/tmp/data of=/dev/xvdoa bs=1M seek=32
sync
echo 3 >/proc/sys/vm/drop_caches
sum=$(md5sum </tmp/data)
same "200 MB" "$sum" "$(dd if=/dev/xvdoa bs=1M skip=32 count=200 | md5sum)"

mounts=0 begin=$SECONDS
for ((i = 0; i < 1000; i++)); do
	mount -t ext4 /dev/xvdoa /mnt
	read -r line </mnt/hello
	same "the file" "This is the guest's disk." "$line"
	if [ -e /mnt/round ]; then read -r round </mnt/round; else round=-1; fi
	same "the file of the mount before" $((i - 1)) "$round"
	echo $i >/mnt/round
	umount /mnt
	mounts=$((mounts + 1))
done
same "mounts" 1000 $mounts
echo "figure: $mounts mounts in $((SECONDS - begin)) s"
guest /dev/xvdoa

for ((i = 0; i < 5; i++)); do
	rmmod poncho-blanket
	[ ! -e /sys/block/xvdoa ]
	load
	same "a part after the module was loaded again" "$(dd if=/tmp/data bs=1M skip=$((i * 40)) count=8 | md5sum)" \
		"$(dd if=/dev/xvdoa bs=1M skip=$((32 + i * 40)) count=8 iflag=direct | md5sum)"
done
same "200 MB in the end" "$sum" "$(dd if=/dev/xvdoa bs=1M skip=32 count=200 | md5sum)"
mount -t ext4 /dev/xvdoa /mnt
same "the last mount's file" 999 "$(cat /mnt/round)"
umount /mnt
if dmesg | grep -E 'BUG|Oops|WARNING:|Call Trace'; then fail "the kernel complains"; fi
