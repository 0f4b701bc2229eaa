# Who may speak to xend and who may not, over its Unix socket and over TCP: strangers, wrong tokens, other origins and hosts, slow and
# oversized requests are each refused; xend lives on, and does not grow.
# limit: 400
command -v xm >/dev/null || skip "xend is not among Debian's tools"
TOKEN=a-token-of-32-characters-or-more
GOOD=("Host: localhost:8000" "Authorization: Bearer $TOKEN")
cat >/etc/xen/xend-config.sxp <<'SXP'
(xend-http-server yes)
(xend-token-file /etc/xen/xend-tokens)
SXP
(umask 077 && echo $TOKEN >/etc/xen/xend-tokens)
had_passwd=$(ls /etc/passwd 2>/dev/null || true)
if [ ! "$had_passwd" ]; then
	printf '%s\n' 'root:x:0:0::/root:/bin/sh' 'nobody:x:65534:65534::/:/bin/sh' 'member:x:1000:1000::/:/bin/sh' >/etc/passwd
	printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' 'member:x:1000:' 'xen:x:900:member' >/etc/group
fi
xend restart
pid=$(cat /run/xend.pid)

# ask METHOD PATH [HEADER...] <BODY: the whole answer; what is left unread is xend's to get rid of.
ask() (
	trap '' PIPE
	exec 3<>/dev/tcp/127.0.0.1/8000
	{
		printf '%s %s HTTP/1.1\r\n' "$1" "$2"
		shift 2
		[ $# = 0 ] || printf '%s\r\n' "$@"
		printf 'Connection: close\r\n\r\n'
		cat
	} >&3 2>/dev/null || true
	timeout 30 cat <&3 2>/dev/null || true
)

# expect STATUS WORDS METHOD PATH [HEADER...] <BODY
expect() {
	local wanted=$1 words=$2 answer
	shift 2
	answer=$(ask "$@" | tr -d '\r\0')
	match "^HTTP/1.1 ($wanted) " <<<"$answer"
	match "$words" <<<"$answer"
}

nobody() { su nobody -s /bin/sh -c "$*"; }

# may_not COMMAND...: it fails, and says that it may not.
may_not() {
	! "$@" >/tmp/access.log 2>&1 || fail "this went well: $*"
	match 'root|group xen|[Pp]ermission' </tmp/access.log
}

memory_of_xend() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }

hostile() {
	expect 401 'a token is missing' GET /v1/domains 'Host: localhost' </dev/null
	expect '401|429' 'the token is not known|wrong tokens' GET /v1/domains 'Host: localhost' "Authorization: Bearer x$TOKEN" </dev/null
	expect 401 'a token is missing' GET /metrics 'Host: localhost' </dev/null
	expect 403 'other origins' GET /v1/domains "${GOOD[@]}" 'Origin: http://example.org' </dev/null
	expect 403 'other origins' POST /RPC2 "${GOOD[@]}" 'Origin: null' 'Content-Length: 0' </dev/null
	expect 403 'host is not served' GET /v1/domains 'Host: example.org' "${GOOD[1]}" </dev/null
	expect 413 'larger than 1 MiB' POST /v1/domains "${GOOD[@]}" 'Content-Length: 1048577' </dev/null
	expect 413 'larger than 1 MiB' POST /v1/domains "${GOOD[@]}" 'Transfer-Encoding: chunked' < <(
		for _ in $(seq 20); do printf '10000\r\n%065536d\r\n' 0; done
		printf '0\r\n\r\n'
	)
	expect 431 '' GET /v1/domains "${GOOD[@]}" "X-Long: $(printf '%032768d' 0)" </dev/null
	expect 404 'no such resource' GET '/v1/a b' "${GOOD[@]}" </dev/null
	expect 400 'no JSON' POST /v1/domains "${GOOD[@]}" 'Content-Length: 5' <<<'{"a":'
	ask "$(head -c 3000 /dev/urandom | tr -d '\0')" / </dev/null >/dev/null
}

# Whoever is neither root nor of the group xen.
ls -l /run/xend/api.sock | match '^srw-rw----'
may_not nobody xm list
may_not nobody xm mem-set 0 400
chmod 0666 /run/xend/api.sock # the mode is not all there is
may_not nobody xm list
may_not nobody xm mem-set 0 400
chmod 0660 /run/xend/api.sock
xm list | match '^Domain-0'
[ "$had_passwd" ] || su member -s /bin/sh -c 'xm list' | match '^Domain-0'

