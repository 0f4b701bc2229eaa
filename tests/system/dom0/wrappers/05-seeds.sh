# What Xen's manuals show a person typing, typed as they show it; see seeds/lines and seeds/examples. Here, where Python is: their
# configuration files want it.
# limit: 480
cd /tests/wrappers

# What must be there so that nothing in a line needs to change.
ramdisk() { # the guest's, with another start: the root file system of the configuration, and a prompt
	mkdir -p /tmp/root/etc
	cat >/tmp/root/etc/start <<-'START'
		#!/bin/sh
		. /etc/profile
		mount -t proc none /proc
		mount -t sysfs none /sys
		mount -t devtmpfs none /dev
		modprobe -a xen-blkfront ext4
		n=0
		until [ -e /dev/xvda1 ] || [ $n = 100 ]; do
			n=$((n + 1))
			usleep 100000
		done
		mount -t ext4 -o ro /dev/xvda1 /mnt && hostname "$(cat /mnt/hostname)"
		echo "$(hostname) $(grep -o 'VMID=[0-9]* ' /proc/cmdline)login:"
	START
	chmod +x /tmp/root/etc/start
	cat /boot/guest.cpio
	(cd /tmp/root && find . | cpio -o -H newc 2>/dev/null)
}
disk() { # FILE HOSTNAME
	cp /var/lib/xen/images/guest.img "$1"
	mount -o loop "$1" /mnt
	echo "$2" >/mnt/hostname
	umount /mnt
}
program() { # NAME
	cat >"/usr/bin/$1"
	chmod +x "/usr/bin/$1"
}
xen=/home/giorgos/xen tiny=/tests/boot/tiny.elf ubuntu=/var/lib/xen/images/ubuntu-netboot/trusty14LTS
mkdir -p $xen/domains/domu1 $ubuntu /dev/vg0 /etc/xen/auto /etc/init.d
ln -s "$KERNEL" $xen/vmlinux-3.0.4-domU
ramdisk >$xen/initrd.img-3.0.4-domU
disk $xen/domu1.img domu1
truncate -s 1M $xen/swap.img
ln -s $tiny $xen/domains/domu1/vmlinux-3.0.4-domu
ln -s $tiny $ubuntu/vmlinuz
: >$ubuntu/initrd.gz
cp seeds/domu1 seeds/*.* /etc/xen/
# The file that section 5.1 of the guide changes in one line, with a kernel that is sooner there.
sed -e "s/^vif = .*/vif = [ '', 'bridge=br0' ]/" -e "s,^kernel = .*,kernel = '$tiny'," -e 's/512/16/' -e '/^ramdisk/d' \
	seeds/domu1 >seeds/domu1-routed
for bridge in br0 ovsbr0; do ip link add $bridge type bridge && ip link set $bridge up; done
ln -s vif-bridge /etc/xen/scripts/vif-openvswitch
# "Copy one of these files and edit it as appropriate."
sed -e 's/^memory = .*/memory = 96/' -e "/^kernel/a ramdisk = '$xen/initrd.img-3.0.4-domU'" ../install/examples/xmexample2 >/etc/xen/myvmconf
ln -s "$KERNEL" /boot/vmlinuz-6.1.0-xenU
disk /tmp/hda8.img VM1
ln -s "$(losetup -f --show /tmp/hda8.img)" /dev/hda8
ln -s "$(losetup -f --show $xen/swap.img)" /dev/hda6
ln -s /dev/hda6 /dev/vg0/lv_vm_ubuntu
for name in myVM first netcard-dd; do
	printf '%s\n' "name = '$name'" "kernel = '$tiny'" 'memory = 8' >/etc/xen/$name
done
ln -s /etc/xen/first /etc/xen/auto/10-first
# xend's and xendomains' scripts are the ones that are installed.
cp ../install/init/xend ../install/init/xendomains /etc/init.d/
cp ../install/init/functions /usr/lib/xen-common/init-functions
rm -f /etc/default/xendomains /run/lock/xendomains
printf '#!/bin/sh\nexec "$@"\n' | program sudo
printf '#!/bin/sh\nexec "/etc/init.d/$1" "$2"\n' | program service

# How a line is typed and looked at: HOW LINE HOLDS.
out=/tmp/typed.out
prints() {
	bash -c "$1" >$out 2>&1 || fail "$1: $(cat $out)"
	match "$2" <$out
}
does() {
	bash -c "$1" >$out 2>&1 || fail "$1: $(cat $out)"
	within 20 eval "$2"
}
quiet() {
	bash -c "$1" 2>$out >/dev/null || true
	same "what '$1' complains of" "" "$(cat $out)"
}
refused() {
	! bash -c "$1" >$out 2>&1 || fail "$1: done"
	match "^Error: .*$2" <$out
}
later() {
	! bash -c "$1" >$out 2>&1 || fail "$1: done"
	match '^Error: .* is not done by this system yet' <$out
	match "^Hint: .*$2" <$out
}
console() {
	local end=$((SECONDS + 150))
	: >$out
	{
		until grep -aEq -- "$2" $out || [ $SECONDS -gt $end ]; do usleep 200000; done
		printf '\035'
		usleep 300000
	} | script -q -f -c "$1" $out >/dev/null || fail "$1: $(cat $out)"
	tr -d '\r' <$out | match "$2"
}
is_another() { [ "$(xm domid "$1")" != "$myVM" ]; }
bridge_of() { [ -e "/sys/class/net/$2/brif/$1" ]; }

lines=0
while IFS=$'\t' read -r where how line holds; do
	case $where in '' | '#'*) continue ;; esac
	echo "$where: $line"
	! [[ $line = "xm reboot"* ]] || myVM=$(xm domid myVM)
	$how "$line" "$holds"
	[ "$where" = - ] || lines=$((lines + 1))
done <seeds/lines

# Configuration files.
examples=0
example() { # WHERE REGEX: of what is in /tmp/example
	local option=-f
	! grep -q '^(vm' /tmp/example || option=-F
	if [ "$how" = '==' ]; then
		prints "xm create -n $option /tmp/example" "$2"
	else
		refused "xm create -n $option /tmp/example" "$2"
	fi
	examples=$((examples + 1))
}
# The lines of a block follow its heading; the end is one more heading.
block() {
	[ -z "$where" ] || {
		grep -q '^(vm' /tmp/block && cp /tmp/block /tmp/example ||
			{ printf '%s\n' 'kernel = "/boot/vmlinuz"' 'memory = 64' 'name = "example"' && cat /tmp/block; } >/tmp/example
		echo "$where: $(cat /tmp/block)"
		example "$where" "$holds"
	}
	: >/tmp/block
}
where=
while IFS= read -r line; do
	case $line in
	'#'*) ;;
	'=='* | '=!'*)
		block
		how=${line%% *} where=${line#* } holds=${line#*$'\t'}
		where=${where%%$'\t'*}
		;;
	*) printf '%s\n' "$line" >>/tmp/block ;;
	esac
done <seeds/examples
block
echo "figure: $lines lines and $examples configurations of the manuals"
