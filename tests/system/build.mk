# SPDX-License-Identifier: MIT
# The system tests: machines in QEMU. `make check-system` runs them all, MACHINES="tools boot" some of them, HV=FILE
# on another hypervisor (Debian's: HV=build/appliance/xen).
B ?= build

SYSTEM := $(B)/system/tests.cpio

$(SYSTEM): $(APPLIANCE) tests/system/pack tests/system/repack-kernel $(B)/tests/guest/hostile \
		$(B)/tests/guest/rings $(B)/tests/guest/nested $(B)/tests/tiny.elf \
		$(shell find tests/system/dom0 tests/system/guest install -type f)
	@echo "  PACK    $@"
	@tests/system/pack $(B)/appliance $(B)/tests/guest $(B)/tests/tiny.elf $(B)/system
	@touch $@

# The outer host of the machines outer-*.
$(B)/system/outer.cpio: $(B)/debian/.fetched tests/system/outer/pack tests/system/outer/init
	@mkdir -p $(@D)
	@echo "  PACK    $@"
	@tests/system/outer/pack $(B)/debian $@

.PHONY: check-system
check-system: $(SYSTEM) $(B)/system/outer.cpio $(if $(HV),,$(B)/poncho)
	@B=$(B) HV=$(or $(HV),$(B)/poncho) tests/system/run $(MACHINES)
