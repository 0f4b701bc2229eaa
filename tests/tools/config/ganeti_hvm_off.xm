name="g"
bootloader='/usr/bin/pygrub'
bootargs='-q'
memory = 128
maxmem = 128
vcpus = 1
cpus = [ "0", "1-3", "0-63" ]
disk=['tap2:tapdisk:aio:/srv/f,sda,w']
