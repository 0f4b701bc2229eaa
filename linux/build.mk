# SPDX-License-Identifier: MIT
#
# `make linux-module`: build/linux/poncho-blanket.ko, for the kernel that the appliance has. Debian's headers come as packages that
# are only unpacked (scripts/packages); they name each other below /usr, so one tree of hard links is made of the three.
B ?= build

LINUX_OUT := $(abspath $(B))/linux
LINUX_HEADERS := $(LINUX_OUT)/headers/usr/src
LINUX_PACKAGES := linux-headers-amd64 linux-headers-common linux-kbuild-6.1
LINUX_SOURCES := $(wildcard linux/*.[ch]) linux/Kbuild hypervisor/outer/nested_abi.h

$(LINUX_OUT)/headers/.merged: $(B)/debian/.fetched
	@rm -rf $(@D)
	@mkdir -p $(@D)
	@for p in $(LINUX_PACKAGES); do cp -al $(B)/debian/$$p/usr $(@D)/ || exit 1; done
	@sed -i 's#/usr/src/#$(LINUX_HEADERS)/#' $(LINUX_HEADERS)/linux-headers-*-amd64/Makefile
	@touch $@

.PHONY: linux-module
linux-module: $(LINUX_OUT)/poncho-blanket.ko
$(LINUX_OUT)/poncho-blanket.ko: $(LINUX_SOURCES) $(LINUX_OUT)/headers/.merged
	@echo "  KBUILD  $@"
	@mkdir -p $(LINUX_OUT)/module
	@cp -p $(LINUX_SOURCES) $(LINUX_OUT)/module/
	@$(MAKE) -s -C $(LINUX_HEADERS)/linux-headers-*-amd64 M=$(LINUX_OUT)/module CC=gcc W=1 KCFLAGS=-Werror modules \
		>$(LINUX_OUT)/log 2>&1 || { cat $(LINUX_OUT)/log; exit 1; }
	@cp $(LINUX_OUT)/module/poncho-blanket.ko $@
	@strip --strip-debug $@
