# A template for many guests: xm create template vmid=1
import os, re

def vmid_check(var, val):
    val = int(val)
    if val <= 0:
        raise ValueError
    return val

xm_vars.var('vmid',
            use="Virtual machine id. Integer greater than 0.",
            check=vmid_check)
xm_vars.check()

kernel = "/boot/vmlinuz-2.6-xenU"
memory = 64
name = "VM%d" % vmid
base_partition_number = 6
disk = [ 'phy:your_hard_drive%d,sda1,w' % (base_partition_number + vmid),
	 'phy:your_usr_partition,sda6,r' ]
vif = [ 'mac=00:16:3e:00:00:%02x, bridge=xen-br0' % vmid ]
dhcp = "dhcp"
hostname = "vm%d" % vmid
root = "/dev/sda1 ro"
if vmid > 2:
    extra = "4"
else:
    extra = "5"
