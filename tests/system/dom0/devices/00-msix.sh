# Domain 0 drives QEMU's devices, and those that can use MSI-X or MSI do.
lspci() { for d in /sys/bus/pci/devices/*; do echo "${d##*/} $(cat "$d/class") $(basename "$(readlink "$d/driver" || echo none)")"; done; }
lspci
for driver in virtio-pci e1000 ahci nvme; do
	lspci | match " $driver\$"
done
cat /proc/interrupts
match 'xen-pirq +-msi-x +virtio[0-9]' </proc/interrupts
match 'xen-pirq +-msi-x +nvme' </proc/interrupts
match 'xen-pirq +-msi +ahci' </proc/interrupts
match 'xen-pirq +-ioapic' </proc/interrupts
