# xl sched-credit: weight and cap are kept, and a cap holds.
need_guest g1 'vcpus = 2'
xl sched-credit | match '^Domain-0 +0 +256 +0$'
xl sched-credit -d g1 -w 512 -c 50
xl sched-credit -d g1 | match '^g1 +[0-9]+ +512 +50$'
xl sched-credit -d g1 -w 256 -c 0
xl sched-credit -d g1 -w 99999999 && fail "a weight out of range was taken"
xl sched-credit -d g1 | match '^g1 +[0-9]+ +256 +0$'
xl sched-credit -s | match 'tslice='
create g2 'extra = "console=hvc0 quiet task=burn"'
xl sched-credit -d g2 -c 25
sleep 2
a=$(column g2 6)
sleep 6
b=$(column g2 6)
awk -v a="$a" -v b="$b" 'BEGIN { print "used", b - a; exit !(b - a < 2.4 && b - a > 0.6) }' ||
	fail "under a cap of 25 % the guest used $a to $b s in 6 s"
xl destroy g2
