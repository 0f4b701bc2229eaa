# xl vcpu-pin: hard and soft affinity are kept and followed.
need_guest g1 'vcpus = 2'
pinned() { xl vcpu-list g1 | awk -v c="$1" -v w="$2" 'NR > 1 && $3 == 0 { exit !($4 ~ c && $7 == w) }'; }
xl vcpu-pin g1 0 1
xl vcpu-list g1
tell g1 'true'
pinned '^[1-]$' 1
xl vcpu-pin g1 0 0
tell g1 'true'
pinned '^[0-]$' 0
xl vcpu-pin g1 all all
pinned . all
xl vcpu-pin g1 0 all 1
xl vcpu-list g1 | match 'all / 1$'
xl vcpu-pin g1 all all all
xl vcpu-pin g1 0 63 && fail "pinned to a CPU that is not there"
true
