# Poncho: what a person types.
#
#   make            build the hypervisor (build/poncho and build/poncho.gz)
#   make tools      build the control tools (build/tools)
#   make deb        one Debian package of both (build/poncho_VERSION_amd64.deb)
#   make run        boot it all in QEMU with Debian's kernel as domain 0
#   make check      build with gcc and clang, run every test
#   make bench      figures beside Debian's Xen 4.17
#
# run, check and bench install and fetch what they lack. Each folder's build.mk adds its own rules; everything built goes
# below build/.

B := build
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
CC := gcc

include $(wildcard hypervisor/build.mk tools/build.mk linux/build.mk install/build.mk appliance/build.mk tests/unit/build.mk tests/fuzz/build.mk \
	tests/tools/build.mk tests/guest/build.mk tests/system/build.mk tests/install/build.mk bench/build.mk docs/build.mk)

.PHONY: all run check clean setup
all: hypervisor

setup:
	@scripts/setup

run: setup
	@$(MAKE) --no-print-directory hypervisor appliance
	@scripts/run

check: setup
	@scripts/check

clean:
	rm -rf $(B)
