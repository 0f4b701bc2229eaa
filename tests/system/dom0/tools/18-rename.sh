# xl rename.
need_guest g1 'vcpus = 2'
xl rename g1 other
xl list | match '^other '
is_gone g1
xl rename other g1
is_there g1
xl rename g1 Domain-0 && fail "two domains of one name"
true
