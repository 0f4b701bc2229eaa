# limit: 600
# On virtio devices: domain 0's disk and network, and a guest that uses both.
[ -e /sys/block/vda ] || fail "no virtio disk"
[ "$(cat /sys/block/vda/device/driver/module/srcversion 2>/dev/null)$(readlink /sys/block/vda/device/driver)" != "" ] || fail "vda has no driver"
echo "written below an outer hypervisor" | dd of=/dev/vda bs=512 seek=8 conv=sync,fsync 2>/dev/null
echo 3 >/proc/sys/vm/drop_caches
dd if=/dev/vda bs=512 skip=8 count=1 2>/dev/null | match "written below an outer hypervisor"
net=$(basename "$(dirname "$(ls -d /sys/class/net/*/device | head -n 1)")")
ip link set "$net" up
ip address add 10.0.2.15/24 dev "$net" 2>/dev/null
within 20 ping -q -c 1 -W 5 10.0.2.2
create g1 'disk = [ "format=raw,vdev=xvda,access=rw,target=/dev/vda" ]' 'vif = [ "bridge=xenbr0" ]' \
	'extra = "console=hvc0 quiet address=192.168.77.2/24"'
within 20 ping -q -c 1 -W 5 192.168.77.2
