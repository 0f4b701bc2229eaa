# xl destroy; what is no longer there cannot be acted on.
config g2
xl create -q /tmp/g2.cfg
id=$(xl domid g2)
xl destroy g2
within 10 is_gone g2
xl list | grep '^g2 ' && fail "still listed"
xl domname "$id" && fail "a domain that is gone has a name"
xl list "$id" && fail "a domain that is gone is listed"
xl destroy 0 && fail "domain 0 destroyed itself"
xl list | match '^Domain-0'
