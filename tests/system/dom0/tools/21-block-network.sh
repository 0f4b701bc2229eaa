# xl block-attach/list/detach and network-attach/list/detach on a running guest.
need_guest g1 'vcpus = 2'
cp /var/lib/xen/images/guest.img /tmp/extra.img
xl block-attach g1 'format=raw,vdev=xvdb,access=rw,target=/tmp/extra.img'
xl block-list g1 | match '/tmp/extra.img|51728'
tell g1 'mount /dev/xvdb /mnt && cat /mnt/hello && umount /mnt'
says g1 "This is the guest's disk" 15
xl network-attach g1 bridge=xenbr0
xl network-list g1 | match '^0 '
tell g1 'ls /sys/class/net | tr "\n" "."'
says g1 'eth0\.' 15
xl network-detach g1 0
xl block-detach g1 xvdb
rm /tmp/extra.img
gone() { ! losetup -a | grep extra.img; }
within 10 gone
