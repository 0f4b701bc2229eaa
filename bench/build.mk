# SPDX-License-Identifier: MIT
#
# Figures beside Debian's Xen 4.17: `make bench`.  Built here: the PV kernel of the micro rows, the empty
# Multiboot kernel whose time of start is subtracted, and the static program of the Linux rows.

B ?= build
BENCH_OUT := $(B)/bench
BENCH_MICRO_OBJ := $(BENCH_OUT)/micro/main.o $(BENCH_OUT)/micro/entry.o

$(BENCH_OUT)/micro/%.o: bench/micro/%.c
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(BENCH_OUT)/micro/%.o: bench/micro/%.S
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -D__ASSEMBLY__ -c -o $@ $<

$(BENCH_OUT)/micro.elf: $(BENCH_MICRO_OBJ) $(GUEST_LIB_OBJ) tests/guest/lib/guest.lds
	$(GUEST_CC) $(GUEST_LDFLAGS) -o $@ $(filter %.o,$^)

$(BENCH_OUT)/stub.elf: bench/stub/stub.S
	@mkdir -p $(@D)
	$(CC) -m32 -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-Ttext=0x100000 -Wl,-N -Wl,--no-warn-rwx-segments -o $@ $<

$(BENCH_OUT)/init: bench/init.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 $(GUEST_WARN) -static -o $@ $<

.PHONY: bench bench-images
bench-images: $(BENCH_OUT)/micro.elf $(BENCH_OUT)/stub.elf $(BENCH_OUT)/init

bench: bench-images $(APPLIANCE) $(B)/system/outer.cpio $(if $(HV),,$(B)/poncho)
	bench/run --hv $(or $(HV),$(B)/poncho) --out $(BENCH_OUT)

-include $(wildcard $(BENCH_OUT)/micro/*.d)
