# SPDX-License-Identifier: MIT
# The package on disk images of whole machines: `make check-install`; INSTALL_TESTS="try efi" some of them, FULL=1 all.
B ?= build

# Below Xen: its domain 0 is the appliance with Debian's tools, and the module is the one that `make linux-module` builds.
ifneq ($(FULL)$(filter outer-xen,$(INSTALL_TESTS)),)
check-install: $(B)/system/tests.cpio $(B)/system/device-model.cpio $(LINUX_OUT)/poncho-blanket.ko
endif

.PHONY: check-install
check-install: deb
	@tests/install/network
	@tests/install/image $(B)/install
	@B=$(B) tests/install/run $(INSTALL_TESTS)
