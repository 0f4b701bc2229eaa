# Debian's cloud kernel (LZ4, other options than domain 0's) as a guest with disk and network.
# limit: 120
create cloud 'kernel = "/tests/boot/vmlinuz-cloud"' 'ramdisk = "/tests/boot/guest-cloud.cpio"' 'memory = 160' \
	'disk = [ "format=raw,vdev=xvda,access=ro,target=/var/lib/xen/images/guest.img" ]' \
	'vif = [ "bridge=xenbr0" ]' 'extra = "console=hvc0 quiet address=192.168.77.5/24"'
said cloud 'guest: init, 6\.1.*cloud'
said cloud "guest: xvda holds: This is the guest's disk"
ping -c 3 -W 3 192.168.77.5 | match ' 0% packet loss'
stop cloud
