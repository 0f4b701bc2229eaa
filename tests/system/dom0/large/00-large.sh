# 16 GB and 4 CPUs: all of it is found, all of it can be given away.
# limit: 500
xl info | match '^total_memory +: 16[0-9]{3}$'
xl info | match '^nr_cpus +: 4$'
same "CPUs of domain 0" 4 "$(vcpus_of Domain-0)"
same "CPUs that domain 0 uses" 4 "$(nproc)"
READY=240
create four 'vcpus = 4' 'memory = 256'
said four 'guest: init, .* 4 vCPU'
xl vcpu-list four
stop four
# Handed out from above 4 GB; it never runs, the memory is only given and taken back.
before=$(free_memory)
config big 'memory = 3000'
xl create -q -p /tmp/big.cfg
xl list big
less() { [ $((before - $(free_memory))) -ge 3000 ]; }
less
xl destroy big
back() { [ "$(free_memory)" -ge "$before" ]; }
within 60 back
