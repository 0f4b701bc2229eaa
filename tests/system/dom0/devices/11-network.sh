# virtio-net, e1000 and e1000e: each reaches its own network's gateway.
found=
for net in /sys/class/net/*; do
	[ -e "$net/device/driver" ] || continue
	name=${net##*/}
	driver=$(basename "$(readlink "$net/device/driver")")
	mac=$(cat "$net/address")
	case $driver in virtio_net | e1000 | e1000e) ;; *) continue ;; esac
	# The last byte of the address is the number of the network: 10.0.N.0/24.
	n=$((16#${mac##*:}))
	ip link set "$name" up
	ip address add "10.0.$n.15/24" dev "$name"
	within 20 ping -c 1 -W 2 -I "$name" "10.0.$n.2"
	ping -c 5 -W 2 -I "$name" "10.0.$n.2" | match ' 0% packet loss'
	found="$found $driver"
	ip address flush dev "$name"
done
echo "$found"
match 'virtio_net' <<<"$found"
match 'e1000( |$)' <<<"$found"
match 'e1000e' <<<"$found"
