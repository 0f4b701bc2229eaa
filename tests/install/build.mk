# SPDX-License-Identifier: MIT
# The package on disk images of whole machines: `make check-install`; INSTALL_TESTS="try efi" some of them, FULL=1 all.
B ?= build

.PHONY: check-install
check-install: deb
	@tests/install/network
	@tests/install/image $(B)/install
	@B=$(B) tests/install/run $(INSTALL_TESTS)
