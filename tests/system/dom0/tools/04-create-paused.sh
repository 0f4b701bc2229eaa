# xl create -p does not run; unpause runs it.
config g2
xl create -q -p /tmp/g2.cfg
sleep 1
state_of g2 | match p
[ ! -s $CONSOLES/guest-g2.log ] || fail "a guest that is paused spoke"
xl unpause g2
says g2 'guest: ready' 90
xl destroy g2
within 10 is_gone g2
