# xl list, list -l, list -v, vcpu-list with domain 0 alone.
xl list | match '^Domain-0 +0 +[0-9]+ +[0-9]+ +r----- +[0-9.]+'
xl list -l | match '"domid": 0'
xl list -v | match '^Domain-0 .*00000000-0000-0000-0000-000000000000'
xl list -c | match 'Pool-0'
xl vcpu-list | match '^Domain-0 +0 +0 +[0-9]+ +[r-]'
xl list nosuchguest && fail "a guest that is not there is listed"
xl cpupool-list | match '^Pool-0 +[0-9]+ +credit'
