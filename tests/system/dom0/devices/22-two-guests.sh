# Two guests reach each other through the bridge.
# limit: 120
create a 'vif = [ "bridge=xenbr0" ]' 'extra = "console=hvc0 quiet address=192.168.77.8/24"'
create b 'vif = [ "bridge=xenbr0" ]' 'extra = "console=hvc0 quiet address=192.168.77.9/24"'
tell a 'ping -c 3 -W 3 192.168.77.9'
says a ' 0% packet loss' 20
xl destroy a
xl destroy b
