# A guest fills its store's, console's and devices' rings and nodes with garbage. The daemons stay who they are and what size they are,
# guests beside it work on, others come and go, and nothing of it is left. 60 seconds with FULL=1 (see tests/system/run), 15 otherwise.
# limit: 240
. /tests/kill/lib.sh
seconds=15 seed=$((RANDOM * 32768 + RANDOM))
! grep -q ' full=1' /proc/cmdline || seconds=60

daemons() { pidof xenstored xenconsoled xend; }
resident() { # kB of a daemon and its helpers, each page counted once
	local pid
	for pid in $(pidof "$1"); do cat "/proc/$pid/smaps_rollup"; done | awk '$1 == "Pss:" { n += $2 } END { print n }'
}
sizes() { echo "$(resident xenstored) $(resident xenconsoled) $(resident xend)"; }
written() { du -ck /run/xenstored /run/xend /run/xenconsoled /var/log/xen/*.log | awk 'END { print $1 }'; }
# The folders in which back ends tell of errors belong to no guest.
paths() { xenstore-ls -f | sed 's/ = .*//' | grep -Ev '^/local/domain/0/error(/backend(/v[a-z]*)?)?$' | sort; }

# garbage SECONDS: the hostile guest, with a disk and an interface, that stays when it is done.
garbage() {
	truncate -s 1M /tmp/garbage.img
	config garbage 'kernel = "/tests/boot/rings"' 'memory = 16' 'vif = [ "bridge=xenbr0" ]' \
		'disk = [ "format=raw,vdev=xvda,access=rw,target=/tmp/garbage.img" ]' \
		"extra = \"seed=$seed seconds=$1 stay=1 other=$(xm domid disk)\""
	sed -i /ramdisk/d /tmp/garbage.cfg
	xm create -q /tmp/garbage.cfg
}
no_garbage() {
	xm destroy garbage
	within 20 is_gone garbage
}

most=0 limit=60000 turns=0
quick() { # WHAT COMMAND...: it neither fails nor takes longer than $limit ms
	local begin=${EPOCHREALTIME/./} what=$1 ms
	shift
	"$@" >/tmp/quick.log 2>&1 || fail "$what: $(cat /tmp/quick.log)"
	ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	[ $ms -le $most ] || most=$ms slowest=$what
	[ $ms -lt $limit ] || fail "$what took $ms ms, the limit is $limit ms"
}

answers() { # WORDS: typed at the echoing guest's console, they come back
	{
		printf '%s\r' "$1"
		patience said echo "$1"
		printf '\035'
	} | script -q -c "xm console echo" /dev/null
	said echo "$1"
}

# What goes on beside it.
turn() {
	turns=$((turns + 1))
	quick "reading a node" xenstore-read /local/domain/0/name
	quick "a list" xm list
	quick "a create" xm create -q /tmp/short.cfg
	quick "a destroy" xm destroy short
	quick "an answer on a console" answers "hello-$turns-"
}

# One that works with its disk and writes on its console, one that answers what is typed.
config disk 'memory = 128' 'disk = [ "phy:/dev/vda,xvda,w" ]' 'extra = "console=hvc0 quiet task=work"'
xm create -q /tmp/disk.cfg
says disk 'work: 1 rounds, 0 failures' 120
tiny echo
xm create -q /tmp/echo.cfg
says echo tiny 20
tiny short
# The first one loads what stays loaded.
garbage 1
says garbage 'rings: [0-9]+ rounds' 60
no_garbage
# Without garbage, to know what is usual on this machine.
turn
usual=$most limit=$((5 * most + 5000)) most=0
pids=$(daemons) sizes=$(sizes) written=$(written) memory=$(free_memory) left=$(left)
paths >/tmp/paths.before
disk=$(rounds disk)

echo "seed $seed"
garbage $seconds
begin=$SECONDS
until [ $SECONDS -ge $((begin + seconds)) ]; do turn; done
says garbage 'rings: [0-9]+ rounds' 60
echo "figure: $(grep -a -o 'rings: [0-9]* rounds.*' $CONSOLES/guest-garbage.log | tail -n 1); the longest of $turns turns beside it $most ms for $slowest, $usual ms without"
echo "figure: xenstored, xenconsoled, xend before $sizes kB, after $(sizes) kB; files and logs $written kB, $(written) kB"
same "the daemons" "$pids" "$(daemons)"
grown() { echo "$sizes" "$(sizes)" | awk '{ print $4 - $1 + $5 - $2 + $6 - $3 }'; }
no_garbage
small() { [ "$(grown)" -lt 1024 ]; }
patience small
[ "$(grown)" -lt 1024 ] || fail "the daemons have grown by $(grown) kB: $sizes, now $(sizes)"
[ $(($(written) - written)) -lt 4096 ] || fail "$(($(written) - written)) kB were written: $(du -k /run/xenstored /run/xend /var/log/xen/*.log)"
trouble='work: failed|[Cc]all [Tt]race|BUG:|I/O error'
! said disk "$trouble" || fail "the working guest: $(grep -E "$trouble" $CONSOLES/guest-disk.log | head -n 1)"
[ "$(rounds disk)" -gt "$disk" ] || fail "the working guest stood still"
clean() { [ "$(left)" = "$left" ] && [ "$(free_memory)" -ge "$memory" ] && paths | cmp -s - /tmp/paths.before; }
patience clean
paths | diff /tmp/paths.before - || fail "there are other nodes than before"
same "what is left" "$left memory $memory" "$(left) memory $(free_memory)"
xm destroy disk
xm destroy echo
within 20 is_gone echo
rm /tmp/garbage.img
