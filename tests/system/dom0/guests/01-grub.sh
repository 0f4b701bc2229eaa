# GRUB for Xen as the guest's kernel: reads its disk, loads Debian's kernel from there and starts it.
# limit: 120
create grub 'kernel = "/tests/boot/pvgrub"' 'ramdisk = ""' 'memory = 192' \
	'disk = [ "format=raw,vdev=xvda,access=rw,target=/tests/boot/grub.img" ]' 'extra = ""'
said grub 'guest: init, 6\.1'
said grub 'guest: xvda is mounted'
xl list grub
stop grub
