# limit: 600
# Below a Xen, its disk and interface by our module: what is written is read again, what is sent arrives, the module goes and comes.
module=/tests/boot/poncho-blanket.ko
card=

load() {
	insmod $module
	within 20 test -b /dev/xvdoa
	for net in /sys/class/net/*; do
		[ "$(cat "$net/address")" != 00:16:3e:00:00:09 ] || card=${net##*/}
	done
	[ -n "$card" ]
	ip address add 192.168.78.9/24 dev "$card"
	ip link set "$card" up
	within 20 ping -c 1 -W 2 192.168.78.1
}

load
head -c 16777216 /dev/urandom >/tmp/data
dd if=/tmp/data of=/dev/xvdoa bs=1M oflag=direct
same "what was written" "$(md5sum </tmp/data)" "$(dd if=/dev/xvdoa bs=1M count=16 iflag=direct | md5sum)"
# Parts of pages, too.
dd if=/tmp/data of=/dev/xvdoa bs=512 seek=3 count=5 oflag=direct
same "five sectors" "$(head -c 2560 /tmp/data | md5sum)" "$(dd if=/dev/xvdoa bs=512 skip=3 count=5 iflag=direct | md5sum)"
head -c 8388608 /tmp/data >/tmp/sent
same "what was sent" "$(md5sum </tmp/sent)" "$(nc 192.168.78.1 5001 </tmp/sent)"
same "what was received" "$(nc 192.168.78.1 5003 </dev/null)" "$(nc 192.168.78.1 5002 </dev/null | md5sum)"
for ((i = 0; i < 5; i++)); do
	rmmod poncho-blanket
	[ ! -e /sys/block/xvdoa ]
	load
	same "a part after the module was loaded again" "$(dd if=/tmp/data bs=1M skip=4 count=4 | md5sum)" \
		"$(dd if=/dev/xvdoa bs=1M skip=4 count=4 iflag=direct | md5sum)"
done
