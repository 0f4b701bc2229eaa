# What Ganeti's data collectors read, by the rules of its parsers (the collectors themselves ask a cluster's daemon first): of
# "xentop -f -b -i 1" the columns NAME and CPU(sec), of "xl list --long" an S-expression a domain, with its domid, name, state and
# cpu_time as direct children, of "xl uptime" name, id and time.
create watched
xentop -f -b -i 1 >/tmp/xentop
awk '$1 == "NAME" && $3 == "CPU(sec)" { head = 1 } head && $1 == "watched" && $3 ~ /^[0-9]+$/ { seen = 1 } END { exit !seen }' /tmp/xentop ||
	fail "$(cat /tmp/xentop)"
grep -q '^output_format' /etc/xen/xl.conf || echo 'output_format="sxp"' >>/etc/xen/xl.conf
xl list --long >/tmp/long.sxp
sed -i '/^output_format/d' /etc/xen/xl.conf
python3 - <<'PYTHON'
import re
text = open("/tmp/long.sxp").read()
tokens = re.findall(r'[()]|"[^"]*"|[^\s()]+', text)
stack = [[]]
for token in tokens:
    if token == "(":
        stack.append([])
    elif token == ")":
        done = stack.pop()
        stack[-1].append(done)
    else:
        stack[-1].append(token)
domains = {}
for domain in stack[0]:
    assert domain[0] == "domain", domain
    direct = {m[0]: m[1] for m in domain[1:] if isinstance(m, list) and len(m) == 2}
    domains[direct["name"]] = (int(direct["domid"]), direct["state"], float(direct["cpu_time"]))
assert set(domains) == {"Domain-0", "watched"}, domains
assert re.fullmatch("[r-][b-][p-][s-][c-][d-]", domains["watched"][1]), domains
PYTHON
xl uptime | match '^watched +[0-9]+ +[0-9:]+'
stop watched
