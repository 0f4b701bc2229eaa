# SPDX-License-Identifier: MIT
# What the tests of this folder share: each kills one daemon often while guests work and others come and go.
rounds() { grep -c '^work: .* rounds, 0 failures' "$CONSOLES/guest-$1.log"; }

# Two guests that work: one with a disk, one with a network interface.
workers() {
	mkdir -p /tmp/www
	[ -e /tmp/www/blob ] || dd if=/dev/urandom of=/tmp/www/blob bs=1M count=1 2>/dev/null
	pidof httpd >/dev/null || httpd -p 7001 -h /tmp/www
	local blob
	blob=$(md5sum </tmp/www/blob | cut -d' ' -f1)
	config disk 'memory = 128' 'disk = [ "phy:/dev/vda,xvda,w" ]' \
		"extra = \"console=hvc0 quiet task=work blob=$blob\""
	config net 'memory = 128' 'vif = [ "bridge=xenbr0" ]' \
		"extra = \"console=hvc0 quiet address=192.168.77.8/24 task=work blob=$blob\""
	for w in disk net; do xm create -q /tmp/$w.cfg; done
	for w in disk net; do says $w 'work: 1 rounds, 0 failures' 180; done
}

tiny() { # NAME
	printf '%s\n' "name = \"$1\"" 'kernel = "/tests/boot/tiny.elf"' 'memory = 8' >"/tmp/$1.cfg"
}

left() { echo "channels $(lsevtchn 0 | wc -l) loops $(losetup -a | wc -l) files $(find /run/xend -type f | wc -l) domains $(xm list | awk 'NR > 1' | wc -l)"; }

# Guests come and go until /tmp/stop is there. Each create and destroy either works or says why not.
turmoil() {
	local made=0 refused=0
	tiny short
	while [ ! -e /tmp/stop ]; do
		if xm create -q /tmp/short.cfg >/tmp/turmoil.log 2>&1; then
			made=$((made + 1))
		else
			[ -s /tmp/turmoil.log ] || echo "a create failed without a word"
			refused=$((refused + 1))
		fi
		if xm domid short >/dev/null 2>&1; then
			xm destroy short >/tmp/turmoil.log 2>&1 || {
				[ -s /tmp/turmoil.log ] || echo "a destroy failed without a word"
				refused=$((refused + 1))
			}
		fi
	done
	echo "turmoil: $made made, $refused refused"
}

# kill_often NAME PIDFILE COMMAND...: 5 times, 50 with FULL=1; the command starts it again.
kill_often() {
	local name=$1 file=$2 times=5 i pid
	shift 2
	! grep -q ' full=1' /proc/cmdline || times=50
	rm -f /tmp/stop
	workers
	memory=$(free_memory)
	before=$(left)
	local disk net ids
	ids="$(xm domid disk) $(xm domid net)"
	turmoil >/tmp/turmoil.out 2>&1 &
	local job=$!
	for i in $(seq $times); do
		usleep $((RANDOM * 20))
		pid=$(cat "$file")
		kill -9 "$pid"
		while kill -0 "$pid" 2>/dev/null; do usleep 1000; done
		"$@" || fail "$name did not start again after kill $i"
	done
	touch /tmp/stop
	wait $job
	cat /tmp/turmoil.out
	! grep -q 'without a word' /tmp/turmoil.out || fail "$(grep 'without a word' /tmp/turmoil.out | head -n 1)"
	disk=$(rounds disk) net=$(rounds net)
	sleep 5
	[ "$(rounds disk)" -gt "$disk" ] && [ "$(rounds net)" -gt "$net" ] ||
		fail "a worker stands still after the last kill"
	for w in disk net; do
		! said $w 'work: failed' || fail "$w: $(grep 'work: failed' $CONSOLES/guest-$w.log | head -n 1)"
	done
	same "the workers" "$ids" "$(xm domid disk) $(xm domid net)"
	! xm domid short >/dev/null 2>&1 || xm destroy short
	within 20 is_gone short
	echo "figure: $name killed $times times; $(tail -n 1 /tmp/turmoil.out); workers $(rounds disk) and $(rounds net) rounds"
	clean() { [ "$(left)" = "$before" ] && [ "$(free_memory)" -ge "$memory" ]; }
	patience clean
	same "what is left" "$before memory $memory" "$(left) memory $(free_memory)"
	xm destroy disk
	xm destroy net
	within 20 is_gone net
}
