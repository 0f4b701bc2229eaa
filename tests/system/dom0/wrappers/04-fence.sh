# fence_xenapi, as it is: the fencing agent finds the machine's domains over XenAPI, asks for their state, switches them off and on.
# limit: 240
cat >/etc/xen/xend-config.sxp <<'SXP'
(xen-api-server ((9363 token '^localhost$ ^127\\.0\\.0\\.1$')))
(xend-token-file /etc/xen/xend-tokens)
SXP
(umask 077 && echo 'a-secret-of-32-characters-or-more' >/etc/xen/xend-tokens)
xend restart
fence() {
	PYTHONPATH=/usr/share/fence:/usr/lib/python3/dist-packages python3 /usr/sbin/fence_xenapi \
		--session-url=http://127.0.0.1:9363 --username=root --password="$1" "${@:2}" >/tmp/fence.out 2>&1
}
secret=a-secret-of-32-characters-or-more
config fenced
xm new -q /tmp/fenced.cfg
xm start fenced
within 60 is_there fenced
uuid=$(xm list -l fenced | sed -n 's/.*(uuid "*\([0-9a-f-]*\)"*).*/\1/p' | head -n 1)
fence $secret --action=list || fail "$(cat /tmp/fence.out)"
match "$uuid.*fenced|fenced.*$uuid" </tmp/fence.out
fence $secret --action=status --plug="$uuid" || fail "$(cat /tmp/fence.out)"
match 'Status: ON' </tmp/fence.out
! fence wrong-secret --action=status --plug="$uuid"
fence $secret --action=off --plug="$uuid" || fail "$(cat /tmp/fence.out)"
is_gone fenced
! fence $secret --action=status --plug="$uuid" || match 'Status: OFF' </tmp/fence.out
fence $secret --action=on --plug="$uuid" || fail "$(cat /tmp/fence.out)"
is_there fenced
xm destroy fenced
xm delete fenced
rm /etc/xen/xend-config.sxp
xend restart
