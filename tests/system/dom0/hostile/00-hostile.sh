# A guest that fires random hypercalls and page-table writes, made again with another seed whenever it has ended itself, beside two
# that do disk and network work: those notice nothing, and what is free at the end is what was free before. 10 minutes with FULL=1
# (see tests/system/run), 30 seconds otherwise.
# limit: 900
seconds=30
! grep -q ' full=1' /proc/cmdline || seconds=600
mkdir -p /tmp/www
dd if=/dev/urandom of=/tmp/www/blob bs=1M count=2
blob=$(md5sum </tmp/www/blob | cut -d' ' -f1)
httpd -p 7001 -h /tmp/www

# worker NAME LINE: its rounds are counted from its console.
worker() {
	config "$1" 'memory = 128' "$2" \
		'extra = "console=hvc0 quiet address=192.168.77.'"$3"'/24 task=work blob='"$blob"'"'
	xl create -q "/tmp/$1.cfg"
	says "$1" 'work: 1 rounds, 0 failures' 120
}
rounds() { grep -c '^work: .* rounds, 0 failures' "$CONSOLES/guest-$1.log"; }

worker disk 'disk = [ "phy:/dev/vda,xvda,w" ]' 7
worker net 'vif = [ "bridge=xenbr0" ]' 8
disk=$(xl domid disk) net=$(xl domid net) disk_before=$(rounds disk) net_before=$(rounds net)
lives=0 seed=${RANDOM}
memory=$(free_memory)
echo "first seed: $seed"
end=$((SECONDS + seconds))
while [ $SECONDS -lt $end ]; do
	config hostile 'kernel = "/tests/boot/hostile"' 'memory = 64' \
		"extra = \"seed=$seed seconds=$((end - SECONDS))\""
	sed -i /ramdisk/d /tmp/hostile.cfg
	xl create -q /tmp/hostile.cfg || fail "no guest could be made after seed $((seed - 1))"
	lives=$((lives + 1)) seed=$((seed + 1))
	until [ $SECONDS -ge $end ] || is_gone hostile 2>/dev/null; do usleep 100000; done
done
if xl domid hostile; then
	# It may just have ended by itself.
	xl destroy hostile || true
	within 60 is_gone hostile
fi
disk_rounds=$(($(rounds disk) - disk_before)) net_rounds=$(($(rounds net) - net_before))
echo "figure: in $seconds s: $lives lives of the hostile guest, $disk_rounds rounds of disk, $net_rounds of network"
for w in disk net; do
	! said $w 'work: failed' || fail "$w: $(grep 'work: failed' $CONSOLES/guest-$w.log | head -n 1)"
	! said $w '[Cc]all [Tt]race|BUG:|I/O error' || fail "$w: $(grep -E 'BUG:|I/O error' $CONSOLES/guest-$w.log | head -n 1)"
done
same "the disk worker's id" "$disk" "$(xl domid disk)"
same "the network worker's id" "$net" "$(xl domid net)"
[ $disk_rounds -gt 0 ] && [ $net_rounds -gt 0 ] || fail "a worker stood still: $disk_rounds, $net_rounds rounds"
enough() { [ "$(free_memory)" -ge "$memory" ]; }
within 20 enough
xl destroy disk
xl destroy net
killall httpd
