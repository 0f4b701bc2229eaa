# xl top's program in batch mode.
need_guest g1 'vcpus = 2'
xentop -b -i 2 -d 1 >/tmp/top
match '^ +Domain-0 ' </tmp/top
match '^ +g1 .*[0-9.]+' </tmp/top
xl uptime | match 'Domain-0'
