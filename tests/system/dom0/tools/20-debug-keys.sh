# xl debug-keys: keys as on the serial console; h lists them, q tells of the domains.
before=$(xl dmesg | wc -l)
xl debug-keys h
after=$(xl dmesg | wc -l)
[ "$after" -gt "$before" ] || fail "key h printed nothing"
xl debug-keys q
xl debug-keys r
xl dmesg | tail -n 200 | match '[Dd]omain'
