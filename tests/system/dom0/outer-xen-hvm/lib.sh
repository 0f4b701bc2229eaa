# SPDX-License-Identifier: MIT
# Below a Xen in its HVM guest: a disk and an interface that are there twice, used in the one way and the other. The interface is below
# the bridge; 192.168.78.1 is the outer domain 0, which outer/main-xen prepares.
MAC=00:16:3e:00:00:09

hundredths() {
	local up rest
	read -r up rest </proc/uptime
	echo "${up/./}"
}

# wire: finds the interface, puts it below the bridge, and the outer domain 0 answers; its name in $card.
wire() {
	local net
	card=
	for net in /sys/class/net/*; do
		[ -e "$net/bridge" ] || [ "$(cat "$net/address")" != $MAC ] || card=${net##*/}
	done
	[ -n "$card" ] || fail "no interface"
	ip link set "$card" master xenbr0 up
	ip address add 192.168.78.9/24 dev xenbr0 2>/dev/null || true
	within 20 ping -c 1 -W 2 192.168.78.1
}

connect() { exec 3<>"/dev/tcp/192.168.78.1/$1"; }

# carries DISK: 16 MB are read as they were written, 8 MB each way by TCP arrive as they were sent.
carries() {
	dd if=/dev/urandom of=/tmp/data bs=1M count=16
	dd if=/tmp/data of="$1" bs=1M seek=32 oflag=direct
	same "what was written" "$(md5sum </tmp/data)" "$(dd if="$1" bs=1M skip=32 count=16 iflag=direct | md5sum)"
	dd if=/tmp/data of=/tmp/sent bs=1M count=8
	within 20 connect 5001
	cat /tmp/sent >&3
	same "what was sent" "$(md5sum </tmp/sent)" "$(cat <&3)"
	exec 3>&-
	within 20 connect 5002
	cat <&3 >/tmp/sent
	exec 3>&-
	same "what was received" "$(nc 192.168.78.1 5003 </dev/null)" "$(md5sum </tmp/sent)"
	rm /tmp/sent
}

# speeds DISK TIMES: how fast 16 MB are written and read, 2 MB sent, 4 MB received, or so many times as much; kB/s in speed[...]. In
# large pieces: with small ones it is their number that counts.
declare -A speed
speeds() {
	local n=$2
	timed write $((n * 16384)) dd if=/dev/zero of="$1" bs=1M seek=32 count=$((n * 16)) oflag=direct
	timed read $((n * 16384)) dd if="$1" of=/dev/null bs=1M skip=32 count=$((n * 16)) iflag=direct
	timed send $((n * 2048)) send $((n * 8))
	timed receive $((n * 4096)) receive $((n * 16))
}

send() {
	within 20 connect 5005
	echo "take $1" >&3
	dd if=/dev/zero bs=256k count="$1" >&3
	read -r _ <&3
	exec 3>&-
}

receive() {
	within 20 connect 5005
	echo "give $1" >&3
	dd bs=256k of=/dev/null <&3
	exec 3>&-
}

# timed WHAT KB COMMAND...
timed() {
	local begin end
	begin=$(hundredths)
	"${@:3}"
	end=$(hundredths)
	speed[$1]=$(($2 * 100 / (end - begin + 1)))
}

# guest DISK: a guest with the file system on the disk, and a way to the outer domain 0.
guest() {
	READY=300 create g1 "disk = [ \"phy:$1,xvda,w\" ]" 'vif = [ "bridge=xenbr0" ]' \
		'extra = "console=hvc0 quiet address=192.168.78.7/24"'
	said g1 "guest: xvda holds: This is the guest's disk"
	tell g1 'ping -c 3 -W 5 192.168.78.1'
	says g1 ' 0% packet loss' 60
	stop g1
}

make_filesystem() { dd if=/var/lib/xen/images/guest.img of="$1" bs=1M conv=fsync; }
