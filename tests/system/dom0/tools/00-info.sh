# xl info: the machine and the hypervisor.
xl info >/tmp/info
cat /tmp/info
match '^release +: 6\.1' </tmp/info
match '^nr_cpus +: [1-9]' </tmp/info
match '^cpu_mhz +: [1-9]' </tmp/info
match '^total_memory +: [1-9]' </tmp/info
match '^free_memory +: [1-9]' </tmp/info
match '^xen_major +: 4$' </tmp/info
match '^xen_minor +: 17$' </tmp/info
match '^xen_caps +: xen-3.0-x86_64' </tmp/info
match '^xen_scheduler +: credit' </tmp/info
match '^xen_pagesize +: 4096' </tmp/info
match '^virt_caps +: pv' </tmp/info
match '^xen_commandline +:.*console=com1' </tmp/info
xl info -n | match 'numa_info'
