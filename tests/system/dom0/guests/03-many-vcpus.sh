# More vCPUs than CPUs, all of them busy: the guest comes up and counts them.
# limit: 180
create many 'vcpus = 8' 'memory = 160' 'extra = "console=hvc0 quiet task=threads"'
said many 'guest: init, .* 8 vCPU'
said many 'threads: 8 ran'
xl vcpu-list many
stop many
