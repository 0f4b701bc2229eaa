# Which hypervisor is below is known, and what makes it step in is counted.
xl dmesg | grep -q Poncho || skip "not this hypervisor"
xl dmesg | match 'Outer hypervisor: (kvm|kvm\+hyperv); used: kvm.*, clock, end of interrupt, IPIs, TLB flush'
xenperf | match '^outer kvm.*: halts +T= +[1-9]'
xl debug-keys x
xl dmesg | match 'CPU1: timer writes [1-9][0-9]*, ends of interrupt [0-9]+, interrupts sent [1-9]'
