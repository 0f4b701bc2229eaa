# xl create -c shows the console; Ctrl+] leaves, the guest stays.
config g2
{ within 60 said g2 'guest: ready'; sleep 1; printf '\necho it-is-$((40 + 2))\n'; sleep 2; printf '\035'; sleep 1; } |
	script -q -c "xl create -c /tmp/g2.cfg" /dev/null >/tmp/console.out
match 'guest: ready' </tmp/console.out
match 'it-is-42' </tmp/console.out
is_there g2
xl destroy g2
