# A hundred guests of 8 MiB on a domain 0 of 1 GiB: made, listed, their consoles alive, destroyed; nothing is left behind.
# limit: 500
N=100
tiny() { # NAME
	printf '%s\n' "name = \"$1\"" 'kernel = "/tests/boot/tiny.elf"' 'memory = 8' >"/tmp/$1.cfg"
}
nodes() { xenstore-ls -f | grep -vc '^/local/domain/0/memory\|^/local/domain/0/device-model'; }
processes() { # the kernel's own have no program; a loop, as programs that count would come and go themselves
	local n=0 p
	for p in /proc/[0-9]*; do
		[ ! -e "$p/exe" ] || n=$((n + 1))
	done
	echo "$n"
}
left() { echo "memory $(free_memory) channels $(lsevtchn 0 | wc -l) nodes $(nodes) processes $(processes) files $(find /run/xend /run/xen /var/lib/xend -type f 2>/dev/null | wc -l)"; }
resident() { # kB of the three daemons, each page counted once
	cat /proc/$(cat /run/xenstore.pid)/smaps_rollup /proc/$(cat /run/xenconsoled.pid)/smaps_rollup /proc/$(cat /run/xend.pid)/smaps_rollup |
		awk '$1 == "Pss:" { n += $2 } END { print n }'
}
# The first loads what stays loaded.
tiny t0
xm create -q /tmp/t0.cfg
xm destroy t0
sleep 1
before=$(left) empty=$(resident) processes=$(processes)
begin=$SECONDS
for i in $(seq $N); do
	tiny "t$i"
	xm create -q "/tmp/t$i.cfg"
done
made=$((SECONDS - begin))
same "domains listed" $((N + 1)) "$(xm list | awk 'NR > 1' | wc -l)"
same "processes with $N guests" "$processes" "$(processes)"
begin=$SECONDS
for i in $(seq $N); do
	says "t$i" tiny 20
done
for i in 1 $((N / 2)) $N; do
	tell "t$i" "hello-$i"
	says "t$i" "hello-$i" 10
done
echo "figure: $N guests made in $made s; daemons $empty kB before, $(resident) kB with them; processes $(processes)"
begin=$SECONDS
for i in $(seq $N); do xm destroy "t$i"; done
echo "figure: destroyed in $((SECONDS - begin)) s"
clean() { [ "$(left)" = "$before" ]; }
patience clean
[ "$(left)" = "$before" ] || xenstore-ls -f | tail -n 20
same "what is left" "$before" "$(left)"
