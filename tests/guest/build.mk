# SPDX-License-Identifier: MIT
#
# The test kernels: each folder with a main.c becomes build/tests/guest/<folder>, a PV kernel that ends
# with a verdict line.  To run one by hand:
#
#   qemu-system-x86_64 -accel tcg -cpu max,-la57,-smap -m 512 -display none -no-reboot \
#       -serial stdio -kernel build/poncho -append "console=com1 dom0=pv" \
#       -initrd build/tests/guest/hello
#
# tests/guest/run boots them all, on build/poncho or on any hypervisor named in HV.

B ?= build
GUEST_CC ?= $(CC)
GUEST_OUT := $(B)/tests/guest
GUEST_TESTS := $(patsubst tests/guest/%/main.c,%,$(wildcard tests/guest/*/main.c))
GUEST_LIB_SRC := $(wildcard tests/guest/lib/*.c) tests/guest/lib/start.S
GUEST_LIB_OBJ := $(patsubst tests/guest/lib/%,$(GUEST_OUT)/lib/%.o,$(basename $(GUEST_LIB_SRC)))

GUEST_WARN := -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-sign-compare -Werror
GUEST_CFLAGS := -std=gnu11 -O2 -g $(GUEST_WARN) -ffreestanding -fno-stack-protector -fno-pic \
	-fno-pie -fno-asynchronous-unwind-tables -fno-builtin-printf -mno-red-zone -mcmodel=kernel \
	-mgeneral-regs-only -fcf-protection=none -fno-strict-aliasing \
	-D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ -Itests/guest/lib
GUEST_LDFLAGS := -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,-T,tests/guest/lib/guest.lds

$(GUEST_OUT)/lib/%.o: tests/guest/lib/%.c tests/guest/build.mk
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(GUEST_OUT)/lib/%.o: tests/guest/lib/%.S tests/guest/build.mk
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -D__ASSEMBLY__ -c -o $@ $<

$(GUEST_OUT)/obj/%.o: tests/guest/%.c tests/guest/build.mk
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

# One image a test, from every source in its folder.
define GUEST_TEST
$(GUEST_OUT)/$(1): $(patsubst tests/guest/%.c,$(GUEST_OUT)/obj/%.o,$(wildcard tests/guest/$(1)/*.c)) \
		$(GUEST_LIB_OBJ) tests/guest/lib/guest.lds
	$$(GUEST_CC) $$(GUEST_LDFLAGS) -o $$@ $$(filter %.o,$$^)
endef
$(foreach t,$(GUEST_TESTS),$(eval $(call GUEST_TEST,$(t))))

GUEST_IMAGES := $(addprefix $(GUEST_OUT)/,$(GUEST_TESTS))

.PHONY: guest-images guest-tests domU-tests
guest-images: $(GUEST_IMAGES)

guest-tests: guest-images $(if $(HV),,$(B)/poncho)
	tests/guest/run --hv $(or $(HV),$(B)/poncho) --images $(GUEST_OUT)

# The same kernels as unprivileged guests, started by Debian's xl in the appliance.
domU-tests: guest-images $(APPLIANCE) $(if $(HV),,$(B)/poncho)
	tests/guest/run --guest --hv $(or $(HV),$(B)/poncho) --images $(GUEST_OUT)

-include $(wildcard $(GUEST_OUT)/lib/*.d $(GUEST_OUT)/obj/*/*.d)
