name="v"
kernel="/k"
vif="bridge=vnet97"
dhcp="dhcp"
console=9601
cpus=["2", "8"]
vcpus=2
