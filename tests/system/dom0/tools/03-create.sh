# xl create; list, list -l, vcpu-list, domid, domname, uptime show the guest.
create g1 'vcpus = 2'
xl list | match '^g1 +[1-9][0-9]* +96 +2 +[rb-]'
id=$(xl domid g1)
same domname g1 "$(xl domname "$id")"
xl list -l g1 | match '"name": "g1"'
xl vcpu-list g1 | match "^g1 +$id +0 +[0-9-]+ +[rb-]"
same "lines of vcpu-list" 3 "$(xl vcpu-list g1 | wc -l)"
xl uptime g1 | match "g1 +$id +[0-9]+:[0-9]+:[0-9]+"
xl create -q /tmp/g1.cfg && fail "a second guest of the same name"
xl list | match '^g1 '
