# Ganeti 3.0.2's class for Xen, as it is, by xm and by xl; and its collectors.
# limit: 400
mkdir -p /var/lib/ganeti /run/ganeti /var/log/ganeti/xen /etc/xen/xen
truncate -s 16M /tmp/ganeti.img
losetup /dev/loop7 /tmp/ganeti.img
for command in xm xl; do
	which $command >/dev/null || continue
	KERNEL=$KERNEL python3 -I -S /tests/wrappers/ganeti.py $command | match "works with $command"
done
losetup -d /dev/loop7
