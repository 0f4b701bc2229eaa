# SPDX-License-Identifier: MIT
#
# The control tools: build/tools/{xenstored,xenconsoled,xend,xm,poncho}. Each program is every .c file of its folder and of the library folders
# named for it here. CC=clang builds with clang into its own folder, as for the hypervisor.
B ?= build

TOOLS_CC ?= $(CC)
TOOLS_OUT := $(B)/tools/obj/$(notdir $(TOOLS_CC))
TOOLS_WARN := -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings \
	-Wno-sign-compare -Wno-missing-field-initializers -Wno-unused-parameter -Werror
TOOLS_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 -D__XEN_TOOLS__ -Itools $(TOOLS_WARN)
TOOLS_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed

# --- The programs: folders below tools/, Debian's libraries ------------------------------------------

TOOLS_PROGRAMS := xenstored xenconsoled xend xm poncho
tools-xenstored := xenstored lib/base
tools-xenstored-libs := -lxencall -lxenevtchn -lxengnttab -lxenforeignmemory
tools-xenconsoled := xenconsoled lib/base lib/hyper lib/store
tools-xenconsoled-libs := -lxenevtchn -lxengnttab -lxenforeignmemory -lxencall -lutil
tools-xend := xend lib/base lib/config lib/hyper lib/builder lib/store lib/device
tools-xend-libs := -lmicrohttpd -ljansson -lxencall -lxenforeignmemory -lxenevtchn -lxengnttab -lz -llzma -lbz2 -llz4 -lzstd -lpthread
tools-xm := xm lib/base lib/config
# Static: a start costs a third less, and xm is started often.
tools-xm-libs := -static-pie -ljansson -Wl,--no-warnings -Wno-unused-command-line-argument

tools-poncho := poncho lib/base
tools-poncho-libs := -ljansson -lxencall

# --- How they are built ---------------------------------------------------------------------------------

tools-objs = $(patsubst tools/%.c,$(TOOLS_OUT)/%.o,$(wildcard $(foreach f,$(tools-$1),tools/$f/*.c)))

$(TOOLS_OUT)/%.o: tools/%.c tools/build.mk
	@mkdir -p $(@D)
	@echo "  CC      tools/$*.c"
	@$(TOOLS_CC) $(TOOLS_CFLAGS) -MMD -MP -c -o $@ $<

# What an assembler directive includes no compiler tells of.
$(TOOLS_OUT)/lib/config/python.o: tools/lib/config/xm_file.py

define tools-program
$(TOOLS_OUT)/bin/$1: $(call tools-objs,$1)
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	@$$(TOOLS_CC) $$(TOOLS_LDFLAGS) -o $$@ $$^ $(tools-$1-libs)
$(B)/tools/$1: $(TOOLS_OUT)/bin/$1
	@cp $$< $$@
-include $(patsubst %.o,%.d,$(call tools-objs,$1))
endef
TOOLS_PRESENT := $(foreach p,$(TOOLS_PROGRAMS),$(if $(wildcard tools/$p/*.c),$p))
$(foreach p,$(TOOLS_PRESENT),$(eval $(call tools-program,$p)))

.PHONY: tools tools-clang
tools: $(addprefix $(B)/tools/,$(TOOLS_PRESENT))
tools-clang:
	@$(MAKE) --no-print-directory TOOLS_CC=clang $(addprefix $(B)/tools/obj/clang/bin/,$(TOOLS_PRESENT))
