# domU Configuration file
#
# Kernel & ramdisk
kernel = '/home/giorgos/xen/vmlinux-3.0.4-domU'
ramdisk = '/home/giorgos/xen/initrd.img-3.0.4-domU'
#
# Number of virtual CPUs
vcpus = '1'
# Amount of RAM
memory = '512'
# Disk device(s).
root = '/dev/xvda1 ro'
disk = [
            'tap:aio:/home/giorgos/xen/domu1.img,xvda1,w',
            'tap:aio:/home/giorgos/xen/swap.img,xvda2,w',
       ]
# A name for your domain.
name = 'domu1'
# Active:
vif = ['']
# Set if you want dhcp to allocate the IP address.
# dhcp = "dhcp"
# Behaviour
on_poweroff = 'destroy'
on_reboot = 'restart'
on_crash = 'restart'
# Extra kernel parameters
extra = 'console=hvc0 xencons=tty'
