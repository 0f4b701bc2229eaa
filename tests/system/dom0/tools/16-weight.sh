# Two guests that each would burn every CPU share them by their weights.
cpus=$(xl info | awk '$1 == "nr_cpus" { print $3 }')
create g2 'extra = "console=hvc0 quiet task=burn"' "vcpus = $cpus"
create g3 'extra = "console=hvc0 quiet task=burn"' "vcpus = $cpus"
xl sched-credit -d g2 -w 128
xl sched-credit -d g3 -w 384
sleep 3
a2=$(column g2 6) a3=$(column g3 6)
sleep 12
b2=$(column g2 6) b3=$(column g3 6)
xl destroy g2
xl destroy g3
awk -v x="$a2" -v y="$b2" -v p="$a3" -v q="$b3" 'BEGIN {
	r = (q - p) / (y - x + 0.001)
	print "weights 1:3, shares 1:" r
	exit !(r > 1.9 && r < 4.5) }' || fail "g2 $a2-$b2 s, g3 $a3-$b3 s"
