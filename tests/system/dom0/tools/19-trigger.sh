# xl trigger nmi and xl sysrq reach the guest, and it lives.
need_guest g1 'vcpus = 2'
xl trigger g1 nmi 0
tell g1 'echo 9 > /proc/sys/kernel/sysrq; echo 8 > /proc/sysrq-trigger; dmesg -n 8'
xl sysrq g1 h
tell g1 'dmesg | tail -n 5; echo alive-$((3 + 4))'
says g1 'alive-7' 10
tell g1 'dmesg -n 1'
