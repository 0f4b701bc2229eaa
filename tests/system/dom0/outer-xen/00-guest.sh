# limit: 600
# Below a Xen, without any device: which services are used, a guest, and that an idle processor sleeps.
xl dmesg | match 'Outer hypervisor: xen; used: xen, clock, TLB flush'
xl dmesg | match 'Loader: PVH'
READY=300 create g1
stop g1
sleep 10
xl debug-keys x
xl dmesg | match 'CPU0: timer writes [1-9][0-9]*,.* halts [1-9]'
