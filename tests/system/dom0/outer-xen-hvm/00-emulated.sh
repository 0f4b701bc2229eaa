# limit: 900
# Below a Xen as its HVM guest, on the emulated IDE disk and e1000: what is written is read again, what is sent arrives, a guest uses both.
. /tests/outer-xen-hvm/lib.sh
xl dmesg | match 'Outer hypervisor: xen; used: xen, clock, TLB flush'
xl dmesg | match 'Loader: GRUB .* by Multiboot 2'
readlink -f /sys/block/sda | match '/ata[0-9]'
[ ! -e /sys/block/xvdoa ]
wire
readlink "/sys/class/net/$card/device/driver" | match '/e1000$'
carries /dev/sda
speeds /dev/sda 1
declare -p speed | sed "s/ speed=/ emulated=/" >/tmp/emulated
make_filesystem /dev/sda
guest /dev/sda
for what in write read send receive; do echo "figure: emulated, $what: ${speed[$what]} kB/s"; done
