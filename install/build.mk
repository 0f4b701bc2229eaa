# SPDX-License-Identifier: MIT
#
# `make deb`: one Debian package, build/poncho_VERSION_amd64.deb, of the hypervisor, the tools and what goes around them.
B ?= build

.PHONY: deb
deb: hypervisor tools
	@install/deb/pack $(B)
