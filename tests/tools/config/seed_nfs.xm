kernel = "/home/giorgos/xen/domains/domu1/vmlinux-3.0.4-domu"
memory = 128
name = "domu1"
vif = ['','bridge=br0']
ip='192.168.2.2'
netmask='255.255.255.0'
gateway='192.168.2.1'
hostname='domu1'
root ='/dev/nfs'
nfs_server ='192.168.2.1'
nfs_root ='/export/domu1'
extra = "4"
on_poweroff = 'destroy'
on_reboot = 'restart'
on_crash = 'restart'
