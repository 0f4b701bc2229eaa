# limit: 600
# Below a Xen, back ends that break every rule: only their own devices suffer, and they see nothing that is not theirs.
grep -q '^poncho_blanket' /proc/modules

use() { # DISK
	dd if="/dev/$1" of=/dev/null bs=512 count=2 iflag=direct
	dd if="/dev/$1" of=/dev/null bs=64k count=4 iflag=direct
	dd if=/tmp/data of="/dev/$1" bs=4k count=16 conv=fsync
	dd if=/tmp/data of="/dev/$1" bs=512 seek=9 count=2 oflag=direct
}

dmesg -c >/dev/null
nc 192.168.78.1 5004 </dev/null >/tmp/hostile &
end=$((SECONDS + 400))
until grep -q '^end' /tmp/hostile; do
	[ $SECONDS -lt $end ] || fail "the hostile back ends do not come to an end"
	for disk in /sys/block/xvdo[a-z]*; do
		[ "$disk" = /sys/block/xvdoa ] || (use "${disk##*/}" || true) 2>/dev/null &
	done
	for net in /sys/class/net/*; do
		case $(cat "$net/address" 2>/dev/null) in
		00:16:3e:00:01:*) ip link set "${net##*/}" up || true ;;
		esac
	done
	sleep 1
done
cat /tmp/hostile
if grep -q 'not its own\|stale bytes' /tmp/hostile; then fail "a back end sees what is not its own"; fi
grep -q 'vbd again .*served [1-9][0-9]' /tmp/hostile || fail "a disk that is connected again is not used"
if dmesg | grep -E 'BUG|Oops|WARNING:|Call Trace'; then fail "the kernel complains"; fi
within 60 test ! -e /sys/block/xvdob
ping -c 3 -W 2 192.168.78.1
same "the disk" "$(dd if=/tmp/data bs=1M skip=8 count=4 | md5sum)" "$(dd if=/dev/xvdoa bs=1M skip=8 count=4 iflag=direct | md5sum)"
rmmod poncho-blanket
