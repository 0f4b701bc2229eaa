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

# The outer host of the machines outer-kvm*, and how the system on the CD-ROM of outer-xen-hvm begins.
$(B)/system/outer.cpio: KIND := kvm
$(B)/system/outer.cpio: tests/system/outer/init-kvm
$(B)/system/cd.cpio: KIND := cd
$(B)/system/cd.cpio: tests/system/outer/init-cd
$(B)/system/outer.cpio $(B)/system/cd.cpio: $(B)/debian/.fetched tests/system/outer/pack
	@mkdir -p $(@D)
	@echo "  PACK    $@"
	@tests/system/outer/pack $(KIND) $(B)/debian $@

# The device model of an outer domain 0's HVM guests, downloaded.
$(B)/system/device-model.cpio: $(B)/debian/.fetched tests/system/outer/device-model
	@mkdir -p $(@D)
	@echo "  PACK    $@"
	@tests/system/outer/device-model $(B) $@

# What the machines outer-xen* have besides: the module for domain 0, a hostile back end for the outer one.
$(B)/system/blanket.cpio: $(LINUX_OUT)/poncho-blanket.ko
	@mkdir -p $(B)/system/blanket/tests/boot
	@cp $< $(B)/system/blanket/tests/boot/
	@cd $(B)/system/blanket && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet >../blanket.cpio

$(B)/system/hostile-back: tests/system/outer/hostile_back.c
	@mkdir -p $(@D)
	@gcc -std=gnu11 -O2 -Wall -Werror -D_GNU_SOURCE -static -o $@ $< -lxengnttab -lxenevtchn -lxenstore -lxentoolcore \
		-lxentoollog -lxencall -lpthread

.PHONY: check-system
check-system: $(SYSTEM) $(B)/system/outer.cpio $(B)/system/blanket.cpio $(B)/system/hostile-back $(if $(HV),,$(B)/poncho) \
		$(if $(filter outer-xen-hvm%,$(or $(MACHINES),$(if $(FULL),outer-xen-hvm))),$(B)/system/cd.cpio $(B)/system/device-model.cpio)
	@B=$(B) HV=$(or $(HV),$(B)/poncho) tests/system/run $(MACHINES)
