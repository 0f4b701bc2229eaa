# limit: 600
# The exits of an idle system and of loops in a guest: the outer host counts them between the lines this prints.
# A disk without the hotplug script, whose time limit an emulator in an emulator may not keep.
cat >/etc/xen/scripts/block-direct <<-SCRIPT
	#!/bin/sh
	[ "\$1" != add ] || {
		xenstore-write "\$XENBUS_PATH/physical-device" fe:0
		xenstore-write "\$XENBUS_PATH/hotplug-status" connected
	}
SCRIPT
chmod +x /etc/xen/scripts/block-direct
xl destroy g1 2>/dev/null || :
READY=200 create g2 'disk = [ "format=raw,vdev=xvda,access=rw,script=block-direct,target=/dev/vda" ]'
tty=$(xl domid g2 | xargs -I+ xenstore-read /local/domain/+/console/tty)
exec 3<>"$tty"

mark() { echo "@@ window $*" >/dev/console; }

# ask NAME COMMANDS: has the guest's shell do it, waits for the answer.
ask() {
	local line
	printf '%s; echo over-$((6*7))\n' "$2" >&3
	while read -r -t 200 line <&3; do
		case $line in
		*over-42*) return 0 ;;
		esac
	done
	fail "$1 has no end"
}

window() {
	mark begin "$1"
	ask "$1" "$2"
	mark end "$1"
	sleep 1
}

ask ready 'cd /tmp; stty -echo'
sleep 3
mark begin idle
sleep 20
mark end idle
sleep 1
window fork 'i=0; while [ $i -lt 300 ]; do (:); i=$((i+1)); done'
window exec 'i=0; while [ $i -lt 100 ]; do /bin/busybox true; i=$((i+1)); done'
window pipe 'dd if=/dev/zero bs=1 count=3000 2>/dev/null | cat >/dev/null'
window disk 'dd if=/dev/zero of=/dev/xvda bs=64k count=200 conv=fsync 2>/dev/null; echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/xvda of=/dev/null bs=64k count=200 2>/dev/null'
