# xl shutdown: the guest's kernel powers off in order.
create g2
xl shutdown -w g2
within 10 is_gone g2
said g2 'The system is going down NOW' || said g2 'Power down' || fail "no orderly end"
