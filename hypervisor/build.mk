# The hypervisor: one freestanding static image, from every .c and .S file below this folder that is listed in no exclusion.
#
#   build/poncho         release image (ELF32 container for Multiboot, 64-bit code)
#   build/poncho-debug   the same with ASSERTs
#   build/poncho-syms    release image as ELF64 with symbols, for gdb
#
# CC=clang builds with clang into its own folder (build/clang/...).

HV_CC ?= $(CC)
HV_OUT := $(B)/hypervisor/$(notdir $(HV_CC))

HV_SRC := $(sort $(shell find hypervisor -name '*.c' -o -name '*.S' | grep -v -e '/asm_offsets\.c$$' -e 'boot/container\.S$$'))

HV_WARN := -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wno-sign-compare -Wno-missing-field-initializers -Wno-unused-parameter -Werror
HV_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-strict-aliasing -fno-common -fPIE -fvisibility=hidden \
	-include hypervisor/lib/visibility.h -mno-red-zone -mgeneral-regs-only -mcmodel=small -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fno-jump-tables -fwrapv \
	-D__XEN_TOOLS__ -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
	-Ihypervisor -I$(HV_OUT)/generated $(HV_WARN)
HV_LDFLAGS := -static -nostdlib -no-pie -Wno-unused-command-line-argument -Wl,--build-id=sha1 -Wl,-z,noexecstack -Wl,-z,max-page-size=4096 \
	-Wl,--no-warn-rwx-segments

hv_objs = $(patsubst hypervisor/%,$(HV_OUT)/$(1)/%.o,$(HV_SRC))

HV_OFFSETS := $(HV_OUT)/generated/asm_offsets.h
$(HV_OFFSETS): hypervisor/x86/asm_offsets.c
	@mkdir -p $(@D)
	@$(HV_CC) $(HV_CFLAGS) -MMD -MF $(@D)/asm_offsets.d -MT $@ -S -o $(@D)/asm_offsets.s $<
	@sed -n 's/^.*"->\([A-Za-z0-9_]*\) \(-\{0,1\}[0-9]*\)".*/#define \1 \2/p' $(@D)/asm_offsets.s > $@
-include $(HV_OUT)/generated/asm_offsets.d

define hv_rules
$(HV_OUT)/$(1)/%.c.o: hypervisor/%.c $(HV_OFFSETS)
	@mkdir -p $$(@D)
	@echo "  CC      $$*.c$(if $(filter debug,$(1)), (debug))"
	@$(HV_CC) $(HV_CFLAGS) $(2) -MMD -c -o $$@ $$<
$(HV_OUT)/$(1)/%.S.o: hypervisor/%.S $(HV_OFFSETS)
	@mkdir -p $$(@D)
	@echo "  AS      $$*.S$(if $(filter debug,$(1)), (debug))"
	@$(HV_CC) $(HV_CFLAGS) $(2) -MMD -c -o $$@ $$<
-include $$(patsubst %.o,%.d,$(call hv_objs,$(1)))
endef
# A header that is gone: what was built with it is out of date.
hypervisor/%.h: ;
$(eval $(call hv_rules,release,))
$(eval $(call hv_rules,debug,-DDEBUG))

# Linked twice: the first pass gives the symbol table that panic's backtrace prints, the second contains it. The table lies behind
# the code, so its size moves no function.
HV_LINK = $(HV_CC) $(HV_LDFLAGS) -Wl,-T,hypervisor/image.lds
$(HV_OUT)/%/poncho-syms: hypervisor/image.lds hypervisor/symbols.awk
	@echo "  LD      $@"
	@awk -f hypervisor/symbols.awk </dev/null >$(@D)/symbols.S
	@$(HV_CC) -c -o $(@D)/symbols.o $(@D)/symbols.S
	@$(HV_LINK) -o $@.tmp $(call hv_objs,$*) $(@D)/symbols.o -lgcc
	@nm -n $@.tmp | awk -f hypervisor/symbols.awk >$(@D)/symbols.S
	@$(HV_CC) -c -o $(@D)/symbols.o $(@D)/symbols.S
	@$(HV_LINK) -o $@ $(call hv_objs,$*) $(@D)/symbols.o -lgcc
	@rm -f $@.tmp
$(HV_OUT)/release/poncho-syms: $(call hv_objs,release)
$(HV_OUT)/debug/poncho-syms: $(call hv_objs,debug)

# What loaders get: the raw image in a 32-bit ELF container (boot/container.S).
hv_symbol = 0x$$(nm $(1) | awk '$$3 == "$(2)" { print $$1 }')
$(HV_OUT)/%/poncho: $(HV_OUT)/%/poncho-syms hypervisor/boot/container.S hypervisor/boot/container.lds
	@objcopy -O binary $< $@.bin
	@$(HV_CC) -m32 -c -o $@.container.o -DIMAGE_FILE='"$@.bin"' \
		-DIMAGE_FILE_SIZE=$$(stat -c %s $@.bin) -DIMAGE_MEM_SIZE=$(call hv_symbol,$<,image_mem_size) \
		-DPVH_ENTRY=$(call hv_symbol,$<,start_pvh_phys) hypervisor/boot/container.S
	@ld -m elf_i386 -z noexecstack --no-warn-rwx-segments -T hypervisor/boot/container.lds \
		-e $(call hv_symbol,$<,start_phys) -o $@ $@.container.o

.PRECIOUS: $(HV_OUT)/%/poncho-syms $(HV_OUT)/%/poncho
.PHONY: hypervisor
hypervisor: $(B)/poncho $(B)/poncho.gz $(B)/poncho-debug $(B)/poncho-syms
$(B)/poncho: $(HV_OUT)/release/poncho
	@cp $< $@
$(B)/poncho-debug: $(HV_OUT)/debug/poncho
	@cp $< $@
$(B)/poncho-syms: $(HV_OUT)/release/poncho-syms
	@cp $< $@
$(B)/poncho.gz: $(B)/poncho
	@gzip -9nc $< > $@

# The second compiler's opinion; its images are bootable, too.
.PHONY: hypervisor-clang
hypervisor-clang:
	@$(MAKE) --no-print-directory HV_CC=clang $(B)/hypervisor/clang/release/poncho $(B)/hypervisor/clang/debug/poncho
