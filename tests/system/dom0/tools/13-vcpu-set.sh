# xl vcpu-set: the guest takes vCPUs off and on.
need_guest g1 'vcpus = 2'
running() { xl vcpu-list g1 | awk -v n="$1" 'NR > 1 && $5 !~ /p/ { c++ } END { exit c != n }'; }
running 2
xl vcpu-set g1 1
within 20 running 1
tell g1 'echo cpus-$(nproc)-on'
says g1 'cpus-1-on' 10
# Linux waits for its user space (udev in a whole Debian) to say that the new CPU be used.
xl vcpu-set g1 2
online() {
	tell g1 'echo 1 > /sys/devices/system/cpu/cpu1/online; echo cpus-$(nproc)-on'
	said g1 'cpus-2-on'
}
within 20 online
within 10 running 2
