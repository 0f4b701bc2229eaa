# A guest's clocks: the same second as domain 0's, and a sleep of 3 s takes 3 s.
create clock 'extra = "console=hvc0 quiet task=clock"'
grep '^clock:' $CONSOLES/guest-clock.log
said clock 'clock: source xen'
said clock 'clock: slept 3 s'
there=$(sed -n 's/^clock: now \([0-9]*\).*/\1/p' $CONSOLES/guest-clock.log)
here=$(date +%s)
[ $((here - there)) -ge 0 ] && [ $((here - there)) -le 30 ] || fail "the guest's time $there, domain 0's $here"
xl destroy clock
