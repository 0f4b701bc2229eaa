# SPDX-License-Identifier: MIT
#
# Fuzz targets: each tests/fuzz/fuzz_NAME.c becomes a libFuzzer program from the hypervisor's real
# sources, under AddressSanitizer and UBSan. `make fuzz` runs each for FUZZ_SECONDS, `make fuzz-NAME`
# one. To add one: write the file, and name its sources here as in tests/unit/build.mk.

fuzz-decompress := $(unit-decompressors)
fuzz-kernel_image := $(unit-kernel_image)

B ?= build
fuzz-names := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
fuzz-cflags := $(filter-out -O1,$(unit-cflags)) -O2 -fsanitize=fuzzer
fuzz-objs = $(patsubst %.c,$(B)/fuzz/$1/%.o,\
	tests/fuzz/fuzz_$1.c $(foreach s,$(fuzz-$1) $(unit-always),$(call unit-path,$s)))

define fuzz-program
$(B)/fuzz/fuzz_$1: $(call fuzz-objs,$1)
	@clang $$(fuzz-cflags) -o $$@ $$^ $(fuzz-$1-libs)
$(B)/fuzz/$1/%.o: %.c tests/fuzz/build.mk tests/unit/build.mk
	@mkdir -p $$(@D)
	@clang $$(fuzz-cflags) $(fuzz-$1-flags) -MMD -MP -c -o $$@ $$<
-include $(patsubst %.o,%.d,$(call fuzz-objs,$1))
endef
$(foreach n,$(fuzz-names),$(eval $(call fuzz-program,$n)))

.PHONY: fuzz $(addprefix fuzz-,$(fuzz-names))
fuzz: $(addprefix $(B)/fuzz/fuzz_,$(fuzz-names))
	@tests/fuzz/run $^
$(addprefix fuzz-,$(fuzz-names)): fuzz-%: $(B)/fuzz/fuzz_%
	@tests/fuzz/run $^