# Those who may.
expect 200 '"status":"ok"' GET /healthz 'Host: localhost' </dev/null
expect 200 '"name":"Domain-0"' GET /v1/domains "${GOOD[@]}" </dev/null
expect 200 '"name":"Domain-0"' GET /v1/domains/0 'Host: 127.0.0.1:8000' "${GOOD[1]}" 'Origin: http://127.0.0.1:8000' </dev/null
expect 200 'xen_domain_cpu_seconds_total.*Domain-0' GET /metrics "${GOOD[@]}" </dev/null
expect 200 '"/v1/domains/\{domain\}/vcpus"' GET /openapi.json "${GOOD[@]}" </dev/null
expect 200 '"weight":[0-9]+' GET /v1/schedulers "${GOOD[@]}" </dev/null
expect 404 'no such resource' GET /v1/nothing "${GOOD[@]}" </dev/null
expect 405 'Allow: GET' PUT /metrics "${GOOD[@]}" 'Content-Length: 0' </dev/null

# Ten wrong tokens, and who brings more must wait; the right one counts all the same.
hostile
for _ in $(seq 10); do ask GET / 'Host: localhost' 'Authorization: Bearer x' </dev/null >/dev/null; done
expect 429 'Retry-After: [0-9]' GET /v1/domains 'Host: localhost' 'Authorization: Bearer x' </dev/null
expect 200 'Domain-0' GET /v1/domains "${GOOD[@]}" </dev/null

# Slow ones, and more than one caller may have: each is let go in time, and nobody else waits for them.
begin=$SECONDS
exec 4<>/dev/tcp/127.0.0.1/8000
printf 'GET /v1/domains HTTP/1.1\r\nHost: loc' >&4
exec 5<>/dev/tcp/127.0.0.1/8000
printf 'POST /v1/domains HTTP/1.1\r\n%s\r\n%s\r\nContent-Length: 100\r\n\r\n{' "${GOOD[@]}" >&5
idle() {
	exec 6<>/dev/tcp/127.0.0.1/8000
	exec sleep 60
}
for _ in $(seq 30); do idle 2>/dev/null & done
xm list | match '^Domain-0'
timeout 20 cat <&4 >/dev/null || fail "half a header is waited for"
timeout 20 cat <&5 >/dev/null || fail "half a body is waited for"
[ $((SECONDS - begin)) -ge 8 ] || fail "a request has not even ten seconds"
exec 4>&- 5>&-
kill $(jobs -p) 2>/dev/null || true
served() { [[ $(ask GET /healthz 'Host: localhost' </dev/null) == HTTP/1.1\ 200* ]]; }
within 15 served

# A new token counts at once; what takes a restart is named.
(umask 077 && echo "new-$TOKEN" >/etc/xen/xend-tokens)
expect '401|429' 'not known|wrong tokens' GET /v1/domains "${GOOD[@]}" </dev/null
(umask 077 && echo $TOKEN >/etc/xen/xend-tokens)
echo '(xend-port 8001) (dom0-min-mem 128) (xend-http-hosts known.example)' >>/etc/xen/xend-config.sxp
xend reload
named() { xm log | grep -q 'xend-port stays as it was until xend is started anew'; }
within 10 named
! xm log | grep -q 'dom0-min-mem stays' || fail "dom0-min-mem does not take a restart"
expect 200 '"dom0-min-mem":128' GET '/v1/node?detail=0' 'Host: known.example:8000' "${GOOD[1]}" </dev/null

# It does not grow, once the allocator has kept what one round takes, and is the same process.
for _ in $(seq 3); do hostile; done
before=$(memory_of_xend)
for _ in $(seq 4); do hostile; done
after=$(memory_of_xend)
echo "figure: xend's memory before and after 48 hostile requests: $before and $after KiB"
[ "$after" -le $((before + 256)) ] || fail "xend grew from $before to $after KiB"
same "xend's process" "$pid" "$(cat /run/xend.pid)"
expect 200 'Domain-0' GET /v1/domains "${GOOD[@]}" </dev/null
rm /etc/xen/xend-config.sxp /etc/xen/xend-tokens
[ "$had_passwd" ] || rm /etc/passwd /etc/group
xend restart
