# SPDX-License-Identifier: MIT
#
# Host unit tests: each tests/unit/test_NAME.c becomes one cmocka program per compiler, linked with
# the hypervisor's real sources and run under AddressSanitizer and UBSan. `make unit` runs them all,
# `make unit-NAME` one.
#
# To add a test: write tests/unit/test_NAME.c and, under "The tests" below, the sources it needs
# (relative to hypervisor/, or with a path from the top that begins with tests/):
#
#	unit-NAME := core/evtchn.c mm/page_type.c tests/unit/fake_x86.c
#	unit-NAME-flags := -DSOMETHING          (only if needed)
#	unit-NAME-libs := -lsomething           (only if needed)
#
# The C library stands in for lib/string.c and lib/printf.c; strlcpy and scnprintf are linked always.
# Do not include <errno.h> beside lib/errno.h: both define the same names.

# --- The tests -----------------------------------------------------------------------------------

unit-decompressors := $(addprefix lib/,decompress.c inflate.c unxz.c unlzma2.c bcj_x86.c unlz4.c unzstd.c crc32.c xxhash.c)

unit-decompress := $(unit-decompressors)
unit-decompress-flags := -O2
unit-kernel_image := boot/kernel_image.c boot/kernel_elf.c boot/kernel_notes.c lib/parse.c $(unit-decompressors)
unit-kernel_image-flags := -O2
unit-parse := lib/parse.c
unit-rangeset := core/rangeset.c
unit-rangeset-flags := -DHOST_BUILD
unit-spinlock-flags := -DHOST_BUILD
unit-spinlock-libs := -lpthread
unit-string := lib/string.c
unit-string-flags := $(foreach f,memcpy memmove memset memcmp strlen strnlen strcmp strncmp \
	strchr strstr,-D$f=hv_$f)
unit-printf := lib/printf.c
unit-printf-flags := -Dvsnprintf=hv_vsnprintf

# Guests on a pretended machine: the real frame references below, fake_guest.c for what is above.
unit-guests := tests/unit/fake_machine.c tests/unit/fake_guest.c x86/tlb_clock.c hypercall/dispatch.c \
	$(addprefix mm/,page_type.c domain_pages.c)
unit-evtchn := $(unit-guests) tests/unit/fake_events.c hypercall/hc_event_channel.c \
	$(addprefix core/evtchn,.c _fifo.c _send.c)
unit-evtchn-flags := -DHOST_BUILD -DDEBUG
unit-evtchn_fifo := $(unit-evtchn)
unit-evtchn_fifo-flags := $(unit-evtchn-flags)
unit-evtchn_ends := $(unit-evtchn)
unit-evtchn_ends-flags := $(unit-evtchn-flags)
unit-evtchn_ends-libs := -lpthread
unit-grant := $(unit-guests) tests/unit/fake_grants.c hypercall/hc_grant_table.c \
	$(addprefix core/grant_,table.c entry.c map.c copy.c)
unit-grant-flags := -DHOST_BUILD -DDEBUG
unit-grant_copy := $(unit-grant)
unit-grant_copy-flags := $(unit-grant-flags)
unit-grant_table := $(unit-grant)
unit-grant_table-flags := $(unit-grant-flags)

# Memory and PV page tables on the same machine.
unit-mm := tests/unit/fake_machine.c x86/tlb_clock.c $(addprefix mm/,page_type.c domain_pages.c)
unit-mm-flags := -DHOST_BUILD -DDEBUG
unit-pagetable := $(unit-mm) tests/unit/fake_mmu.c core/rangeset.c \
	$(addprefix pv/,mmu.c mmu_entry.c validate.c hc_mmu.c hc_mmuext.c ptwr.c grant_pv.c)
unit-pagetable-flags := -DHOST_BUILD -DDEBUG
unit-pagetable-libs := -lpthread

unit-timer := core/timer.c tests/unit/fake_cpus.c
unit-timer-flags := -DHOST_BUILD -DDEBUG
unit-sched := core/sched.c core/sched_credit.c core/timer.c core/work.c lib/parse.c tests/unit/fake_cpus.c
unit-sched-flags := -DHOST_BUILD -DDEBUG
unit-vtime := core/vtime.c core/timer.c x86/time.c tests/unit/fake_cpus.c
unit-vtime-flags := -DHOST_BUILD -DDEBUG
unit-outer := $(addprefix outer/,hyperv.c vmware.c xen.c smbios.c) tests/unit/fake_xen.c
unit-outer-flags := -DHOST_BUILD -DDEBUG
unit-nested := outer/xen.c hypercall/hc_nested.c tests/unit/fake_xen.c
unit-nested-flags := -DHOST_BUILD -DDEBUG
unit-bundle := boot/bundle.c
unit-bundle-flags := -DHOST_BUILD
unit-loader_info := boot/loader_info.c boot/efi.c lib/parse.c
unit-loader_info-flags := -DHOST_BUILD
unit-console := core/console_io.c lib/parse.c
unit-console-flags := -DHOST_BUILD

# --- How they are built ---------------------------------------------------------------------------

B ?= build
unit-compilers := gcc clang
unit-names := $(patsubst tests/unit/test_%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
unit-always := lib/text.c
unit-cflags := -std=gnu11 -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Wshadow -Wundef -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes -Wno-sign-compare -Wno-missing-field-initializers \
	-Wno-unused-parameter -Werror -fno-strict-aliasing -fwrapv -D__XEN_TOOLS__ \
	-D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
	-fsanitize=address,undefined -fno-sanitize-recover=all \
	-DPONCHO_HOST=1 -Ihypervisor -Itests/unit

# A source named relative to hypervisor/ (or as tests/...) -> its path from the top.
unit-path = $(if $(filter tests/%,$1),$1,hypervisor/$1)
# $1 compiler, $2 test -> its objects
unit-objs = $(patsubst %.c,$(B)/unit/$1/$2/%.o,\
	tests/unit/test_$2.c $(foreach s,$(unit-$2) $(unit-always),$(call unit-path,$s)))

define unit-program
$(B)/unit/$1/test_$2: $(call unit-objs,$1,$2)
	@$1 $$(unit-cflags) -o $$@ $$^ -lcmocka $(unit-$2-libs)
$(B)/unit/$1/$2/%.o: %.c tests/unit/build.mk
	@mkdir -p $$(@D)
	@$1 $$(unit-cflags) $(unit-$2-flags) -MMD -MP -c -o $$@ $$<
-include $(patsubst %.o,%.d,$(call unit-objs,$1,$2))
endef
$(foreach n,$(unit-names),$(foreach c,$(unit-compilers),$(eval $(call unit-program,$c,$n))))

unit-programs := $(foreach n,$(unit-names),$(foreach c,$(unit-compilers),$(B)/unit/$c/test_$n))

.PHONY: unit $(addprefix unit-,$(unit-names))
unit: $(unit-programs)
	@tests/unit/run $^

$(addprefix unit-,$(unit-names)): unit-%: $(foreach c,$(unit-compilers),$(B)/unit/$c/test_%)
	@tests/unit/run $^
