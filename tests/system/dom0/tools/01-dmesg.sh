# xl dmesg: the hypervisor's log, and -c clears it.
xl dmesg | match 'Xen version 4.17|Poncho'
before=$(xl dmesg | wc -c)
xl dmesg -c | match .
after=$(xl dmesg | wc -c)
[ "$after" -lt "$before" ] || fail "dmesg -c left $after of $before bytes"
