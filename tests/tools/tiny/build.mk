# SPDX-License-Identifier: MIT
#
# A PV guest of a few KiB for tests that need many guests: `make tiny-guest` -> $(B)/tests/tiny.elf. Runs in 8 MiB and less.
tiny-cflags := -std=gnu11 -O2 -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
	-mno-red-zone -mgeneral-regs-only -D__XEN_TOOLS__ -Wall -Wextra -Werror
tiny-sources := $(addprefix tests/tools/tiny/,head.S tiny.c)

$(B)/tests/tiny.elf: $(tiny-sources) tests/tools/tiny/tiny.lds tests/tools/tiny/build.mk
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@gcc $(tiny-cflags) -nostdlib -static -no-pie -Wl,-T,tests/tools/tiny/tiny.lds -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments \
		-Wl,-z,max-page-size=4096 -o $@ $(tiny-sources)
	@strip $@

.PHONY: tiny-guest
tiny-guest: $(B)/tests/tiny.elf
