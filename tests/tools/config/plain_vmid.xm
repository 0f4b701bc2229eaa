# used, though nothing is declared
kernel = "/k"
name = "vm" + vmid
memory = 32 * vmid
vif = ['ip=10.0.0.%s' % vmid]
