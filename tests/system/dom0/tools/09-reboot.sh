# xl reboot: a new domain of the same name comes up.
create g2
old=$(xl domid g2)
xl reboot g2
is_new() { [ "$(xl domid g2)" != "$old" ]; }
within 40 is_new
twice() { [ "$(grep -c 'guest: ready' $CONSOLES/guest-g2.log)" -ge 2 ]; }
within 40 twice
xl destroy g2
