# Impossible wishes are refused and leave nothing behind.
before=$(free_memory)
config g2 'memory = 9999999'
xl create -q /tmp/g2.cfg && fail "a guest larger than the machine"
config g2 'kernel = "/etc/passwd"'
xl create -q /tmp/g2.cfg && fail "a kernel that is none"
config g2 'ramdisk = "/nosuchfile"'
xl create -q /tmp/g2.cfg && fail "a ramdisk that is not there"
is_gone g2
back() { [ "$(free_memory)" -ge "$before" ]; }
within 15 back
