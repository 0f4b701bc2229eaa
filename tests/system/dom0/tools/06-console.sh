# xl console: what is typed reaches the guest.
need_guest g1 'vcpus = 2'
tell g1 'echo typed-$((20 + 3))'
says g1 'typed-23' 10
