# Guests with disk and network created, run, destroyed: memory, event channels, grants, files return. 20 of them with
# FULL=1 (see tests/system/run), four otherwise.
# limit: 1200
for g in g1 g2 g3; do xl destroy $g 2>/dev/null || true; done
# Four at a time: while one is made, those before it boot.
round() {
	local g
	for g in r1 r2 r3 r4; do
		config $g 'disk = [ "format=raw,vdev=xvda,access=ro,target=/var/lib/xen/images/guest.img" ]' \
			'vif = [ "bridge=xenbr0" ]' 'extra = "console=hvc0 quiet address=192.168.77.9/24"'
		xl create -q /tmp/$g.cfg
	done
	for g in r1 r2 r3 r4; do
		says $g 'guest: eth0 is up' 90
		xl destroy $g
	done
	for g in r1 r2 r3 r4; do within 20 is_gone $g; done
}
channels() { lsevtchn 0 | wc -l; }
nodes() { xenstore-ls -f | wc -l; }
loops() { losetup -a | wc -l; }
alone() { same domains 2 "$(xl list | wc -l)"; }
# The first round loads what stays loaded.
round
sleep 2
alone
memory=$(free_memory) channels=$(channels) nodes=$(nodes) loops=$(loops)
rounds=1
grep -q ' full=1' /proc/cmdline && rounds=5
for i in $(seq $rounds); do round; done
alone
clean() { [ "$(free_memory)" -ge "$memory" ] && [ "$(channels)" -le "$channels" ] && [ "$(loops)" -le "$loops" ]; }
patience clean
echo "figure: $((4 * rounds)) guests; memory, channels, nodes, loops before: $memory $channels $nodes $loops"
echo "figure: after: $(free_memory) $(channels) $(nodes) $(loops)"
same channels "$channels" "$(channels)"
same "loop devices" "$loops" "$(loops)"
same memory "$memory" "$(free_memory)"
[ "$(nodes)" -le $((nodes + 4)) ] || fail "xenstore grew from $nodes to $(nodes) nodes"
