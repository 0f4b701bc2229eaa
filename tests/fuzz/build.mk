# SPDX-License-Identifier: MIT
#
# Fuzz targets: each tests/fuzz/fuzz_NAME.c becomes a libFuzzer program from the hypervisor's real
# sources, under AddressSanitizer and UBSan. `make fuzz` runs each for FUZZ_SECONDS, `make fuzz-NAME`
# one. To add one: write the file, and name its sources here as in tests/unit/build.mk; those of the
# control tools as folders or files below tools/, in fuzz-NAME-tools.

fuzz-decompress := $(unit-decompressors)
fuzz-kernel_image := $(unit-kernel_image)
fuzz-config-tools := lib/base lib/config
fuzz-config-libs := -ljansson
fuzz-sxp-tools := lib/base lib/config
fuzz-sxp-libs := -ljansson
fuzz-http-tools := lib/base lib/config xend/api_*.c $(patsubst %,xend/%.c,http_guard metrics openapi settings xenapi)
fuzz-http-libs := -ljansson
fuzz-xenstore-tools := lib/base $(patsubst %,xenstored/%.c,wire path tree watch store transaction request conn journal snapshot)

B ?= build
fuzz-names := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
fuzz-cflags := $(filter-out -O1,$(unit-cflags)) -O2 -fsanitize=fuzzer
fuzz-tools-cflags = -std=gnu11 -g -O2 -fno-omit-frame-pointer -D_GNU_SOURCE -D__XEN_TOOLS__ -Itools $(TOOLS_WARN) \
	-fsanitize=address,undefined,fuzzer -fno-sanitize-recover=all
fuzz-cflags-of = $(if $(fuzz-$1-tools),$(fuzz-tools-cflags),$(fuzz-cflags))
fuzz-objs = $(patsubst %.c,$(B)/fuzz/$1/%.o,tests/fuzz/fuzz_$1.c $(if $(fuzz-$1-tools),\
	$(wildcard $(foreach s,$(fuzz-$1-tools),tools/$s$(if $(filter %.c,$s),,/*.c))),\
	$(foreach s,$(fuzz-$1) $(unit-always),$(call unit-path,$s))))

define fuzz-program
$(B)/fuzz/fuzz_$1: $(call fuzz-objs,$1)
	@clang $$(call fuzz-cflags-of,$1) -o $$@ $$^ $(fuzz-$1-libs)
$(B)/fuzz/$1/%.o: %.c tests/fuzz/build.mk tests/unit/build.mk
	@mkdir -p $$(@D)
	@clang $$(call fuzz-cflags-of,$1) $(fuzz-$1-flags) -MMD -MP -c -o $$@ $$<
-include $(patsubst %.o,%.d,$(call fuzz-objs,$1))
endef
$(foreach n,$(fuzz-names),$(eval $(call fuzz-program,$n)))

.PHONY: fuzz $(addprefix fuzz-,$(fuzz-names))
fuzz: $(addprefix $(B)/fuzz/fuzz_,$(fuzz-names))
	@tests/fuzz/run $^
$(addprefix fuzz-,$(fuzz-names)): fuzz-%: $(B)/fuzz/fuzz_%
	@tests/fuzz/run $^
